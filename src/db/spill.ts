// Records by partition, in memory up to a bound and on disk beyond it: what lets a table of any size be sorted or joined.
// One file holds all of it, without a name from the moment it is open: whatever ends the process, nothing stays behind.
import { mkdtempSync } from 'node:fs'
import { type FileHandle, open, rmdir, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SpillOptions {
  /** Partitions are numbered from 0 to one less than this. */
  readonly partitions: number
  /** What may be in memory, in bytes; a record that is larger than half of it still goes in. */
  readonly memoryBytes: number
  /** Where the file is made; the system's folder for such things when left out. */
  readonly folder?: string | undefined
}

export interface Spill extends AsyncDisposable {
  /**
   * Takes a copy of the record at once. Gives a promise where the disk has to be waited for before more is appended; it rejects with
   * what the file system threw, as does every call after that. Throws RangeError for a partition that has been read already.
   */
  append(partition: number, record: Uint8Array): Promise<void> | undefined
  /** All records of a partition, in the order in which they came; it is forgotten then, and takes none any more. */
  read(partition: number): Promise<readonly Buffer[]>
  /** Records of the partition that were not read yet. */
  recordCount(partition: number): number
}

/** Begins with so many bytes of memory and doubles: most have little to hold. */
const FIRST_BYTES = 64 * 1_024
/** What one write to the disk carries, unless a partition alone has more. */
const WRITE_BYTES = 1_024 * 1_024
/** In front of a record in memory: where the next one of its partition is, and its length; on disk its length alone. */
const LINK_BYTES = 8
const LENGTH_BYTES = 4
const NONE = -1

/** Touches no disk before the memory is full. */
export function openSpill(options: SpillOptions): Spill {
  return new PartitionedSpill(options)
}

/** Records in memory, those of one partition chained to one another. */
class Arena {
  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  length = 0
  readonly #first: Int32Array
  readonly #last: Int32Array

  constructor(partitions: number) {
    this.#first = new Int32Array(partitions).fill(NONE)
    this.#last = new Int32Array(partitions).fill(NONE)
  }

  add(partition: number, record: Uint8Array): void {
    const at = this.length
    this.#reserve(at + LINK_BYTES + record.length)
    this.bytes.writeInt32LE(NONE, at)
    this.bytes.writeInt32LE(record.length, at + LENGTH_BYTES)
    this.bytes.set(record, at + LINK_BYTES)
    const last = this.#last[partition] ?? NONE
    if (last === NONE) this.#first[partition] = at
    else this.bytes.writeInt32LE(at, last)
    this.#last[partition] = at
  }

  /** Calls `take` with where each record of the partition lies, and its length. */
  visit(partition: number, take: (at: number, length: number) => void): void {
    for (let at = this.#first[partition] ?? NONE; at !== NONE; at = this.bytes.readInt32LE(at))
      take(at + LINK_BYTES, this.bytes.readInt32LE(at + LENGTH_BYTES))
  }

  clear(): void {
    this.length = 0
    this.#first.fill(NONE)
    this.#last.fill(NONE)
  }

  #reserve(length: number): void {
    if (length > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, this.bytes.length * 2))
      this.bytes.copy(grown, 0, 0, this.length)
      this.bytes = grown
    }
    this.length = length
  }
}

class PartitionedSpill implements Spill {
  readonly #options: SpillOptions
  readonly #counts: Float64Array
  /** 1 where nothing more is taken, 2 where it has been given back too. */
  readonly #isRead: Uint8Array
  /** Where the file has what of each partition: pairs of position and length. */
  readonly #extents: number[][]
  #filling: Arena
  #spare: Arena | undefined
  #file: Promise<FileHandle> | undefined
  #end = 0
  /** The write that is under way. */
  #pending: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(options: SpillOptions) {
    this.#options = options
    this.#counts = new Float64Array(options.partitions)
    this.#isRead = new Uint8Array(options.partitions)
    this.#extents = Array.from({ length: options.partitions }, () => [])
    this.#filling = new Arena(options.partitions)
  }

  append(partition: number, record: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (this.#isRead[partition] !== 0) throw new RangeError('the partition is none, or was read already')
    const half = this.#options.memoryBytes / 2
    const isFull = this.#filling.length > 0 && this.#filling.length + LINK_BYTES + record.length > half
    if (isFull && this.#pending === undefined) this.#startWriting()
    this.#filling.add(partition, record)
    this.#counts[partition] = this.recordCount(partition) + 1
    // While one half is written the other one fills: only when both are full has anybody to wait.
    return this.#filling.length > half ? this.#pending : undefined
  }

  recordCount(partition: number): number {
    return this.#counts[partition] ?? 0
  }

  async read(partition: number): Promise<readonly Buffer[]> {
    if (this.#isRead[partition] !== 0) return []
    this.#isRead[partition] = 1
    this.#counts[partition] = 0
    while (this.#pending !== undefined) await this.#pending
    if (this.#failure !== undefined) throw this.#failure.error
    const records: Buffer[] = []
    const extents = this.#extents[partition]?.splice(0) ?? []
    for (let at = 0; at < extents.length; at += 2)
      splitRecords(await this.#readFile(extents[at] ?? 0, extents[at + 1] ?? 0), records)
    const { bytes } = this.#filling
    this.#filling.visit(partition, (at, length) => records.push(Buffer.from(bytes.subarray(at, at + length))))
    this.#isRead[partition] = 2
    return records
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pending?.catch(() => undefined)
    const file = await this.#file?.catch(() => undefined)
    this.#failure ??= { error: new Error('what was spilled is gone: it was closed') }
    this.#file = undefined
    await file?.close()
  }

  #startWriting(): void {
    const full = this.#filling
    this.#filling = this.#spare ?? new Arena(this.#options.partitions)
    this.#spare = undefined
    const pending = this.#writeAll(full).then(
      () => {
        full.clear()
        this.#spare = full
        this.#pending = undefined
      },
      (error: unknown) => {
        this.#failure = { error }
        this.#pending = undefined
        throw error
      },
    )
    // Whoever appends or reads next is told.
    pending.catch(() => undefined)
    this.#pending = pending
  }

  async #writeAll(arena: Arena): Promise<void> {
    this.#file ??= openNameless(this.#options.folder ?? tmpdir())
    const file = await this.#file
    let staged = Buffer.allocUnsafe(WRITE_BYTES)
    let length = 0
    for (let partition = 0; partition < this.#options.partitions; partition++) {
      // What has been given back was in memory still, and is not wanted again.
      if (this.#isRead[partition] === 2) continue
      let needed = 0
      arena.visit(partition, (_, bytes) => {
        needed += LENGTH_BYTES + bytes
      })
      if (needed === 0) continue
      if (length + needed > staged.length) {
        await writeFully(file, staged.subarray(0, length), this.#end - length)
        length = 0
        if (needed > staged.length) staged = Buffer.allocUnsafe(needed)
      }
      this.#extents[partition]?.push(this.#end, needed)
      this.#end += needed
      arena.visit(partition, (at, bytes) => {
        staged.writeInt32LE(bytes, length)
        arena.bytes.copy(staged, length + LENGTH_BYTES, at, at + bytes)
        length += LENGTH_BYTES + bytes
      })
    }
    await writeFully(file, staged.subarray(0, length), this.#end - length)
  }

  async #readFile(position: number, length: number): Promise<Buffer> {
    const file = await this.#file
    const bytes = Buffer.allocUnsafe(length)
    let done = 0
    while (done < length) {
      const result = await file?.read(bytes, done, length - done, position + done)
      if (result === undefined || result.bytesRead === 0) throw new Error('the file of what was spilled is too short')
      done += result.bytesRead
    }
    return bytes
  }
}

/** A file that only this process can reach: its folder, for its owner alone, and its name are gone when this resolves. */
async function openNameless(parent: string): Promise<FileHandle> {
  const folder = mkdtempSync(join(parent, `syncer-spill-${process.pid}-`))
  const path = join(folder, 'records')
  try {
    const file = await open(path, 'wx+', 0o600)
    await unlink(path)
    return file
  } finally {
    await rmdir(folder)
  }
}

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}

function splitRecords(bytes: Buffer, records: Buffer[]): void {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32LE(at)
    at += LENGTH_BYTES
    records.push(bytes.subarray(at, at + length))
    at += length
  }
}

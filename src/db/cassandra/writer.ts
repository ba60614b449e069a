// Writing rows that are newer than what the table holds. Rows are gathered as bytes, sorted by token, and unit by unit compared with what
// is there and written, while the next ones are gathered. Reading, comparing and writing a row is one step that no other writer of this
// process comes between; what users write meanwhile has a later write time and wins.
import { forEachConcurrently } from '../../lib/concurrently.ts'
import { decide, writeTimestamp } from '../compare.ts'
import type { Row } from '../document.ts'
import type { RowWriter, WriterOptions } from '../store.ts'
import { ConversionError } from '../values.ts'
import { Batches, type Write } from './batches.ts'
import { Chunk, type RowEncoder, rangeOfUnit, type Unit } from './chunk.ts'
import type { HeldReader, HeldRow } from './held.ts'
import type { TablePlace } from './place.ts'
import type { WritePace } from './write-pace.ts'

/** What is gathered at most: as much again may be on its way, for each of the chunks that may be. */
const MOST_BYTES = 2 * 1_024 * 1_024
/** The first of a writer, so that the servers need not wait long for it; the next ones twice as many each. */
const FIRST_BYTES = 256 * 1_024
/** With a single one the servers would have nothing to do from its last answers to the next one's first batches. */
const CHUNKS_AT_ONCE = 2
const UNITS_AT_ONCE = 3
/** Of the next chunk, beyond the bytes of the one before. */
const ROOM = 1.1
/** Microseconds from which writers of tables with lists draw theirs. */
const OWN_TIMES = 500

interface RowWrite extends Write {
  readonly row: number
}

export interface TableWriterParts {
  readonly place: TablePlace
  readonly encoder: RowEncoder
  readonly held: HeldReader
  readonly pace: WritePace
}

export class TableWriter implements RowWriter {
  readonly #parts: TableWriterParts
  readonly #options: WriterOptions
  readonly #ending = new AbortController()
  readonly #signal: AbortSignal
  #gathering: Chunk
  #enoughBytes = FIRST_BYTES
  /** Chunks on their way, the oldest first. */
  readonly #carrying: Promise<void>[] = []
  #batches: Promise<Batches<RowWrite>> | undefined
  /**
   * A list is written by deleting what has an earlier timestamp and appending, and the server appends with keys of its own: two tries
   * with one timestamp leave its elements twice. So each try has its own, also among writers of other processes.
   */
  readonly #hasLists: boolean
  readonly #ownTime: bigint

  constructor(parts: TableWriterParts, options: WriterOptions) {
    this.#parts = parts
    this.#options = options
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal])
    this.#gathering = new Chunk(parts.encoder)
    const { table, session } = parts.place
    this.#hasLists = table.columns.some(({ type }) => type.kind === 'list' && !type.frozen)
    this.#ownTime = BigInt(Math.floor(session.options.random() * OWN_TIMES))
  }

  async write(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      this.#add(row)
      if (this.#isEnough()) await this.#carryOn()
    }
    this.#signal.throwIfAborted()
  }

  async finish(): Promise<void> {
    await this.#carryOn()
    await Promise.all(this.#carrying)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('the writer was disposed'))
    await Promise.allSettled(this.#carrying)
  }

  #add(row: Row): void {
    try {
      this.#gathering.add(row)
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error
      this.#options.settle(row.id, row.version, 'failed', error.message)
    }
  }

  #isEnough(): boolean {
    const { bytes, isFull } = this.#gathering
    return bytes >= this.#enoughBytes || isFull
  }

  /** Sends what is gathered on its way, when there is room for it. */
  async #carryOn(): Promise<void> {
    const chunk = this.#gathering
    if (chunk.rows === 0) return
    this.#enoughBytes = Math.min(MOST_BYTES, this.#enoughBytes * 2)
    this.#gathering = new Chunk(this.#parts.encoder, Math.ceil(chunk.length * ROOM))
    if (this.#carrying.length === CHUNKS_AT_ONCE) await this.#carrying.shift()
    const carrying = this.#carry(chunk)
    this.#carrying.push(carrying)
    // Whoever writes later or finishes is told.
    carrying.catch(() => undefined)
  }

  async #carry(chunk: Chunk): Promise<void> {
    const bytes = chunk.view()
    await forEachConcurrently(chunk.cutUnits(), UNITS_AT_ONCE, this.#signal, (unit) =>
      this.#carryUnit(chunk, bytes, unit),
    )
  }

  async #carryUnit(chunk: Chunk, bytes: Buffer, unit: Unit): Promise<void> {
    const { place, held } = this.#parts
    const ids = unit.rows.map((row) => chunk.ids[row] ?? '')
    using _lock = await place.locks.take(unit.words, this.#signal)
    const wanted = { ids, words: unit.words, range: rangeOfUnit(unit), rowBytes: unit.bytes / ids.length }
    const there = await held.read(wanted, this.#signal)
    const writes: RowWrite[] = []
    for (const row of unit.rows) {
      const write = this.#compare(chunk, bytes, row, there.get(chunk.ids[row] ?? ''))
      if (write !== undefined) writes.push(write)
    }
    if (writes.length === 0) return
    if (this.#options.dryRun) for (const { row } of writes) this.#settle(chunk, row, 'applied')
    else
      await (await this.#openBatches()).write(writes, this.#signal, ({ row }, refusal) =>
        this.#settle(chunk, row, refusal === undefined ? 'applied' : 'failed', refusal),
      )
  }

  /** What to write of a row; undefined where it is settled already. */
  #compare(chunk: Chunk, bytes: Buffer, row: number, there: HeldRow | undefined): RowWrite | undefined {
    const version = chunk.versions[row]
    if (version === undefined) return undefined
    const held = there?.version === undefined ? undefined : ({ kind: 'version', version: there.version } as const)
    const { outcome } = decide(version, held)
    if (outcome !== 'applied') {
      this.#settle(chunk, row, outcome === 'older' ? 'older' : 'equal')
      return undefined
    }
    try {
      const { kind } = this.#parts.place.table
      const timestamp = writeTimestamp(kind, version, there?.writetime)
      const [start, end] = [chunk.startOf(row), chunk.endOf(row)]
      if (!this.#hasLists) return { row, bytes, start, end, timestamp, timestampStep: 0n }
      // Away from what it has to win against, a row that is there, or to lose against, a delete that comes later.
      const timestampStep = kind === 'latest' && there?.writetime !== undefined ? 1n : -1n
      return { row, bytes, start, end, timestamp: timestamp + timestampStep * this.#ownTime, timestampStep }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#settle(chunk, row, 'failed', `table ${this.#parts.place.table.name}: ${error.message}`)
      return undefined
    }
  }

  #settle(chunk: Chunk, row: number, outcome: 'applied' | 'older' | 'equal' | 'failed', reason?: string): void {
    const [id, version] = [chunk.ids[row], chunk.versions[row]]
    if (id !== undefined && version !== undefined) this.#options.settle(id, version, outcome, reason)
  }

  #openBatches(): Promise<Batches<RowWrite>> {
    this.#batches ??= this.#prepareBatches()
    return this.#batches
  }

  async #prepareBatches(): Promise<Batches<RowWrite>> {
    const { place, pace } = this.#parts
    const statement = await place.prepare('insert', this.#signal)
    const valueCount = place.table.columns.length + 3
    return new Batches({ place, pace, statement, valueCount, timestampAt: 'last' })
  }
}

// Rows that wait to be written, as the bytes in which they will be sent: that is what bounds memory, whatever the rows are. They come
// out in units of rows that are next to each other in the order of their tokens. Pure.
import { ByteWriter } from '../byte-writer.ts'
import { createCodec } from '../cql-codec.ts'
import type { Row } from '../document.ts'
import type { Table } from '../table.ts'
import { type Version, writeTimeuuid } from '../timeuuid.ts'
import { writeUuid } from '../uuid-bytes.ts'
import { type ValueCodec, writeCell } from '../value-codec.ts'
import { type CqlValue, conversionError } from '../values.ts'
import { tokenWordOf } from './murmur3.ts'
import type { TokenRange } from './ring.ts'
import { isMultiCell } from './statements.ts'

/** Rows of a unit, and about so many bytes of them: what is compared with the target in one go. */
const UNIT_ROWS = 1_000
const UNIT_BYTES = 2 * 1_024 * 1_024
/** Id, version and where the row lies; no exact figure. */
const OWN_BYTES = 150
/** A chunk has fewer rows than this: a place in it and the upper half of a token make one exact number together. */
const MOST_ROWS = 2 ** 20
const HALF_WORD = 2 ** 31

/** Rows by their places in the chunk, in the order of their tokens. */
export interface Unit {
  readonly rows: readonly number[]
  readonly bytes: number
  /** The upper half of each one's token. */
  readonly words: Int32Array
}

/** Encodes the rows of one table. */
export class RowEncoder {
  readonly #table: Table
  readonly #columns: readonly { readonly codec: ValueCodec; readonly isMultiCell: boolean }[]

  constructor(table: Table) {
    this.#table = table
    this.#columns = table.columns.map(({ type }) => ({ codec: createCodec(type), isMultiCell: isMultiCell(type) }))
  }

  /** Appends the cells of a row. Throws ConversionError for a value that is not what its column has; the bytes are as before then. */
  encode(out: ByteWriter, { id, version, values }: Row): void {
    const start = out.length
    let column = -1
    try {
      out.writeInt32(16)
      out.fill(16, (bytes, at) => writeUuid(id, bytes, at))
      out.writeInt32(16)
      out.fill(16, (bytes, at) => writeTimeuuid(version, bytes, at))
      for (column = 0; column < this.#columns.length; column++) this.#encodeCell(out, column, values[column] ?? null)
    } catch (error) {
      out.reset(start)
      throw conversionError(this.#table.name, this.#table.columns[column]?.name ?? 'id', error)
    }
  }

  #encodeCell(out: ByteWriter, at: number, value: CqlValue | null): void {
    const column = this.#columns[at]
    if (column === undefined) return
    // What is not frozen is none when it is empty.
    const isNone = value === null || (column.isMultiCell && Array.isArray(value) && value.length === 0)
    // Where every version is a row of its own an absent value needs no tombstone; where there is one row it has to replace the old one.
    const none = this.#table.kind === 'versions' ? undefined : null
    writeCell(out, column.codec, isNone ? none : value)
  }
}

const FIRST_CAPACITY = 64 * 1_024

export class Chunk {
  readonly #out: ByteWriter
  readonly #encoder: RowEncoder
  readonly ids: string[] = []
  readonly versions: Version[] = []
  /** Where each row ends; the next one begins there. */
  readonly #ends: number[] = []

  /** `capacity`: bytes that it will probably have. */
  constructor(encoder: RowEncoder, capacity = FIRST_CAPACITY) {
    this.#out = new ByteWriter(capacity)
    this.#encoder = encoder
  }

  /** Throws ConversionError; the chunk is as before then. */
  add(row: Row): void {
    this.#encoder.encode(this.#out, row)
    this.ids.push(row.id)
    this.versions.push(row.version)
    this.#ends.push(this.#out.length)
  }

  get rows(): number {
    return this.ids.length
  }

  /** About what it takes in memory. */
  get bytes(): number {
    return this.#out.length + this.rows * OWN_BYTES
  }

  /** Bytes of its cells. */
  get length(): number {
    return this.#out.length
  }

  get isFull(): boolean {
    return this.rows >= MOST_ROWS - 1
  }

  /** The cells of all rows: a view, of a chunk that has them all. */
  view(): Buffer {
    return this.#out.view()
  }

  /** Where the cells of a row begin: id, tmstmp, then the columns. */
  startOf(row: number): number {
    return row === 0 ? 0 : this.endOf(row - 1)
  }

  endOf(row: number): number {
    return this.#ends[row] ?? 0
  }

  cutUnits(): readonly Unit[] {
    const keys = this.#sortedKeys()
    const units: Unit[] = []
    for (let at = 0; at < keys.length; ) {
      const rows: number[] = []
      const words = new Int32Array(Math.min(UNIT_ROWS, keys.length - at))
      let bytes = 0
      for (; at < keys.length && rows.length < UNIT_ROWS && bytes < UNIT_BYTES; at++) {
        const row = (keys[at] ?? 0) % MOST_ROWS
        words[rows.length] = wordOf(keys[at] ?? 0)
        rows.push(row)
        bytes += this.endOf(row) - this.startOf(row)
      }
      units.push({ rows, bytes, words: words.subarray(0, rows.length) })
    }
    return units
  }

  #sortedKeys(): Float64Array {
    const bytes = this.#out.view()
    const keys = new Float64Array(this.rows)
    for (let row = 0; row < keys.length; row++)
      keys[row] = (tokenWordOf(bytes, this.startOf(row) + 4) + HALF_WORD) * MOST_ROWS + row
    // Numbers are sorted several times faster than rows by a comparison.
    return keys.sort()
  }
}

/** All tokens whose upper halves are within the unit. */
export function rangeOfUnit({ words }: Unit): TokenRange {
  const [from = 0, to = 0] = [words[0], words.at(-1)]
  const first = BigInt(from) << 32n
  const last = (BigInt(to) << 32n) | 0xffff_ffffn
  // The least token of all is no row's, and cannot have one before it.
  return { from: from === -HALF_WORD ? first : first - 1n, to: last }
}

function wordOf(key: number): number {
  return Math.floor(key / MOST_ROWS) - HALF_WORD
}

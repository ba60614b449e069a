// The rows of the benchmark: the same ones every time, about 550 bytes each as a document.
import { hash } from 'node:crypto'
import { createDocumentWriter, type Row } from '../../../src/db/document.ts'
import type { PairPolicy } from '../../../src/db/store.ts'
import type { Column, Table } from '../../../src/db/table.ts'
import { deriveTimeuuid } from '../../../src/db/timeuuid.ts'
import { formatUuid } from '../../../src/db/uuid-bytes.ts'

export const POLICY: PairPolicy = { versionField: 'tmstmp_uuid', onUnknownField: 'fail' }

const COLUMNS: readonly Column[] = [
  { name: 'active', type: { kind: 'boolean' } },
  { name: 'age', type: { kind: 'int' } },
  { name: 'city', type: { kind: 'text' } },
  { name: 'name', type: { kind: 'text' } },
  { name: 'note', type: { kind: 'text' } },
  { name: 'score', type: { kind: 'double' } },
  { name: 'tags', type: { kind: 'list', of: { kind: 'text' }, frozen: false } },
]
export const TABLE: Table = { name: 'people', kind: 'versions', columns: COLUMNS }

/** What the page says of them. */
export const SHAPE =
  'a uuid, a timeuuid, a boolean, an int, a double, three texts (one of 250 characters) and a list of three short texts'

const DAY_MS = 86_400_000
const FIRST_MS = Date.UTC(2025, 0, 1)
/** Every first version is in the ten days up to this moment, every second one in the ten days after it. */
export const CHANGE_MS = FIRST_MS + 10 * DAY_MS
export const LAST_MS = CHANGE_MS + 10 * DAY_MS

const WORDS = ['harbour', 'linden', 'quarter', 'signal', 'marble', 'orchard', 'thunder', 'velvet', 'copper', 'meadow']

export interface RowSet {
  /** So many ids. */
  readonly count: number
  /** `older` and `changed` are versions before and after `first` of the same ids. */
  readonly age: 'older' | 'first' | 'changed'
  /** One id in so many; all of them when left out. */
  readonly oneIn?: number
}

export const countRows = ({ count, oneIn = 1 }: RowSet): number => Math.ceil(count / oneIn)

/** In an order that is that of neither store. */
export function* rowsOf({ count, age, oneIn = 1 }: RowSet): Generator<Row, void> {
  for (let nth = 0; nth < count; nth += oneIn) yield rowOf(nth, count, age)
}

function rowOf(nth: number, count: number, age: RowSet['age']): Row {
  const bytes = hash('sha256', `row ${nth}`, 'buffer')
  const share = Math.floor((nth / count) * 10 * DAY_MS)
  const starts = { older: FIRST_MS - 10 * DAY_MS, first: FIRST_MS, changed: CHANGE_MS }
  const word = (at: number) => WORDS[(bytes[at] ?? 0) % WORDS.length] ?? ''
  const note = Array.from({ length: 40 }, (_, at) => word(at % 32)).join(' ')
  return {
    id: uuidOf(bytes),
    version: deriveTimeuuid(starts[age] + share + 1, bytes),
    values: [
      nth % 2 === 0,
      (nth % 90) + 10,
      `${word(1)} ${word(2)}`,
      `${word(3)} ${word(4)} ${nth}`,
      note.slice(0, 250),
      nth / 7,
      [word(5), word(6), `${age} ${word(7)}`],
    ],
  }
}

/** Version 4. */
function uuidOf(bytes: Buffer): string {
  const id = Buffer.from(bytes.subarray(0, 16))
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x40
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80
  return formatUuid(id)
}

export const writeDocument: (row: Row) => string = createDocumentWriter(TABLE, POLICY)

/** Bytes of a document, the mean of some. */
export function meanBytes(): number {
  let sum = 0
  for (const row of rowsOf({ count: 1_000, age: 'first' })) sum += Buffer.byteLength(writeDocument(row))
  return Math.round(sum / 1_000)
}

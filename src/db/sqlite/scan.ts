// Reading a range of ids: by the index on time where little has changed, else all of it in the order of ids. Either way an id is looked
// at once, with all its versions, so that none comes twice whatever users write meanwhile.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Row } from '../document.ts'
import type { Misfit, ScanBatch } from '../store.ts'
import type { Table } from '../table.ts'
import { MIN_VERSION_MS, maxTimeuuid, ticksOf } from '../timeuuid.ts'
import type { Window } from '../window.ts'
import type { Cells, Connection, SqliteFile } from './file.ts'
import type { IdRange } from './ranges.ts'
import { type Entry, type EntryReader, isRow, sizeOf } from './rows.ts'
import { hasTable, hasTimeIndex, NO_TIMEUUID, quote, TICKS, timeIndexOf } from './schema.ts'

/** Where more rows than this have changed they are read with all others, in the order of ids. */
export const MAX_CHANGED = 10_000
/** Ids that are looked at in one go, and bytes that end it. */
const PAGE_IDS = 1_000
const PAGE_BYTES = 1_024 * 1_024
/** After every text. */
const END = new Uint8Array()

/** The statements of one table. */
export interface ScanSql {
  readonly table: string
  /** Id, tmstmp and columns of what is in a window, or in none because it has no time. */
  readonly select: string
}

export function createScanSql({ name, columns }: Table): ScanSql {
  const list = ['id', 'tmstmp', ...columns.map((column) => column.name)].map(quote).join(', ')
  return { table: name, select: `SELECT ${list} FROM ${quote(name)}` }
}

/** What SQL compares the ticks of a version with: after the first and up to the second. */
export function boundsOf({ beginMs, endMs }: Window): readonly [string, string] {
  return [lastTicksOf(beginMs), lastTicksOf(endMs)]
}

/** Ids of what has changed in a window, in order, each once; undefined where it is too much, or only reading all would tell. */
export function findChanged(connection: Connection, table: string, window: Window): readonly string[] | undefined {
  if (!hasTimeIndex(connection, table)) return undefined
  const from = `${quote(table)} INDEXED BY ${quote(timeIndexOf(table))}`
  const sql = `SELECT "id" FROM ${from} WHERE ${TICKS} > ? AND ${TICKS} <= ? LIMIT ${MAX_CHANGED + 1}`
  const ids = Array.from(connection.iterate(sql, ...boundsOf(window)), ([id]) => String(id))
  return ids.length > MAX_CHANGED ? undefined : [...new Set(ids)].sort()
}

/** Throws StoreFailed and the reason of the signal. */
export async function* scanRange(
  file: SqliteFile,
  sql: ScanSql,
  readEntry: EntryReader,
  range: IdRange,
  window: Window,
  signal: AbortSignal,
): AsyncGenerator<ScanBatch, void> {
  if (window.beginMs >= window.endMs) return
  const changed = await file.read(signal, (connection) => findChangedIn(connection, sql.table, range, window), [])
  const reader = changed === undefined ? new RangeReader(sql, range, window) : new IdsReader(sql, changed, window)
  while (!reader.isDone) {
    const entries = await file.read(signal, (connection) => reader.readPage(connection, readEntry), [])
    if (entries.length > 0) yield batchOf(entries)
    await nextTurn()
  }
}

function findChangedIn(
  connection: Connection,
  table: string,
  { from, to }: IdRange,
  window: Window,
): readonly string[] | undefined {
  if (!hasTable(connection, table)) return []
  return findChanged(connection, table, window)?.filter((id) => id >= from && (to === undefined || id < to))
}

/** Ids that are known. */
class IdsReader {
  readonly #sql: string
  readonly #ids: readonly string[]
  readonly #bounds: readonly [string, string]
  #at = 0

  constructor({ select }: ScanSql, ids: readonly string[], window: Window) {
    this.#sql = `${select} WHERE "id" = ? AND ${TICKS} > ? AND ${TICKS} <= ?`
    this.#ids = ids
    this.#bounds = boundsOf(window)
  }

  get isDone(): boolean {
    return this.#at >= this.#ids.length
  }

  readPage(connection: Connection, readEntry: EntryReader): readonly Entry[] {
    const entries: Entry[] = []
    const meter = { bytes: 0 }
    let at = this.#at
    for (const end = at + PAGE_IDS; at < Math.min(end, this.#ids.length) && meter.bytes < PAGE_BYTES; at++) {
      const entry = readEntry(metered(connection.iterate(this.#sql, this.#ids[at] ?? '', ...this.#bounds), meter))
      if (entry !== undefined) entries.push(entry)
    }
    this.#at = at
    return entries
  }
}

/** All ids of a range. The first range begins with ids that are no texts: they are misfits, and come before or after all texts. */
class RangeReader {
  readonly #sql: ScanSql
  readonly #filter: string
  readonly #to: string | Uint8Array
  readonly #bounds: readonly [string, string]
  #from: string
  #hasOdd: boolean
  isDone = false

  constructor(sql: ScanSql, { from, to }: IdRange, window: Window) {
    this.#sql = sql
    this.#filter = `(${NO_TIMEUUID} OR ${TICKS} > ? AND ${TICKS} <= ?)`
    this.#to = to ?? END
    this.#bounds = boundsOf(window)
    this.#from = from
    this.#hasOdd = from === ''
  }

  readPage(connection: Connection, readEntry: EntryReader): readonly Entry[] {
    if (this.#hasOdd) {
      const entries = this.#readOdd(connection, readEntry)
      this.#hasOdd = false
      return entries
    }
    const from = quote(this.#sql.table)
    const next = `SELECT DISTINCT "id" FROM ${from} WHERE "id" >= ? AND "id" < ? ORDER BY "id" LIMIT 1 OFFSET ${PAGE_IDS}`
    const bound = connection.get(next, this.#from, this.#to)?.[0]
    const { entries, last } = this.#readIds(connection, readEntry, typeof bound === 'string' ? bound : this.#to)
    // The least text after it.
    if (last !== undefined) this.#from = `${last}\0`
    else if (typeof bound === 'string') this.#from = bound
    else this.isDone = true
    return entries
  }

  /** Ids up to `to`; `last` is the one after which there was enough in memory. */
  #readIds(connection: Connection, readEntry: EntryReader, to: string | Uint8Array) {
    const sql = `${this.#sql.select} WHERE "id" >= ? AND "id" < ? AND ${this.#filter} ORDER BY "id"`
    const entries: Entry[] = []
    const meter = { bytes: 0 }
    const rows = metered(connection.iterate(sql, this.#from, to, ...this.#bounds), meter)
    for (const group of groupById(rows)) {
      const entry = readEntry(group.rows)
      if (entry !== undefined) entries.push(entry)
      if (meter.bytes >= PAGE_BYTES) return { entries, last: group.id }
    }
    return { entries, last: undefined }
  }

  #readOdd(connection: Connection, readEntry: EntryReader): readonly Entry[] {
    const sql = `${this.#sql.select} WHERE ("id" IS NULL OR "id" < '' OR "id" >= x'') AND ${this.#filter}`
    const entries = Array.from(connection.iterate(sql, ...this.#bounds), (cells) => readEntry([cells]))
    return entries.filter((entry) => entry !== undefined)
  }
}

/** Rows that come in the order of their ids, by id. The rows of a group have to be read to their end. */
function* groupById(rows: Iterable<Cells>): Generator<{ readonly id: unknown; readonly rows: Iterable<Cells> }, void> {
  const iterator = rows[Symbol.iterator]()
  try {
    let next = iterator.next()
    const readGroup = function* (id: unknown) {
      for (; next.done !== true && next.value[0] === id; next = iterator.next()) yield next.value
    }
    while (next.done !== true) {
      const [id] = next.value
      yield { id, rows: readGroup(id) }
    }
  } finally {
    iterator.return?.()
  }
}

function* metered(rows: Iterable<Cells>, meter: { bytes: number }): Generator<Cells, void> {
  for (const cells of rows) {
    meter.bytes += sizeOf(cells)
    yield cells
  }
}

function batchOf(entries: readonly Entry[]): ScanBatch {
  const rows: Row[] = []
  const misfits: Misfit[] = []
  let history = 0
  for (const entry of entries) {
    history += entry.history
    if (isRow(entry.found)) rows.push(entry.found)
    else misfits.push(entry.found)
  }
  return { rows, history, misfits }
}

/** As text of hex; '' is before the first version there is. */
function lastTicksOf(ms: number): string {
  return ms < MIN_VERSION_MS ? '' : ticksOf(maxTimeuuid(ms)).toString(16).padStart(15, '0')
}

// SQLite as a store: one file, to try things out and for tests. schema.ts says what tables look like, cells.ts what their values do.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'
import type { Row } from '../document.ts'
import type { Misfit, PairPolicy, Store, StoreTable } from '../store.ts'
import type { Table } from '../table.ts'
import type { Window } from '../window.ts'
import { type Connection, SqliteFile } from './file.ts'
import { cutIds, formatSplit, type IdRange, parseSplit, shardOfIds } from './ranges.ts'
import { createEntryReader, type Entry, type EntryReader } from './rows.ts'
import { createScanSql, findChanged, type ScanSql, scanRange } from './scan.ts'
import { createTable, describeTables, hasTable, hasTimeIndex, quote } from './schema.ts'
import { removeRows, SqliteWriter } from './writer.ts'

export interface SqliteStoreOptions {
  /** Of the file. Its folder has to be there; the file is made with its first table. */
  readonly path: string
  readonly policy: PairPolicy
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  /** How long to try again while another process keeps the file locked, in milliseconds. */
  readonly retryForMs: number
  /** Told when it has been locked for a while, and when it no longer is. */
  readonly onAway?: ((message: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** About as much as is read in some seconds. */
const BYTES_PER_SPLIT = 256 * 1_024 * 1_024
/** A split of fewer bytes is not cut for `atLeast`. */
const LEAST_BYTES_PER_SPLIT = 64 * 1_024
const FOUND_AT_ONCE = 200

/**
 * Opens the file, which may be missing still. Throws StoreFailed where its folder is missing, it is no SQLite database or cannot be
 * read, and the reason of the signal.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const file = new SqliteFile(options)
  try {
    await file.read(options.signal ?? new AbortController().signal, () => undefined, undefined)
  } catch (error) {
    file.close()
    throw error
  }
  const { versionField } = options.policy
  return {
    kind: 'sqlite',
    address: `sqlite ${options.path}`,
    describeTables: (names, signal) =>
      file.read(signal, (connection) => describeTables(connection, names, versionField), new Map()),
    createTable: (table, signal) => file.create(signal, (connection) => createTable(connection, table)),
    openTable: (table) => openTable(file, table, options.policy),
    [Symbol.asyncDispose]: async () => file.close(),
  }
}

function openTable(file: SqliteFile, table: Table, policy: PairPolicy): StoreTable {
  const readEntry = createEntryReader(table, policy)
  const sql = createScanSql(table)
  return {
    table,
    plan: async (window, { atLeast = 1, signal }) => {
      const ranges = await file.read(signal, (connection) => planRanges(connection, table.name, window, atLeast), [])
      return ranges.map(formatSplit)
    },
    shard: (window, index, of) => (isEmpty(window) ? [] : [formatSplit(shardOfIds(index, of))]),
    scan: (split, window, signal) => scanRange(file, sql, readEntry, parseSplit(split), window, signal),
    openWriter: (options) => new SqliteWriter(file, table, options),
    find: (ids, signal) => findRows(file, sql, readEntry, ids, signal),
    remove: (rows, signal) => removeRows(file, table, rows, signal),
  }
}

function isEmpty({ beginMs, endMs }: Window): boolean {
  return beginMs >= endMs
}

function planRanges(connection: Connection, table: string, window: Window, atLeast: number): readonly IdRange[] {
  if (isEmpty(window) || !hasTable(connection, table)) return []
  const changed = hasTimeIndex(connection, table) ? findChanged(connection, table, window) : undefined
  if (changed?.length === 0) return []
  const from = `FROM ${quote(table)}`
  if (connection.get(`SELECT 1 ${from} LIMIT 1`) === undefined) return []
  const [least, greatest] = connection.get(`SELECT (SELECT min("id") ${from}), (SELECT max("id") ${from})`) ?? []
  const parts = changed === undefined ? countParts(connection, atLeast) : Math.min(atLeast, changed.length)
  return cutIds(parts, typeof least === 'string' ? least : '', typeof greatest === 'string' ? greatest : undefined)
}

/** By the size of the file: to count rows is to read them all. */
function countParts(connection: Connection, atLeast: number): number {
  const size = connection.get('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size')
  const bytes = Number(size?.[0] ?? 0)
  const most = Math.max(1, Math.floor(bytes / LEAST_BYTES_PER_SPLIT))
  return Math.max(Math.ceil(bytes / BYTES_PER_SPLIT), Math.min(atLeast, most))
}

async function findRows(
  file: SqliteFile,
  { table, select }: ScanSql,
  readEntry: EntryReader,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Row | Misfit>> {
  const found = new Map<string, Row | Misfit>()
  for (let at = 0; at < ids.length; at += FOUND_AT_ONCE) {
    const chunk = ids.slice(at, at + FOUND_AT_ONCE)
    const entries = await file.read(signal, (connection) => findAll(connection, table, select, readEntry, chunk), [])
    for (const [id, entry] of entries) found.set(id, entry.found)
    await nextTurn()
  }
  return found
}

function findAll(
  connection: Connection,
  table: string,
  select: string,
  readEntry: EntryReader,
  ids: readonly string[],
): readonly (readonly [string, Entry])[] {
  if (!hasTable(connection, table)) return []
  return ids.flatMap((id) => {
    const entry = readEntry(connection.iterate(`${select} WHERE "id" = ?`, id))
    return entry === undefined ? [] : [[id, entry] as const]
  })
}

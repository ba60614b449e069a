// Writing rows that are newer than what is there: each chunk is compared and written in one transaction that nobody else writes in, so
// that users who write meanwhile come before or after it. A writer holds no rows of its own: it is done with them when write() is.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { decide } from '../compare.ts'
import type { Row } from '../document.ts'
import type { Outcome, RowWriter, WriterOptions } from '../store.ts'
import type { Table } from '../table.ts'
import { compareVersions, formatTimeuuid, tryParseTimeuuid, type Version } from '../timeuuid.ts'
import { type CellWriter, createCellWriter } from './cells.ts'
import { type Connection, isOfOneRow, type SqliteFile } from './file.ts'
import { hasTable, quote } from './schema.ts'

/** Rows of one transaction, and about so many bytes of them: others have their turn in between. */
const CHUNK_ROWS = 200
const CHUNK_SIZE = 1_024 * 1_024

interface Settled {
  readonly row: Row
  readonly outcome: Outcome
  readonly reason?: string
}

export class SqliteWriter implements RowWriter {
  readonly #file: SqliteFile
  readonly #sql: WriterSql
  readonly #options: WriterOptions
  readonly #ending = new AbortController()
  readonly #signal: AbortSignal
  #work: Promise<void> = Promise.resolve()

  constructor(file: SqliteFile, table: Table, options: WriterOptions) {
    this.#file = file
    this.#sql = createWriterSql(table)
    this.#options = options
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal])
  }

  write(rows: readonly Row[]): Promise<void> {
    this.#work = this.#work.then(() => this.#writeAll(rows))
    // Whoever disposes the writer need not look at what it was about to write.
    this.#work.catch(() => undefined)
    return this.#work
  }

  finish(): Promise<void> {
    return this.#work
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('the writer was disposed'))
    await this.#work.catch(() => undefined)
  }

  async #writeAll(rows: readonly Row[]): Promise<void> {
    for (const chunk of cutRows(rows)) {
      for (const { row, outcome, reason } of await this.#writeChunk(chunk))
        this.#options.settle(row.id, row.version, outcome, reason)
      await nextTurn()
    }
    this.#signal.throwIfAborted()
  }

  #writeChunk(rows: readonly Row[]): Promise<readonly Settled[]> {
    if (!this.#options.dryRun)
      return this.#file.write(this.#signal, (connection) => rows.map((row) => putRow(connection, this.#sql, row)))
    const { table } = this.#sql
    const compareAll = (connection: Connection) =>
      hasTable(connection, table) ? rows.map((row) => compareRow(connection, this.#sql, row)) : rows.map(applied)
    return this.#file.read(this.#signal, compareAll, rows.map(applied))
  }
}

function* cutRows(rows: readonly Row[]): Generator<readonly Row[], void> {
  for (let at = 0; at < rows.length; ) {
    const start = at
    for (let size = 0; at < rows.length && at - start < CHUNK_ROWS && size < CHUNK_SIZE; at++) size += sizeOf(rows[at])
    yield rows.slice(start, at)
  }
}

/** Roughly in bytes: what is long is a text, bytes or a list. */
function sizeOf(row: Row | undefined): number {
  let size = 0
  for (const value of row?.values ?? [])
    if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) size += value.length
  return size
}

interface WriterSql {
  readonly table: string
  readonly select: string
  readonly upsert: string
  readonly writers: readonly CellWriter[]
}

function createWriterSql({ name, kind, columns }: Table): WriterSql {
  const names = ['id', 'tmstmp', ...columns.map((column) => column.name)].map(quote)
  const insert = `INSERT INTO ${quote(name)} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  // Columns that are left out of the sync keep what they have.
  const update = names.slice(1).map((column) => `${column} = excluded.${column}`)
  return {
    table: name,
    select: selectVersions(name),
    upsert: kind === 'versions' ? insert : `${insert} ON CONFLICT ("id") DO UPDATE SET ${update.join(', ')}`,
    writers: columns.map(({ type }) => createCellWriter(type)),
  }
}

function selectVersions(table: string): string {
  return `SELECT "tmstmp" FROM ${quote(table)} WHERE "id" = ?`
}

const applied = (row: Row): Settled => ({ row, outcome: 'applied' })

function putRow(connection: Connection, sql: WriterSql, row: Row): Settled {
  const settled = compareRow(connection, sql, row)
  if (settled.outcome !== 'applied') return settled
  const cells = sql.writers.map((write, at) => {
    const value = row.values[at] ?? null
    return value === null ? null : write(value)
  })
  try {
    connection.run(sql.upsert, row.id, formatTimeuuid(row.version), ...cells)
    return settled
  } catch (error) {
    if (!isOfOneRow(error)) throw error
    return { row, outcome: 'failed', reason: `table ${sql.table}: ${error.message}` }
  }
}

function compareRow(connection: Connection, sql: WriterSql, row: Row): Settled {
  const held = findNewest(connection, sql.select, row.id)
  if (held === 'spoilt')
    return { row, outcome: 'failed', reason: `table ${sql.table}, column tmstmp: no timeuuid in the row that is there` }
  const { outcome } = decide(row.version, held && { kind: 'version', version: held })
  // Neither of the others: versions are known to the tick, and whose they are is no matter of a store.
  return { row, outcome: outcome === 'applied' || outcome === 'older' ? outcome : 'equal' }
}

/** The newest version of an id: undefined where there is none, `spoilt` where one of them cannot be told. */
function findNewest(connection: Connection, select: string, id: string): Version | 'spoilt' | undefined {
  let newest: Version | undefined
  for (const [tmstmp] of connection.iterate(select, id)) {
    const version = tryParseTimeuuid(tmstmp)
    if (version === undefined) return 'spoilt'
    if (newest === undefined || compareVersions(version, newest) > 0) newest = version
  }
  return newest
}

/**
 * Deletes the rows with every version, unless they have become newer; gives the ids that are gone, also those that were not there.
 * Throws StoreFailed and the reason of the signal.
 */
export async function removeRows(
  file: SqliteFile,
  { name }: Table,
  rows: readonly { readonly id: string; readonly version: Version }[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>()
  for (let at = 0; at < rows.length; at += CHUNK_ROWS) {
    const chunk = rows.slice(at, at + CHUNK_ROWS)
    const removed = await file.write(signal, (connection) => chunk.filter((row) => removeRow(connection, name, row)))
    for (const { id } of removed) gone.add(id)
    await nextTurn()
  }
  return gone
}

function removeRow(
  connection: Connection,
  table: string,
  { id, version }: { readonly id: string; readonly version: Version },
): boolean {
  const held = findNewest(connection, selectVersions(table), id)
  if (held === 'spoilt' || (held !== undefined && compareVersions(held, version) > 0)) return false
  connection.run(`DELETE FROM ${quote(table)} WHERE "id" = ?`, id)
  return true
}

// The statements of one table. The order of the columns is that of the table wherever all are read or written. Pure.
import { type CqlType, formatCqlType } from '../cql-types.ts'
import type { Table } from '../table.ts'

export interface TablePlace {
  readonly keyspace: string
  readonly table: Table
  /** True where rows of one id lie from the newest to the oldest. */
  readonly newestFirst: boolean
}

export interface Statements {
  /** id, tmstmp and the columns of a range of tokens (two values). */
  readonly scan: string
  /** The same, of a range of tokens and of times (four values). */
  readonly scanFiltered: string
  /** The same by an index on tmstmp. */
  readonly scanIndexed: string
  /** Tokens of the first rows of the ring; the value is how many. */
  readonly probe: string
  /** The same, of a range of times, by an index: two values before that one. */
  readonly probeIndexed: string
  /** id, tmstmp and write times of a range of tokens. */
  readonly heldInRange: string
  /** The same of a list of ids, without paging. */
  readonly heldByIds: string
  /** id, tmstmp and the columns of a list of ids: the newest row of each, without paging. */
  readonly find: string
  /** id, tmstmp, the columns, and the write timestamp. */
  readonly insert: string
  /** A write timestamp and an id; in a table that keeps versions also the tmstmp up to which they go. */
  readonly remove: string
}

/** `writetimes`: `all`, with a function that servers before Cassandra 5 do not have, or only those of columns of one cell. */
export function createStatements(place: TablePlace, writetimes: 'all' | 'single-cell'): Statements {
  const { table, newestFirst } = place
  const name = `${quote(place.keyspace)}.${quote(table.name)}`
  const columns = ['id', 'tmstmp', ...table.columns.map((column) => quote(column.name))].join(', ')
  const times = table.kind === 'latest' ? writetimesOf(table, writetimes) : []
  const held = ['id', 'tmstmp', ...times].join(', ')
  const ring = 'token(id) > ? AND token(id) <= ?'
  const window = 'tmstmp > ? AND tmstmp <= ?'
  // One row an id comes back where the server can do that without reading the others.
  const first = table.kind === 'versions' && newestFirst ? ' PER PARTITION LIMIT 1' : ''
  // The server refuses to page what it sorts: those lists have to be short.
  const newest = table.kind === 'versions' ? ' ORDER BY tmstmp DESC PER PARTITION LIMIT 1' : ''
  const markers = Array.from({ length: table.columns.length + 2 }, () => '?').join(', ')
  return {
    scan: `SELECT ${columns} FROM ${name} WHERE ${ring}`,
    scanFiltered: `SELECT ${columns} FROM ${name} WHERE ${ring} AND ${window} ALLOW FILTERING`,
    scanIndexed: `SELECT ${columns} FROM ${name} WHERE ${ring} AND ${window}`,
    probe: `SELECT token(id) FROM ${name} LIMIT ?`,
    probeIndexed: `SELECT token(id) FROM ${name} WHERE ${window} LIMIT ?`,
    heldInRange: `SELECT ${held} FROM ${name} WHERE ${ring}${first}`,
    heldByIds: `SELECT ${held} FROM ${name} WHERE id IN ?${newest}`,
    find: `SELECT ${columns} FROM ${name} WHERE id IN ?${newest}`,
    insert: `INSERT INTO ${name} (${columns}) VALUES (${markers}) USING TIMESTAMP ?`,
    remove:
      table.kind === 'versions'
        ? `DELETE FROM ${name} USING TIMESTAMP ? WHERE id = ? AND tmstmp <= ?`
        : `DELETE FROM ${name} USING TIMESTAMP ? WHERE id = ?`,
  }
}

/** The statement that makes a table like this one. */
export function createTableStatement(keyspace: string, { name, kind, columns }: Table): string {
  const own = ['id uuid', 'tmstmp timeuuid']
  const others = columns.map(
    (column) => `${quote(column.name)} ${column.type.kind === 'json' ? 'text' : formatCqlType(column.type)}`,
  )
  const key = kind === 'versions' ? 'PRIMARY KEY (id, tmstmp)' : 'PRIMARY KEY (id)'
  return `CREATE TABLE ${quote(keyspace)}.${quote(name)} (${[...own, ...others, key].join(', ')})`
}

function writetimesOf(table: Table, which: 'all' | 'single-cell'): readonly string[] {
  const times = table.columns.flatMap(({ name, type }) => {
    if (!isMultiCell(type)) return [`WRITETIME(${quote(name)})`]
    return which === 'all' ? [`MAXWRITETIME(${quote(name)})`] : []
  })
  return ['WRITETIME(tmstmp)', ...times]
}

/** Stored by element, each with a write time of its own. */
export function isMultiCell(type: CqlType): boolean {
  return (
    (type.kind === 'list' || type.kind === 'set' || type.kind === 'map' || type.kind === 'udt') && type.frozen === false
  )
}

/** Always in quotes: a plain name may be a word of the language. */
function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

// What the tables of a SQLite file are to a sync, and how one is made.
//
//   CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, name TEXT, age INTEGER, tags "set<text>")       the last write wins
//   CREATE TABLE people (id TEXT, tmstmp TEXT, name TEXT, PRIMARY KEY (id, tmstmp))                        every version is kept
//
// `id` is a uuid, `tmstmp` a timeuuid, both in lower case; `(SELECT timeuuid FROM syncer_now)` gives one of this moment in a file in
// which a sync has made a table (TIMEUUID_NOW is the statement behind it). Other columns are of types of Cassandra, in double quotes
// where they are more than a word, or INTEGER (bigint), REAL (double), TEXT, VARCHAR(n) (text), BLOB, BOOLEAN, JSON.
import { type CqlType, CqlTypeError, formatCqlType, parseCqlType, partsOf, type UdtDefinition } from '../cql-types.ts'
import type { TableFacts } from '../store.ts'
import { type Column, type ColumnDescription, describeTable, type Table, TableRefusedError } from '../table.ts'
import type { Connection } from './file.ts'

/** User-defined types by name; `fields` is `[["name", "type"], …]`. */
const TYPES_TABLE = 'syncer_types'
const NOW_VIEW = 'syncer_now'
/** A timeuuid of now, to the millisecond; the rest is chance. */
export const TIMEUUID_NOW = `WITH now (ticks) AS (
  SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) * 10000 + 122192928000000000 + (random() & 8191)
)
SELECT printf('%08x-%04x-1%03x-%04x-%s', ticks & 4294967295, (ticks >> 32) & 65535, (ticks >> 48) & 4095,
  32768 | (random() & 16383), lower(hex(randomblob(6)))) AS timeuuid FROM now`

const HEX = (count: number) => '[0-9a-f]'.repeat(count)
const ID_PATTERN = `${HEX(8)}-${HEX(4)}-${HEX(4)}-${HEX(4)}-${HEX(12)}`
const TMSTMP_PATTERN = `${HEX(8)}-${HEX(4)}-1${HEX(3)}-${HEX(4)}-${HEX(12)}`
/** SQL for a tmstmp that is no timeuuid. */
export const NO_TIMEUUID = `(typeof("tmstmp") <> 'text' OR lower("tmstmp") NOT GLOB '${TMSTMP_PATTERN}')`
/** SQL for the ticks of a timeuuid as 15 digits of hex, which are in the order of time as texts. */
export const TICKS = `lower(substr("tmstmp", 16, 3) || substr("tmstmp", 10, 4) || substr("tmstmp", 1, 8))`

/** What SQLite users call types; everything else is called as in Cassandra, where BLOB and TEXT are the same. */
const NAMES: readonly (readonly [RegExp, CqlType])[] = [
  [/^(?:integer|int8)$/i, { kind: 'bigint' }],
  [/^(?:real|double precision)$/i, { kind: 'double' }],
  [/^(?:clob|(?:n?varchar|n?char|character)\s*\(\s*\d+\s*\))$/i, { kind: 'text' }],
  [/^bool$/i, { kind: 'boolean' }],
  [/^json$/i, { kind: 'json' }],
]
/** Of the columns that every table has: their types, and as what they may be declared. */
const OWN: Readonly<Record<string, { readonly type: string; readonly declared: RegExp }>> = {
  id: { type: 'uuid', declared: /^(?:uuid|text|(?:n?varchar|n?char|character)\s*\(\s*\d+\s*\))$/i },
  tmstmp: { type: 'timeuuid', declared: /^(?:timeuuid|text|(?:n?varchar|n?char|character)\s*\(\s*\d+\s*\))$/i },
}

/** A name in SQL. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The name of the index by time of a table that a sync has made. */
export function timeIndexOf(table: string): string {
  return `syncer_${table}_time`
}

export function hasTimeIndex(connection: Connection, table: string): boolean {
  const sql = `SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ? AND tbl_name = ?`
  return connection.get(sql, timeIndexOf(table), table) !== undefined
}

export function hasTable(connection: Connection, table: string): boolean {
  return (
    connection.get(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE`, table) !== undefined
  )
}

/** The tables of these names that are there; `all`: those that are no views, no virtual ones and none of SQLite or a sync itself. */
export function describeTables(
  connection: Connection,
  names: readonly string[] | 'all',
  versionField: string,
): Map<string, TableFacts> {
  const udts = readUdts(connection)
  const tables = new Map<string, TableFacts>()
  for (const [name, kind] of listTables(connection)) {
    if (names === 'all' ? kind === 'table' : names.includes(name))
      tables.set(name, describeOne(connection, name, kind, udts, versionField))
  }
  return tables
}

/** Makes the table unless it is there. Throws TableRefusedError where SQLite cannot have one like it. */
export function createTable(connection: Connection, table: Table): void {
  if (hasTable(connection, table.name)) return
  saveUdts(connection, table)
  const isLatest = table.kind === 'latest'
  const columns = [
    `"id" uuid NOT NULL CHECK (typeof("id") = 'text' AND "id" GLOB '${ID_PATTERN}')`,
    `"tmstmp" timeuuid NOT NULL CHECK (typeof("tmstmp") = 'text' AND "tmstmp" GLOB '${TMSTMP_PATTERN}')`,
    ...table.columns.map(({ name, type }) => `${quote(name)} ${quote(formatCqlType(type))}`),
    isLatest ? 'PRIMARY KEY ("id")' : 'PRIMARY KEY ("id", "tmstmp")',
  ]
  try {
    connection.run(`CREATE TABLE ${quote(table.name)} (\n  ${columns.join(',\n  ')}\n)`)
    connection.run(`CREATE INDEX ${quote(timeIndexOf(table.name))} ON ${quote(table.name)} (${TICKS}, "id")`)
    connection.run(`CREATE VIEW IF NOT EXISTS ${NOW_VIEW} AS ${TIMEUUID_NOW}`)
  } catch (error) {
    if (!(error instanceof Error && 'errcode' in error && error.errcode === SQL_ERROR)) throw error
    throw new TableRefusedError(table.name, `SQLite does not make it: ${error.message}`, { cause: error })
  }
}

/** Of SQL that cannot be carried out: a name that is taken, one that belongs to SQLite, two columns of one name to it. */
const SQL_ERROR = 1

function listTables(connection: Connection): readonly (readonly [name: string, kind: string])[] {
  const sql = `SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT IN (?, ?)`
  return [...connection.iterate(sql, TYPES_TABLE, NOW_VIEW)].map(([name, kind]) => [String(name), String(kind)])
}

function describeOne(
  connection: Connection,
  name: string,
  kind: string,
  udts: ReadonlyMap<string, UdtDefinition>,
  versionField: string,
): TableFacts {
  try {
    if (kind !== 'table') throw new TableRefusedError(name, `it is a ${kind}`)
    return { open: false, ...readTable(connection, name, udts, versionField) }
  } catch (error) {
    if (error instanceof TableRefusedError) return { name, refused: error }
    throw error
  }
}

function readTable(
  connection: Connection,
  table: string,
  udts: ReadonlyMap<string, UdtDefinition>,
  versionField: string,
): Table {
  const columns: ColumnDescription[] = []
  const open: Column[] = []
  for (const [name, declared, key] of connection.iterate('SELECT name, type, pk FROM pragma_table_info(?)', table)) {
    const column = { name: String(name), declared: String(declared), key: Number(key) }
    const type = readType(table, column, udts)
    if (type === 'json') open.push({ name: column.name, type: { kind: 'json' } })
    else columns.push({ name: column.name, type, kind: KEY_KINDS[Math.min(column.key, 2)] ?? 'regular' })
  }
  if (open.some((column) => column.name === versionField))
    throw new TableRefusedError(table, `column ${versionField} has the name of the field for the version of documents`)
  const described = describeTable({ name: table, columns }, udts, versionField)
  const all = [...described.columns, ...open].sort((a, b) => (a.name < b.name ? -1 : 1))
  return { ...described, columns: all }
}

/** By the place in the primary key, from 1. */
const KEY_KINDS = ['regular', 'partition_key', 'clustering'] as const

/** The type of a column as Cassandra's schema spells it, or `json`. */
function readType(
  table: string,
  { name, declared }: { readonly name: string; readonly declared: string },
  udts: ReadonlyMap<string, UdtDefinition>,
): string {
  const own = OWN[name]
  if (own?.declared.test(declared)) return own.type
  if (declared === '') throw new TableRefusedError(table, `column ${name} has no type`)
  try {
    return formatCqlType(parseDeclaredType(declared, udts))
  } catch (error) {
    if (!(error instanceof CqlTypeError)) throw error
    throw new TableRefusedError(table, `column ${name}: ${error.message}`, { cause: error })
  }
}

/** The type of values in a column that was declared like this. Throws CqlTypeError. */
function parseDeclaredType(declared: string, udts: ReadonlyMap<string, UdtDefinition>): CqlType {
  const named = udts.has(declared) ? undefined : NAMES.find(([pattern]) => pattern.test(declared.trim()))
  return named?.[1] ?? parseCqlType(declared, udts)
}

function readUdts(connection: Connection): Map<string, UdtDefinition> {
  const udts = new Map<string, UdtDefinition>()
  if (!hasTable(connection, TYPES_TABLE)) return udts
  for (const [name, fields] of connection.iterate(`SELECT name, fields FROM ${TYPES_TABLE}`))
    udts.set(String(name), parseFields(String(fields)))
  return udts
}

/** What users have spoilt is a type without fields, which no value is of. */
function parseFields(text: string): UdtDefinition {
  try {
    const pairs: unknown = JSON.parse(text)
    const fields = Array.isArray(pairs) ? pairs.filter((pair) => Array.isArray(pair)) : []
    return { fieldNames: fields.map(([name]) => String(name)), fieldTypes: fields.map(([, type]) => String(type)) }
  } catch {
    return { fieldNames: [], fieldTypes: [] }
  }
}

function saveUdts(connection: Connection, table: Table): void {
  const wanted = new Map<string, string>()
  for (const { type } of table.columns) collectUdts(type, wanted)
  if (wanted.size === 0) return
  connection.run(`CREATE TABLE IF NOT EXISTS ${TYPES_TABLE} (name TEXT PRIMARY KEY, fields TEXT NOT NULL)`)
  for (const [name, fields] of wanted) {
    connection.run(`INSERT INTO ${TYPES_TABLE} VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, fields)
    if (connection.get(`SELECT fields FROM ${TYPES_TABLE} WHERE name = ?`, name)?.[0] !== fields)
      throw new TableRefusedError(table.name, `type ${name} has other fields in ${TYPES_TABLE}`)
  }
}

function collectUdts(type: CqlType, into: Map<string, string>): void {
  if (type.kind === 'udt')
    into.set(type.name, JSON.stringify(type.fields.map((field) => [field.name, formatCqlType(field.type)])))
  for (const part of partsOf(type)) collectUdts(part, into)
}

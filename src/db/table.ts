// What a table of Cassandra is to a sync: its kind, and the columns that go along; or why it is refused. Pure.
import { type CqlType, CqlTypeError, hasCounter, parseCqlType, type UdtDefinition } from './cql-types.ts'

/** A row of system_schema.columns. */
export interface ColumnDescription {
  readonly name: string
  /** As the schema spells it. */
  readonly type: string
  readonly kind: 'partition_key' | 'clustering' | 'regular' | 'static'
}

export interface TableDescription {
  readonly name: string
  readonly columns: readonly ColumnDescription[]
}

/** `versions`: PRIMARY KEY (id, tmstmp), every version a row. `latest`: PRIMARY KEY (id), the last write wins. */
export type TableKind = 'versions' | 'latest'

export interface Column {
  readonly name: string
  readonly type: CqlType
}

export interface Table {
  readonly name: string
  readonly kind: TableKind
  /** All but id and tmstmp, sorted by name. */
  readonly columns: readonly Column[]
}

/** A table that cannot be synced, by name; nothing is written in a run that has one. */
export class TableRefusedError extends Error {
  override readonly name = 'TableRefusedError'
  readonly table: string

  constructor(table: string, why: string, options?: ErrorOptions) {
    super(`table ${table} cannot be synced: ${why}`, options)
    this.table = table
  }
}

/** The columns that every table has, and their types. */
const OWN_COLUMNS = { id: 'uuid', tmstmp: 'timeuuid' } as const
const KEYS: ReadonlyMap<string, TableKind> = new Map([
  ['partition_key,clustering', 'versions'],
  ['partition_key,regular', 'latest'],
])

/**
 * The table of a description. `udts` are the user-defined types of its keyspace by name, `versionField` the name that documents give
 * to the timeuuid. Throws TableRefusedError: id or tmstmp missing or of another type, another primary key, a counter or a type that
 * cannot be carried, a column with the name of the version field.
 */
export function describeTable(
  { name, columns }: TableDescription,
  udts: ReadonlyMap<string, UdtDefinition>,
  versionField: string,
): Table {
  for (const [own, type] of Object.entries(OWN_COLUMNS)) {
    const column = columns.find((one) => one.name === own)
    if (column === undefined) throw new TableRefusedError(name, `it has no column ${own}`)
    if (column.type !== type) throw new TableRefusedError(name, `column ${own} is ${column.type}; it has to be ${type}`)
  }
  const others = columns.filter((column) => !Object.hasOwn(OWN_COLUMNS, column.name))
  const carried = others.map((column) => describeColumn(name, column, udts))
  if (others.some((column) => column.name === versionField))
    throw new TableRefusedError(name, `column ${versionField} has the name of the field for the version of documents`)
  carried.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { name, kind: kindOf(name, columns), columns: carried }
}

function kindOf(table: string, columns: readonly ColumnDescription[]): TableKind {
  const keyOf = (name: string) => columns.find((column) => column.name === name)?.kind
  const kind = KEYS.get(`${keyOf('id')},${keyOf('tmstmp')}`)
  const more = columns.find(
    ({ name, kind: key }) => !Object.hasOwn(OWN_COLUMNS, name) && (key === 'partition_key' || key === 'clustering'),
  )
  if (kind === undefined || more !== undefined)
    throw new TableRefusedError(table, 'its primary key has to be (id, tmstmp) or (id)')
  return kind
}

function describeColumn(table: string, column: ColumnDescription, udts: ReadonlyMap<string, UdtDefinition>): Column {
  const type = parseColumnType(table, column, udts)
  if (hasCounter(type))
    throw new TableRefusedError(table, `column ${column.name} is a counter, which can be counted up but not written`)
  return { name: column.name, type }
}

function parseColumnType(table: string, column: ColumnDescription, udts: ReadonlyMap<string, UdtDefinition>): CqlType {
  try {
    return parseCqlType(column.type, udts)
  } catch (error) {
    if (!(error instanceof CqlTypeError)) throw error
    throw new TableRefusedError(table, `column ${column.name}: ${error.message}`, { cause: error })
  }
}

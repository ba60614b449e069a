// What the tables of a keyspace look like: two or three small queries for all of them.
import { createCodec } from '../cql-codec.ts'
import { type CqlType, parseCqlType, type UdtDefinition } from '../cql-types.ts'
import { StoreFailed, type TableFacts } from '../store.ts'
import { type ColumnDescription, describeTable, TableRefusedError } from '../table.ts'
import type { CqlMap } from '../values.ts'
import type { Session } from './session.ts'

/** How a table is read; beyond what the other side has to know. */
export interface TableTraits {
  /** Rows of one id lie from the newest to the oldest. */
  readonly newestFirst: boolean
  /** An index that finds ranges of tmstmp. */
  readonly hasTimeIndex: boolean
}

export interface KeyspaceSchema {
  readonly facts: ReadonlyMap<string, TableFacts>
  readonly traits: ReadonlyMap<string, TableTraits>
}

interface SchemaColumn extends ColumnDescription {
  readonly isDescending: boolean
}

const COLUMNS =
  'SELECT table_name, column_name, type, kind, clustering_order FROM system_schema.columns WHERE keyspace_name = ?'
const VIEWS = 'SELECT view_name FROM system_schema.views WHERE keyspace_name = ?'
const INDEXES = 'SELECT table_name, options FROM system_schema.indexes WHERE keyspace_name = ?'
const TYPES = 'SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?'
const KEYSPACE = 'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?'

const OPTIONS = createCodec(parseCqlType('frozen<map<text, text>>'))
const NAMES = createCodec(parseCqlType('frozen<list<text>>'))
/** Indexes that know ranges, by the end of their class. */
const RANGE_INDEX = /^(?:.*\.)?(?:sai|StorageAttachedIndex)$/i
/** A type that has no name of a user-defined one in it. */
const BUILT_IN: ReadonlySet<CqlType['kind'] | string> = new Set([
  ...['ascii', 'bigint', 'blob', 'boolean', 'counter', 'date', 'decimal', 'double', 'duration', 'float', 'inet', 'int'],
  ...['smallint', 'text', 'time', 'timestamp', 'timeuuid', 'tinyint', 'uuid', 'varchar', 'varint'],
  ...['frozen', 'list', 'set', 'map', 'tuple', 'vector'],
])

/**
 * The traits of all tables of the keyspace and the facts of those of `names`; `versionField` is the name that documents give to the
 * timeuuid. Throws StoreFailed, also where there is no
 * such keyspace, and the reason of the signal.
 */
export async function readSchema(
  session: Session,
  keyspace: string,
  names: readonly string[] | 'all',
  versionField: string,
  signal: AbortSignal,
): Promise<KeyspaceSchema> {
  const query = (cql: string) => session.queryCells(cql, [keyspace], signal)
  const [columns, views, indexes] = await Promise.all([query(COLUMNS), query(VIEWS), query(INDEXES)])
  if (columns.length === 0 && (await query(KEYSPACE)).length === 0)
    throw new StoreFailed(`${session.options.name}: there is no keyspace ${keyspace}`)
  const isView = new Set(views.map(([name]) => textOf(name)))
  const tables = groupColumns(columns.filter(([name]) => !isView.has(textOf(name))))
  const described = names === 'all' ? tables : new Map([...tables].filter(([name]) => names.includes(name)))
  const needsTypes = [...described.values()].flat().some(({ type }) => namesOwnType(type))
  const udts = needsTypes ? readTypes(await query(TYPES)) : new Map<string, UdtDefinition>()
  const indexed = new Set(indexes.filter(([, options]) => isTimeIndex(options ?? null)).map(([name]) => textOf(name)))
  const facts = new Map([...described].map(([name, own]) => [name, describe(name, own, udts, versionField)]))
  const traits = new Map(
    [...tables].map(([name, own]) => {
      const newestFirst = own.some((column) => column.name === 'tmstmp' && column.isDescending)
      return [name, { newestFirst, hasTimeIndex: indexed.has(name) }]
    }),
  )
  return { facts, traits }
}

type Cells = readonly (Buffer | null)[]

function groupColumns(rows: readonly Cells[]): ReadonlyMap<string, readonly SchemaColumn[]> {
  const tables = new Map<string, SchemaColumn[]>()
  for (const [table, name, type, kind, order] of rows) {
    const columns = tables.get(textOf(table)) ?? []
    columns.push({
      name: textOf(name),
      type: textOf(type),
      kind: textOf(kind) as ColumnDescription['kind'],
      isDescending: textOf(order) === 'desc',
    })
    tables.set(textOf(table), columns)
  }
  return tables
}

function describe(
  name: string,
  columns: readonly SchemaColumn[],
  udts: ReadonlyMap<string, UdtDefinition>,
  versionField: string,
): TableFacts {
  try {
    const { kind, columns: carried } = describeTable({ name, columns }, udts, versionField)
    return { name, open: false, kind, columns: carried }
  } catch (error) {
    if (!(error instanceof TableRefusedError)) throw error
    return { name, refused: error }
  }
}

/** True where a type may have a user-defined one in it: most keyspaces have none, and need not be asked. */
function namesOwnType(type: string): boolean {
  return (type.match(/"|'|[A-Za-z_]\w*/g) ?? []).some((word) => !BUILT_IN.has(word))
}

function readTypes(rows: readonly Cells[]): ReadonlyMap<string, UdtDefinition> {
  return new Map(
    rows.map(([name, fieldNames, fieldTypes]) => [
      textOf(name),
      { fieldNames: listOf(fieldNames ?? null), fieldTypes: listOf(fieldTypes ?? null) },
    ]),
  )
}

function isTimeIndex(options: Buffer | null): boolean {
  if (options === null) return false
  const texts = new Map((OPTIONS.decode(options, 0, options.length) ?? []) as CqlMap)
  return texts.get('target') === 'tmstmp' && RANGE_INDEX.test(String(texts.get('class_name')))
}

function listOf(cell: Buffer | null): readonly string[] {
  return cell === null ? [] : ((NAMES.decode(cell, 0, cell.length) ?? []) as readonly string[])
}

function textOf(cell: Buffer | null | undefined): string {
  return cell?.toString('utf8') ?? ''
}

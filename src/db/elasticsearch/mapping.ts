// What an index is made with, and what the mapping of one that is there says of its table. Pure.
//
//   text, ascii                  full text, and a keyword for what is short         int, bigint, …, boolean   as they are
//   double, float                a number; "NaN" and the like are kept, not found   varint, decimal           a double to be found by
//   uuid, timeuuid, time, duration   keyword      inet   ip      date, timestamp   date      blob   kept alone
//   list, set of these           as one of them (a field may have many values)
//   anything else                kept as it is, whatever is in it: no field is made of its parts
import { type CqlType, isScalar } from '../cql-types.ts'
import { isJsonObject } from '../exact-json.ts'
import type { TableFacts } from '../store.ts'
import { type Column, type Table, TableRefusedError } from '../table.ts'

/** What requests depend on. */
export interface IndexShape {
  readonly dateType: 'date' | 'date_nanos'
  /** True where dates are read as usual: then most can be told without asking the server. */
  readonly hasPlainDates: boolean
  /** True where the server can give the version of a document without its source. */
  readonly hasVersionValues: boolean
  /** A field that sorts by id; undefined where there is none. */
  readonly idField: string | undefined
}

export interface DescribedIndex {
  readonly facts: TableFacts
  readonly shape: IndexShape
}

type JsonObject = Readonly<Record<string, unknown>>

const TEXT = { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } } as const
/** Anything, kept in `_source` and looked at no more. */
const KEPT = { type: 'object', enabled: false } as const
const METADATA = new Set([
  ...['_id', '_index', '_type', '_source', '_size', '_doc_count', '_field_names', '_ignored', '_routing', '_meta'],
  ...[
    '_tier',
    '_version',
    '_seq_no',
    '_primary_term',
    '_feature',
    '_nested_path',
    '_data_stream_timestamp',
    '_ignored_source',
  ],
])
/** The server's own limit of fields is 1000. */
const FIELDS_BEFORE_LIMIT = 900
/** What a date is read by where nothing else is said. */
const USUAL_FORMAT = 'strict_date_optional_time||epoch_millis'

/** The shape of an index that describeIndexBody makes. */
export const OWN_SHAPE: IndexShape = {
  dateType: 'date',
  hasPlainDates: true,
  hasVersionValues: true,
  idField: 'id',
}

/**
 * The body of the request that makes the index of a table. Throws TableRefusedError for a column whose name no field of a document
 * can have.
 */
export function describeIndexBody(table: Table, versionField: string): JsonObject {
  checkNames(table)
  const properties = Object.fromEntries([
    ['id', { type: 'keyword' }],
    ['tmstmp', { type: 'date' }],
    [versionField, { type: 'keyword' }],
    ...table.columns.map(({ name, type }) => [name, fieldOf(type)] as const),
  ])
  // A text is two fields.
  const fields = 3 + 2 * table.columns.length
  return {
    ...(fields > FIELDS_BEFORE_LIMIT && { settings: { 'index.mapping.total_fields.limit': fields + 1_000 } }),
    // A column that is added later is kept, too; it makes no field.
    mappings: { dynamic: false, properties },
  }
}

function fieldOf(type: CqlType): JsonObject {
  if ((type.kind === 'list' || type.kind === 'set') && isScalar(type.of)) return fieldOf(type.of)
  switch (type.kind) {
    case 'ascii':
    case 'text':
      return TEXT
    case 'boolean':
      return { type: 'boolean' }
    case 'tinyint':
      return { type: 'byte' }
    case 'smallint':
      return { type: 'short' }
    case 'int':
      return { type: 'integer' }
    case 'bigint':
      return { type: 'long' }
    case 'float':
      return { type: 'float', ignore_malformed: true }
    case 'double':
    case 'varint':
    case 'decimal':
      return { type: 'double', ignore_malformed: true }
    case 'uuid':
    case 'timeuuid':
    case 'time':
    case 'duration':
      return { type: 'keyword' }
    case 'inet':
      return { type: 'ip', ignore_malformed: true }
    case 'date':
    case 'timestamp':
      return { type: 'date', ignore_malformed: true }
    case 'blob':
      return { type: 'binary' }
    default:
      return KEPT
  }
}

/** A dot takes a name apart: `a.b` is the field b of an object a. */
function checkNames({ name: table, columns }: Table): void {
  const names = new Set(columns.map((column) => column.name))
  for (const { name } of columns) {
    const parts = name.split('.')
    const outer = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('.'))
    const taken = outer.find((one) => names.has(one) || one === 'id' || one === 'tmstmp')
    if (parts.some((part) => part.trim() === ''))
      throw new TableRefusedError(table, `column ${JSON.stringify(name)} cannot be the name of a field`)
    if (METADATA.has(name)) throw new TableRefusedError(table, `column ${name} has the name of a field of the server`)
    if (taken !== undefined)
      throw new TableRefusedError(table, `columns ${taken} and ${name} cannot both be fields of one index`)
  }
}

/** What an index (as `GET /index` tells of it) says of table `name`. */
export function describeIndex(name: string, index: JsonObject, versionField: string): DescribedIndex {
  const mappings = objectIn(index, 'mappings')
  const properties = objectIn(mappings, 'properties')
  const date = objectIn(properties, 'tmstmp')
  const fault = findFault(index, mappings, date)
  const columns: Column[] = Object.keys(properties)
    .filter((field) => field !== 'id' && field !== 'tmstmp' && field !== versionField)
    .sort()
    .map((field) => ({ name: field, type: { kind: 'json' } }))
  return {
    facts:
      fault === undefined
        ? { name, open: true, kind: 'latest', columns }
        : { name, refused: new TableRefusedError(name, fault) },
    shape: {
      dateType: date['type'] === 'date_nanos' ? 'date_nanos' : 'date',
      hasPlainDates: hasPlainDates(date),
      hasVersionValues: isKeyword(objectIn(properties, versionField)),
      idField: findIdField(objectIn(properties, 'id')),
    },
  }
}

function findFault(index: JsonObject, mappings: JsonObject, date: JsonObject): string | undefined {
  if (index['data_stream'] !== undefined) return 'it is a data stream, which takes no changes'
  if (objectIn(mappings, '_source')['enabled'] === false) return 'its index keeps no _source'
  if (objectIn(mappings, '_routing')['required'] === true) return 'its index wants a routing with every document'
  const { type } = date
  if (type === undefined && Object.keys(date).length === 0) {
    const takesNew = ['true', 'undefined'].includes(String(mappings['dynamic'])) && mappings['date_detection'] !== false
    return takesNew ? undefined : 'its index has no field tmstmp, and takes no new fields'
  }
  if (type !== 'date' && type !== 'date_nanos')
    return `its index has tmstmp as ${typeof type === 'string' ? type : 'an object'}; it has to be a date`
  return date['doc_values'] === false ? 'its index has tmstmp without doc values' : undefined
}

function hasPlainDates(date: JsonObject): boolean {
  const { format, null_value: nullValue } = date
  return nullValue === undefined && (format === undefined || format === USUAL_FORMAT)
}

function isKeyword(field: JsonObject): boolean {
  return (
    field['type'] === 'keyword' &&
    field['doc_values'] !== false &&
    field['ignore_above'] === undefined &&
    field['null_value'] === undefined &&
    field['normalizer'] === undefined
  )
}

function findIdField(id: JsonObject): string | undefined {
  const isSortable = (field: JsonObject) => field['type'] === 'keyword' && field['doc_values'] !== false
  if (isSortable(id)) return 'id'
  const fields = objectIn(id, 'fields')
  const name = Object.keys(fields).find((one) => isSortable(objectIn(fields, one)))
  return name === undefined ? undefined : `id.${name}`
}

function objectIn(object: JsonObject, key: string): JsonObject {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  return isJsonObject(value) ? value : {}
}

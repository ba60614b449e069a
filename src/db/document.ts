// Rows as documents and back: `id`, `tmstmp` as a date, the exact timeuuid in the version field, and the columns by name. Pure.
import { hash } from 'node:crypto'
import { holdDocument } from './compare.ts'
import type { CqlType } from './cql-types.ts'
import { isJsonObject, writeCanonicalJson } from './exact-json.ts'
import { createJsonReader } from './json-read.ts'
import { createJsonWriter } from './json-write.ts'
import { writeTimestampJson } from './scalar-text.ts'
import type { Column, Table } from './table.ts'
import { deriveTimeuuid, formatTimeuuid, msOf, type Version } from './timeuuid.ts'
import { tryWriteLowerUuid } from './uuid-bytes.ts'
import { ConversionError, type CqlValue, conversionError, describeValue } from './values.ts'

export interface Row {
  /** A uuid in lower case. */
  readonly id: string
  readonly version: Version
  /** By the order of the table's columns; null where there is none. */
  readonly values: readonly (CqlValue | null)[]
}

export interface DocumentOptions {
  /** The field with the exact timeuuid, `tmstmp_uuid` unless it is configured. */
  readonly versionField: string
  /** A field that is no column. */
  readonly onUnknownField: 'fail' | 'ignore'
}

export interface ReadDocument {
  readonly row: Row
  /** True when the document did not have its version, or had that of another date. */
  readonly derived: boolean
}

const SCRATCH = new Uint8Array(16)

/** Gives the `_source` of a row as JSON text, without what is null. The text ends in no newline and has none. */
export function createDocumentWriter(
  { columns }: Table,
  { versionField }: Pick<DocumentOptions, 'versionField'>,
): (row: Row) => string {
  const versionName = `,${JSON.stringify(versionField)}:"`
  const fields = columns.map(({ name, type }) => ({ name: `,${JSON.stringify(name)}:`, write: createJsonWriter(type) }))
  return ({ id, version, values }) => {
    let text = `{"id":"${id}","tmstmp":${writeTimestampJson(msOf(version))}${versionName}${formatTimeuuid(version)}"`
    for (let at = 0; at < fields.length; at++) {
      const value = values[at]
      const field = fields[at]
      if (value !== null && value !== undefined && field !== undefined) text += field.name + field.write(value)
    }
    return `${text}}`
  }
}

/**
 * Gives the row of a document: its `_id`, its `_source` as parseExactJson reads it, and `tmstmp` in milliseconds since 1970 (undefined
 * where it has none), which only the server can tell: `_source` keeps whatever the user wrote.
 * Throws ConversionError for an `_id` that is no uuid in lower case or not the id of the document, a date that is none or that no
 * timeuuid can name, a field that is no column (unless those are ignored), and values that are not of their column's type.
 */
export function createDocumentReader(
  table: Table,
  options: DocumentOptions,
): (id: string, source: unknown, dateMs: number | undefined) => ReadDocument {
  const fields = table.columns.map((column) => ({ name: column.name, read: createFieldReader(table, column, options) }))
  const known = new Set(['id', 'tmstmp', options.versionField, ...fields.map((field) => field.name)])
  return (id, source, dateMs) => {
    if (!isJsonObject(source))
      throw new ConversionError(table.name, 'id', `${describeValue(source)} where a document is expected`)
    checkId(table, id, source)
    const ms = checkDate(table, dateMs)
    if (options.onUnknownField === 'fail') checkFields(table, source, known)
    const values = fields.map(({ name, read }) => (Object.hasOwn(source, name) ? read(source[name]) : null))
    const held = holdDocument(ms, Object.hasOwn(source, options.versionField) ? source[options.versionField] : null)
    const version = held.kind === 'version' ? held.version : deriveVersion(table, id, source, ms)
    return { row: { id, version, values }, derived: held.kind !== 'version' }
  }
}

/**
 * The version of a document that has none of its own: of its millisecond, and the same for the same id, date and columns, in whatever
 * order and notation they come. Throws ConversionError for a date that no timeuuid can name.
 */
export function deriveVersion(
  table: Table,
  id: string,
  source: Readonly<Record<string, unknown>>,
  ms: number,
): Version {
  const fields = table.columns.flatMap(({ name }) => {
    const value = Object.hasOwn(source, name) ? source[name] : null
    return value === null ? [] : [`${JSON.stringify(name)}:${writeCanonicalJson(value)}`]
  })
  try {
    return deriveTimeuuid(ms, hash('sha256', `${id}\n${ms}\n${fields.join('\n')}`, 'buffer'))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ConversionError(table.name, 'tmstmp', error.message, { cause: error })
  }
}

/** Gives true for two rows of a table that hold the same values, whatever the order of their sets and maps. Versions do not count. */
export function createRowComparer({ columns }: Table): (a: Row, b: Row) => boolean {
  const writers = columns.map(({ type }) => createJsonWriter(type, 'sorted'))
  return (a, b) =>
    writers.every((write, at) => {
      const [one, other] = [a.values[at] ?? null, b.values[at] ?? null]
      if (one === null || other === null) return one === other
      return Object.is(one, other) || write(one) === write(other)
    })
}

/** Gives the value of what a document has in a field, null among it. Throws ConversionError for what is not of the type. */
export function createFieldReader(
  table: Table,
  { name, type }: Column,
  options: Pick<DocumentOptions, 'onUnknownField'>,
): (json: unknown) => CqlValue | null {
  const read = createJsonReader(type, options)
  const isNoneWhenEmpty = losesEmpty(type)
  return (json) => {
    if (json === null) return null
    try {
      const value = read(json)
      return isNoneWhenEmpty && Array.isArray(value) && value.length === 0 ? null : value
    } catch (error) {
      throw conversionError(table.name, name, error)
    }
  }
}

/** Cassandra stores collections that are not frozen by element: without one there is nothing. */
function losesEmpty(type: CqlType): boolean {
  return (type.kind === 'list' || type.kind === 'set' || type.kind === 'map') && !type.frozen
}

function checkId(table: Table, id: string, source: Readonly<Record<string, unknown>>): void {
  if (!tryWriteLowerUuid(id, SCRATCH)) throw new ConversionError(table.name, 'id', 'the _id is no uuid in lower case')
  const own = Object.hasOwn(source, 'id') ? source['id'] : null
  if (own === null || own === id || (typeof own === 'string' && own.toLowerCase() === id)) return
  throw new ConversionError(table.name, 'id', 'the document has another id than its _id')
}

function checkDate(table: Table, dateMs: number | undefined): number {
  if (dateMs === undefined) throw new ConversionError(table.name, 'tmstmp', 'the document has no date')
  // A date that is null comes as 2^63 - 1 where documents are sorted by it.
  if (!Number.isSafeInteger(dateMs)) throw new ConversionError(table.name, 'tmstmp', 'a date that is no time')
  return dateMs
}

function checkFields(table: Table, source: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): void {
  for (const name of Object.keys(source))
    if (!known.has(name)) throw new ConversionError(table.name, name, 'the table has no such column')
}

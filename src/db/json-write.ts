// Values as JSON text for documents; the table is at the head of values.ts. Written as text, for JavaScript's own numbers would lose
// digits, the sign of -0.0 and the zeros of decimals, and its objects keys. Pure.
import { type CqlType, isScalar, type MapType, type UdtType } from './cql-types.ts'
import { formatDuration } from './duration-text.ts'
import { parseExactJson, writeCanonicalJson } from './exact-json.ts'
import { formatBlob, formatDate, formatTimeOfDay, writeTimestampJson } from './scalar-text.ts'
import { type CqlMap, type CqlValue, type Duration, MAX_JSON_DIGITS } from './values.ts'

/** Gives the JSON text of a value that is of the type; it is not checked again. */
export type JsonWriter = (value: CqlValue) => string

/** A key, as JSON, that Elasticsearch takes as the name of a field: no dot to take it apart by, not blank, not too long. */
const PLAIN_NAME = /^"?[^\s."\\][^."\\]{0,255}"?$/

/**
 * Of the elements of sets and maps: as they are (Cassandra has them in order), or sorted by their text and each once, which gives the
 * same text for the same value whoever wrote it.
 */
export type ElementOrder = 'as-is' | 'sorted'

/** A writer for values of this type. Throws TypeError for a counter. */
export function createJsonWriter(type: CqlType, order: ElementOrder = 'as-is'): JsonWriter {
  switch (type.kind) {
    case 'ascii':
    case 'text':
    case 'inet':
      return JSON.stringify
    // Nothing in these needs an escape.
    case 'uuid':
    case 'timeuuid':
    case 'decimal':
      return (value) => `"${value}"`
    case 'boolean':
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return String
    case 'varint':
      return writeVarint
    case 'double':
      return (value) => writeDouble(value as number)
    case 'float':
      return (value) => writeFloat(value as number)
    case 'blob':
      return (value) => `"${formatBlob(value as Uint8Array)}"`
    case 'date':
      return (value) => `"${formatDate(value as number)}"`
    case 'time':
      return (value) => `"${formatTimeOfDay(value as number)}"`
    case 'timestamp':
      return (value) => writeTimestampJson(value as number | bigint)
    case 'duration':
      return (value) => `"${formatDuration(value as Duration)}"`
    case 'set':
      if (order === 'sorted') return createSortedWriter(createJsonWriter(type.of, order))
      return createArrayWriter(createJsonWriter(type.of, order))
    case 'list':
    case 'vector':
      return createArrayWriter(createJsonWriter(type.of, order))
    case 'tuple':
      return createTupleWriter(type.of.map((of) => createJsonWriter(of, order)))
    case 'udt':
      return createUdtWriter(type, order)
    case 'map':
      return createMapWriter(type, order)
    case 'json':
      return order === 'as-is'
        ? String
        : (value) => writeCanonicalJson(parseExactJson(String(value), { fractions: true }))
    case 'counter':
      throw new TypeError('counters cannot be carried')
  }
}

/** JSON of a double: never an integer, so that an index without a mapping takes the field for what it is. */
export function writeDouble(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  if (Object.is(value, -0)) return '-0.0'
  // From 1e21 on JavaScript writes an exponent by itself.
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value)
}

/** JSON of a float: the shortest digits that are this float and no other, not those of the double that it widens to. */
export function writeFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 0x1000000) return writeDouble(value)
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits))
    if (Math.fround(shorter) === value) return writeDouble(shorter)
  }
  return writeDouble(Number.isFinite(value) ? Number(value.toPrecision(9)) : value)
}

function writeVarint(value: CqlValue): string {
  const digits = String(value)
  return digits.length > MAX_JSON_DIGITS ? `"${digits}"` : digits
}

function createArrayWriter(write: JsonWriter): JsonWriter {
  return (value) => {
    let text = '['
    for (const item of value as readonly CqlValue[]) text += text.length === 1 ? write(item) : `,${write(item)}`
    return `${text}]`
  }
}

function createSortedWriter(write: JsonWriter): JsonWriter {
  return (value) => `[${[...new Set((value as readonly CqlValue[]).map((item) => write(item)))].sort().join(',')}]`
}

function createTupleWriter(writers: readonly JsonWriter[]): JsonWriter {
  return (value) => {
    const items = value as readonly (CqlValue | null)[]
    return `[${items.map((item, at) => (item === null ? 'null' : writers[at]?.(item))).join(',')}]`
  }
}

function createUdtWriter(type: UdtType, order: ElementOrder): JsonWriter {
  const fields = type.fields.map((field) => ({
    name: `${JSON.stringify(field.name)}:`,
    write: createJsonWriter(field.type, order),
  }))
  return (value) => {
    const items = value as readonly (CqlValue | null)[]
    const members = items.map((item, at) => {
      const field = fields[at]
      return field === undefined ? '' : field.name + (item === null ? 'null' : field.write(item))
    })
    return `{${members.join(',')}}`
  }
}

function createMapWriter(type: MapType, order: ElementOrder): JsonWriter {
  const writeKey = createJsonWriter(type.key, order)
  const writeValue = createJsonWriter(type.value, order)
  const hasNames = isScalar(type.key)
  return (value) => {
    const pairs = (value as CqlMap).map(([key, one]) => [writeKey(key), writeValue(one)] as const)
    if (order === 'sorted') pairs.sort(([a], [b]) => (a < b ? -1 : 1))
    if (hasNames && pairs.every(([key]) => PLAIN_NAME.test(key)))
      return `{${pairs.map(([key, one]) => `${key.startsWith('"') ? key : `"${key}"`}:${one}`).join(',')}}`
    return `[${pairs.map(([key, one]) => `{"key":${key},"value":${one}}`).join(',')}]`
  }
}

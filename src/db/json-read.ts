// Values out of documents, as parseExactJson gives them; the table is at the head of values.ts. What json-write.ts wrote comes back as
// it was; what others write is taken where it says the same (Elasticsearch itself takes "5" for a number), and nothing is guessed.
import type { CqlType, MapType, ScalarKind, UdtType } from './cql-types.ts'
import { parseDuration } from './duration-text.ts'
import { ExactNumber, isJsonObject, writeExactJson } from './exact-json.ts'
import { formatInet, parseInet } from './inet-text.ts'
import {
  formatDecimal,
  parseBlob,
  parseDate,
  parseDecimal,
  parseTimeOfDay,
  parseTimestamp,
  parseTimeuuidText,
  parseUuid,
  timestampOf,
} from './scalar-text.ts'
import { atStep, type CqlValue, describeValue, INTEGER_RANGES, MAX_INT64, MIN_INT64, ValueError } from './values.ts'

/** Gives the value of what a document has, null not among it. Throws ValueError for what is not of the type. */
export type JsonReader = (json: unknown) => CqlValue

export interface JsonReaderOptions {
  /** A field of an object that the user-defined type does not have. */
  readonly onUnknownField: 'fail' | 'ignore'
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const WHOLE = /^-?\d+$/
/** `1e999999999` is a short text of a number that no memory holds. */
const MAX_ZEROS = 1_000
const WORDS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/** A reader for values of this type. Throws TypeError for a counter. */
export function createJsonReader(type: CqlType, options: JsonReaderOptions): JsonReader {
  switch (type.kind) {
    case 'list':
    case 'set':
      return createArrayReader(createJsonReader(type.of, options))
    case 'vector': {
      const read = createArrayReader(createJsonReader(type.of, options))
      return (json) => {
        if (Array.isArray(json) && json.length !== type.dimension)
          throw new ValueError(`${describeValue(json)} where ${type.dimension} are expected`)
        return read(json)
      }
    }
    case 'tuple':
      return createTupleReader(type.of.map((one) => createJsonReader(one, options)))
    case 'udt':
      return createUdtReader(type, options)
    case 'map':
      return createMapReader(type, options)
    case 'json':
      return writeExactJson
    default:
      return createScalarReader(type.kind)
  }
}

function createScalarReader(kind: ScalarKind): JsonReader {
  switch (kind) {
    case 'text':
      return readText
    case 'ascii':
      return readAscii
    case 'boolean':
      return readBoolean
    case 'tinyint':
    case 'smallint':
    case 'int': {
      const [least, greatest] = INTEGER_RANGES[kind]
      return (json) => {
        // What most of them are.
        if (typeof json === 'number' && json >= least && json <= greatest && Number.isInteger(json)) return json + 0
        return Number(readInteger(json, kind, BigInt(least), BigInt(greatest)))
      }
    }
    case 'bigint':
      return (json) => readInteger(json, kind, MIN_INT64, MAX_INT64)
    case 'varint':
      return (json) => readInteger(json, kind)
    case 'double':
      return readDouble
    case 'float':
      return readFloat
    case 'timestamp':
      return (json) =>
        typeof json === 'string' ? parseTimestamp(json) : timestampOf(readInteger(json, kind, MIN_INT64, MAX_INT64))
    case 'decimal':
      return readDecimal
    case 'counter':
      throw new TypeError('counters cannot be carried')
    default:
      return createTextReader(kind, PARSERS[kind])
  }
}

const PARSERS = {
  uuid: parseUuid,
  timeuuid: parseTimeuuidText,
  blob: parseBlob,
  date: parseDate,
  time: parseTimeOfDay,
  duration: parseDuration,
  inet: (text: string) => formatInet(parseInet(text)),
} as const satisfies Partial<Record<ScalarKind, (text: string) => CqlValue>>

function createTextReader(kind: string, parse: (text: string) => CqlValue): JsonReader {
  return (json) => {
    if (typeof json !== 'string') throw unexpected(json, kind)
    return parse(json)
  }
}

function readText(json: unknown): string {
  if (typeof json !== 'string') throw unexpected(json, 'text')
  if (!json.isWellFormed()) throw new ValueError('half a surrogate pair, which UTF-8 cannot say')
  return json
}

function readAscii(json: unknown): string {
  const text = readText(json)
  if (/[^\0-\x7f]/.test(text)) throw new ValueError('characters that ASCII does not have')
  return text
}

function readBoolean(json: unknown): boolean {
  if (typeof json === 'boolean') return json
  if (json === 'true') return true
  if (json === 'false') return false
  throw unexpected(json, 'boolean')
}

/** Also of 1.0 and 1e3, which are whole numbers to JSON. */
function readInteger(json: unknown, kind: string, least?: bigint, greatest?: bigint): bigint {
  const value = integerOf(json)
  if (value === undefined) throw unexpected(json, kind)
  if ((least !== undefined && value < least) || (greatest !== undefined && value > greatest))
    throw new ValueError(`a number outside ${kind}`)
  return value
}

function integerOf(json: unknown): bigint | undefined {
  if (typeof json === 'number') {
    if (Number.isSafeInteger(json)) return BigInt(json)
    if (Number.isInteger(json) && Math.abs(json) < 1e21)
      throw new ValueError('a number beyond 2^53 that was read without its digits')
  }
  const source = sourceOf(json)
  if (source === undefined) return undefined
  if (WHOLE.test(source)) return BigInt(source)
  const { unscaled, scale } = parseDecimal(source)
  if (scale < -MAX_ZEROS) throw new ValueError('a number of too many digits')
  if (scale <= 0) return unscaled * 10n ** BigInt(-scale)
  // Only zeros may come after the point; more of them than digits are a fraction.
  if (scale > source.length) return unscaled === 0n ? 0n : undefined
  const unit = 10n ** BigInt(scale)
  return unscaled % unit === 0n ? unscaled / unit : undefined
}

function readDouble(json: unknown): number {
  if (typeof json === 'number') return json
  const word = WORDS.get(json)
  if (word !== undefined) return word
  const source = sourceOf(json)
  if (source === undefined) throw unexpected(json, 'double')
  const value = Number(source)
  if (!Number.isFinite(value)) throw new ValueError('a number outside double')
  return value
}

/** Rounds to the nearest float: hardly a decimal is one. */
function readFloat(json: unknown): number {
  const value = readDouble(json)
  const float = Math.fround(value)
  if (Number.isFinite(value) && !Number.isFinite(float)) throw new ValueError('a number outside float')
  return float
}

function readDecimal(json: unknown): string {
  const source = typeof json === 'string' ? json : sourceOf(json)
  if (source === undefined) throw unexpected(json, 'decimal')
  const { unscaled, scale } = parseDecimal(source)
  return formatDecimal(unscaled, scale)
}

/** The text of a JSON number, also of one in quotes; undefined for anything else. */
function sourceOf(json: unknown): string | undefined {
  if (json instanceof ExactNumber) return json.source
  if (typeof json === 'number') return JSON.stringify(json)
  return typeof json === 'string' && NUMBER.test(json) ? json : undefined
}

function createArrayReader(read: JsonReader): JsonReader {
  return (json) => {
    if (!Array.isArray(json)) throw unexpected(json, 'list')
    return json.map((item, at) => readPart(item, read, at))
  }
}

function createTupleReader(readers: readonly JsonReader[]): JsonReader {
  return (json) => {
    if (!Array.isArray(json)) throw unexpected(json, 'list')
    if (json.length > readers.length)
      throw new ValueError(`${describeValue(json)} where at most ${readers.length} are expected`)
    return readers.slice(0, json.length).map((read, at) => {
      const item = json[at]
      return item === null ? null : readPart(item, read, at)
    })
  }
}

function createUdtReader(type: UdtType, options: JsonReaderOptions): JsonReader {
  const fields = type.fields.map(({ name, type: of }) => ({ name, read: createJsonReader(of, options) }))
  const names = new Set(fields.map((field) => field.name))
  return (json) => {
    if (!isJsonObject(json)) throw unexpected(json, 'object')
    const unknown = options.onUnknownField === 'fail' && Object.keys(json).find((key) => !names.has(key))
    if (typeof unknown === 'string')
      throw new ValueError(`a field ${JSON.stringify(unknown)}, which type ${type.name} does not have`)
    // Fields that the last ones lack were never written, those in between are null.
    const length = fields.findLastIndex(({ name }) => Object.hasOwn(json, name)) + 1
    return fields.slice(0, length).map(({ name, read }) => {
      const item = Object.hasOwn(json, name) ? json[name] : null
      return item === null ? null : readPart(item, read, `.${name}`)
    })
  }
}

function createMapReader(type: MapType, options: JsonReaderOptions): JsonReader {
  const readKey = createJsonReader(type.key, options)
  const readValue = createJsonReader(type.value, options)
  const readPair = (key: unknown, value: unknown, at: number) =>
    [readPart(key, readKey, at), readPart(value, readValue, at)] as const
  return (json) => {
    if (isJsonObject(json)) return Object.keys(json).map((key, at) => readPair(key, json[key], at))
    if (!Array.isArray(json)) throw unexpected(json, 'object')
    return json.map((entry, at) => {
      if (!isJsonObject(entry) || !Object.hasOwn(entry, 'key') || !Object.hasOwn(entry, 'value'))
        throw new ValueError('an entry that is no object of key and value', `[${at}]`)
      return readPair(entry['key'], entry['value'], at)
    })
  }
}

/** No closure and no text for a step that goes well: vectors have thousands. */
function readPart(json: unknown, read: JsonReader, step: number | string): CqlValue {
  try {
    if (json === null) throw new ValueError('null, which has no place inside a collection')
    return read(json)
  } catch (error) {
    throw atStep(error, step)
  }
}

function unexpected(json: unknown, kind: string): ValueError {
  return new ValueError(`${json instanceof ExactNumber ? 'a number' : describeValue(json)} where ${kind} is expected`)
}

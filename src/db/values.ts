// The values of rows in memory, between the stores: our own, so that a driver, raw frames, SQLite and JSON all fill them cheaply.
//
//   CQL type                    value                                                     in a document
//   ascii, text                 string                                                    string
//   boolean                     boolean                                                   boolean
//   tinyint, smallint, int      number                                                    number
//   bigint, varint              bigint                                                    number, all its digits (1)
//   double, float               number; of a float, the double that is exactly it         number with a point or exponent (2)
//   decimal                     string, as formatDecimal writes it: scale kept            string: numbers lose zeros where they are re-written
//   blob                        Uint8Array                                                string, base64
//   uuid, timeuuid              string, lower case                                        string
//   inet                        string, as formatInet writes it                           string
//   date                        number: days since 1970, 32 bits signed                   string, 2015-01-31
//   time                        number: nanoseconds since midnight                        string, 13:30:54.234000000
//   timestamp                   number: milliseconds since 1970; bigint beyond 2^53       string, 2015-01-31T13:30:54.234Z (3)
//   duration                    Duration                                                  string, 1y2mo3d4h5m6s7ms8us9ns
//   list, set                   array, without null                                       array
//   vector                      array of as many values as it has dimensions              array
//   tuple                       array, with null; shorter where the last ones are absent  array
//   udt                         array by the order of its fields, as a tuple              object
//   map                         array of [key, value]                                     object, or array of {key, value} (4)
//   json                        string: JSON text                                         what it says
//
// null stands for no value: a field that a document does not have, or has as null. An empty collection that is not frozen is none.
// (1) A varint of more than MAX_JSON_DIGITS as a string: parsers of JSON refuse longer numbers.
// (2) "NaN", "Infinity", "-Infinity"; -0.0 keeps its sign.
// (3) A number outside the years 0 to 9999.
// (4) An object where every key is a plain name, for "", "a.b" and the like are no names of fields to Elasticsearch.

export interface Duration {
  /** 32 bits signed; the three have the same sign, or are 0. */
  readonly months: number
  readonly days: number
  /** 64 bits signed. */
  readonly nanoseconds: bigint
}

export type CqlValue =
  | string
  | number
  | boolean
  | bigint
  | Uint8Array
  | Duration
  | readonly (CqlValue | null)[]
  | readonly (readonly [CqlValue, CqlValue])[]

/** The pairs of a map. */
export type CqlMap = readonly (readonly [CqlValue, CqlValue])[]

export const MAX_JSON_DIGITS = 300

/** Integers by type: least, greatest. */
export const INTEGER_RANGES = {
  tinyint: [-128, 127],
  smallint: [-32_768, 32_767],
  int: [-2_147_483_648, 2_147_483_647],
} as const

export const MIN_INT64 = -(2n ** 63n)
export const MAX_INT64 = 2n ** 63n - 1n
export const NANOSECONDS_PER_DAY = 86_400_000_000_000

/** What is wrong with one value, and where in it; says nothing of the value itself, which may be anybody's secret. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
  readonly reason: string
  /** The way into a nested value: `[3]`, `.street`; empty for the value itself. */
  readonly path: string

  constructor(reason: string, path = '') {
    super(path === '' ? reason : `${path}: ${reason}`)
    this.reason = reason
    this.path = path
  }

  /** The same, one step further out. */
  within(step: string): ValueError {
    return new ValueError(this.reason, step + this.path)
  }
}

/** Why a row or a document cannot be carried to the other side: what a dead letter says. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError'
  readonly table: string
  readonly column: string
  readonly reason: string

  /** `reason` says what is wrong, with the way into the value where it is nested. */
  constructor(table: string, column: string, reason: string, options?: ErrorOptions) {
    super(`table ${table}, column ${column}: ${reason}`, options)
    this.table = table
    this.column = column
    this.reason = reason
  }
}

/** `error` as the reason of a ConversionError where it tells of a value; rethrows anything else, which is a fault of ours. */
export function conversionError(table: string, column: string, error: unknown): ConversionError {
  if (!(error instanceof ValueError)) throw error
  return new ConversionError(table, column, error.message, { cause: error })
}

/** `error` with the step (`[3]`, `.street`) in front of its path where it tells of a value; anything else as it is. */
export function atStep(error: unknown, step: number | string): unknown {
  if (!(error instanceof ValueError)) return error
  return error.within(typeof step === 'number' ? `[${step}]` : step)
}

/** A value in words that keep it to themselves. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return `a text of ${value.length} characters`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

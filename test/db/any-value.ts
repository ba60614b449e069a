// Any type that a column can have, and any value of it, for properties.
import fc from 'fast-check'
import type { CqlType, ScalarKind } from '../../src/db/cql-types.ts'
import { formatInet } from '../../src/db/inet-text.ts'
import { createJsonWriter } from '../../src/db/json-write.ts'
import { formatDecimal } from '../../src/db/scalar-text.ts'
import { type CqlValue, MAX_INT64, MIN_INT64, NANOSECONDS_PER_DAY } from '../../src/db/values.ts'

const anyInt32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const anyInt64 = fc.oneof(
  fc.bigInt({ min: MIN_INT64, max: MAX_INT64 }),
  fc.constantFrom(MIN_INT64, MAX_INT64, 0n, -1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n),
)
const anyVarint = fc.oneof(
  anyInt64,
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  fc.nat(40).map((byte) => -(2n ** BigInt(byte * 8 - 1 + (byte === 0 ? 1 : 0)))),
)
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  fc.constantFrom(
    '',
    '.',
    'a.b',
    ' ',
    '__proto__',
    'constructor',
    '"',
    '\\',
    '\u0000',
    '\u2028',
    '-0',
    '9007199254740993',
  ),
)
const anyUuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
})

const ANY_SCALAR: Readonly<Record<Exclude<ScalarKind, 'counter'>, fc.Arbitrary<CqlValue>>> = {
  ascii: fc.string({ unit: 'binary-ascii' }),
  text: anyText,
  blob: fc.uint8Array({ maxLength: 40 }),
  boolean: fc.boolean(),
  tinyint: fc.integer({ min: -128, max: 127 }),
  smallint: fc.integer({ min: -32_768, max: 32_767 }),
  int: anyInt32,
  bigint: anyInt64,
  varint: anyVarint,
  decimal: fc
    .tuple(anyVarint, fc.oneof(fc.integer({ min: -30, max: 30 }), anyInt32))
    .map(([unscaled, scale]) => formatDecimal(unscaled, scale)),
  float: fc.oneof(fc.float(), fc.integer({ min: -(2 ** 25), max: 2 ** 25 }).map(Math.fround), fc.constant(-0)),
  double: fc.oneof(fc.double(), fc.maxSafeInteger(), fc.constantFrom(-0, 1e21, 1e20, -1e300)),
  uuid: anyUuid,
  timeuuid: anyUuid.map((uuid) => `${uuid.slice(0, 14)}1${uuid.slice(15)}`),
  inet: fc
    .oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc
        .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
        .map((bytes) => Uint8Array.from(bytes)),
      fc.constant(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4)),
    )
    .map(formatInet),
  date: fc.oneof(anyInt32, fc.integer({ min: -800_000, max: 800_000 })),
  time: fc.integer({ min: 0, max: NANOSECONDS_PER_DAY - 1 }),
  timestamp: fc.oneof(
    fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
    anyInt64.map((ms) => (Number.isSafeInteger(Number(ms)) ? Number(ms) : ms)),
  ),
  duration: fc
    .tuple(fc.nat(2 ** 31 - 1), fc.nat(2 ** 31 - 1), fc.bigInt({ min: 0n, max: MAX_INT64 }), fc.boolean())
    .map(([months, days, nanoseconds, negative]) =>
      negative ? { months: 0 - months, days: 0 - days, nanoseconds: -nanoseconds } : { months, days, nanoseconds },
    ),
}

const anyScalarType = fc
  .constantFrom(...(Object.keys(ANY_SCALAR) as (keyof typeof ANY_SCALAR)[]))
  .map((kind): CqlType => ({ kind }))
const anyName = fc.oneof(fc.constantFrom('', 'a.b', '__proto__', 'Key', 'toString', 'a"b'), fc.string({ minLength: 1 }))

/** Any type, nested a few times. Frozen all through, so that empty collections are values. */
export const anyType: fc.Arbitrary<CqlType> = fc.letrec<{ type: CqlType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 3, arbitrary: anyScalarType },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('list' as const, 'set' as const),
        frozen: fc.constant(true),
        of: tie('type'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('map' as const),
        frozen: fc.constant(true),
        key: tie('type'),
        value: tie('type'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('tuple' as const),
        of: fc.array(tie('type'), { minLength: 1, maxLength: 4 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('udt' as const),
        frozen: fc.constant(true),
        name: anyName,
        fields: fc.uniqueArray(fc.record({ name: anyName, type: tie('type') }), {
          minLength: 1,
          maxLength: 4,
          selector: (field) => field.name,
        }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('vector' as const),
        of: tie('type'),
        dimension: fc.integer({ min: 1, max: 4 }),
      }),
    },
  ),
})).type

/** Any value of a type. */
export function anyValueOf(type: CqlType): fc.Arbitrary<CqlValue> {
  switch (type.kind) {
    case 'list':
    case 'set':
      return fc.array(anyValueOf(type.of), { maxLength: 4 })
    case 'vector':
      return fc.array(anyValueOf(type.of), { minLength: type.dimension, maxLength: type.dimension })
    case 'map': {
      const textOf = createJsonWriter(type.key, 'sorted')
      return fc.uniqueArray(fc.tuple(anyValueOf(type.key), anyValueOf(type.value)), {
        maxLength: 4,
        // No map has a key twice, and a key that is a set or a map is the same in any order.
        selector: ([key]) => textOf(key),
      })
    }
    case 'tuple':
      return anyPartsOf(type.of)
    case 'udt':
      return anyPartsOf(type.fields.map((field) => field.type))
    case 'counter':
      throw new TypeError('counters have no values here')
    case 'json':
      return fc.json()
    default:
      return ANY_SCALAR[type.kind]
  }
}

/** A type and a value of it. */
export const anyTypedValue = anyType.chain((type) => anyValueOf(type).map((value) => ({ type, value })))

/** Without the last ones, and with null in between; at least one, for a tuple of none is no value. */
function anyPartsOf(types: readonly CqlType[]): fc.Arbitrary<CqlValue> {
  return fc
    .tuple(fc.integer({ min: 1, max: types.length }), ...types.map((type) => fc.option(anyValueOf(type))))
    .map(([length, ...parts]) => parts.slice(0, length))
}

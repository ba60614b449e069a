import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CqlType, parseCqlType, type UdtDefinition } from '../../src/db/cql-types.ts'
import { parseExactJson } from '../../src/db/exact-json.ts'
import { createJsonReader } from '../../src/db/json-read.ts'
import { createJsonWriter, writeFloat } from '../../src/db/json-write.ts'
import { type CqlValue, MAX_JSON_DIGITS, ValueError } from '../../src/db/values.ts'
import { anyTypedValue } from './any-value.ts'

const udts = new Map<string, UdtDefinition>([
  ['address', { fieldNames: ['street', '__proto__', 'zip'], fieldTypes: ['text', 'text', 'int'] }],
])
const typeOf = (name: string) => parseCqlType(name, udts)
const write = (type: string, value: CqlValue) => createJsonWriter(typeOf(type))(value)
const read = (type: string, json: string, onUnknownField: 'fail' | 'ignore' = 'fail') =>
  createJsonReader(typeOf(type), { onUnknownField })(parseExactJson(json, { fractions: true }))
const big = '1'.repeat(MAX_JSON_DIGITS + 1)

describe('values and their JSON', () => {
  test.each<[string, CqlValue, string]>([
    ['text', '', '""'],
    ['text', 'é"\\\u0000\u2028', '"é\\"\\\\\\u0000\u2028"'],
    ['ascii', 'a', '"a"'],
    ['boolean', true, 'true'],
    ['int', -2_147_483_648, '-2147483648'],
    ['smallint', 32_767, '32767'],
    ['tinyint', -128, '-128'],
    ['bigint', 9_007_199_254_740_993n, '9007199254740993'],
    ['bigint', -9_223_372_036_854_775_808n, '-9223372036854775808'],
    ['bigint', 5n, '5'],
    ['varint', 10n ** 40n, `1${'0'.repeat(40)}`],
    ['varint', BigInt(big), `"${big}"`],
    ['decimal', '1.10', '"1.10"'],
    ['decimal', '1E+400', '"1E+400"'],
    ['double', -0, '-0.0'],
    ['double', 1, '1.0'],
    ['double', 1e21, '1e+21'],
    ['double', 1e20, '100000000000000000000.0'],
    ['double', 0.1, '0.1'],
    ['double', 5e-324, '5e-324'],
    ['double', Number.NaN, '"NaN"'],
    ['double', Number.POSITIVE_INFINITY, '"Infinity"'],
    ['float', Number.NEGATIVE_INFINITY, '"-Infinity"'],
    ['float', Number.NaN, '"NaN"'],
    ['float', -0, '-0.0'],
    ['float', Math.fround(0.1), '0.1'],
    ['float', Math.fround(3.4028235e38), '3.4028235e+38'],
    ['float', Math.fround(1e-45), '1.4013e-45'],
    ['float', 16_777_216, '16777216.0'],
    ['blob', Buffer.from([0, 255]), '"AP8="'],
    ['blob', Buffer.alloc(0), '""'],
    ['uuid', '0f0e0d0c-1234-4abc-8def-0123456789ab', '"0f0e0d0c-1234-4abc-8def-0123456789ab"'],
    ['inet', '::ffff:1.2.3.4', '"::ffff:1.2.3.4"'],
    ['date', -1, '"1969-12-31"'],
    ['time', 1, '"00:00:00.000000001"'],
    ['timestamp', 1_420_070_400_123, '"2015-01-01T00:00:00.123Z"'],
    ['timestamp', 9_223_372_036_854_775_807n, '9223372036854775807'],
    ['duration', { months: 23, days: 0, nanoseconds: 0n }, '"1y11mo"'],
    ['duration', { months: 0, days: 0, nanoseconds: 0n }, '"0s"'],
    ['list<bigint>', [1n, 9_007_199_254_740_993n], '[1,9007199254740993]'],
    ['list<int>', [], '[]'],
    ['set<text>', [''], '[""]'],
    ['vector<float, 2>', [1, 0.5], '[1.0,0.5]'],
    ['tuple<int, text>', [null, ''], '[null,""]'],
    ['tuple<int, text>', [1], '[1]'],
    ['address', ['a', null, 5], '{"street":"a","__proto__":null,"zip":5}'],
    ['address', ['a'], '{"street":"a"}'],
    ['address', [null, '"'], '{"street":null,"__proto__":"\\""}'],
    ['map<text, int>', [], '{}'],
    [
      'map<text, int>',
      [
        ['a', 1],
        ['__proto__', 2],
      ],
      '{"a":1,"__proto__":2}',
    ],
    ['map<text, int>', [['', 1]], '[{"key":"","value":1}]'],
    [
      'map<text, int>',
      [
        ['.', 1],
        ['a', 2],
      ],
      '[{"key":".","value":1},{"key":"a","value":2}]',
    ],
    ['map<text, int>', [[' ', 1]], '[{"key":" ","value":1}]'],
    ['map<text, int>', [['a\nb', 1]], '[{"key":"a\\nb","value":1}]'],
    ['map<text, int>', [['x'.repeat(300), 1]], `[{"key":"${'x'.repeat(300)}","value":1}]`],
    ['map<int, text>', [[-1, 'a']], '{"-1":"a"}'],
    ['map<bigint, text>', [[9_007_199_254_740_993n, 'a']], '{"9007199254740993":"a"}'],
    ['map<boolean, text>', [[false, 'a']], '{"false":"a"}'],
    ['map<date, int>', [[0, 1]], '{"1970-01-01":1}'],
    ['map<double, int>', [[-0, 1]], '[{"key":-0.0,"value":1}]'],
    ['map<blob, int>', [[Buffer.from([1]), 1]], '{"AQ==":1}'],
    ['map<timestamp, int>', [[0, 1]], '[{"key":"1970-01-01T00:00:00.000Z","value":1}]'],
    ['map<frozen<tuple<int>>, int>', [[[1], 2]], '[{"key":[1],"value":2}]'],
  ])('%s: %o is %s', (type, value, json) => {
    expect(write(type, value)).toBe(json)
    expect(read(type, json)).toEqual(value)
  })

  test('every value of every type comes back, through text and JSON.parse', () => {
    fc.assert(
      fc.property(anyTypedValue, fc.boolean(), ({ type, value }, fractions) => {
        const text = createJsonWriter(type)(value)
        const back = createJsonReader(type, { onUnknownField: 'fail' })(parseExactJson(text, { fractions }))
        // JavaScript sorts keys that are whole numbers; maps have no order of their own.
        expect(sortMaps(type, back)).toEqual(sortMaps(type, value))
      }),
      { numRuns: 1_000 },
    )
  })

  test('sorted, the text is the same whatever the order of sets and maps', () => {
    fc.assert(
      fc.property(anyTypedValue, ({ type, value }) => {
        const sorted = createJsonWriter(type, 'sorted')
        expect(sorted(reverse(type, value))).toBe(sorted(value))
      }),
    )
    const sorted = createJsonWriter(typeOf('set<int>'), 'sorted')
    expect(sorted([3, 1, 3])).toBe('[1,3]')
    expect(createJsonWriter(typeOf('list<int>'), 'sorted')([3, 1, 3])).toBe('[3,1,3]')
  })

  test('a float has the fewest digits that are that float', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Object.is(Math.fround(Number(writeFloat(value))), value)).toBe(true)
        expect(writeFloat(value).length).toBeLessThanOrEqual(JSON.stringify(Math.abs(value)).length + 3)
      }),
    )
  })
})

describe('JSON of any shape', () => {
  test.each(['1.10', '-0.0', '12345678901234567890', '{"b":1e3,"a":[null,true,"\\u2028"],"__proto__":{}}'])(
    'keeps what it came with: %s',
    (text) => {
      const value = createJsonReader(
        { kind: 'json' },
        { onUnknownField: 'fail' },
      )(parseExactJson(text, { fractions: true }))
      expect(createJsonWriter({ kind: 'json' })(value)).toBe(text.replace('\\u2028', '\u2028'))
    },
  )

  test('is the same in any order and notation', () => {
    const sorted = createJsonWriter({ kind: 'json' }, 'sorted')
    expect(sorted('{"b": 1e3, "a": [1.0]}')).toBe(sorted('{"a":[1],"b":1000}'))
    expect(sorted('{"a":1}')).not.toBe(sorted('{"a":2}'))
  })
})

describe('what others write is taken where it says the same', () => {
  test.each<[string, string, CqlValue]>([
    ['int', '"5"', 5],
    ['int', '5.0', 5],
    ['int', '1e3', 1_000],
    ['int', '-0', 0],
    ['bigint', '"9007199254740993"', 9_007_199_254_740_993n],
    ['bigint', '1e18', 10n ** 18n],
    ['bigint', '5.00', 5n],
    ['bigint', '0.0', 0n],
    ['varint', '"-5"', -5n],
    ['double', '"1.5"', 1.5],
    ['double', '9007199254740993', 9_007_199_254_740_992],
    ['float', '0.1', Math.fround(0.1)],
    ['float', '0.10000000149011612', Math.fround(0.1)],
    ['decimal', '1.10', '1.10'],
    ['decimal', '1e3', '1E+3'],
    ['decimal', '5', '5'],
    ['decimal', '"1.10"', '1.10'],
    ['boolean', '"true"', true],
    ['boolean', '"false"', false],
    ['uuid', '"0F0E0D0C-1234-4ABC-8DEF-0123456789AB"', '0f0e0d0c-1234-4abc-8def-0123456789ab'],
    ['inet', '"0:0:0:0:0:0:0:1"', '::1'],
    ['timestamp', '1420070400123', 1_420_070_400_123],
    ['timestamp', '"2015-01-01"', 1_420_070_400_000],
    ['date', '"2015-01-01T00:00:00Z"', 16_436],
    ['time', '"12:00:00"', 43_200_000_000_000],
    ['duration', '"P1Y"', { months: 12, days: 0, nanoseconds: 0n }],
    ['map<text, int>', '[]', []],
    ['map<text, int>', '[{"value":1,"key":"a"}]', [['a', 1]]],
    ['map<int, int>', '{"1":"2"}', [[1, 2]]],
    ['address', '{"zip":5}', [null, null, 5]],
    ['address', '{}', []],
  ])('%s from %s', (type, json, value) => {
    expect(read(type, json)).toEqual(value)
  })

  test('an unknown field of a user-defined type is refused, or ignored when asked to', () => {
    expect(() => read('list<frozen<address>>', '[{"town":"x"}]')).toThrow(
      '[0]: a field "town", which type address does not have',
    )
    expect(read('address', '{"town":"x","zip":1}', 'ignore')).toEqual([null, null, 1])
  })
})

describe('what is refused, and where', () => {
  test.each([
    ['text', '5', 'a number where text is expected'],
    ['text', '"\\ud800"', 'half a surrogate pair'],
    ['ascii', '"é"', 'ASCII'],
    ['boolean', '1', 'a number where boolean is expected'],
    ['boolean', '"yes"', 'a text of 3 characters where boolean is expected'],
    ['int', '2147483648', 'a number outside int'],
    ['int', '9007199254740993', 'a number outside int'],
    ['int', '1.5', 'a number where int is expected'],
    ['int', '"x"', 'a text of 1 characters where int is expected'],
    ['int', '""', 'a text of 0 characters where int is expected'],
    ['int', '{}', 'an object where int is expected'],
    ['tinyint', '128', 'a number outside tinyint'],
    ['bigint', '9223372036854775808', 'a number outside bigint'],
    ['bigint', '1e400', 'a number outside bigint'],
    ['bigint', '1e-999999999', 'a number where bigint is expected'],
    ['varint', '1e999999999', 'a number of too many digits'],
    ['varint', '0.5', 'where varint is expected'],
    ['double', '1e999', 'a number outside double'],
    ['double', '"1,5"', 'where double is expected'],
    ['float', '1e39', 'a number outside float'],
    ['decimal', '"x"', 'no decimal number'],
    ['decimal', 'true', 'a boolean where decimal is expected'],
    ['uuid', '5', 'where uuid is expected'],
    ['timeuuid', '"0f0e0d0c-1234-4abc-8def-0123456789ab"', 'no timeuuid'],
    ['blob', '"0x0"', 'is no base64'],
    ['timestamp', '1.5', 'where timestamp is expected'],
    ['timestamp', '9223372036854775808', 'outside timestamp'],
    ['date', '0', 'where date is expected'],
    ['list<int>', '5', 'a number where list is expected'],
    ['list<int>', '[1,null]', '[1]: null, which has no place inside a collection'],
    ['list<frozen<list<int>>>', '[[1],[2,"x"]]', '[1][1]: a text of 1 characters where int'],
    ['tuple<int>', '[1,2]', 'a list of 2 where at most 1'],
    ['tuple<int, int>', '[1,"x"]', '[1]: a text'],
    ['vector<int, 2>', '[1]', 'a list of 1 where 2 are expected'],
    ['address', '[]', 'a list of 0 where object is expected'],
    ['address', '{"zip":"x"}', '.zip: a text of 1 characters where int'],
    ['map<text, int>', '5', 'a number where object is expected'],
    ['map<text, int>', '{"a":null}', '[0]: null'],
    ['map<text, int>', '[["a",1]]', '[0]: an entry that is no object of key and value'],
    ['map<text, int>', '[{"key":"a"}]', '[0]: an entry that is no object of key and value'],
    ['map<int, int>', '{"x":1}', '[0]: a text of 1 characters where int'],
  ])('%s from %s: %s', (type, json, message) => {
    expect(() => read(type, json)).toThrow(ValueError)
    expect(() => read(type, json)).toThrow(message)
  })

  test('an integer that a plain JSON.parse has rounded is never taken for one', () => {
    const readBigint = createJsonReader({ kind: 'bigint' }, { onUnknownField: 'fail' })
    expect(() => readBigint(JSON.parse('9007199254740993'))).toThrow('was read without its digits')
  })

  test('counters have neither reader nor writer', () => {
    expect(() => createJsonReader({ kind: 'counter' }, { onUnknownField: 'fail' })).toThrow('counters')
    expect(() => createJsonWriter({ kind: 'counter' })).toThrow('counters')
  })
})

/** A value with the pairs of all maps in one order, and blobs as Buffers. */
function sortMaps(type: CqlType, value: CqlValue | null): unknown {
  if (value === null) return null
  const items = value as readonly CqlValue[]
  switch (type.kind) {
    case 'list':
    case 'set':
    case 'vector':
      return items.map((item) => sortMaps(type.of, item))
    case 'tuple':
      return items.map((item, at) => sortMaps(type.of[at] ?? { kind: 'int' }, item))
    case 'udt':
      return items.map((item, at) => sortMaps(type.fields[at]?.type ?? { kind: 'int' }, item))
    case 'map': {
      const writeKey = createJsonWriter(type.key, 'sorted')
      return (value as readonly (readonly [CqlValue, CqlValue])[])
        .map(([key, one]) => ({ text: writeKey(key), key: sortMaps(type.key, key), one: sortMaps(type.value, one) }))
        .sort((a, b) => (a.text < b.text ? -1 : 1))
    }
    default:
      return value instanceof Uint8Array ? Buffer.from(value) : value
  }
}

/** The elements of all sets and maps the other way round. */
function reverse(type: CqlType, value: CqlValue | null): CqlValue {
  const items = value as readonly CqlValue[]
  switch (type.kind) {
    case 'set':
      return items.map((item) => reverse(type.of, item)).reverse()
    case 'list':
    case 'vector':
      return items.map((item) => reverse(type.of, item))
    case 'map':
      return (value as readonly (readonly [CqlValue, CqlValue])[])
        .map(([key, one]) => [reverse(type.key, key), reverse(type.value, one)] as const)
        .reverse()
    default:
      return value as CqlValue
  }
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExactNumber, mayLoseDigits, parseExactJson, writeCanonicalJson } from '../../src/db/exact-json.ts'

const plain = { fractions: false }
const exact = { fractions: true }

describe('reading JSON', () => {
  test.each([
    ['9007199254740993', new ExactNumber('9007199254740993')],
    ['-9223372036854775808', new ExactNumber('-9223372036854775808')],
    ['[1,9223372036854775807]', [1, new ExactNumber('9223372036854775807')]],
    ['{"a": 1000000000000000000000}', { a: new ExactNumber('1000000000000000000000') }],
    ['{"a":\n9007199254740993}', { a: new ExactNumber('9007199254740993') }],
    ['9007199254740992', new ExactNumber('9007199254740992')],
    ['9007199254740991', 9_007_199_254_740_991],
    ['1000000000000000', 1_000_000_000_000_000],
    ['{"a":"9007199254740993"}', { a: '9007199254740993' }],
    ['{"a":",9007199254740993,"}', { a: ',9007199254740993,' }],
    ['[1.10,1e3,-0]', [1.1, 1_000, -0]],
    ['[9007199254740993,1.10,-0.0]', [new ExactNumber('9007199254740993'), 1.1, -0]],
  ])('%s keeps the digits of integers', (text, value) => {
    expect(parseExactJson(text, plain)).toEqual(value)
  })

  test.each([
    ['1.10', new ExactNumber('1.10')],
    ['[1e3]', [new ExactNumber('1e3')]],
    ['-0', new ExactNumber('-0')],
    ['0.1234567890123456789', new ExactNumber('0.1234567890123456789')],
    ['[1,1.5,-7]', [1, 1.5, -7]],
  ])('%s keeps those of fractions too, where they matter', (text, value) => {
    expect(parseExactJson(text, exact)).toEqual(value)
  })

  test('is JSON.parse for everything else, __proto__ among the keys', () => {
    fc.assert(
      fc.property(fc.json(), fc.boolean(), (text, fractions) => {
        const flat = parseExactJson(text, { fractions })
        const back = JSON.stringify(flat, (_, value) => (value instanceof ExactNumber ? Number(value.source) : value))
        expect(back).toBe(JSON.stringify(JSON.parse(text)))
      }),
    )
    const own = parseExactJson('{"__proto__":9007199254740993}', plain)
    expect(Object.keys(own as object)).toEqual(['__proto__'])
  })

  test('no integer loses a digit', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n })), fc.boolean(), (numbers, fractions) => {
        const read = parseExactJson(`{"a":[${numbers.join(', ')}]}`, { fractions }) as { a: (number | ExactNumber)[] }
        expect(read.a.map((one) => BigInt(one instanceof ExactNumber ? one.source : one))).toEqual(numbers)
      }),
    )
  })

  test('looks where a number of sixteen digits can begin, wherever that is', () => {
    const piece = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(':', ',', '[', ' ', '"', '-', '.', 'a', ':-', ',-', '"-') },
      { weight: 1, arbitrary: fc.nat({ max: 20 }).map((length) => '7'.repeat(length)) },
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('')
        expect(mayLoseDigits(text, false)).toBe(/(?:^|[[:,\s])-?\d{16}/.test(text))
      }),
      { numRuns: 2_000 },
    )
  })

  // Hours, if each of its digits were looked at again for each sixteenth of them.
  test('takes digits without number in a text for what they are', () => {
    const text = '1'.repeat(5_000_000)
    expect(mayLoseDigits(`{"a":"${text}","b":1}`, false)).toBe(false)
    expect(mayLoseDigits(`{"a":"${text}","b":${'1'.repeat(16)}}`, false)).toBe(true)
  })

  test('what is no JSON is refused', () => {
    expect(() => parseExactJson('{', plain)).toThrow(SyntaxError)
    expect(() => parseExactJson('9007199254740993,', plain)).toThrow(SyntaxError)
  })
})

describe('canonical JSON', () => {
  const canonical = (text: string, fractions: boolean) => writeCanonicalJson(parseExactJson(text, { fractions }))

  test.each([
    ['{"b":1,"a":{"d":[2],"c":null}}', '{"a":{"c":null,"d":[2]},"b":1}'],
    ['[1.0,1e3,-0.0,-0,1.50]', '[1,1000,0,0,1.5]'],
    ['[9007199254740993,1e18,1000000000000000000]', '[9007199254740993,1000000000000000000,1000000000000000000]'],
    ['["\\u0041\\n",true]', '["A\\n",true]'],
    ['{"__proto__":1,"2":2,"1":3}', '{"1":3,"2":2,"__proto__":1}'],
  ])('%s', (text, expected) => {
    expect(canonical(text, false)).toBe(expected)
    expect(canonical(text, true)).toBe(expected)
  })

  test('is the same however a text was re-arranged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(JSON.stringify(value), false)
        expect(canonical(text, true)).toBe(text)
        expect(canonical(JSON.stringify(reverseKeys(value)), false)).toBe(text)
      }),
    )
  })

  test('takes nothing that JSON cannot say', () => {
    expect(() => writeCanonicalJson({ a: undefined })).toThrow(TypeError)
    expect(() => writeCanonicalJson([1n])).toThrow(TypeError)
  })
})

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, one]) => [key, reverseKeys(one)] as const)
  return Object.fromEntries(entries.reverse())
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  equalJson,
  fromPlain,
  JsonNumber,
  type JsonValue,
  parseJson,
  writeJson,
  writeSortedJson,
} from '../../src/tokens/json.ts'

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

describe('reading and writing JSON', () => {
  test.each([
    '1',
    '1.0',
    '1.50',
    '-0',
    '1e3',
    '1E+3',
    '12345678901234567890123',
    '{"b":1,"2":2,"1":3,"a":4}',
    '{"__proto__":{"x":1},"constructor":2,"toString":null}',
    '[[],{},"",null,true,false]',
    '"é\u2028"',
  ])('%s comes out as it came in', (text) => {
    expect(writeJson(parseJson(text))).toBe(text)
  })

  test('leaves out space and unescapes strings', () => {
    expect(writeJson(parseJson(' {\n"a" :\t[ 1 , "\\u0041\\n\\/" ]\r} '))).toBe('{"a":[1,"A\\n/"]}')
  })

  test('keeps the last value of a key that comes twice', () => {
    expect(writeJson(parseJson('{"a":1,"b":2,"a":3}'))).toBe('{"a":3,"b":2}')
  })

  test.each([
    ['', 0],
    ['  ', 2],
    ['<html>', 0],
    ['tru', 0],
    ['nulll', 4],
    ['01', 1],
    ['1.', 1],
    ['.5', 0],
    ['-', 0],
    ['+1', 0],
    ['NaN', 0],
    ['{"a":1,}', 7],
    ['{a:1}', 1],
    ['{"a" 1}', 5],
    ['[1 2]', 3],
    ['[1', 2],
    ['"a\nb"', 0],
    ['"\\x"', 0],
    ['{}{}', 2],
    ['\uFEFF{}', 0],
  ])('%j is refused, and it is said where', (text, at) => {
    expect(() => parseJson(text)).toThrow(SyntaxError)
    expect(() => parseJson(text)).toThrow(`at character ${at} of ${text.length}`)
  })

  test('repeats nothing of what it refuses', () => {
    expect(() => parseJson('{"password":"hunter2",x}')).toThrow(/^(?!.*hunter)/)
  })

  test('reads 512 arrays and objects in one another, and refuses more before the stack is full', () => {
    expect(writeJson(parseJson(nested(512)))).toBe(nested(512))
    expect(() => parseJson(nested(513))).toThrow('at most 512')
    expect(() => parseJson('{"a":'.repeat(2_000_000))).toThrow('at most 512')
  })

  test('takes long strings', () => {
    const text = JSON.stringify('x\\"'.repeat(1_000_000))
    expect(writeJson(parseJson(text))).toBe(text)
  })

  test('agrees with JSON.parse on what JSON is, and on what it says', () => {
    const mutated = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', '0', '.', 'e', '-', '\\', ' ', '\u0001', 't'))
      .map(([text, at, change]) => {
        const place = at % (text.length + 1)
        return text.slice(0, place) + change + text.slice(place + 1)
      })
    fc.assert(
      fc.property(fc.oneof(fc.json(), mutated), (text) => {
        expect(plainOr(() => JSON.parse(writeJson(parseJson(text))))).toEqual(plainOr(() => JSON.parse(text)))
      }),
      { numRuns: 2_000 },
    )
  })

  test('sorts keys at every depth when asked to', () => {
    expect(writeSortedJson(parseJson('{"b":[{"d":1,"c":2.0}],"a":null}'))).toBe('{"a":null,"b":[{"c":2.0,"d":1}]}')
  })
})

describe('equality', () => {
  const cases: [string, string, boolean][] = [
    ['1', '1', true],
    ['1', '1.0', false],
    ['1.0', '1.00', true],
    ['1e3', '1000.0', true],
    ['1e3', '1000', false],
    ['0', '-0', true],
    ['0.0', '-0.0', true],
    ['9007199254740993', '9007199254740992', false],
    ['0.1', '0.10000000000000001', true],
    ['1', '"1"', false],
    ['null', 'false', false],
    ['{"a":1,"b":2}', '{"b":2,"a":1}', true],
    ['{"a":1}', '{"a":1,"b":null}', false],
    ['{"a":null}', '{"b":null}', false],
    ['[1,2]', '[2,1]', false],
    ['[1]', '[1,null]', false],
    ['[]', '{}', false],
    ['{"__proto__":1}', '{"__proto__":2}', false],
  ]
  test.each(cases)('of %s and %s is %s', (a, b, equal) => {
    expect(equalJson(parseJson(a), parseJson(b))).toBe(equal)
    expect(equalJson(parseJson(b), parseJson(a))).toBe(equal)
  })

  test('does not ask for the order of keys', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value = parseJson(text)
        expect(equalJson(value, parseJson(writeSortedJson(value)))).toBe(true)
      }),
    )
  })
})

describe('values of JavaScript', () => {
  test('become JSON, with JSON anywhere in them', () => {
    const inner: JsonValue = parseJson('{"b":1.0}')
    const value = fromPlain({ a: [1, 'x', null, inner], c: undefined, d: new Map([['1', { e: 1.5 }]]), f: 1e21 })
    expect(writeJson(value)).toBe('{"a":[1,"x",null,{"b":1.0}],"d":{"1":{"e":1.5}},"f":1e+21}')
  })

  test('keep the digits of a JSON number', () => {
    expect(fromPlain(new JsonNumber('1.0'))).toEqual(new JsonNumber('1.0'))
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%s is refused', (number) => {
    expect(() => fromPlain([number])).toThrow(RangeError)
  })
})

function plainOr(read: () => unknown): unknown {
  try {
    return { read: read() }
  } catch (error) {
    return error instanceof SyntaxError ? 'refused' : error
  }
}

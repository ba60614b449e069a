import { describe, expect, it } from 'vitest'
import { clojureSetStr, clojureStr } from '../../src/playground/waiter/clojure-text.ts'
import { cutHistory, versionOf, withIsoTimes } from '../../src/playground/waiter/token-data.ts'
import type { Description } from '../../src/tokens/contract.ts'
import { isObject, parseJson, writeJson } from '../../src/tokens/json.ts'

function data(text: string): Description {
  const value = parseJson(text)
  if (!isObject(value)) throw new TypeError('no object')
  return value
}

/** A map `{"KEY_0": "v0", …}` of this many entries. */
const manyKeys = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`KEY_${i}`, `v${i}`])))

// What Clojure 1.11.1 printed.
describe('the text of a value', () => {
  it.each([
    ['null', ''],
    ['true', 'true'],
    ['"x\\"y"', 'x"y'],
    ['1', '1'],
    ['-0', '0'],
    ['1.0', '1.0'],
    ['0.5', '0.5'],
    ['1e-3', '0.001'],
    ['9.99e-4', '9.99E-4'],
    ['1e7', '1.0E7'],
    ['1e6', '1000000.0'],
    ['9999999.5', '9999999.5'],
    ['1E21', '1.0E21'],
    ['1.5e300', '1.5E300'],
    ['-2.5', '-2.5'],
    ['123456.789', '123456.789'],
    ['1e-10', '1.0E-10'],
    ['-0.0', '-0.0'],
    ['100.0', '100.0'],
    ['3.0E-5', '3.0E-5'],
    ['12345678.9', '1.23456789E7'],
    ['12345678901234567890', '12345678901234567890'],
    ['[1, [2, "a"]]', '[1 [2 "a"]]'],
    [
      '{"a":1,"b":2.0,"c":null,"d":[1,"x",null,true],"e":{},"f":12345678901234567890,"g":"q\\"\\\\\\n\\t\\r\\f\\bé"}',
      '{"a" 1, "b" 2.0, "c" nil, "d" [1 "x" nil true], "e" {}, "f" 12345678901234567890N, "g" "q\\"\\\\\\n\\t\\r\\f\\bé"}',
    ],
  ])('%s', (json, text) => {
    expect(clojureStr(parseJson(json))).toBe(text)
  })

  it('keeps the order of up to eight keys, and has the order of a hash map beyond', () => {
    expect(clojureStr(parseJson(manyKeys(8)))).toMatch(/^\{"KEY_0" "v0", "KEY_1" "v1", .*"KEY_7" "v7"\}$/)
    expect(clojureStr(parseJson(manyKeys(9)))).toBe(
      '{"KEY_6" "v6", "KEY_4" "v4", "KEY_3" "v3", "KEY_5" "v5", "KEY_0" "v0", "KEY_7" "v7", "KEY_8" "v8", "KEY_1" "v1", "KEY_2" "v2"}',
    )
    const order = [...clojureStr(parseJson(manyKeys(40))).matchAll(/KEY_(\d+)/g)].map(([, number]) => Number(number))
    expect(order).toEqual([
      15, 33, 38, 10, 6, 11, 14, 18, 23, 4, 24, 13, 3, 36, 21, 28, 16, 5, 30, 17, 35, 0, 19, 39, 34, 20, 32, 12, 9, 26,
      29, 7, 27, 31, 8, 22, 1, 2, 37, 25,
    ])
  })

  it('of a set has the order of its hashes', () => {
    expect(clojureSetStr(['REGION', 'TIER', 'LANG', 'ZEBRA', 'a', 'b', 'c', 'd_1', 'foo', 'BAR', 'foo'])).toBe(
      '#{"foo" "BAR" "d_1" "ZEBRA" "a" "TIER" "b" "REGION" "LANG" "c"}',
    )
    expect(clojureSetStr([])).toBe('#{}')
  })
})

// Computed by hand: md5 over each key and the text of its value, sorted by key.
describe('the version of a token', () => {
  const FULL =
    '{"root":"c1","cpus":1.0,"mem":256,"cmd":"run","env":{"B":"b","A":"a"},"owner":"alice","cluster":"c1","last-update-time":1700000000123,' +
    '"last-update-user":"alice"}'

  it('is the hash of all that it holds', () => {
    expect(versionOf(data(FULL))).toBe('E-8fb3c6552cceb9d4e064e42beac9a97c')
    expect(versionOf(data('{"owner":"alice","cpus":1,"cmd":"run"}'))).toBe('E-2332e48e6edde61c1bc14d66d6a44b57')
  })

  it('is the same whatever the order of its keys, its history, and what is no part of a token', () => {
    const reversed = new Map([...data(FULL)].reverse())
    const more = new Map([...data(FULL), ...data('{"previous":{"cmd":"old"},"token":"t","whatever":1}')])
    expect(versionOf(reversed)).toBe(versionOf(data(FULL)))
    expect(versionOf(more)).toBe(versionOf(data(FULL)))
  })

  it.each([
    ['a number that is written otherwise', '"cpus":1.0', '"cpus":1'],
    ['the order of nested keys', '{"B":"b","A":"a"}', '{"A":"a","B":"b"}'],
    ['its time', '1700000000123', '1700000000124'],
    ['who changed it', '"last-update-user":"alice"', '"last-update-user":"bob"'],
    ['its root', '"root":"c1"', '"root":"c2"'],
    ['an explicit deleted: false', '"root":"c1"', '"root":"c1","deleted":false'],
  ])('is another one after a change of %s', (_what, from, to) => {
    expect(versionOf(data(FULL.replace(from, to)))).not.toBe(versionOf(data(FULL)))
  })

  it('is none for what is deleted, empty or not there', () => {
    expect(versionOf(new Map([...data(FULL), ['deleted', true]]))).toBeUndefined()
    expect(versionOf(new Map())).toBeUndefined()
    expect(versionOf(undefined)).toBeUndefined()
  })
})

describe('the history of a token', () => {
  it('is cut at four levels', () => {
    const deep =
      '{"cmd":"0","previous":{"cmd":"1","previous":{"cmd":"2","previous":{"cmd":"3","previous":{"cmd":"4","previous":{"cmd":"5"}}}}}}'
    expect(writeJson(cutHistory(data(deep)))).toBe(deep.replace(',"previous":{"cmd":"5"}', ''))
    expect(writeJson(cutHistory(data('{"cmd":"0","previous":{}}')))).toBe('{"cmd":"0","previous":{}}')
  })

  it('has its times shown as far as each level has one', () => {
    const times =
      '{"last-update-time":1,"previous":{"last-update-time":2,"previous":{"cmd":"x","previous":{"last-update-time":3}}}}'
    expect(writeJson(withIsoTimes(data(times)))).toBe(
      '{"last-update-time":"1970-01-01T00:00:00.001Z","previous":{"last-update-time":"1970-01-01T00:00:00.002Z",' +
        '"previous":{"cmd":"x","previous":{"last-update-time":3}}}}',
    )
  })
})

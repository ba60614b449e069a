// The ring and its ranges, the text of splits, contact points, and what is learned of how dense and how long rows are.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatContactPoints, parseContactPoint } from '../../../src/db/cassandra/contact-points.ts'
import { Density } from '../../../src/db/cassandra/density.ts'
import { MAX_TOKEN, MIN_TOKEN } from '../../../src/db/cassandra/murmur3.ts'
import { PAGE_BYTES, PageSize } from '../../../src/db/cassandra/page-size.ts'
import {
  formatSplit,
  halveRange,
  parseSplit,
  partOfRing,
  shareUpTo,
  WHOLE_RING,
} from '../../../src/db/cassandra/ring.ts'

const anyToken = fc.bigInt({ min: MIN_TOKEN, max: MAX_TOKEN })
const anyRange = fc
  .uniqueArray(anyToken, { minLength: 2, maxLength: 2 })
  .map(([one = 0n, other = 1n]) => (one < other ? { from: one, to: other } : { from: other, to: one }))

describe('the ring', () => {
  test.each([1, 2, 3, 7, 256, 1_000])('in %i parts is whole, without overlap, and no part wraps around', (of) => {
    let at = MIN_TOKEN
    for (let index = 0; index < of; index++) {
      const { from, to } = partOfRing(index, of)
      expect(from).toBe(at)
      expect(to).toBeGreaterThan(from)
      at = to
    }
    expect(at).toBe(MAX_TOKEN)
  })

  test('has the parts that it is cut into and no others', () => {
    for (const [index, of] of [
      [-1, 2],
      [2, 2],
      [0.5, 2],
      [0, 0],
    ] as const)
      expect(() => partOfRing(index, of)).toThrow(RangeError)
  })

  test('a range has two halves, unless it has one token alone', () => {
    fc.assert(
      fc.property(anyRange, (range) => {
        const halves = halveRange(range)
        if (halves === undefined) expect(range.to - range.from).toBe(1n)
        else {
          const [one, other] = halves
          expect([one.from, one.to, other.to]).toEqual([range.from, other.from, range.to])
          expect(one.from < one.to && other.from < other.to).toBe(true)
        }
      }),
    )
    expect(halveRange({ from: 5n, to: 6n })).toBeUndefined()
  })

  test('tells how much of it lies before a token', () => {
    expect(shareUpTo(MAX_TOKEN)).toBe(1)
    expect(shareUpTo(0n)).toBeCloseTo(0.5)
    expect(shareUpTo(MIN_TOKEN)).toBeGreaterThan(0)
  })
})

describe('a split', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(anyRange, fc.constantFrom('all' as const, 'index' as const), (range, access) => {
        const split = formatSplit({ access, range })
        expect(split.length).toBeLessThan(100)
        expect(parseSplit(split)).toEqual({ access, range })
      }),
    )
  })

  test.each([
    '',
    'all',
    'all 1',
    'all 2 1',
    'all 1 1',
    'some 1 2',
    'all 1 2 3',
    `all 0 ${MAX_TOKEN + 1n}`,
    'all 1 2\n',
  ])('%j is none', (text) => {
    expect(() => parseSplit(text)).toThrow('no split')
  })
})

describe('a contact point', () => {
  test.each([
    ['node', { host: 'node', port: 9042 }],
    ['node.example.com:19042', { host: 'node.example.com', port: 19042 }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
    ['::1', { host: '::1', port: 9042 }],
    ['[::1]:9043', { host: '::1', port: 9043 }],
    ['[fe80::1]', { host: 'fe80::1', port: 9042 }],
  ])('%s is read', (text, point) => {
    expect(parseContactPoint(text)).toEqual(point)
  })

  test.each(['', ':9042', 'node:', 'node:0', 'node:65536', 'node:x', 'user@node', '[node]:1', 'a b', 'http://node'])(
    '%j is none',
    (text) => {
      expect(() => parseContactPoint(text)).toThrow('allowed are host, host:port')
    },
  )

  test('is written with its port', () => {
    expect(formatContactPoints(['a', '::1'].map(parseContactPoint))).toBe('a:9042,[::1]:9042')
  })
})

describe('how dense the ring is', () => {
  test('is not known before anything was seen, and then by what was seen', () => {
    const density = new Density()
    expect(density.expect(WHOLE_RING)).toBeUndefined()
    density.learn(partOfRing(0, 10), 500)
    expect(density.expect(WHOLE_RING)).toBeCloseTo(5_000)
    expect(density.expect(partOfRing(3, 100))).toBeCloseTo(50)
  })

  test('is rather what was seen last', () => {
    const density = new Density()
    for (let part = 0; part < 10; part++) density.learn(partOfRing(part, 10), 0)
    for (let part = 0; part < 10; part++) density.learn(partOfRing(part, 10), 100)
    const rows = density.expect(WHOLE_RING) ?? 0
    expect(rows).toBeGreaterThan(900)
    expect(rows).toBeLessThan(1_000)
  })
})

describe('the length of pages', () => {
  test('grows to what fills a page, step by step', () => {
    const size = new PageSize()
    const asked = [size.rows]
    for (let page = 0; page < 5; page++) {
      size.learn(size.rows, size.rows * 600)
      asked.push(size.rows)
    }
    expect(asked).toEqual([10, 80, 640, 1_747, 1_747, 1_747])
  })

  test('is one row where a row fills a page, and nothing is learned of none', () => {
    const size = new PageSize()
    size.learn(10, 20 * PAGE_BYTES)
    expect(size.rows).toBe(1)
    size.learn(0, 50)
    expect(size.rows).toBe(1)
  })

  test('is halved where the server does not manage it', () => {
    const size = new PageSize(1_000, 400)
    expect(size.rows).toBe(400)
    size.shrink()
    expect(size.rows).toBe(200)
    for (let time = 0; time < 20; time++) size.shrink()
    expect(size.rows).toBe(1)
  })
})

import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  countIndexes,
  decodeOrder,
  encodeOrder,
  InvalidWorkOrder,
  requestsOf,
  shardOfIndex,
  shareOf,
  type WorkOrder,
} from '../../../src/db/jobs/order.ts'

const ORDER: WorkOrder = {
  pair: 'shop',
  direction: 'left-to-right',
  dryRun: false,
  of: 4,
  tables: [
    { name: 'carts', window: { beginMs: 0, endMs: 1_000 } },
    { name: 'items', window: { beginMs: 500, endMs: 1_000 }, splits: ['a', 'b', 'c', 'd', 'e'] },
    { name: 'users', window: { beginMs: 0, endMs: 1_000 }, splits: ['x'] },
  ],
}

const window = fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => ({ beginMs: Math.min(a, b), endMs: Math.max(a, b) }))
const order: fc.Arbitrary<WorkOrder> = fc.record(
  {
    pair: fc.string(),
    direction: fc.constantFrom('left-to-right', 'right-to-left'),
    dryRun: fc.boolean(),
    of: fc.integer({ min: 1, max: 2_000 }),
    shards: fc.array(fc.nat({ max: 1_999 })),
    tables: fc.array(
      fc.record(
        { name: fc.string({ unit: 'grapheme' }), window, splits: fc.array(fc.string()) },
        { requiredKeys: ['name', 'window'] },
      ),
      { maxLength: 4 },
    ),
  },
  { requiredKeys: ['pair', 'direction', 'dryRun', 'of', 'tables'] },
)

describe('an order as text', () => {
  it('is the order again, and fits into an environment variable', () => {
    fc.assert(
      fc.property(order, (written) => {
        const { text, order: meant } = encodeOrder(written)
        expect(text).toMatch(/^[\w-]*$/)
        expect(meant).toEqual(written)
        expect(decodeOrder(text)).toEqual(written)
      }),
    )
  })

  it('leaves splits out that would make it too long, and says so', () => {
    const splits = Array.from({ length: 5_000 }, (_, at) => `${at * 7_919} ${Math.sin(at)}`)
    const long = { ...ORDER, tables: ORDER.tables.map((table) => ({ ...table, splits })) }
    const { text, order: meant } = encodeOrder(long)
    expect(text.length).toBeLessThan(1_000)
    expect(meant.tables.map(({ splits: left }) => left)).toEqual([undefined, undefined, undefined])
    expect(decodeOrder(text)).toEqual(meant)
  })

  it.each([
    ['nothing', '', 'cannot be read'],
    ['what is no order', 'hello', 'cannot be read'],
    ['half of one', encodeOrder(ORDER).text.slice(0, 40), 'cannot be read'],
    ['one of another version', pack({ v: 2 }), 'another version'],
    [
      'a table without a window',
      pack({ v: 1, pair: 'p', direction: 'left-to-right', dryRun: false, of: 1, tables: [['a']] }),
      'another version',
    ],
    [
      'a direction that is none',
      pack({ v: 1, pair: 'p', direction: 'up', dryRun: false, of: 1, tables: [] }),
      'another version',
    ],
  ])('is refused when it is %s', (_, text, says) => {
    expect(() => decodeOrder(text)).toThrow(InvalidWorkOrder)
    expect(() => decodeOrder(text)).toThrow(says)
  })
})

function pack(value: unknown): string {
  return deflateRawSync(JSON.stringify(value)).toString('base64url')
}

describe('the index of a Job', () => {
  it('is the shard of that number, or of that place among those still to do', () => {
    expect([0, 3].map((index) => shardOfIndex(ORDER, index))).toEqual([0, 3])
    const rest = { ...ORDER, shards: [1, 3] }
    expect([0, 1].map((index) => shardOfIndex(rest, index))).toEqual([1, 3])
    expect([countIndexes(ORDER), countIndexes(rest)]).toEqual([4, 2])
  })

  it.each([4, -1, 0.5])('%s is none of four', (index) => {
    expect(() => shardOfIndex(ORDER, index)).toThrow(InvalidWorkOrder)
  })

  it('beyond those still to do is none', () => {
    expect(() => shardOfIndex({ ...ORDER, shards: [1, 3] }, 2)).toThrow(InvalidWorkOrder)
  })
})

describe('what a shard has to do', () => {
  it('is one exact window for all tables that have it, with what it has of tables that were cut', () => {
    const shared = { direction: 'left-to-right', dryRun: false, end: '1970-01-01T00:00:01.000Z' }
    expect(requestsOf(ORDER, 3)).toEqual([
      {
        ...shared,
        tables: ['carts', 'users'],
        begin: '1970-01-01T00:00:00.000Z',
        shard: { index: 3, of: 4, splits: new Map([['users', ['x']]]) },
      },
      {
        ...shared,
        tables: ['items'],
        begin: '1970-01-01T00:00:00.500Z',
        shard: { index: 3, of: 4, splits: new Map([['items', ['d', 'e']]]) },
      },
    ])
  })

  it('says nothing of splits where the store cuts by itself', () => {
    expect(requestsOf({ ...ORDER, tables: ORDER.tables.slice(0, 1) }, 1)).toMatchObject([
      { shard: { index: 1, of: 4 } },
    ])
    expect(requestsOf({ ...ORDER, tables: ORDER.tables.slice(0, 1) }, 1)[0]?.shard).not.toHaveProperty('splits')
  })

  it('is everything once, in even shares', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 40 }), (items, of) => {
        const shares = Array.from({ length: of }, (_, index) => shareOf(items, index, of))
        expect(shares.flat()).toEqual(items)
        const sizes = shares.map((share) => share.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

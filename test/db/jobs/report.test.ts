import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COUNTS, type Counts } from '../../../src/db/contract.ts'
import {
  countsOf,
  decodeGathered,
  encodeGathered,
  gather,
  MAX_LETTERS,
  missingShards,
  NOTHING_GATHERED,
} from '../../../src/db/jobs/gathered.ts'
import type { WorkOrder } from '../../../src/db/jobs/order.ts'
import {
  decodeFailure,
  decodeReport,
  encodeFailure,
  encodeReport,
  MAX_MESSAGE_BYTES,
  MAX_TABLES,
  type TableReport,
} from '../../../src/db/jobs/report.ts'
import { formatShards, parseShards } from '../../../src/db/jobs/shard-set.ts'

const NAMES = Array.from({ length: MAX_TABLES }, (_, at) => `table${at}`)
const ORDER: WorkOrder = {
  ...{ pair: 'shop', direction: 'right-to-left', dryRun: false, of: 8 },
  tables: NAMES.map((name) => ({ name, window: { beginMs: 0, endMs: 1 } })),
}
const AT = Date.UTC(2026, 0, 1)

const anyCounts = (most: number): fc.Arbitrary<Counts> =>
  fc.tuple(...COUNTS.slice(1).map(() => fc.nat({ max: most }))).map((figures) => ({
    read: figures.reduce((so, one) => so + one, 0),
    ...(Object.fromEntries(COUNTS.slice(1).map((name, at) => [name, figures[at] ?? 0])) as Omit<Counts, 'read'>),
  }))
const letter = fc.record({
  id: fc.oneof(fc.uuid(), fc.string({ unit: 'grapheme', maxLength: 512 })),
  reason: fc.oneof(fc.constant('column text is no int'), fc.string({ unit: 'grapheme', maxLength: 600 })),
})
const anyTables = fc.shuffledSubarray(NAMES).chain((names) =>
  fc.tuple(
    ...names.map((table) =>
      fc.record({
        table: fc.constant(table),
        counts: anyCounts(999_999_999),
        letters: fc.oneof(fc.constant([]), fc.array(letter, { maxLength: 200 })),
        untold: fc.oneof(fc.constant(0), fc.nat({ max: 1_000_000 })),
      }),
    ),
  ),
)

function report(shard: number, ...tables: Partial<TableReport>[]): string {
  const counts = { read: 3, applied: 1, older: 1, equal: 0, echoed: 0, failed: 1 }
  return encodeReport(
    ORDER,
    shard,
    tables.map((table) => ({ table: 'table0', counts, letters: [], untold: 0, ...table })),
  )
}

describe('the report of a worker', () => {
  it('fits into a termination message, with all counts and every failed row told or counted', () => {
    fc.assert(
      fc.property(anyTables, fc.nat({ max: 7 }), (tables, shard) => {
        const text = encodeReport(ORDER, shard, tables)
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
        const read = decodeReport(ORDER, text)
        expect(read?.shard).toBe(shard)
        for (const { table, counts, letters, untold } of tables) {
          const told = read?.tables.find((one) => one.table === table)
          expect(told?.counts).toEqual(counts)
          expect((told?.letters.length ?? 0) + (told?.untold ?? 0)).toBe(letters.length + untold)
          expect(told?.letters.map(({ id }) => id)).toEqual(letters.slice(0, told?.letters.length).map(({ id }) => id))
        }
      }),
    )
  })

  it('tells some eighty failed rows one by one', () => {
    const letters = Array.from({ length: 500 }, (_, at) => ({
      id: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
      reason: 'column price: "cheap" is no decimal',
    }))
    const read = decodeReport(ORDER, report(1, { letters }))
    const told = read?.tables[0]
    expect(told?.letters.length).toBeGreaterThan(80)
    expect(told?.letters[0]).toEqual(letters[0])
    expect(told?.untold).toBe(500 - (told?.letters.length ?? 0))
  })

  it.each([
    ['nothing', ''],
    ['half of one', report(1, {}).slice(0, 20)],
    ['one of another version', report(1, {}).replace('"v":1', '"v":2')],
    ['one whose figures do not add up', report(1, {}).replace('[0,3,', '[0,4,')],
    ['one of a shard that there is not', report(8, {})],
    ['a failure', encodeFailure('table a cannot be synced')],
    ['somebody else’s', 'OOMKilled'],
    ['null', 'null'],
  ])('is none when it is %s', (_, text) => {
    expect(decodeReport(ORDER, text)).toBeUndefined()
  })

  it('of a worker that could not go on is why, in one line', () => {
    const text = encodeFailure(`table a\ncannot be synced: ${'x'.repeat(9_000)}`)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
    expect(decodeFailure(text)).toMatch(/^table a cannot be synced: xxx/)
    expect(decodeFailure(report(1, {}))).toBeUndefined()
    expect(decodeFailure('')).toBeUndefined()
  })
})

describe('what was gathered', () => {
  const read = (text: string) => {
    const found = decodeReport(ORDER, text)
    if (found === undefined) throw new Error('it is a report')
    return found
  }

  it('adds up, and counts a shard once however often it was run', () => {
    const one = gather(NOTHING_GATHERED, read(report(1, {})), 'right-to-left', AT)
    const again = gather(one, read(report(1, { letters: [{ id: 'a', reason: 'b' }] })), 'right-to-left', AT)
    expect(again).toBe(one)
    const two = gather(one, read(report(2, {}, { table: 'table3' })), 'right-to-left', AT)
    expect(countsOf(two, 'table0')).toEqual({ read: 6, applied: 2, older: 2, equal: 0, echoed: 0, failed: 2 })
    expect(countsOf(two, 'table3').read).toBe(3)
    expect(countsOf(two, 'table9').read).toBe(0)
    expect(missingShards(two, 5)).toEqual([0, 3, 4])
  })

  it('keeps failed rows, and the number of those that nobody can name', () => {
    const letters = Array.from({ length: 60 }, (_, at) => ({ id: String(at), reason: 'r' }))
    let all = NOTHING_GATHERED
    for (let shard = 0; shard < 200; shard++)
      all = gather(
        all,
        { shard, tables: [{ table: 'table0', counts: countsOf(all, 'x'), letters, untold: 0 }] },
        'right-to-left',
        AT,
      )
    expect(all.letters).toHaveLength(MAX_LETTERS)
    expect(all.letters[0]).toEqual({ table: 'table0', direction: 'right-to-left', id: '0', reason: 'r', at: AT })
    expect(all.untold.get('table0')).toBe(200 * 60 - MAX_LETTERS)
  })

  it('is the same after it was kept', () => {
    fc.assert(
      fc.property(fc.array(anyTables, { maxLength: 5 }), (reports) => {
        const all = reports.reduce(
          (so, tables, shard) => gather(so, { shard: shard * 3, tables }, 'left-to-right', AT),
          NOTHING_GATHERED,
        )
        expect(decodeGathered(encodeGathered(all))).toEqual(all)
      }),
      { numRuns: 30 },
    )
  })
})

describe('a set of shards', () => {
  it('is written in ranges, and read again', () => {
    expect(formatShards([5, 1, 2, 0, 9, 7, 8])).toBe('0-2,5,7-9')
    expect(formatShards([])).toBe('')
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 300 })), (shards) => {
        expect(parseShards(formatShards(shards))).toEqual(new Set(shards))
      }),
    )
  })

  it.each(['a', '1-', '-1', '1,,2', '1-2-3'])('%s is none', (text) => {
    expect(() => parseShards(text)).toThrow(RangeError)
  })
})

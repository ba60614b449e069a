// What a writer is made of: rows as bytes in the order of tokens, ranges that nobody shares, and the pace of batches.
import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Chunk, RowEncoder, rangeOfUnit } from '../../../src/db/cassandra/chunk.ts'
import { tokenOf } from '../../../src/db/cassandra/murmur3.ts'
import { TokenFilter } from '../../../src/db/cassandra/token-filter.ts'
import { TokenLocks } from '../../../src/db/cassandra/token-locks.ts'
import { uuidBytes } from '../../../src/db/cassandra/values.ts'
import { WritePace } from '../../../src/db/cassandra/write-pace.ts'
import type { Table } from '../../../src/db/table.ts'
import { maxTimeuuid } from '../../../src/db/timeuuid.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

const none = new AbortController().signal
const COLUMNS = [
  { name: 'list', type: { kind: 'list', frozen: false, of: { kind: 'int' } } },
  { name: 'n', type: { kind: 'int' } },
] as const
const tableOf = (kind: Table['kind']): Table => ({ name: 't', kind, columns: COLUMNS })
const chunkOf = (kind: Table['kind']) => new Chunk(new RowEncoder(tableOf(kind)))
const cellsOf = (chunk: Chunk, row: number) => chunk.view().subarray(chunk.startOf(row), chunk.endOf(row))
const version = maxTimeuuid(1_700_000_000_000)
const id = '01234567-89ab-4cde-8f01-23456789abcd'

describe('a chunk', () => {
  test('cuts its rows into units in the order of their tokens, each row in one of them', () => {
    fc.assert(
      fc.property(fc.array(fc.uuid(), { maxLength: 60 }), (ids) => {
        const chunk = chunkOf('latest')
        for (const one of ids) chunk.add({ id: one, version, values: [null, 1] })
        const units = chunk.cutUnits()
        const rows = units.flatMap((unit) => unit.rows)
        expect(rows.toSorted((a, b) => a - b)).toEqual(ids.map((_, at) => at))
        const words = rows.map((row) => tokenOf(uuidBytes(ids[row] ?? '')) >> 32n)
        expect(words).toEqual(words.toSorted((a, b) => (a < b ? -1 : 1)))
        for (const unit of units)
          for (const row of unit.rows) {
            const token = tokenOf(uuidBytes(ids[row] ?? ''))
            const { from, to } = rangeOfUnit(unit)
            expect(token > from && token <= to).toBe(true)
          }
      }),
    )
  })

  test('cuts units by rows and by bytes', () => {
    const many = chunkOf('latest')
    for (let row = 0; row < 2_500; row++) many.add({ id: randomUUID(), version, values: [null, row] })
    expect(many.cutUnits().map((unit) => unit.rows.length)).toEqual([1_000, 1_000, 500])
    const long = new Chunk(
      new RowEncoder({ name: 't', kind: 'latest', columns: [{ name: 'x', type: { kind: 'text' } }] }),
    )
    for (let row = 0; row < 8; row++) long.add({ id: randomUUID(), version, values: ['x'.repeat(1_000_000)] })
    expect(long.cutUnits().map((unit) => unit.rows.length)).toEqual([3, 3, 2])
  })

  test('writes a null where it has to replace an older value, and nothing where every version is a row', () => {
    for (const [kind, length] of [
      ['latest', -1],
      ['versions', -2],
    ] as const) {
      const chunk = chunkOf(kind)
      chunk.add({ id, version, values: [null, null] })
      // What is not frozen is none when it is empty: a collection of no elements would be a tombstone.
      chunk.add({ id, version, values: [[], 7] })
      const [one, other] = [cellsOf(chunk, 0), cellsOf(chunk, 1)]
      expect(one.subarray(0, 20)).toEqual(Buffer.concat([Buffer.from([0, 0, 0, 16]), uuidBytes(id)]))
      expect([one.readInt32BE(40), one.readInt32BE(44), one.length]).toEqual([length, length, 48])
      expect([other.readInt32BE(40), other.readInt32BE(44), other.readInt32BE(48)]).toEqual([length, 4, 7])
    }
  })

  test('refuses a row that cannot be written, and stays as it was', () => {
    const chunk = chunkOf('latest')
    chunk.add({ id, version, values: [[1], 1] })
    expect(() => chunk.add({ id, version, values: [[1], 2 ** 40] })).toThrow('table t, column n: a number outside int')
    expect(() => chunk.add({ id: 'no uuid', version, values: [] })).toThrow('table t, column id: no uuid')
    chunk.add({ id, version, values: [[2], 2] })
    expect(chunk.rows).toBe(2)
    expect(cellsOf(chunk, 1).subarray(-4)).toEqual(Buffer.from([0, 0, 0, 2]))
  })
})

describe('a filter of tokens', () => {
  test('knows all that were added, and takes few others for known', () => {
    const filter = new TokenFilter()
    const words = Int32Array.from({ length: 1_000_000 }, (_, at) => Math.imul(at, 0x9e3779b1))
    const mistaken = words.reduce((count, word) => count + (filter.add(word) ? 1 : 0), 0)
    expect(mistaken).toBeLessThan(500)
    expect(words.every((word) => filter.add(word))).toBe(true)
  })
})

describe('a lock of tokens', () => {
  test('waits for those before it that have one of them, and for nobody else', async () => {
    const locks = new TokenLocks()
    const order: string[] = []
    const take = async (name: string, ...words: readonly number[]) => {
      const lock = await locks.take(Int32Array.from(words), none)
      order.push(name)
      return lock
    }
    const first = await take('first', -1, 2, 2)
    const overlapping = take('overlapping', 2, 3)
    const beside = await take('beside', 0, 4, 5)
    const behind = take('behind', 3, 4)
    await turn()
    expect(order).toEqual(['first', 'beside'])
    first[Symbol.dispose]()
    const second = await overlapping
    beside[Symbol.dispose]()
    await turn()
    expect(order).toEqual(['first', 'beside', 'overlapping'])
    second[Symbol.dispose]()
    const third = await behind
    expect(order.at(-1)).toBe('behind')
    third[Symbol.dispose]()
    await take('at once', -1, 0, 2, 3, 4, 5)
    expect(order.at(-1)).toBe('at once')
  })

  test('whose taker leaves is let go, but not before it would have been its turn', async () => {
    const locks = new TokenLocks()
    const word = Int32Array.of(7)
    const first = await locks.take(word, none)
    const leaving = new AbortController()
    const second = locks.take(word, leaving.signal)
    let isThird = false
    const third = locks.take(word, none).then(() => (isThird = true))
    leaving.abort(new Error('no longer'))
    await turn()
    expect(isThird).toBe(false)
    first[Symbol.dispose]()
    await expect(second).rejects.toThrow('no longer')
    await expect(third).resolves.toBe(true)
    await expect(locks.take(word, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
  })
})

describe('the pace', () => {
  test('is halved once for what goes wrong together, down to one, and comes back slowly', async () => {
    const clock = new FakeClock()
    const pace = new WritePace(clock)
    expect(pace.concurrency).toBe(16)
    for (let batch = 0; batch < 5; batch++) pace.noteTrouble()
    expect(pace.concurrency).toBe(8)
    for (let time = 0; time < 5; time++) {
      await clock.advance(1_000)
      pace.noteTrouble()
    }
    expect(pace.concurrency).toBe(1)
    for (let batch = 0; batch < 8; batch++) pace.noteGood()
    expect(pace.concurrency).toBe(2)
    for (let batch = 0; batch < 10_000; batch++) pace.noteGood()
    expect(pace.concurrency).toBe(32)
  })
})

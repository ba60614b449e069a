// The checker itself: it has nothing against what may be, and finds what may not.
import { describe, expect, it } from 'vitest'
import { fieldsOf, History, type Side, type Write } from './lib/db-history.ts'
import {
  type DocumentChange,
  type Found,
  findMixed,
  judgeDocumentChanges,
  judgeEnd,
  judgeSavedEnd,
  judgeSightings,
  type Sides,
} from './lib/db-judge.ts'
import { type Ended, judgeReport } from './lib/db-report.ts'
import { compareTimeuuids, msOf, timeuuidOf } from './lib/db-versions.ts'

const ID = 'id'
let now = 1_000

/** A write of this millisecond that is acknowledged at once; each comes later than the one before. */
function write(history: History, side: Side, ms: number, isAcknowledged = true): Write {
  now += 10
  const one = history.write({ table: 't', id: ID, side, wanted: ms, now, toTimeuuid: undefined })
  if (isAcknowledged) one.endedAt = now + 1
  return one
}

function remove(history: History, side: Side, inQuiet = false): void {
  now += 10
  history.delete({ table: 't', id: ID, side, startedAt: now, inQuiet }).endedAt = now + 1
}

const found = ({ payload, ms, timeuuid }: Write): Found => ({ payload, ms, timeuuid, mixed: undefined })

const sidesOf = (left: Write | undefined, right: Write | undefined): Sides => ({
  cassandra: new Map(left === undefined ? [] : [[ID, found(left)]]),
  elasticsearch: new Map(right === undefined ? [] : [[ID, found(right)]]),
})

describe('in the end', () => {
  it('both sides have the newest write, whoever wrote it', () => {
    const history = new History()
    const [older, newer] = [write(history, 'cassandra', 100), write(history, 'elasticsearch', 200)]
    expect(judgeEnd(history, 't', sidesOf(newer, newer))).toEqual([])
    expect(judgeEnd(history, 't', sidesOf(older, newer))).toHaveLength(1)
    expect(judgeEnd(history, 't', sidesOf(newer, older))).toHaveLength(1)
    expect(judgeEnd(history, 't', sidesOf(newer, undefined))).toHaveLength(1)
    expect(judgeEnd(history, 't', sidesOf(undefined, undefined))).toHaveLength(2)
  })

  it('a write that nobody acknowledged may be there or not', () => {
    const history = new History()
    const [older, newer] = [write(history, 'cassandra', 100), write(history, 'cassandra', 200, false)]
    expect(judgeEnd(history, 't', sidesOf(older, older))).toEqual([])
    expect(judgeEnd(history, 't', sidesOf(newer, newer))).toEqual([])
  })

  it('what was deleted in Cassandra is away there, and only there', () => {
    const history = new History()
    const only = write(history, 'cassandra', 100)
    remove(history, 'cassandra')
    expect(judgeEnd(history, 't', sidesOf(undefined, only))).toEqual([])
    expect(judgeEnd(history, 't', sidesOf(undefined, undefined))).toEqual([])
    expect(judgeEnd(history, 't', sidesOf(only, only))).toHaveLength(1)
  })

  it('what was deleted in Elasticsearch comes back as the newest alone', () => {
    const history = new History()
    const [older, newer] = [write(history, 'cassandra', 100), write(history, 'cassandra', 200)]
    remove(history, 'elasticsearch')
    expect(judgeEnd(history, 't', sidesOf(newer, newer))).toEqual([])
    expect(judgeEnd(history, 't', sidesOf(newer, undefined))).toEqual([])
    expect(judgeEnd(history, 't', sidesOf(newer, older))).toHaveLength(1)
  })

  it('what was deleted on both sides while no sync ran stays away', () => {
    const history = new History()
    const only = write(history, 'cassandra', 100)
    remove(history, 'cassandra', true)
    remove(history, 'elasticsearch', true)
    expect(judgeEnd(history, 't', sidesOf(undefined, undefined))).toEqual([])
    expect(judgeEnd(history, 't', sidesOf(undefined, only))).toHaveLength(1)
    const newer = write(history, 'elasticsearch', now + 100)
    expect(judgeEnd(history, 't', sidesOf(newer, newer))).toEqual([])
  })

  it('nothing is there that nobody wrote, of another time, or mixed out of two', () => {
    const history = new History()
    const only = write(history, 'cassandra', 100)
    const sides = (changes: Partial<Found>): Sides => ({
      ...sidesOf(only, only),
      cassandra: new Map([[ID, { ...found(only), ...changes }]]),
    })
    expect(judgeEnd(history, 't', sides({}))).toEqual([])
    for (const changes of [{ payload: 'c999' }, { ms: 101 }, { mixed: 'n is 1' }, { timeuuid: timeuuidOf(100, 1, 0n) }])
      expect(judgeEnd(history, 't', sides(changes)).length, JSON.stringify(changes)).toBeGreaterThan(0)
    const fields = fieldsOf('c1')
    expect(findMixed({ ...fields })).toBeUndefined()
    for (const name of ['n', 'note', 'big', 'tags']) expect(findMixed({ ...fields, [name]: 'other' })).toContain(name)
  })
})

describe('on the way', () => {
  it('a sync writes nothing over what is newer or the same; users may', () => {
    const history = new History()
    const [older, newer] = [write(history, 'cassandra', 100), write(history, 'elasticsearch', 200)]
    const change = (docVersion: number, by: 'sync' | 'user', payload: string | undefined): DocumentChange =>
      ({ table: 't', id: ID, docVersion, by, payload }) as const
    const judge = (...changes: DocumentChange[]) => judgeDocumentChanges(history, changes).length
    expect(judge(change(1, 'user', older.payload), change(2, 'sync', newer.payload))).toBe(0)
    expect(judge(change(2, 'sync', older.payload), change(1, 'user', newer.payload))).toBe(1)
    expect(judge(change(1, 'user', newer.payload), change(2, 'user', older.payload))).toBe(0)
    expect(judge(change(1, 'sync', older.payload), change(2, 'sync', older.payload))).toBe(1)
    expect(judge(change(1, 'user', undefined), change(2, 'sync', older.payload))).toBe(0)
    // What came in between is not known.
    expect(judge(change(1, 'user', newer.payload), change(3, 'sync', older.payload))).toBe(0)
    expect(judge(change(1, 'user', older.payload), change(2, 'sync', undefined))).toBe(1)
  })

  it('a row of Cassandra becomes older by the hand of a user who wrote since, and by no other', () => {
    const history = new History()
    const older = write(history, 'cassandra', 200)
    const newer = write(history, 'elasticsearch', 300)
    const sight = (of: Write, askedAt: number) => ({
      table: 't',
      id: ID,
      found: found(of),
      askedAt,
      answeredAt: askedAt + 1,
    })
    const judge = (...sights: ReturnType<typeof sight>[]) => judgeSightings(history, sights).length
    expect(judge(sight(older, now), sight(newer, now + 5))).toBe(0)
    expect(judge(sight(newer, now + 5), sight(older, now + 9))).toBe(1)
    expect(judge(sight(newer, now - 50), sight(older, now + 9))).toBe(0)
  })

  it('a saved end has what was there when its window closed on the other side', () => {
    const history = new History()
    const early = write(history, 'cassandra', 100)
    const closedAt = now + 5
    const judge = (sides: Sides, endMs = closedAt) =>
      judgeSavedEnd(history, { table: 't', from: 'cassandra', endMs }, sides, 0).length
    expect(judge(sidesOf(early, early))).toBe(0)
    expect(judge(sidesOf(early, undefined))).toBe(1)
    expect(judge(sidesOf(early, undefined), 99)).toBe(0)
    const late = write(history, 'cassandra', 150)
    expect(judge(sidesOf(late, undefined))).toBe(0)
  })

  it('a report adds up', () => {
    const counts = { read: 3, applied: 1, older: 1, equal: 0, echoed: 1, failed: 0 }
    const window = { begin: '1970-01-01T00:00:00.000Z', end: '2024-01-01T00:00:00.000Z' }
    const report = {
      state: 'succeeded',
      window,
      items: [{ table: 't', direction: 'left-to-right', ms: 1, ...counts }],
      counts,
    }
    const judge = (changes: object, code = 0) => {
      const ended: Ended = { code, signal: null, out: JSON.stringify({ ...report, ...changes }), err: '' }
      return judgeReport(ended).length
    }
    expect(judge({})).toBe(0)
    expect(judge({ state: 'failed' })).toBe(1)
    expect(judge({}, 1)).toBe(1)
    expect(judge({ counts: { ...counts, read: 4 } })).toBe(2)
    expect(judge({ counts: { ...counts, equal: 1, older: 0 } })).toBe(2)
    expect(judge({ window: null })).toBe(1)
    expect(judgeReport({ code: 2, signal: null, out: '', err: 'wrong' })).toHaveLength(1)
    expect(judgeReport({ code: 0, signal: null, out: '{}\n{}', err: '' })).toHaveLength(1)
  })

  it('timeuuids are in the order of Cassandra', () => {
    const of = (tick: number, tie: bigint) => timeuuidOf(1_700_000_000_123, tick, tie)
    expect(of(0, 0x8000000000000000n)).toMatch(/^[\da-f]{8}-[\da-f]{4}-1[\da-f]{3}-8000-000000000000$/)
    expect(msOf(of(9_999, 0n))).toBe(1_700_000_000_123)
    expect(msOf(timeuuidOf(-1, 9_999, 0n))).toBe(-1)
    expect(compareTimeuuids(of(1, 0n), of(2, 0n))).toBeLessThan(0)
    // 0x80 is a negative byte.
    expect(compareTimeuuids(of(1, 0x8000000000000000n), of(1, 0x7f00000000000000n))).toBeLessThan(0)
    expect(compareTimeuuids(of(1, 5n), of(1, 5n))).toBe(0)
  })
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RunsStopping, type Started } from '../../src/runs/contract.ts'
import { openSchedule, type Schedule, type ScheduleEntry } from '../../src/runs/schedule.ts'
import type { RunRecord } from '../../src/state/store.ts'
import { FakeClock } from '../lib/fake-clock.ts'
import { FakeLeadership } from './fixture.ts'

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 1, 12, 2)

let clock: FakeClock
let leadership: FakeLeadership
let schedule: Schedule
/** Moments of the starts, after START. */
let startedAt: number[]
let runs: { id: string; createdAt: number; end: () => void; ended: Promise<void> }[]
let errors: unknown[]
let next: () => Promise<Started>
let random: number
let known: RunRecord[]

beforeEach(() => {
  clock = new FakeClock(START)
  leadership = new FakeLeadership(true)
  startedAt = []
  runs = []
  errors = []
  random = 0
  known = []
  next = async () => ({ outcome: 'started', run: begin() })
})
afterEach(() => {
  schedule[Symbol.dispose]()
  expect(clock.pending).toBe(0)
})

const begin = () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const run = { id: `run-${runs.length + 1}`, createdAt: clock.wallNow(), end: resolve, ended: promise }
  runs.push(run)
  return run as unknown as RunRecord
}
const open = async (over: Partial<ScheduleEntry> = {}): Promise<void> => {
  schedule = openSchedule(
    [
      {
        name: 'tokens',
        cron: '*/5 * * * *',
        timeZone: 'UTC',
        jitterMs: 0,
        filter: { kind: 'tokens' },
        owns: ({ trigger }) => trigger === 'schedule',
        start: () => {
          startedAt.push((clock.wallNow() - START) / MINUTE)
          return next()
        },
        ...over,
      },
    ],
    {
      clock,
      leadership,
      random: () => random,
      onError: (error, what) => errors.push([error, what]),
      runs: {
        list: async () => ({ items: known, nextCursor: null }),
        wait: async (id) => {
          await runs.find((run) => run.id === id)?.ended
          return undefined
        },
      },
    },
  )
  await clock.advance(0)
}
const status = () => schedule.statuses()[0]
const nextAt = () => ((status()?.nextAt ?? Number.NaN) - START) / MINUTE

describe('a schedule', () => {
  test('starts a run at every tick', async () => {
    next = async () => {
      const run = begin()
      runs.at(-1)?.end()
      return { outcome: 'started', run }
    }
    await open()
    expect(nextAt()).toBe(3)
    await clock.advance(14 * MINUTE)
    expect(startedAt).toEqual([3, 8, 13])
    expect(status()).toEqual({
      ...{ name: 'tokens', cron: '*/5 * * * *', timeZone: 'UTC', missed: 0, lastRunId: 'run-3' },
      nextAt: START + 18 * MINUTE,
    })
  })

  test('starts none while the last one is under way, and counts what it leaves out', async () => {
    await open()
    await clock.advance(12 * MINUTE)
    expect(startedAt).toEqual([3])
    expect(status()?.missed).toBe(1)
    runs[0]?.end()
    await clock.advance(2 * MINUTE)
    expect(startedAt).toEqual([3, 13])
    expect(status()?.missed).toBe(1)
  })

  test('counts a tick that meets somebody else’s run as left out', async () => {
    next = async () => ({ outcome: 'overlaps', run: begin() })
    await open()
    await clock.advance(9 * MINUTE)
    expect(startedAt).toEqual([3, 8])
    expect(status()).toMatchObject({ missed: 2, lastRunId: null })
  })

  test('puts every start off by a random time', async () => {
    random = 0.5
    await open({ jitterMs: 2 * MINUTE })
    await clock.advance(3 * MINUTE)
    expect(startedAt).toEqual([])
    random = 0
    await clock.advance(MINUTE)
    expect(startedAt).toEqual([4])
    runs[0]?.end()
    random = 0.999999
    await clock.advance(8 * MINUTE)
    expect(startedAt[1]).toBeGreaterThan(9.99)
    expect(startedAt[1]).toBeLessThan(10)
  })

  test('goes on after a start that failed', async () => {
    next = () => Promise.reject(new Error('the store is away'))
    await open()
    await clock.advance(9 * MINUTE)
    expect(startedAt).toEqual([3, 8])
    expect(errors).toEqual([
      [new Error('the store is away'), 'schedule tokens'],
      [new Error('the store is away'), 'schedule tokens'],
    ])
    expect(status()?.missed).toBe(0)
  })

  test('says nothing of a service that stops', async () => {
    next = () => Promise.reject(new RunsStopping('stopping'))
    await open()
    await clock.advance(4 * MINUTE)
    expect(errors).toEqual([])
  })

  test('that never comes waits for nothing', async () => {
    await open({ cron: '0 0 30 2 *' })
    await clock.advance(24 * 60 * MINUTE)
    expect([startedAt, status()?.nextAt]).toEqual([[], null])
  })

  test('ends at once, also while a start is put off', async () => {
    random = 0.9
    await open({ jitterMs: MINUTE })
    await clock.advance(3 * MINUTE)
    schedule[Symbol.dispose]()
    await clock.advance(60 * MINUTE)
    expect([startedAt, errors]).toEqual([[], []])
  })
})

describe('the wall clock', () => {
  test.each([
    ['put forward over a tick', 4, 1, [5]],
    ['put forward over many ticks', 3 * 60, 1, [181]],
    ['put back by an hour', -60, 3, [-57]],
  ])('%s is noticed within a minute', async (_, jumpMinutes, afterMinutes, expected) => {
    await open()
    clock.jumpWall(jumpMinutes * MINUTE)
    await clock.advance(afterMinutes * MINUTE)
    expect(startedAt).toEqual(expected)
  })

  test('put back by a second does not make a tick come twice', async () => {
    await open()
    await clock.advance(3 * MINUTE)
    runs[0]?.end()
    clock.jumpWall(-1_000)
    await clock.advance(4 * MINUTE)
    expect(startedAt).toEqual([3])
  })
})

describe('a replica', () => {
  test('that does not lead starts nothing, and knows no next time', async () => {
    leadership = new FakeLeadership(false)
    await open()
    await clock.advance(20 * MINUTE)
    expect([startedAt, status()?.nextAt]).toEqual([[], null])
  })

  test('starts runs from when it leads until it does not any more', async () => {
    leadership = new FakeLeadership(false)
    await open()
    await clock.advance(7 * MINUTE)
    leadership.set(true)
    expect(nextAt()).toBe(8)
    await clock.advance(2 * MINUTE)
    leadership.set(false)
    expect(status()?.nextAt).toBeNull()
    await clock.advance(10 * MINUTE)
    expect(startedAt).toEqual([8])
  })

  test('that loses leadership during a run leaves it alone', async () => {
    await open()
    await clock.advance(4 * MINUTE)
    leadership.set(false)
    await clock.advance(MINUTE)
    leadership.set(true)
    await clock.advance(4 * MINUTE)
    expect([startedAt, status()?.missed]).toEqual([[3], 1])
  })

  test('that loses leadership while a start is put off does not start', async () => {
    random = 0.5
    await open({ jitterMs: 2 * MINUTE })
    await clock.advance(3.5 * MINUTE)
    leadership.set(false)
    await clock.advance(10 * MINUTE)
    expect([startedAt, errors]).toEqual([[], []])
  })

  test.each([
    ['makes up for a tick that came while nobody led', 4 * MINUTE, 3, [4]],
    ['leaves alone what is long past', 6 * MINUTE, 3, []],
    ['does not repeat a tick whose run there is', 4 * MINUTE, -3.05, []],
    ['makes up for nothing where there was no run yet', 4 * MINUTE, undefined, []],
  ])('that begins to lead %s', async (_, afterMs, lastRunMinutesBefore, expected) => {
    leadership = new FakeLeadership(false)
    if (lastRunMinutesBefore !== undefined) {
      known = [{ id: 'earlier', createdAt: START - lastRunMinutesBefore * MINUTE, trigger: 'schedule' } as RunRecord]
    }
    await open()
    await clock.advance(afterMs)
    leadership.set(true)
    await clock.advance(0)
    expect(startedAt).toEqual(expected)
  })

  test('knows the last run that another one has started', async () => {
    leadership = new FakeLeadership(false)
    await open()
    expect(status()?.lastRunId).toBeNull()
    known = [
      { id: 'b', trigger: 'api', createdAt: START } as RunRecord,
      { id: 'a', trigger: 'schedule', createdAt: START } as RunRecord,
    ]
    await clock.advance(MINUTE)
    expect(status()?.lastRunId).toBe('a')
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TokenState } from '../../src/synced/contract.ts'
import {
  beginPace,
  planAdaptive,
  planFixed,
  type Situation,
  sentinelPauseMs,
  type Target,
} from '../../src/synced/pace.ts'

const NEVER = Number.POSITIVE_INFINITY

function target(state: TokenState, rest: Partial<Target> = {}): Target {
  return { state, reason: 'refused', waitingSince: NEVER, sentAt: 0, answeredAt: 1, attempts: 1, ...rest }
}

function situation(targets: readonly Target[], rest: Partial<Situation> = {}): Situation {
  return {
    targets,
    expect: 'present',
    deadlineAt: 1000,
    stirredAt: 0,
    sharers: 1,
    waiting: 1,
    probesPerSecond: 20_000,
    silentAfterMs: 200,
    ...rest,
  }
}

describe('how often the sentinel is asked', () => {
  test.each([
    ['at first every 2 ms', 0, 1, 1, 2],
    ['then 3 % of the time that has passed', 100, 1, 1, 3],
    ['but at least every 4 ms', 900, 1, 1, 4],
    ['sharers take turns', 0, 3, 3, 6],
    ['but nobody waits longer than 10 ms for that', 0, 60, 60, 10],
    ['unless so many wait that probing alone would fill the processor', 0, 1000, 1000, 50],
  ])('%s', (_name, now, sharers, waiting, pauseMs) => {
    expect(sentinelPauseMs({ stirredAt: 0, sharers, waiting, probesPerSecond: 20_000 }, now)).toBe(pauseMs)
  })
})

describe('whom to ask', () => {
  const lacking = () => [target('absent'), target('absent'), target('absent')]

  test('one sentinel at a time, another one each time', () => {
    let pace = beginPace(0)
    const asked: number[] = []
    for (let now = 2; asked.length < 6; now++) {
      const plan = planAdaptive(situation(lacking()), pace, now)
      pace = plan.pace
      asked.push(...plan.ask)
    }
    expect(asked).toEqual([0, 1, 2, 0, 1, 2])
  })

  test('everybody who is missing, every 100 ms', () => {
    const targets = [target('present'), ...lacking()]
    expect(planAdaptive(situation(targets), beginPace(0), 100).ask).toEqual([1, 2, 3])
  })

  test('everybody who is missing, just before the deadline, twice', () => {
    const pace = { ...beginPace(0), roundAt: 2000, sentinelAt: 2000 }
    const early = planAdaptive(situation(lacking()), pace, 990)
    expect([early.ask, early.wakeAt]).toEqual([[], 992])
    const first = planAdaptive(situation(lacking()), early.pace, 992)
    expect(first.ask).toEqual([0, 1, 2])
    expect(first.wakeAt).toBeLessThanOrEqual(997)
    const second = planAdaptive(situation(lacking()), first.pace, 997)
    expect(second.ask).toEqual([0, 1, 2])
    expect(planAdaptive(situation(lacking()), second.pace, 998).ask).toEqual([])
    // Somebody who joined later has a later deadline, and last rounds of his own.
    expect(planAdaptive(situation(lacking(), { deadlineAt: 1500 }), second.pace, 1492).ask).toEqual([0, 1, 2])
  })

  test('no last rounds where so many wait that they would make verdicts late', () => {
    const pace = { ...beginPace(0), roundAt: 2000, sentinelAt: 2000 }
    expect(planAdaptive(situation(lacking(), { waiting: 1000 }), pace, 995).ask).toEqual([])
  })

  test('nobody who has a probe on its way that is not overdue', () => {
    const targets = [target('absent', { waitingSince: 60, sentAt: 60 }), target('absent')]
    expect(planAdaptive(situation(targets), beginPace(0), 100).ask).toEqual([1])
  })

  test('again, who has been silent for too long', () => {
    const targets = [target('unknown', { reason: 'pending', waitingSince: 0, sentAt: 0, answeredAt: -NEVER })]
    const plan = planAdaptive(situation(targets), { ...beginPace(0), roundAt: 5000 }, 150)
    expect(plan.ask).toEqual([])
    expect(plan.wakeAt).toBe(200)
    expect(planAdaptive(situation(targets), plan.pace, 201).ask).toEqual([0])
  })

  test('who could not be asked, after a pause', () => {
    const targets = [target('unknown', { answeredAt: 10 })]
    const plan = planAdaptive(situation(targets), beginPace(0), 20)
    expect([plan.ask, plan.wakeAt]).toEqual([[], 60])
    expect(planAdaptive(situation(targets), plan.pace, 60).ask).toEqual([0])
  })

  test('at once, who was never asked', () => {
    const targets = [target('unknown', { reason: 'not-asked', sentAt: -NEVER, answeredAt: -NEVER, attempts: 0 })]
    expect(planAdaptive(situation(targets), beginPace(0), 1).ask).toEqual([0])
  })
})

describe('every plan', () => {
  const time = fc.integer({ min: 0, max: 1000 })
  const anyTarget = fc
    .record({
      state: fc.constantFrom<TokenState>('present', 'absent', 'unknown'),
      waits: fc.boolean(),
      sentAt: time,
      answeredAt: time,
    })
    .map(({ state, waits, sentAt, answeredAt }) =>
      target(state, { sentAt, answeredAt, waitingSince: waits ? sentAt : NEVER }),
    )

  test('asks nobody who is done, nobody twice, in order, and wakes later than now', () => {
    fc.assert(
      fc.property(
        fc.array(anyTarget, { maxLength: 12 }),
        fc.integer({ min: 1000, max: 3000 }),
        fc.constantFrom<'present' | 'absent'>('present', 'absent'),
        fc.integer({ min: 1, max: 2000 }),
        (targets, now, hoped, waiting) => {
          const plan = planAdaptive(
            situation(targets, { expect: hoped, waiting, deadlineAt: now + 7 }),
            beginPace(now - 50),
            now,
          )
          for (const index of plan.ask) expect(targets[index]?.state).not.toBe(hoped)
          expect(plan.ask).toEqual([...new Set(plan.ask)].toSorted((a, b) => a - b))
          expect(plan.wakeAt).toBeGreaterThan(now)
        },
      ),
    )
  })
})

describe('with fixed retries', () => {
  const retry = { intervalMs: 150, retries: 5 }

  test('a replica is asked again after the pause, so many times and no more', () => {
    const targets = [
      target('absent', { answeredAt: 10 }),
      target('absent', { answeredAt: 40 }),
      target('absent', { attempts: 6 }),
      target('present'),
    ]
    expect(planFixed(situation(targets), beginPace(0), 100, retry)).toMatchObject({ ask: [], wakeAt: 160 })
    expect(planFixed(situation(targets), beginPace(0), 160, retry)).toMatchObject({ ask: [0], wakeAt: 190 })
    expect(planFixed(situation(targets), beginPace(0), 190, retry)).toMatchObject({ ask: [0, 1], wakeAt: NEVER })
  })
})

import { describe, expect, it } from 'vitest'
import { KubeError, type KubeErrorCode } from '../../../src/lib/kube/error.ts'
import { WATCH_LIMITS } from '../../../src/lib/kube/watch.ts'
import { type AttemptOutcome, planNext, type WatchPlan, type WatchStrategy } from '../../../src/lib/kube/watch-plan.ts'

const fails = (code: KubeErrorCode, more: Partial<AttemptOutcome> = {}): AttemptOutcome => ({
  synced: false,
  syncedForMs: 0,
  error: new KubeError(code, code),
  doubtful: false,
  ...more,
})
const ends = (syncedForMs: number, more: Partial<AttemptOutcome> = {}): AttemptOutcome => ({
  synced: true,
  syncedForMs,
  error: undefined,
  doubtful: false,
  ...more,
})
const next = (plan: WatchPlan, outcome: AttemptOutcome) =>
  planNext(plan, outcome, WATCH_LIMITS, () => 1 - Number.EPSILON)

describe('how a watch gets its first part', () => {
  it.each<[WatchStrategy, string, AttemptOutcome, WatchStrategy]>([
    ['watch-list', 'is refused as invalid', fails('invalid'), 'list'],
    ['watch-list', 'is refused as a bad request', fails('bad-request'), 'list'],
    ['watch-list', 'is told an ERROR instead', fails('server-error', { doubtful: true }), 'try-list'],
    ['watch-list', 'never comes to the end', fails('timeout', { doubtful: true }), 'try-list'],
    ['watch-list', 'is not answered', fails('timeout'), 'watch-list'],
    ['watch-list', 'is forbidden', fails('forbidden'), 'watch-list'],
    ['watch-list', 'breaks', fails('unreachable'), 'watch-list'],
    ['watch-list', 'is closed before its end', ends(0, { synced: false }), 'watch-list'],
    ['watch-list', 'was there, and the watch broke later', fails('unreachable', { synced: true }), 'watch-list'],
    ['watch-list', 'was there, and an ERROR came later', fails('invalid', { synced: true }), 'watch-list'],
    ['try-list', 'was listed', ends(0), 'list'],
    ['try-list', 'was listed, and the watch broke', fails('unreachable', { synced: true }), 'list'],
    ['try-list', 'cannot be listed', fails('server-error'), 'watch-list'],
    ['list', 'cannot be listed', fails('server-error'), 'list'],
    ['list', 'was listed', ends(1e6), 'list'],
  ])('after %s: when it %s', (strategy, _, outcome, then) => {
    expect(next({ strategy, attempt: 3 }, outcome).strategy).toBe(then)
  })
})

describe('how long a watch waits', () => {
  it.each<[string, WatchPlan, AttemptOutcome, { attempt: number; pauseMs: number }]>([
    ['a moment after a good end', { strategy: 'watch-list', attempt: 5 }, ends(300_000), { attempt: 0, pauseMs: 100 }],
    [
      'a moment after a break of a good stream',
      { strategy: 'list', attempt: 5 },
      fails('unreachable', { synced: true, syncedForMs: 10_000 }),
      { attempt: 0, pauseMs: 100 },
    ],
    [
      'longer after a good end that came too soon',
      { strategy: 'watch-list', attempt: 5 },
      ends(9_999),
      { attempt: 6, pauseMs: 3_200 },
    ],
    [
      'a moment after the first failure',
      { strategy: 'watch-list', attempt: 0 },
      fails('unreachable'),
      { attempt: 1, pauseMs: 100 },
    ],
    [
      'longer after the second',
      { strategy: 'watch-list', attempt: 1 },
      fails('unreachable'),
      { attempt: 2, pauseMs: 200 },
    ],
    [
      'never longer than the cap',
      { strategy: 'watch-list', attempt: 99 },
      fails('unreachable'),
      { attempt: 100, pauseMs: 10_000 },
    ],
    [
      'not at all for the list in place of the watch-list',
      { strategy: 'watch-list', attempt: 2 },
      fails('invalid'),
      { attempt: 2, pauseMs: 0 },
    ],
    [
      'after a list that failed',
      { strategy: 'try-list', attempt: 2 },
      fails('server-error'),
      { attempt: 3, pauseMs: 400 },
    ],
    [
      'as long as it is asked to',
      { strategy: 'watch-list', attempt: 0 },
      { ...fails('throttled'), error: new KubeError('throttled', '', { retryAfterMs: 5_000 }) },
      { attempt: 1, pauseMs: 5_100 },
    ],
    [
      'but not for an hour',
      { strategy: 'watch-list', attempt: 0 },
      { ...fails('throttled'), error: new KubeError('throttled', '', { retryAfterMs: 3_600_000 }) },
      { attempt: 1, pauseMs: 60_100 },
    ],
  ])('%s', (_, plan, outcome, expected) => {
    expect(next(plan, outcome)).toMatchObject(expected)
  })
})

// When to ask which replica again. Pure: (what was seen, now) → (whom to ask now, when to look again).
//
// A gateway spreads its tokens on a tick, to all replicas at nearly the same moment. So between two rounds that ask
// everybody it is enough to ask one replica, the sentinel, often; when it turns, everybody is asked at once. The sentinel
// is another replica each time, so that one that never gets the token hides nothing. See docs/decisions/0005.
import type { Expectation } from './contract.ts'
import type { Observation } from './verdict.ts'

/** What the pace needs to know of a replica, beside what the verdict needs. */
export interface Target extends Observation {
  /** When the last probe was sent; -Infinity before the first. */
  readonly sentAt: number
  /** When the last answer or failure came; -Infinity before the first. */
  readonly answeredAt: number
  /** Probes sent. */
  readonly attempts: number
}

/** Where a check stands; the plan before gave it, and `beginPace` the first. */
export interface Pace {
  /** When everybody who is missing is asked again. */
  readonly roundAt: number
  /** When the next sentinel is asked. */
  readonly sentinelAt: number
  /** Index of the last sentinel. */
  readonly sentinel: number
  /** Last rounds that were made before the deadline `lastRoundsOf`. */
  readonly lastRounds: number
  readonly lastRoundsOf: number
}

export interface Situation {
  readonly targets: readonly Target[]
  readonly expect: Expectation
  /** When the next caller has to be answered. */
  readonly deadlineAt: number
  /** When the check began, or a replica last turned: news tends to be followed by news. */
  readonly stirredAt: number
  /** Checks of the same origin that wait: they share the watch. */
  readonly sharers: number
  /** Checks that wait, of all origins. */
  readonly waiting: number
  /** Probes a second that all waiting checks together may spend on asking again. */
  readonly probesPerSecond: number
  /** A probe without an answer for this long is overdue, and its replica may be asked again. */
  readonly silentAfterMs: number
}

export interface Plan {
  /** Indices of the replicas to ask now, ascending. */
  readonly ask: readonly number[]
  readonly pace: Pace
  /** When to plan again, if nothing is heard before. */
  readonly wakeAt: number
}

/** How often the sentinel is asked: 3 % of the time since the last news, between these bounds, in milliseconds. */
const SENTINEL_MIN_MS = 2
const SENTINEL_MAX_MS = 4
/** How long a check among several of its origin may wait for its own sentinel, in milliseconds. */
const SHARED_SENTINEL_MAX_MS = 10
const SENTINEL_SHARE = 0.03
/** How often everybody who is missing is asked, in milliseconds. */
const ROUND_MS = 100
/** Part of what may be spent on asking again that rounds may take: the sentinel comes around to everybody too. */
const ROUND_SHARE = 0.25
/** Before the deadline everybody who is missing is asked once more, so that a token that came late still counts, in milliseconds. */
const LAST_ROUNDS_MS = [8, 3] as const
/** Probes that last rounds may make at once: a burst of more would itself make verdicts late. */
const LAST_ROUND_PROBES = 200
/** How long a replica that could not be asked is left alone, in milliseconds. */
const FAILED_PAUSE_MS = 50

/** The first pace of a check that has just asked everybody. */
export function beginPace(now: number): Pace {
  return {
    roundAt: now + ROUND_MS,
    sentinelAt: now + SENTINEL_MIN_MS,
    sentinel: -1,
    lastRounds: 0,
    lastRoundsOf: Number.NaN,
  }
}

/**
 * Milliseconds until the next sentinel. Checks of one origin turn on one tick, so n of them take turns and each may wait n times
 * as long; but never longer than the bound, because the others may be asking for tokens that exist nowhere.
 */
export function sentinelPauseMs(
  situation: Pick<Situation, 'stirredAt' | 'sharers' | 'waiting' | 'probesPerSecond'>,
  now: number,
): number {
  const alone = Math.min(SENTINEL_MAX_MS, Math.max(SENTINEL_MIN_MS, SENTINEL_SHARE * (now - situation.stirredAt)))
  const shared = situation.sharers === 1 ? alone : Math.min(SHARED_SENTINEL_MAX_MS, alone * situation.sharers)
  return Math.max(shared, (1000 * situation.waiting) / situation.probesPerSecond)
}

function roundPauseMs(situation: Situation): number {
  const probes = situation.waiting * situation.targets.length
  return Math.max(ROUND_MS, (1000 * probes) / (situation.probesPerSecond * ROUND_SHARE))
}

/** When the last round after `made` of them is due; Infinity when there is none. */
function lastRoundAt(situation: Situation, made: number): number {
  const beforeMs = LAST_ROUNDS_MS[made]
  if (beforeMs === undefined || situation.waiting * situation.targets.length > LAST_ROUND_PROBES)
    return Number.POSITIVE_INFINITY
  return situation.deadlineAt - beforeMs
}

/** Asks again when the answer is likely to have changed, without end. */
export function planAdaptive(situation: Situation, pace: Pace, now: number): Plan {
  const { targets, expect } = situation
  const ask: number[] = []
  let { roundAt, sentinelAt, sentinel } = pace
  let wakeAt = Number.POSITIVE_INFINITY
  let lastRounds = pace.lastRoundsOf === situation.deadlineAt ? pace.lastRounds : 0
  const isLastRound = now >= lastRoundAt(situation, lastRounds)
  if (isLastRound) lastRounds++
  const isRound = isLastRound || now >= roundAt
  let wantsSentinel = now >= sentinelAt
  let chosen = -1
  let watched = false
  for (let step = 1; step <= targets.length; step++) {
    // From the replica after the last sentinel on, once around.
    const index = (sentinel + step + targets.length) % targets.length
    const target = targets[index]
    if (target === undefined || target.state === expect) continue
    const busy = target.waitingSince !== Number.POSITIVE_INFINITY
    const overdue =
      busy && now - target.waitingSince > situation.silentAfterMs && now - target.sentAt >= FAILED_PAUSE_MS
    const free = !busy || overdue
    if (isRound && free) {
      ask.push(index)
      continue
    }
    if (target.state === 'unknown' || overdue) {
      // Nothing is known, or no longer: it is asked as soon as its pause is over.
      const from =
        target.state === 'unknown' && !busy
          ? target.answeredAt + FAILED_PAUSE_MS
          : Math.max(target.waitingSince + situation.silentAfterMs, target.sentAt + FAILED_PAUSE_MS)
      if (free && now >= from) ask.push(index)
      else wakeAt = Math.min(wakeAt, Math.max(from, now + 1))
      continue
    }
    watched = true
    if (wantsSentinel && free) {
      ask.push(index)
      chosen = index
      wantsSentinel = false
    }
  }
  if (isRound) roundAt = now + roundPauseMs(situation)
  if (chosen >= 0) sentinel = chosen
  if (isRound || now >= sentinelAt) sentinelAt = now + sentinelPauseMs(situation, now)
  wakeAt = Math.min(wakeAt, roundAt, lastRoundAt(situation, lastRounds))
  if (watched || isRound) wakeAt = Math.min(wakeAt, sentinelAt)
  return {
    ask: ask.sort((a, b) => a - b),
    pace: { roundAt, sentinelAt, sentinel, lastRounds, lastRoundsOf: situation.deadlineAt },
    wakeAt,
  }
}

/** A fixed pause after each answer and a limited number of retries, as the original nginx-syncer. */
export interface FixedRetry {
  readonly intervalMs: number
  readonly retries: number
}

/** Whether a replica has used up its tries and none of them is on its way. */
export function isSpent(target: Target, retry: FixedRetry): boolean {
  return target.attempts > retry.retries && target.waitingSince === Number.POSITIVE_INFINITY
}

/** Asks every missing replica again `intervalMs` after its last answer, `retries` times. */
export function planFixed(situation: Situation, pace: Pace, now: number, retry: FixedRetry): Plan {
  const ask: number[] = []
  let wakeAt = Number.POSITIVE_INFINITY
  for (const [index, target] of situation.targets.entries()) {
    if (
      target.state === situation.expect ||
      target.attempts > retry.retries ||
      target.waitingSince !== Number.POSITIVE_INFINITY
    )
      continue
    const dueAt = target.answeredAt + retry.intervalMs
    if (now >= dueAt) ask.push(index)
    else wakeAt = Math.min(wakeAt, dueAt)
  }
  return { ask, pace, wakeAt }
}

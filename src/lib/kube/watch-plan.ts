// What a watch does after an attempt has ended: pure, so that each way to end is a row of a table in its test.
//
//   strategy     how the first part is had                              leads to
//   watch-list   one stream tells all that there is, then changes       list, when the server does not know it; try-list, when that is in doubt
//   try-list     a list, then a stream from there                       list, when the list came; else back to watch-list
//   list         the same, for good: the server is an old one
import { type BackoffLimits, backoffAtLeastMs } from '../backoff.ts'
import type { KubeError } from './error.ts'

export type WatchStrategy = 'watch-list' | 'try-list' | 'list'

/** How one attempt went. */
export interface AttemptOutcome {
  /** The state was known at some point. */
  readonly synced: boolean
  /** For how long the stream told news after that, in milliseconds. */
  readonly syncedForMs: number
  /** Undefined: the server closed the stream in good order. */
  readonly error: KubeError | undefined
  /** The stream was accepted, then told an ERROR, or nothing, where the end of the first part should have come. */
  readonly doubtful: boolean
}

export interface WatchPlan {
  readonly strategy: WatchStrategy
  /** Attempts in a row that came to nothing, or ended soon. */
  readonly attempt: number
}

export interface NextAttempt extends WatchPlan {
  readonly pauseMs: number
}

export interface PlanLimits extends BackoffLimits {
  /** A stream that lived this long, in milliseconds, was a success: the pauses begin anew. */
  readonly stableMs: number
  /** Longest pause that a server can ask for, in milliseconds. */
  readonly maxRetryAfterMs: number
}

export const FIRST_ATTEMPT: WatchPlan = { strategy: 'watch-list', attempt: 0 }

/** The next attempt. A server that closes each stream at once, in good order, is left alone for longer and longer too. */
export function planNext(
  plan: WatchPlan,
  outcome: AttemptOutcome,
  limits: PlanLimits,
  random: () => number,
): NextAttempt {
  const strategy = nextStrategy(plan.strategy, outcome)
  // At once, but once: from there only a failed list leads back, and that one pauses.
  if (plan.strategy === 'watch-list' && strategy !== 'watch-list')
    return { strategy, attempt: plan.attempt, pauseMs: 0 }
  const isSuccess = outcome.synced && outcome.syncedForMs >= limits.stableMs
  const attempt = isSuccess ? 0 : plan.attempt + 1
  const askedMs = Math.min(limits.maxRetryAfterMs, outcome.error?.retryAfterMs ?? 0)
  return { strategy, attempt, pauseMs: backoffAtLeastMs(askedMs, Math.max(0, attempt - 1), limits, random) }
}

function nextStrategy(strategy: WatchStrategy, { synced, error, doubtful }: AttemptOutcome): WatchStrategy {
  if (strategy === 'list') return 'list'
  if (strategy === 'try-list') return synced ? 'list' : 'watch-list'
  if (synced || error === undefined) return 'watch-list'
  if (error.code === 'bad-request' || error.code === 'invalid') return 'list'
  // A server whose store cannot do it says so by an ERROR event, with one code or another, or never tells the end.
  return doubtful ? 'try-list' : 'watch-list'
}

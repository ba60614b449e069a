// What the answers of the replicas add up to. Pure.
//
//   a replica    the last probe said what is hoped for                              → reached
//                said the opposite, and none since is overdue                       → missed
//                anything else: refused, reset, 5xx, 429, garbage, silent           → unknown
//
//   the verdict  any counted replica unknown                                        → Timeout
//                all reached (none counted at all is all)                           → Synced
//                more than half reached                                             → Partialy
//                half or fewer                                                      → NotSynced
import type { Expectation, TokenState, TokenStatus, UnknownReason } from './contract.ts'

/** What is known of one replica at some moment; times are of one monotonic clock, in milliseconds. */
export interface Observation {
  /** What the last answered probe said; unknown with its reason when that was no answer. */
  readonly state: TokenState
  readonly reason: UnknownReason
  /** When the oldest probe after that was sent that has no answer yet; Infinity when none waits. */
  readonly waitingSince: number
}

/**
 * What to say of a replica at `now`: its last word, unless that is not what is hoped for and a later probe
 * has been waiting for more than `silentAfterMs`: then nobody knows what it would say.
 */
export function stateAt(
  observed: Observation,
  expect: Expectation,
  now: number,
  silentAfterMs: number,
): { state: TokenState; reason?: UnknownReason } {
  if (observed.state === expect) return { state: observed.state }
  const waitedMs = now - observed.waitingSince
  if (observed.state === 'unknown') {
    // A probe on its way may be the first one, or a retry: before it is overdue, the last failure is the better reason.
    return { state: 'unknown', reason: waitedMs > silentAfterMs ? 'silent' : observed.reason }
  }
  if (waitedMs > silentAfterMs) return { state: 'unknown', reason: 'silent' }
  return { state: observed.state }
}

/** The verdict over the counted replicas. */
export function judge(states: readonly TokenState[], expect: Expectation): TokenStatus {
  let reached = 0
  for (const state of states) {
    if (state === 'unknown') return 'Timeout'
    if (state === expect) reached++
  }
  if (reached === states.length) return 'Synced'
  return reached * 2 > states.length ? 'Partialy' : 'NotSynced'
}

// What the engine asks of whoever runs it: the process (candidate.ts) or the simulator (test/dsync/simulator).
import type { DriverErrorCode, LeaseSight } from './driver.ts'
import type { Reading } from './elapsed.ts'
import type { LossReason, Term } from './holding.ts'
import type { LeaseRecord } from './lease.ts'

/** `forever`: campaigns again after every term. `one-term`: waits for one. `one-try`: does not wait at all. */
export type Patience = 'forever' | 'one-term' | 'one-try'

/** Why a campaign came to its end: `held` and `failed` only without patience. */
export type CloseReason = 'stopped' | 'released' | LossReason | 'held' | 'failed'

export interface Failure {
  readonly code: DriverErrorCode
  readonly retryAfterMs?: number | undefined
}

export interface CampaignHost {
  now(): Reading
  /** Gives [0, 1). */
  random(): number
  /** Answered later, never within the call, by `putAnswered` or `putFailed`: after `timeoutMs` at the latest, with `timeout`. */
  put(id: number, record: LeaseRecord, base: LeaseSight | undefined, timeoutMs: number): void
  /** The same, by `getAnswered` or `getFailed`. */
  get(id: number, timeoutMs: number): void
  /** Follows the Lease until `closeWatch`; opening what is open does nothing. */
  openWatch(): void
  closeWatch(): void
  /** Calls `wake` at this moment of the monotonic clock, and forgets what was set before; undefined: not at all. */
  setWake(atMs: number | undefined): void
  elected(term: Term): void
  /** The term's signal has to abort now. */
  lost(reason: LossReason): void
  /** Nothing is asked any more, and no answer is wanted. */
  closed(reason: CloseReason): void
}

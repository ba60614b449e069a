// What a candidate knows of the Lease that it holds, and until when it may believe that. Pure: no clock is read here.
//
//   deadline = when the last written PUT was *sent* + renewDeadline, on whichever clock is further on: a suspended machine
//   stops the monotonic one, a correction moves the wall clock.
import type { LeaseSight } from './driver.ts'
import { elapsedMs, type Instant } from './elapsed.ts'
import type { Timings } from './timings.ts'

export interface Term {
  /** The version of the write that began it: every later term, of whatever candidate, has a larger one. */
  readonly token: bigint
  /** How often the Lease has changed hands. */
  readonly transitions: number
}

/** `resigned`: it was given up, by `stop` or `stepDown`. */
export type LossReason = 'deadline' | 'taken' | 'deleted' | 'resigned'

interface Attempt {
  readonly renewTime: string | undefined
  readonly sent: Instant
}

export class Holding {
  readonly term: Term
  readonly #timings: Timings
  #sight: LeaseSight
  #sent: Instant
  /** When the next renewal is due, by the monotonic clock. */
  #renewAtMs: number
  /** PUTs without an answer: one of them may have been written. */
  #doubtful: Attempt[] = []

  constructor(sight: LeaseSight, sent: Instant, timings: Timings) {
    this.term = { token: BigInt(sight.version), transitions: sight.record.transitions }
    this.#timings = timings
    this.#sight = sight
    this.#sent = sent
    this.#renewAtMs = sent.monotonicMs + timings.renewIntervalMs
  }

  /** The Lease as it was written, or read, last. */
  get sight(): LeaseSight {
    return this.#sight
  }

  get renewAtMs(): number {
    return this.#renewAtMs
  }

  /** Until the deadline, in milliseconds. */
  leftMs(now: Instant): number {
    return this.#timings.renewDeadlineMs - elapsedMs(this.#sent, now)
  }

  /** A PUT that was sent at `sent` has been written, and is `sight` now. */
  renewed(sight: LeaseSight, sent: Instant): void {
    this.#sight = sight
    // Each PUT needs the version before it: what went unanswered until now will never be written.
    this.#doubtful = []
    this.#credit(sent)
  }

  /** Nobody knows whether this PUT was written. */
  doubt(renewTime: string | undefined, sent: Instant): void {
    this.#doubtful.push({ renewTime, sent })
  }

  /** Takes in what was read. False when it is no longer ours. Only the PUT whose mark it bears counts as a renewal. */
  adopt(sight: LeaseSight): boolean {
    const { uid, record } = this.#sight
    if (sight.uid !== uid || sight.record.holder !== record.holder || sight.record.acquireTime !== record.acquireTime)
      return false
    this.#sight = sight
    const written = this.#doubtful.find((attempt) => attempt.renewTime === sight.record.renewTime)
    if (written !== undefined) this.#credit(written.sent)
    return true
  }

  #credit(sent: Instant): void {
    this.#sent = sent
    this.#renewAtMs = sent.monotonicMs + this.#timings.renewIntervalMs
  }
}

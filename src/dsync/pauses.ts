// How long a campaign leaves the server alone after failures. The randomness is the caller's.
import { backoffMs } from '../lib/backoff.ts'
import type { Timings } from './timings.ts'

export class Pauses {
  readonly #timings: Timings
  readonly #random: () => number
  #failures = 0
  #conflicts = 0
  #untilMs = 0

  constructor(timings: Timings, random: () => number) {
    this.#timings = timings
    this.#random = random
  }

  /** Nothing is sent before this moment of the monotonic clock. */
  get untilMs(): number {
    return this.#untilMs
  }

  /** How often in a row the Lease was not what it was taken for. */
  get conflicts(): number {
    return this.#conflicts
  }

  /** All is well: the next failure is the first one. */
  reset(): void {
    this.#failures = 0
    this.#conflicts = 0
    this.#untilMs = 0
  }

  /** No pause now, whatever was. */
  lift(): void {
    this.#untilMs = 0
  }

  /** A failure. A leader, which has less time, pauses for less; what the server asks for counts up to the same bound. */
  add(nowMs: number, retryAfterMs: number, isLeader: boolean): void {
    const { retryBaseMs, retryCapMs } = this.#timings
    const capMs = isLeader ? retryCapMs / 5 : retryCapMs
    const ownMs = backoffMs(this.#failures++, { baseMs: retryBaseMs, capMs }, this.#random)
    this.#untilMs = nowMs + Math.min(capMs, Math.max(retryAfterMs, ownMs))
  }

  /** Somebody was faster. That is no failure of the server, unless it happens again and again. */
  addConflict(nowMs: number, isLeader: boolean): void {
    if (++this.#conflicts > 1) this.add(nowMs, 0, isLeader)
  }
}

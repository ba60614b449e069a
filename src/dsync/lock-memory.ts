// What the handles of one lock in one process share: a handle that is made later knows since when a dead holder is silent, and
// does not snatch the lock from those who waited while its own process held it.
import { NOTHING_OBSERVED, type Observed } from './decide.ts'

/** Longer than a waiter needs to notice the release and to write, in milliseconds. */
const YIELD_MS = 300

export class LockMemory {
  #observed: Observed = NOTHING_OBSERVED
  #yieldUntilMs = 0

  get observed(): Observed {
    return this.#observed
  }

  /** A handle that begins to wait now stays back until this moment of the monotonic clock. */
  get yieldUntilMs(): number {
    return this.#yieldUntilMs
  }

  /** Says nothing that a new one would not say. */
  isForgettable(nowMs: number): boolean {
    const { sight, heldUntilMs } = this.#observed
    const isFree = typeof sight === 'object' ? sight.record.holder === '' : heldUntilMs <= nowMs
    return isFree && this.#yieldUntilMs <= nowMs
  }

  remember(observed: Observed | undefined): void {
    if (observed !== undefined && observed.sight !== 'unknown') this.#observed = observed
  }

  released(nowMs: number): void {
    this.#yieldUntilMs = nowMs + YIELD_MS
  }
}

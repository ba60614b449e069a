// A clock for histories: nobody waits, time jumps to the timer that is due as soon as nothing else is to be done.
import type { Clock, Timer } from '../../../src/lib/clock.ts'

export class JumpingClock implements Clock {
  #now: number

  /** `startMs`: milliseconds since 1970. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#now
  }

  pass(ms: number): void {
    this.#now += ms
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    const due = this.#now + Math.max(0, delayMs)
    const handle = setImmediate(() => {
      this.#now = Math.max(this.#now, due)
      fn()
    })
    return { cancel: () => clearImmediate(handle) }
  }
}

/** The same clock, seen by a machine whose wall clock is wrong. */
export function skew(clock: Clock, skewMs: number): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow() + skewMs,
    setTimer: (delayMs, fn) => clock.setTimer(delayMs, fn),
  }
}

// Time is passed in: whoever waits or measures takes a Clock, so that tests decide what time it is.

/** A timer that can be called off; calling it off twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Monotonic milliseconds since an arbitrary moment, with fractions. */
  now(): number
  /** Wall-clock milliseconds since 1970. */
  wallNow(): number
  /** Calls `fn` once, `delayMs` from now at the earliest. */
  setTimer(delayMs: number, fn: () => void): Timer
}

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout
  constructor(delayMs: number, fn: () => void) {
    this.#handle = setTimeout(fn, delayMs)
  }
  cancel(): void {
    clearTimeout(this.#handle)
  }
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer: (delayMs, fn) => new SystemTimer(delayMs, fn),
}

/** Waits `delayMs`; rejects with the signal's reason when it aborts first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

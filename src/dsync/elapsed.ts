// How much time has passed, at least, by two clocks neither of which can be trusted: a suspended machine stops the monotonic
// one, and the wall clock may be set back, which could hide a suspension. So it is added up in short stretches, and of each
// stretch the clock counts that went further. What is set forward counts as time that has passed: rather too early than too late.

/** What the two clocks say, in milliseconds. */
export interface Reading {
  readonly monotonicMs: number
  readonly wallMs: number
}

/** A moment: only differences of `passedMs` mean anything. */
export interface Instant extends Reading {
  readonly passedMs: number
}

/** A stretch is closed after this time: longer than the wall clock's coarseness, shorter than what could be hidden in it. */
const STRETCH_MS = 50
/** The wall clock counts in whole milliseconds: it is ahead only when it is so by more. */
const COARSENESS_MS = 2

export class PassedTime {
  #from: Instant | undefined

  /** The moment of this reading. Readings are taken often while it matters, or what happened between two of them can hide. */
  at(reading: Reading): Instant {
    const from = this.#from ?? { ...reading, passedMs: 0 }
    const monotonicMs = reading.monotonicMs - from.monotonicMs
    const wallMs = reading.wallMs - from.wallMs
    const stretchMs = wallMs > monotonicMs + COARSENESS_MS ? wallMs : monotonicMs
    const instant = { ...reading, passedMs: from.passedMs + stretchMs }
    const isSetBack = wallMs < monotonicMs - STRETCH_MS
    if (this.#from === undefined || stretchMs >= STRETCH_MS || isSetBack) this.#from = instant
    return instant
  }
}

/** The largest of what the clocks say of the time between two moments. */
export function elapsedMs(from: Instant, to: Instant): number {
  return Math.max(to.passedMs - from.passedMs, to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs)
}

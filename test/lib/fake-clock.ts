// A clock that tests turn by hand: time passes only in advance(), timers fire in order of their moment.
import type { Clock, Timer } from '../../src/lib/clock.ts'

interface Entry {
  readonly at: number
  readonly seq: number
  readonly fn: () => void
}

export class FakeClock implements Clock {
  #now = 0
  #wall: number
  #seq = 0
  #entries: Entry[] = []

  constructor(wallStartMs = Date.UTC(2026, 0, 1)) {
    this.#wall = wallStartMs
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#wall
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    const entry = { at: this.#now + Math.max(0, delayMs), seq: this.#seq++, fn }
    this.#entries.push(entry)
    return {
      cancel: () => {
        this.#entries = this.#entries.filter((other) => other !== entry)
      },
    }
  }

  /** How many timers wait: nothing may be left behind. */
  get pending(): number {
    return this.#entries.length
  }

  /** Moment of the next timer, or undefined. */
  get nextAt(): number | undefined {
    return this.#entries.length === 0 ? undefined : Math.min(...this.#entries.map((entry) => entry.at))
  }

  /** Lets time pass, firing what falls due, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await settle()
      const due = this.#entries.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at || a.seq - b.seq)[0]
      if (due === undefined) break
      this.#entries = this.#entries.filter((entry) => entry !== due)
      this.#pass(due.at - this.#now)
      due.fn()
    }
    this.#pass(end - this.#now)
    await settle()
  }

  /** The wall clock jumps; the monotonic one does not notice. */
  jumpWall(ms: number): void {
    this.#wall += ms
  }

  #pass(ms: number): void {
    this.#now += ms
    this.#wall += ms
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

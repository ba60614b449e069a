// The machine of one candidate: clocks that run too fast or too slow, a wall clock that jumps, an event loop that stalls, a
// processor that is suspended. While it is frozen nothing is done; what came in meanwhile is done afterwards.
import type { Reading } from '../../../src/dsync/elapsed.ts'
import type { Chance } from '../../lib/chance.ts'
import type { Planned, Timeline } from './timeline.ts'

export class Machine {
  readonly #timeline: Timeline
  readonly #chance: Chance
  /** Local milliseconds in a true one. */
  readonly rate: number
  #wallOffsetMs: number
  #suspendedMs = 0
  #suspendedAt: number | undefined
  #frozenUntil = 0
  #backlog: (() => void)[] = []
  #wakeAtMs: number | undefined
  #alarm: Planned | undefined
  #isOff = false
  /** Of true time. */
  lastJumpAt = Number.NEGATIVE_INFINITY
  lastFreezeAt = Number.NEGATIVE_INFINITY
  onWake: () => void = () => undefined

  constructor(timeline: Timeline, chance: Chance, rate: number) {
    this.#timeline = timeline
    this.#chance = chance
    this.rate = rate
    this.#wallOffsetMs = 1_767_225_600_000 + chance.between(-60_000, 60_000)
  }

  read(): Reading {
    const sleptMs = this.#suspendedMs + (this.#suspendedAt === undefined ? 0 : this.#timeline.now - this.#suspendedAt)
    return {
      monotonicMs: (this.#timeline.now - sleptMs) * this.rate,
      wallMs: Math.floor(this.#wallOffsetMs + this.#timeline.now * this.rate),
    }
  }

  get isSuspended(): boolean {
    return this.#suspendedAt !== undefined
  }

  get isFrozen(): boolean {
    return this.#timeline.now < this.#frozenUntil
  }

  jump(ms: number): void {
    this.lastJumpAt = this.#timeline.now
    this.#wallOffsetMs += ms
  }

  /** The event loop is busy: no timer fires, no answer is read; code runs, and may check. */
  stall(ms: number): void {
    this.#freeze(ms)
  }

  /** Nothing runs, and the monotonic clock stands still. */
  suspend(ms: number): void {
    if (this.isFrozen) return
    this.#suspendedAt = this.#timeline.now
    this.#freeze(ms)
  }

  setWake(atMs: number | undefined): void {
    this.#wakeAtMs = atMs
    this.#setAlarm()
  }

  /** A timer of its own, by the monotonic clock; it may fire late, and not after the machine was switched off. */
  after(ms: number, fn: () => void): Planned {
    let isOff = false
    this.#timeline.plan(ms / this.rate, () =>
      this.do(() => {
        if (!isOff) fn()
      }),
    )
    return {
      cancel: () => {
        isOff = true
      },
    }
  }

  /** Now, or when it thaws. */
  do(fn: () => void): void {
    if (this.#isOff) return
    if (this.isFrozen) this.#backlog.push(fn)
    else fn()
  }

  switchOff(): void {
    this.#isOff = true
    this.#backlog = []
    this.#alarm?.cancel()
  }

  /** Ends what freezes it. */
  thaw(): void {
    if (!this.isFrozen) return
    this.#frozenUntil = this.#timeline.now
    this.#thawed()
  }

  #freeze(ms: number): void {
    if (this.isFrozen) return
    this.lastFreezeAt = this.#timeline.now
    this.#frozenUntil = this.#timeline.now + ms
    const until = this.#frozenUntil
    this.#timeline.plan(ms, () => {
      if (this.#frozenUntil === until) this.#thawed()
    })
  }

  #thawed(): void {
    if (this.#suspendedAt !== undefined) this.#suspendedMs += this.#timeline.now - this.#suspendedAt
    this.#suspendedAt = undefined
    this.lastFreezeAt = this.#timeline.now
    if (this.#isOff) return
    const backlog = this.#backlog
    this.#backlog = []
    // Node runs timers first; what a signal handler does may come before them.
    if (this.#chance.is(0.7)) this.#ring()
    for (const fn of backlog) this.do(fn)
    this.#setAlarm()
  }

  #setAlarm(): void {
    this.#alarm?.cancel()
    this.#alarm = undefined
    if (this.#wakeAtMs === undefined || this.#isOff || this.isFrozen) return
    const inMs = (this.#wakeAtMs - this.read().monotonicMs) / this.rate
    this.#alarm = this.#timeline.plan(inMs + 0.001, () => this.do(() => this.#ring()))
  }

  #ring(): void {
    if (this.#wakeAtMs === undefined) return
    if (this.read().monotonicMs < this.#wakeAtMs) {
      this.#setAlarm()
      return
    }
    this.#wakeAtMs = undefined
    this.onWake()
  }
}

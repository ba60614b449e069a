// Runs a campaign in this process: its requests against a driver, its timers, its watch. No decision is made here.
import type { Clock, Timer } from '../lib/clock.ts'
import { DeadlineExceeded, withDeadline } from '../lib/with-deadline.ts'
import { Campaign } from './campaign.ts'
import type { CampaignHost, CloseReason, Failure, Patience } from './campaign-host.ts'
import type { Observed } from './decide.ts'
import { type Driver, DriverError, type LeasePlace, type LeaseSight } from './driver.ts'
import type { LossReason, Term } from './holding.ts'
import type { LeaseRecord } from './lease.ts'
import type { Timings } from './timings.ts'

export interface CandidateOptions {
  readonly driver: Driver
  readonly place: LeasePlace
  /** Goes on record as the holder. */
  readonly identity: string
  readonly timings: Timings
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
}

export interface CandidateListener {
  readonly elected: (term: Term) => void
  readonly lost: (reason: LossReason) => void
  readonly closed: (reason: CloseReason) => void
  /** Something happened: leader and the like may be others now. */
  readonly changed: () => void
}

export class Candidate {
  readonly identity: string
  readonly #options: CandidateOptions
  readonly #listener: CandidateListener
  readonly #campaign: Campaign
  #running = new AbortController()
  #watch: AbortController | undefined
  #timer: Timer | undefined
  #wakeAtMs: number | undefined
  #problem: unknown

  constructor(options: CandidateOptions, listener: CandidateListener) {
    this.identity = options.identity
    this.#options = options
    this.#listener = listener
    this.#campaign = new Campaign(options.identity, options.timings, this.#host())
  }

  /** Why the last request failed; undefined when it did not. */
  get problem(): unknown {
    return this.#problem
  }

  /** Undefined when nobody holds the Lease, or nothing is known of it yet. */
  get leader(): string | undefined {
    return this.#campaign.isKnown ? this.#campaign.leader : undefined
  }

  get isKnown(): boolean {
    return this.#campaign.isKnown
  }

  get isHolding(): boolean {
    return this.#campaign.isHolding
  }

  get remainingMs(): number {
    return this.#campaign.remainingMs
  }

  get observed(): Observed {
    return this.#campaign.observed
  }

  start(patience: Patience, remembered?: Observed, yieldUntilMs?: number): void {
    this.#running = new AbortController()
    this.#event(() => this.#campaign.start(patience, remembered, yieldUntilMs))
  }

  /** Looks at the clocks now: a term that is over ends. */
  wake(): void {
    this.#event(() => this.#campaign.wake())
  }

  resign(then: 'stop' | 'rejoin'): void {
    this.#event(() => this.#campaign.resign(then))
  }

  settle(): void {
    this.#event(() => this.#campaign.settle())
  }

  abandon(): void {
    this.#event(() => this.#campaign.abandon())
  }

  #event(fn: () => void): void {
    fn()
    this.#listener.changed()
  }

  #host(): CampaignHost {
    const { driver, place, clock, random } = this.#options
    return {
      now: () => ({ monotonicMs: clock.now(), wallMs: clock.wallNow() }),
      random,
      put: (id, record, base, timeoutMs) => this.#put(id, record, base, timeoutMs),
      get: (id, timeoutMs) =>
        this.#send(
          timeoutMs,
          (signal) => driver.get(place, { timeoutMs, signal }),
          (sight) => this.#campaign.getAnswered(id, sight),
          (failure) => this.#campaign.getFailed(id, failure),
        ),
      openWatch: () => this.#openWatch(),
      closeWatch: () => {
        this.#watch?.abort()
        this.#watch = undefined
      },
      setWake: (atMs) => this.#setWake(atMs),
      elected: (term) => this.#listener.elected(term),
      lost: (reason) => this.#listener.lost(reason),
      closed: (reason) => {
        this.#running.abort()
        this.#listener.closed(reason)
      },
    }
  }

  #put(id: number, record: LeaseRecord, base: LeaseSight | undefined, timeoutMs: number): void {
    const { driver, place } = this.#options
    this.#send(
      timeoutMs,
      (signal) => driver.put(place, record, base, { timeoutMs, signal }),
      (sight) => this.#campaign.putAnswered(id, sight),
      (failure) => this.#campaign.putFailed(id, failure),
    )
  }

  #send<T>(
    timeoutMs: number,
    request: (signal: AbortSignal) => Promise<T>,
    onAnswer: (answer: T) => void,
    onFailure: (failure: Failure) => void,
  ): void {
    const { signal } = this.#running
    withDeadline(this.#options.clock, timeoutMs, request, signal).then(
      (answer) => {
        if (signal.aborted) return
        this.#problem = undefined
        this.#event(() => onAnswer(answer))
      },
      (error: unknown) => {
        if (signal.aborted) return
        const failure = toFailure(error)
        // To be outrun is no problem.
        if (failure.code !== 'conflict') this.#problem = error
        this.#event(() => onFailure(failure))
      },
    )
  }

  #openWatch(): void {
    if (this.#watch !== undefined) return
    const watch = new AbortController()
    this.#watch = watch
    const { driver, place, timings } = this.#options
    const ifOpen = (fn: () => void) => {
      if (!watch.signal.aborted) this.#event(fn)
    }
    driver.watch(
      place,
      {
        sight: (sight) => ifOpen(() => this.#campaign.watched(sight)),
        failed: (error) =>
          ifOpen(() => {
            this.#problem = error
            this.#campaign.watchFailed()
          }),
      },
      { pauseMs: timings.retryCapMs, signal: watch.signal },
    )
  }

  #setWake(atMs: number | undefined): void {
    if (atMs === this.#wakeAtMs) return
    this.#timer?.cancel()
    this.#timer = undefined
    this.#wakeAtMs = atMs
    if (atMs === undefined) return
    const { clock } = this.#options
    this.#timer = clock.setTimer(Math.max(0, atMs - clock.now()), () => {
      this.#wakeAtMs = undefined
      this.wake()
    })
  }
}

function toFailure(error: unknown): Failure {
  if (error instanceof DriverError) return { code: error.code, retryAfterMs: error.retryAfterMs }
  if (error instanceof DeadlineExceeded) return { code: 'timeout' }
  // A driver of somebody else's: the worst is assumed.
  return { code: 'unavailable' }
}

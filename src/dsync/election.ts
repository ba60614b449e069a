// An election: campaigns from the moment it is made until it is stopped, and calls the functions of `whenElected` in each term.
import { EventEmitter } from 'node:events'
import type { Clock, Timer } from '../lib/clock.ts'
import { Candidate, type CandidateOptions } from './candidate.ts'
import { type InvalidResource, LostLeadership } from './errors.ts'
import type { LossReason, Term } from './holding.ts'
import type { Resource } from './resource.ts'
import { Tenure, type TermHandle, WHY_LOST } from './tenure.ts'

export interface ElectionState {
  /** Who leads, by its identity on record (`{instance}_…`); undefined: nobody, or not known yet. */
  readonly leader: string | undefined
  readonly isLeader: boolean
}

/** `signal` aborts when leadership ends, for whatever reason. */
export type ElectedFunction = (signal: AbortSignal, term: TermHandle) => void | Promise<void>

export interface StopOptions {
  /** How long the work may take to end, in milliseconds; 10,000 when left out. */
  readonly graceMs?: number
}

interface ElectionEvents {
  change: [state: ElectionState]
  /** What a function of `whenElected` threw. Without a listener it is thrown as an uncaught exception. */
  error: [error: unknown]
}

const DEFAULT_GRACE_MS = 10_000
/** For the release of a Lease whose work has ended, when the grace is used up, in milliseconds. */
const RELEASE_MS = 1_000

export class Election extends EventEmitter<ElectionEvents> {
  readonly resource: Resource
  /** Why there is no election; every method then does nothing. */
  readonly error: InvalidResource | undefined
  readonly #clock: Clock
  readonly #candidate: Candidate | undefined
  readonly #functions = new Set<ElectedFunction>()
  /** Of all terms: an earlier one's may still be under way. */
  readonly #work = new Set<Promise<void>>()
  #tenure: Tenure | undefined
  #isStopped = false
  #told: ElectionState | undefined
  #onGone: (() => void)[] = []

  /** Use `dsync.election(name)`. */
  constructor(resource: Resource, error: InvalidResource | undefined, options: CandidateOptions) {
    super()
    this.resource = resource
    this.error = error
    this.#clock = options.clock
    if (error !== undefined) return
    this.#candidate = new Candidate(options, {
      elected: (term) => this.#elected(term),
      lost: (reason) => this.#lost(reason),
      closed: () => {
        this.#isStopped = true
      },
      changed: () => this.#changed(),
    })
    this.#candidate.start('forever')
  }

  /** The same in every process: the holder on record, `{instance}_…`. */
  get leader(): string | undefined {
    return this.#candidate?.leader
  }

  /** True exactly as long as the signal of the term has not aborted. */
  get isLeader(): boolean {
    return this.term !== undefined
  }

  /** The term in which this candidate leads. */
  get term(): TermHandle | undefined {
    return this.#tenure?.signal.aborted === false ? this.#tenure : undefined
  }

  /** Why the last request to the store failed; undefined when all is well. */
  get problem(): unknown {
    return this.#candidate?.problem
  }

  /**
   * Calls `fn` at every transition to leader; soon, when this is the leader already. Its end does not end the term, and what it
   * throws is told as `error`, unless its signal has aborted. Gives a function that takes it back.
   */
  whenElected(fn: ElectedFunction): () => void {
    const own: ElectedFunction = (signal, term) => fn(signal, term)
    this.#functions.add(own)
    if (this.#tenure !== undefined && this.isLeader) this.#call(own, this.#tenure)
    return () => this.#functions.delete(own)
  }

  /**
   * Gives leadership up and stays in the race: aborts the signal, waits for the work while renewing, releases. Campaigns
   * again when another has led, or a lease has passed. Does nothing when this is not the leader.
   */
  async stepDown(): Promise<void> {
    const candidate = this.#candidate
    if (candidate === undefined || !candidate.isHolding) return
    candidate.resign('rejoin')
    await this.#settled()
    candidate.settle()
    await this.#gone()
  }

  /**
   * Leaves the race for good: aborts the signal, waits for the work up to the grace while renewing, and releases the Lease.
   * When the work has not ended by then nothing is released: others wait until the Lease expires.
   */
  async stop({ graceMs = DEFAULT_GRACE_MS }: StopOptions = {}): Promise<void> {
    const candidate = this.#candidate
    if (candidate === undefined || this.#isStopped) return
    let timer: Timer | undefined
    const giveUp = () => candidate.abandon()
    timer = this.#clock.setTimer(graceMs, () => {
      if (this.#work.size === 0) timer = this.#clock.setTimer(RELEASE_MS, giveUp)
      else giveUp()
    })
    candidate.resign('stop')
    void this.#settled().then(() => candidate.settle())
    await this.#gone(true)
    timer.cancel()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #elected(term: Term): void {
    const candidate = this.#candidate
    if (candidate === undefined) return
    const tenure = new Tenure(
      term,
      candidate,
      (why) => new LostLeadership(`leadership of ${this.resource} is over: ${why}`),
    )
    this.#tenure = tenure
    for (const fn of this.#functions) this.#call(fn, tenure)
  }

  #lost(reason: LossReason): void {
    this.#tenure?.end(WHY_LOST[reason])
  }

  /** Not within the event that led to it: what users do in there must not meet a half-made state. */
  #call(fn: ElectedFunction, tenure: Tenure): void {
    const work = (async () => {
      await undefined
      if (tenure.signal.aborted || !this.#functions.has(fn)) return
      try {
        await fn(tenure.signal, tenure)
      } catch (error) {
        if (!tenure.signal.aborted) this.#report(error)
      }
    })()
    this.#work.add(work)
    void work.then(() => this.#work.delete(work))
  }

  /** When no work is left, of any term. */
  async #settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work)
  }

  /** When the Lease is no longer held, or the race is left. */
  #gone(isForGood = false): Promise<void> {
    return new Promise((resolve) => {
      const isGone = () => this.#isStopped || (!isForGood && this.#candidate?.isHolding !== true)
      if (isGone()) resolve()
      else this.#onGone.push(() => (isGone() ? resolve() : void this.#gone(isForGood).then(resolve)))
    })
  }

  #changed(): void {
    const waiting = this.#onGone
    this.#onGone = []
    for (const fn of waiting) fn()
    if (this.#candidate?.isKnown !== true) return
    const state: ElectionState = { leader: this.leader, isLeader: this.isLeader }
    if (this.#told?.leader === state.leader && this.#told?.isLeader === state.isLeader) return
    this.#told = state
    try {
      this.emit('change', state)
    } catch (error) {
      throwLater(error)
    }
  }

  #report(error: unknown): void {
    if (this.listenerCount('error') > 0) this.emit('error', error)
    else throwLater(error)
  }
}

/** A mistake of a listener is its owner's to see, and must not disturb the election. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

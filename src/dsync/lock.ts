// A lock: the engine of elections for one term at a time. Each handle is a competitor of its own, also within one process.
import type { Clock } from '../lib/clock.ts'
import type { CloseReason, Patience } from './campaign-host.ts'
import { Candidate, type CandidateOptions } from './candidate.ts'
import { Aborted, type InvalidResource, LockLost, NotHeld } from './errors.ts'
import type { LossReason, Term } from './holding.ts'
import type { LockMemory } from './lock-memory.ts'
import type { Resource } from './resource.ts'
import { Tenure, type TermHandle, WHY_LOST } from './tenure.ts'

/** One acquisition. `await using held = await lock.lock()` unlocks at the end of the block. */
export interface HeldLock extends TermHandle, AsyncDisposable {
  /** Aborts when the lock is lost, and when it is unlocked. */
  readonly signal: AbortSignal
}

export interface LockOptions {
  /** Ends the wait for the lock; afterwards it changes nothing. */
  readonly signal?: AbortSignal | undefined
}

export type LockedFunction<T> = (signal: AbortSignal, held: HeldLock) => T | Promise<T>

interface Waiting {
  readonly resolve: (held: HeldLock | undefined) => void
  readonly reject: (error: unknown) => void
}

export class Lock {
  readonly resource: Resource
  /** Why there is no lock; `lock` and `withLock` reject with it, everything else does nothing. */
  readonly error: InvalidResource | undefined
  readonly #clock: Clock
  readonly #memory: LockMemory
  readonly #candidate: Candidate
  /** Whose turn it is within this handle: each starts when the one before has ended. */
  #queue: (() => void)[] = []
  #isBusy = false
  #waiting: Waiting | undefined
  #held: Acquisition | undefined
  #lastLost: Acquisition | undefined
  #onClosed: (() => void)[] = []

  /** Use `dsync.lock(name)`. */
  constructor(resource: Resource, error: InvalidResource | undefined, options: CandidateOptions, memory: LockMemory) {
    this.resource = resource
    this.error = error
    this.#clock = options.clock
    this.#memory = memory
    this.#candidate = new Candidate(options, {
      elected: (term) => this.#elected(term),
      lost: (reason) => this.#lost(reason),
      closed: (reason) => this.#closed(reason),
      changed: () => this.#memory.remember(this.#candidate?.observed),
    })
  }

  /** The fencing token of the acquisition that is held; undefined when none is. */
  get token(): bigint | undefined {
    return this.#held?.token
  }

  get isHeld(): boolean {
    return this.#held !== undefined
  }

  /** Why the last request to the store failed; undefined when all is well. */
  get problem(): unknown {
    return this.#candidate.problem
  }

  /** Throws LockLost when the lock was lost, NotHeld when this handle does not hold it. */
  check(): void {
    if (this.#held !== undefined) this.#held.check()
    else if (this.#lastLost !== undefined) this.#lastLost.check()
    else throw this.#notHeld()
  }

  /** Waits until the lock is had. Throws Aborted when `signal` aborts first, InvalidResource. */
  async lock({ signal }: LockOptions = {}): Promise<HeldLock> {
    if (this.error !== undefined) throw this.error
    await this.#takeTurn(signal)
    // Others in other processes may have waited while this one held it: they go first.
    const held = await this.#acquire('one-term', this.#memory.yieldUntilMs, signal)
    if (held === undefined) throw this.#aborted(undefined)
    return held
  }

  /** The lock, or undefined when somebody has it. Does not wait. Throws DriverError when nobody can say. */
  async tryLock(): Promise<HeldLock | undefined> {
    if (this.error !== undefined || this.#isBusy) return undefined
    this.#isBusy = true
    return await this.#acquire('one-try', 0, undefined)
  }

  /** Releases what this handle holds. Throws NotHeld when that is nothing: never had, lost, or unlocked before. */
  async unlock(): Promise<void> {
    if (this.error !== undefined) return
    if (this.#held === undefined) throw this.#notHeld()
    await this.#release(this.#held)
  }

  /**
   * Runs `fn` with the lock, and unlocks. Rejects with what `fn` throws; with LockLost when the lock was lost before `fn` returned;
   * with Aborted when `signal` aborts before the lock is had.
   */
  async withLock<T>(fn: LockedFunction<T>, options: LockOptions = {}): Promise<T> {
    return this.#runWith(await this.lock(options), fn)
  }

  /** The same without waiting: undefined when somebody has the lock. */
  async withTryLock<T>(fn: LockedFunction<T>): Promise<T | undefined> {
    const held = await this.tryLock()
    return held === undefined ? undefined : this.#runWith(held, fn)
  }

  async #runWith<T>(held: HeldLock, fn: LockedFunction<T>): Promise<T> {
    try {
      const result = await fn(held.signal, held)
      // Unlocked by `fn` itself is no loss.
      if (!(held.signal.aborted && held.signal.reason instanceof NotHeld)) held.check()
      return result
    } finally {
      await held[Symbol.asyncDispose]()
    }
  }

  /** Resolves when no other call of this handle is before us. */
  async #takeTurn(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw this.#aborted(signal)
    if (!this.#isBusy) {
      this.#isBusy = true
      return
    }
    await new Promise<void>((resolve, reject) => {
      const onTurn = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        this.#queue = this.#queue.filter((other) => other !== onTurn)
        reject(this.#aborted(signal))
      }
      this.#queue.push(onTurn)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #acquire(patience: Patience, yieldUntilMs: number, signal: AbortSignal | undefined): Promise<HeldLock | undefined> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        // The caller need not wait until what was sent is answered, and taken back.
        reject(this.#aborted(signal))
        this.#giveUp()
      }
      const forget = () => signal?.removeEventListener('abort', onAbort)
      this.#waiting = {
        resolve: (held) => {
          forget()
          resolve(held)
        },
        reject: (error) => {
          forget()
          reject(error)
        },
      }
      this.#lastLost = undefined
      this.#candidate.start(patience, this.#memory.observed, yieldUntilMs)
      if (signal?.aborted) onAbort()
      else signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  async #release(held: Acquisition): Promise<void> {
    held.unlocked()
    this.#held = undefined
    const closed = new Promise<void>((resolve) => this.#onClosed.push(resolve))
    this.#giveUp()
    await closed
  }

  #giveUp(): void {
    this.#candidate.resign('stop')
    this.#candidate.settle()
  }

  #elected(term: Term): void {
    const held = new Acquisition(term, this.#candidate, this.resource, (one) => this.#release(one))
    this.#held = held
    this.#waiting?.resolve(held)
    this.#waiting = undefined
  }

  #lost(reason: LossReason): void {
    const held = this.#held
    if (held === undefined) return
    this.#held = undefined
    this.#lastLost = held
    held.end(WHY_LOST[reason])
  }

  #closed(reason: CloseReason): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (reason === 'held') waiting?.resolve(undefined)
    else if (reason === 'failed') waiting?.reject(this.#candidate.problem)
    else waiting?.reject(this.#aborted(undefined))
    if (reason === 'released') this.#memory.released(this.#clock.now())
    const waitingForEnd = this.#onClosed
    this.#onClosed = []
    for (const fn of waitingForEnd) fn()
    const next = this.#queue.shift()
    this.#isBusy = next !== undefined
    // The candidate is still in the middle of its end.
    if (next !== undefined) queueMicrotask(next)
  }

  #aborted(signal: AbortSignal | undefined): Aborted {
    return new Aborted(`the wait for the lock ${this.resource} was ended`, { cause: signal?.reason })
  }

  #notHeld(): NotHeld {
    return new NotHeld(`the lock ${this.resource} is not held by this handle`)
  }
}

class Acquisition extends Tenure implements HeldLock {
  readonly #release: (own: Acquisition) => Promise<void>
  readonly #resource: Resource
  #isUnlocked = false

  constructor(term: Term, candidate: Candidate, resource: Resource, release: (own: Acquisition) => Promise<void>) {
    super(term, candidate, (why) =>
      this.#isUnlocked
        ? new NotHeld(`the lock ${this.#resource} was unlocked`)
        : new LockLost(`the lock ${this.#resource} was lost: ${why}`),
    )
    this.#resource = resource
    this.#release = release
  }

  unlocked(): void {
    this.#isUnlocked = true
    this.end('it was unlocked')
  }

  /** Unlocks this acquisition; nothing when it is over already. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.signal.aborted) await this.#release(this)
  }
}

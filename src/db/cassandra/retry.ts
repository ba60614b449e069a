// One thing that is tried until it succeeds, or for too long.
import { backoffMs } from '../../lib/backoff.ts'
import { type Clock, delay } from '../../lib/clock.ts'
import { StoreFailed } from '../store.ts'
import { describeFailure, isPassing, isRefusal } from './failure.ts'

export interface RetryOptions {
  /** What messages call the store. */
  readonly name: string
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  /** What fails is tried again for so long. Milliseconds. */
  readonly retryForMs: number
}

const PAUSES = { baseMs: 50, capMs: 5_000 } as const

export class Retry {
  readonly #options: RetryOptions
  readonly #signal: AbortSignal
  readonly #what: string
  readonly #wasConnected: () => boolean
  #failingSince: number | undefined
  #attempt = 0

  constructor(options: RetryOptions, signal: AbortSignal, what: string, wasConnected: () => boolean) {
    this.#options = options
    this.#signal = signal
    this.#what = what
    this.#wasConnected = wasConnected
  }

  /** Waits before the next try after `error`. Throws what Session.retry says. */
  async pause(error: unknown): Promise<void> {
    this.#signal.throwIfAborted()
    const { clock, random, retryForMs } = this.#options
    // What is wrong with one statement is for whoever has sent it; all else tells of the store as a whole.
    if (error instanceof StoreFailed || isRefusal(error)) throw error
    if (!isPassing(error, this.#wasConnected())) throw this.#fail(error)
    this.#failingSince ??= clock.now()
    const waitMs = backoffMs(this.#attempt++, PAUSES, random)
    if (clock.now() + waitMs - this.#failingSince > retryForMs) throw this.#fail(error, ` for ${retryForMs} ms`)
    await delay(clock, waitMs, this.#signal)
  }

  /** What is tried goes on well: the next failure is the first one again. */
  reset(): void {
    this.#failingSince = undefined
    this.#attempt = 0
  }

  #fail(error: unknown, forHowLong = ''): StoreFailed {
    const { name } = this.#options
    return new StoreFailed(`${name}: could not ${this.#what}${forHowLong}: ${describeFailure(error)}`, { cause: error })
  }
}

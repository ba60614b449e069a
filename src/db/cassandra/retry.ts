// One thing that is tried until it succeeds, or for too long.
import { backoffMs } from '../../lib/backoff.ts'
import { delay } from '../../lib/clock.ts'
import type { Outage, OutageOptions } from '../outage.ts'
import { StoreFailed } from '../store.ts'
import { describeFailure, isPassing, isRefusal } from './failure.ts'

export interface RetryOptions extends OutageOptions {
  /** What messages call the store. */
  readonly name: string
  /** Gives [0, 1). */
  readonly random: () => number
}

const PAUSES = { baseMs: 50, capMs: 5_000 } as const

export class Retry {
  readonly #options: RetryOptions
  readonly #signal: AbortSignal
  readonly #what: string
  readonly #wasConnected: () => boolean
  readonly #outage: Outage
  #failingSince: number | undefined
  #attempt = 0

  constructor(
    options: RetryOptions,
    signal: AbortSignal,
    what: string,
    { wasConnected, outage }: { readonly wasConnected: () => boolean; readonly outage: Outage },
  ) {
    this.#options = options
    this.#signal = signal
    this.#what = what
    this.#wasConnected = wasConnected
    this.#outage = outage
  }

  /** Waits before the next try after `error`. Throws what Session.retry says. */
  async pause(error: unknown): Promise<void> {
    this.#signal.throwIfAborted()
    const { name, clock, random, retryForMs } = this.#options
    // What is wrong with one statement is for whoever has sent it; all else tells of the store as a whole.
    if (error instanceof StoreFailed || isRefusal(error)) throw error
    if (!isPassing(error, this.#wasConnected())) throw storeFailed(name, this.#what, error)
    this.#failingSince ??= clock.now()
    const waitMs = backoffMs(this.#attempt++, PAUSES, random)
    if (clock.now() + waitMs - this.#failingSince > retryForMs)
      throw storeFailed(name, this.#what, error, ` for ${retryForMs} ms`)
    this.#outage.failed(describeFailure(error))
    await delay(clock, waitMs, this.#signal)
  }

  /** What is tried goes on well: the next failure is the first one again. */
  reset(): void {
    this.#failingSince = undefined
    this.#attempt = 0
  }
}

/** The StoreFailed for `error` when it was wanted to do `what`. */
export function storeFailed(name: string, what: string, error: unknown, forHowLong = ''): StoreFailed {
  return new StoreFailed(`${name}: could not ${what}${forHowLong}: ${describeFailure(error)}`, { cause: error })
}

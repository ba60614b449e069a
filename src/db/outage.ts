// Whether a store is of any use right now. Who waits for one that is away is told of it soon, and not when it is given up.
import type { Clock } from '../lib/clock.ts'

export interface OutageOptions {
  readonly clock: Clock
  /** What fails is tried again for so long, in milliseconds. */
  readonly retryForMs: number
  /** Told, in one line without secrets, of a store that is away, and of one that is back. Must not throw. */
  readonly onAway?: ((message: string) => void) | undefined
}

/** What is mended sooner is not worth a word, in milliseconds. */
const WORTH_TELLING_MS = 2_000

/** One store; told of each try. Tells once for as long as none succeeds. */
export class Outage {
  readonly #address: string
  readonly #options: OutageOptions
  #failingSince: number | undefined
  #isTold = false

  /** `address`: what messages call the store. */
  constructor(address: string, options: OutageOptions) {
    this.#address = address
    this.#options = options
  }

  /** A try has failed. */
  failed(why: string): void {
    const { clock, retryForMs, onAway } = this.#options
    const now = clock.now()
    this.#failingSince ??= now
    if (this.#isTold || now - this.#failingSince < WORTH_TELLING_MS) return
    this.#isTold = true
    onAway?.(`${this.#address}: ${why}; each request is tried again for ${retryForMs / 1_000} s`)
  }

  /** A try has succeeded. */
  worked(): void {
    if (this.#failingSince === undefined) return
    const { clock, onAway } = this.#options
    const seconds = Math.round((clock.now() - this.#failingSince) / 1_000)
    this.#failingSince = undefined
    if (!this.#isTold) return
    this.#isTold = false
    onAway?.(`${this.#address}: answers again, after ${seconds} s`)
  }
}

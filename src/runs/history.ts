// How much of the past is kept: pruned after each run and every hour, and what belongs to forgotten runs is let go with them.
import type { Clock } from '../lib/clock.ts'
import { every } from '../lib/watched-file.ts'
import type { StateStore } from '../state/store.ts'

export interface HistoryLimits {
  /** Most ended runs that are kept. */
  readonly maxRuns: number
  /** How long ended runs are kept, in milliseconds. */
  readonly maxAgeMs: number
}

export interface HistoryOptions {
  readonly store: Pick<StateStore, 'prune'>
  readonly history: HistoryLimits
  readonly clock: Clock
  readonly onForgotten: (ids: readonly string[]) => Promise<void>
  readonly onError: (error: unknown, what: string) => void
}

const PRUNE_MS = 3_600_000

export class History implements AsyncDisposable {
  readonly #options: HistoryOptions
  #hourly: Disposable | undefined
  #pruning: Promise<void> | undefined
  #isDue = false

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  open(): void {
    this.prune()
    this.#hourly = every(this.#options.clock, PRUNE_MS, () => this.prune())
  }

  /** Prunes soon; many wishes at once are one. */
  prune(): void {
    this.#isDue = true
    this.#pruning ??= this.#pruneWhileDue().finally(() => {
      this.#pruning = undefined
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hourly?.[Symbol.dispose]()
    await this.#pruning
  }

  async #pruneWhileDue(): Promise<void> {
    const { store, history, clock, onForgotten, onError } = this.#options
    while (this.#isDue) {
      this.#isDue = false
      try {
        const endedBefore = clock.wallNow() - history.maxAgeMs
        const ids = await store.prune({ maxRuns: history.maxRuns, endedBefore })
        if (ids.length > 0) await onForgotten(ids)
      } catch (error) {
        onError(error, 'history')
      }
    }
  }
}

// How many batches are under way at a time: fewer when the servers say that it is too much, slowly more when all goes well. All writers
// of a store share one, for they share the servers.
import type { Clock } from '../../lib/clock.ts'
import { Turns } from '../../lib/turns.ts'

const FIRST = 16
const MOST = 32
/** What several batches tell within this is one and the same trouble. Milliseconds. */
const ONE_TROUBLE_MS = 500
/** Batches without trouble before one more is tried, for each that may be under way. */
const GOOD_BEFORE_MORE = 8

export class WritePace {
  readonly #clock: Clock
  readonly #turns = new Turns(FIRST)
  #concurrency = FIRST
  #good = 0
  #troubledAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get concurrency(): number {
    return this.#concurrency
  }

  /** Resolves with the turn of a batch. Rejects with the reason of `signal`. */
  take(signal: AbortSignal): Promise<Disposable> {
    return this.#turns.take(signal)
  }

  noteGood(): void {
    if (this.#concurrency === MOST || ++this.#good < GOOD_BEFORE_MORE * this.#concurrency) return
    this.#resize(this.#concurrency + 1)
  }

  noteTrouble(): void {
    const now = this.#clock.now()
    this.#good = 0
    if (now - this.#troubledAt < ONE_TROUBLE_MS) return
    this.#troubledAt = now
    this.#resize(Math.max(1, Math.floor(this.#concurrency / 2)))
  }

  #resize(concurrency: number): void {
    this.#good = 0
    this.#concurrency = concurrency
    this.#turns.resize(concurrency)
  }
}

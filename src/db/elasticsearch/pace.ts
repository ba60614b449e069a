// How much a server is asked to do at a time: fewer and smaller batches when it says that it is busy or does not answer in time, slowly
// more when all goes well. All writers of a store share one pace, for they share the server.
import type { Clock } from '../../lib/clock.ts'
import type { Trouble } from './transport.ts'

const FIRST_CONCURRENCY = 4
const MAX_CONCURRENCY = 8
const MAX_ROWS = 2_000
const MIN_ROWS = 50
const MAX_BYTES = 4 * 1_024 * 1_024
const MIN_BYTES = 256 * 1_024
/** What several batches under way tell within this is one and the same trouble. Milliseconds. */
const ONE_TROUBLE_MS = 1_000
/** Batches without trouble before more is tried, for each that may be under way. */
const GOOD_BEFORE_MORE = 4

interface Waiting {
  readonly begin: () => void
}

export class Pace {
  readonly #clock: Clock
  readonly #waiting: Waiting[] = []
  #concurrency = FIRST_CONCURRENCY
  #share = 1
  #running = 0
  #good = 0
  #troubledAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Batches that may be under way at a time. */
  get concurrency(): number {
    return this.#concurrency
  }

  /** Rows that a batch may have. */
  get rows(): number {
    return Math.max(MIN_ROWS, Math.floor(MAX_ROWS * this.#share))
  }

  /** Bytes that a batch may have, if it has more than one row. */
  get bytes(): number {
    return Math.max(MIN_BYTES, Math.floor(MAX_BYTES * this.#share))
  }

  /** Resolves with the turn of a batch, first come, first served. Rejects with the reason of `signal`. */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted()
    if (this.#running < this.#concurrency && this.#waiting.length === 0) this.#running++
    else await this.#wait(signal)
    let isOver = false
    return {
      [Symbol.dispose]: () => {
        if (isOver) return
        isOver = true
        this.#running--
        this.#beginNext()
      },
    }
  }

  noteGood(): void {
    this.#good++
    if (this.#good < GOOD_BEFORE_MORE * this.#concurrency) return
    this.#good = 0
    this.#share = Math.min(1, this.#share * 1.5)
    if (this.#concurrency < MAX_CONCURRENCY) this.#concurrency++
    this.#beginNext()
  }

  noteTrouble(trouble: Trouble): void {
    const now = this.#clock.now()
    this.#good = 0
    if (now - this.#troubledAt < ONE_TROUBLE_MS) return
    this.#troubledAt = now
    // One at a time and still too much: then it is the size.
    if (trouble === 'late' || this.#concurrency === 1) this.#share = Math.max(MIN_ROWS / MAX_ROWS, this.#share / 2)
    this.#concurrency = Math.max(1, Math.floor(this.#concurrency / 2))
  }

  #beginNext(): void {
    while (this.#running < this.#concurrency) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#running++
      next.begin()
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        begin: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal.reason)
      }
      this.#waiting.push(waiting)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}

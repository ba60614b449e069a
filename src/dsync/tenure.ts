// What users hold while they lead, or have a lock: a token, a signal, and a check that needs no timer.
import type { Candidate } from './candidate.ts'
import type { Term } from './holding.ts'

/** Handed to the function of `whenElected`, with the signal, and to that of `withLock`. */
export interface TermHandle {
  /** Fencing token: every later holder has a larger one. A store that remembers the largest can refuse those who are late. */
  readonly token: bigint
  /** How often the Lease has changed hands. */
  readonly transitions: number
  /** Milliseconds until it ends unless it is renewed; 0 when it is over. */
  readonly remainingMs: number
  /**
   * Throws unless it still holds at this moment, by both clocks: call it right before what must not be done by two.
   * It notices what timers cannot: that this process stood still.
   */
  check(): void
}

export class Tenure implements TermHandle {
  readonly token: bigint
  readonly transitions: number
  readonly #candidate: Candidate
  readonly #errorOf: (why: string) => Error
  readonly #controller = new AbortController()
  #why: string | undefined

  /** `errorOf` makes what is thrown, and the signal's reason. */
  constructor(term: Term, candidate: Candidate, errorOf: (why: string) => Error) {
    this.token = term.token
    this.transitions = term.transitions
    this.#candidate = candidate
    this.#errorOf = errorOf
  }

  /** Aborts when it ends, for whatever reason. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get remainingMs(): number {
    return this.signal.aborted ? 0 : Math.max(0, this.#candidate.remainingMs)
  }

  check(): void {
    if (!this.signal.aborted && this.#candidate.remainingMs > 0) return
    // Ends it: what was refused once stays refused.
    if (!this.signal.aborted) this.#candidate.wake()
    throw this.#errorOf(this.#why ?? 'its time was over')
  }

  /** `why` completes a sentence: "the lock was lost: …". */
  end(why: string): void {
    if (this.signal.aborted) return
    this.#why = why
    this.#controller.abort(this.#errorOf(why))
  }
}

export const WHY_LOST = {
  deadline: 'it could not be renewed in time',
  taken: 'the Lease has another holder',
  deleted: 'the Lease was deleted',
  resigned: 'it was given up',
} as const

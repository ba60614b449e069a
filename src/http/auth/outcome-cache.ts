// Outcomes that are kept for a while: bounded, the one unused for longest goes first. Keyed by a hash, so that no token lies in memory.
import { hash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { AuthOutcome } from './authenticator.ts'

export class OutcomeCache {
  readonly #clock: Clock
  readonly #limit: number
  readonly #entries = new Map<string, { readonly outcome: AuthOutcome; readonly until: number }>()

  /** `limit`: how many outcomes are kept at most. */
  constructor(clock: Clock, limit: number) {
    this.#clock = clock
    this.#limit = limit
  }

  get(key: string): AuthOutcome | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.until <= this.#clock.now()) return undefined
    this.#entries.set(key, entry)
    return entry.outcome
  }

  /** Keeps an outcome for `ttlMs`; not at all when that is 0 or less. */
  set(key: string, outcome: AuthOutcome, ttlMs: number): void {
    this.#entries.delete(key)
    if (ttlMs <= 0) return
    const oldest = this.#entries.size >= this.#limit ? this.#entries.keys().next().value : undefined
    if (oldest !== undefined) this.#entries.delete(oldest)
    this.#entries.set(key, { outcome, until: this.#clock.now() + ttlMs })
  }

  clear(): void {
    this.#entries.clear()
  }

  get size(): number {
    return this.#entries.size
  }
}

/** What a token is known by in a cache. */
export const fingerprint = (token: string): string => hash('sha256', token, 'base64')

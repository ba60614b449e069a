// Watches what must never happen, and what must happen in time. What it sees it sees in true time, from outside.
import type { VirtualApi } from './virtual-api.ts'

/** Two held at once, a token went back, and the like. The message has the moment. */
export class Foul extends Error {
  override readonly name = 'Foul'
}

export interface Holder {
  readonly name: string
  readonly token: bigint
  /** What `check()` would say now. */
  isValid(): boolean
}

export class Referee {
  readonly #api: VirtualApi
  readonly #now: () => number
  readonly #holders = new Set<Holder>()
  #largestToken = 0n
  /** A store outside that refuses tokens smaller than the largest that it saw. */
  #fence = 0n
  terms = 0

  constructor(api: VirtualApi, now: () => number) {
    this.#api = api
    this.#now = now
  }

  elected(holder: Holder): void {
    this.terms++
    // After a robbery nobody can know: the newer term may be told of before the older one.
    if (holder.token <= this.#largestToken && holder.token > this.#api.robbedAt)
      this.foul(`${holder.name} got the token ${holder.token}, after ${this.#largestToken}`)
    if (holder.token > this.#largestToken) this.#largestToken = holder.token
    this.#holders.add(holder)
    this.check()
  }

  gone(holder: Holder): void {
    this.#holders.delete(holder)
  }

  /** Whoever is valid and was not robbed of the Lease by hand, and is not yet to know. */
  valid(): readonly Holder[] {
    return [...this.#holders].filter((holder) => holder.isValid())
  }

  /** At most one valid `check()` at any instant. Called whenever somebody may have become valid. */
  check(): void {
    const valid = this.valid().filter((holder) => holder.token > this.#api.robbedAt)
    if (valid.length > 1)
      this.foul(`${valid.map((one) => `${one.name} (${one.token})`).join(' and ')} are valid at once`)
  }

  /** A holder writes to the fenced store, right after its `check()`. */
  write(holder: Holder): void {
    if (!holder.isValid()) return
    if (holder.token < this.#fence && holder.token > this.#api.robbedAt)
      this.foul(`${holder.name} is valid with ${holder.token}, but the store has seen ${this.#fence}`)
    if (holder.token > this.#fence) this.#fence = holder.token
  }

  foul(what: string): never {
    throw new Foul(`at ${Math.round(this.#now())} ms: ${what}`)
  }
}

// Imitates NGINX Plus zone_sync over the token stores of several replicas: what changed at an origin since its last tick goes to
// all the others on its next tick, later still to those that lag. The true moment of every arrival is known.

/** Where one replica keeps its tokens. */
export interface TokenStore {
  readonly name: string
  put(token: string): void
  remove(token: string): void
  tokens(): readonly string[]
}

/** How late a replica is after the tick, in milliseconds; `never` keeps it from hearing anything. */
export type Lag = number | 'never'

export interface Change {
  readonly token: string
  readonly origin: string
  /** `performance.now()` when the origin had it. */
  readonly startedAt: number
  /** `performance.now()` when the last of the other replicas had it; never resolves when one never hears of it. */
  readonly everywhere: Promise<number>
  /** `performance.now()` per replica so far. */
  readonly arrivals: ReadonlyMap<string, number>
}

interface Pending {
  readonly token: string
  readonly startedAt: number
  readonly verb: 'put' | 'remove'
  readonly arrivals: Map<string, number>
  readonly settle: (at: number) => void
}

interface Origin {
  readonly pending: Pending[]
  timer: NodeJS.Timeout | undefined
  nextTickAt: number
}

export class ZoneSync {
  readonly #tickMs: number
  readonly #stores = new Map<string, TokenStore>()
  readonly #lags = new Map<string, Lag>()
  readonly #origins = new Map<string, Origin>()
  readonly #late = new Set<NodeJS.Timeout>()

  /** `tickMs` is the pause between two flushes of one origin; every origin has a phase of its own. */
  constructor(tickMs: number) {
    this.#tickMs = tickMs
  }

  /** A replica joins and gets everything that the others have, as a new peer of zone_sync does. */
  join(store: TokenStore): void {
    for (const other of this.#stores.values()) for (const token of other.tokens()) store.put(token)
    this.#stores.set(store.name, store)
    this.#origins.set(store.name, {
      pending: [],
      timer: undefined,
      nextTickAt: performance.now() + Math.random() * this.#tickMs,
    })
  }

  /** A replica is gone: what it has not told yet is lost, and nobody waits for it. */
  leave(name: string): void {
    clearTimeout(this.#origins.get(name)?.timer)
    this.#origins.delete(name)
    this.#stores.delete(name)
    this.#lags.delete(name)
  }

  /** From now on this replica hears of changes so much later. */
  setLag(name: string, lag: Lag): void {
    this.#lags.set(name, lag)
  }

  /** `performance.now()` of the origin's next tick: lets a test choose where in the period it logs in. */
  nextTickAt(origin: string): number {
    const state = this.#origin(origin)
    const now = performance.now()
    while (state.nextTickAt <= now) state.nextTickAt += this.#tickMs
    return state.nextTickAt
  }

  /** Tells the others, on the origin's next tick, that `token` is there or gone. */
  announce(origin: string, token: string, verb: 'put' | 'remove'): Change {
    const state = this.#origin(origin)
    const startedAt = performance.now()
    const arrivals = new Map<string, number>()
    const everywhere = new Promise<number>((settle) => {
      state.pending.push({ token, startedAt, verb, arrivals, settle })
    })
    state.timer ??= setTimeout(
      () => this.#flush(origin, state),
      Math.max(0, this.nextTickAt(origin) - performance.now()),
    )
    return { token, origin, startedAt, everywhere, arrivals }
  }

  stop(): void {
    for (const { timer } of this.#origins.values()) clearTimeout(timer)
    for (const timer of this.#late) clearTimeout(timer)
    this.#late.clear()
  }

  #origin(name: string): Origin {
    const state = this.#origins.get(name)
    if (state === undefined) throw new Error(`no replica is called ${name}`)
    return state
  }

  #flush(origin: string, state: Origin): void {
    state.timer = undefined
    const changes = state.pending.splice(0)
    for (const store of this.#stores.values()) {
      if (store.name === origin) continue
      const lag = this.#lags.get(store.name) ?? 0
      if (lag === 'never') continue
      if (lag === 0) this.#deliver(store, changes)
      else this.#deliverLater(origin, store, changes, lag)
    }
    for (const change of changes) this.#settle(origin, change)
  }

  #deliverLater(origin: string, store: TokenStore, changes: readonly Pending[], lagMs: number): void {
    const timer = setTimeout(() => {
      this.#late.delete(timer)
      if (this.#stores.get(store.name) === store) this.#deliver(store, changes)
      for (const change of changes) this.#settle(origin, change)
    }, lagMs)
    this.#late.add(timer)
  }

  #deliver(store: TokenStore, changes: readonly Pending[]): void {
    for (const { token, verb, arrivals } of changes) {
      store[verb](token)
      arrivals.set(store.name, performance.now())
    }
  }

  #settle(origin: string, change: Pending): void {
    const others = [...this.#stores.keys()].filter((name) => name !== origin)
    if (others.every((name) => change.arrivals.has(name)))
      change.settle(Math.max(change.startedAt, ...change.arrivals.values()))
  }
}

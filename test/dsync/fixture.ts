// Processes that compete over one store in memory, in virtual time. Every request is noted; a test can make any of them fail or hang.
import type {
  Driver,
  LeasePlace,
  LeaseSight,
  RequestLimits,
  WatchLimits,
  WatchListener,
} from '../../src/dsync/driver.ts'
import {
  createMemoryDriver,
  Dsync,
  type DsyncOptions,
  type LeaseRecord,
  type MemoryDriver,
} from '../../src/dsync/index.ts'
import { FakeClock } from '../lib/fake-clock.ts'

export interface Noted {
  readonly at: number
  readonly what: 'get' | 'put' | 'watch'
  readonly record?: LeaseRecord
  readonly base?: Pick<LeaseSight, 'uid' | 'version'> | undefined
  readonly timeoutMs?: number
}

/** What happens to a request in place of an answer; `hang` is never answered, `late` is, though it is carried out. */
export type Fate = Error | 'hang' | 'written-but-hangs' | undefined

export const LEASE_MS = 3_000
export const DEADLINE_MS = 2_000

export class Stage {
  readonly clock = new FakeClock()
  readonly store: MemoryDriver = createMemoryDriver()

  /** A process over the store. */
  process(instance: string, options: DsyncOptions = {}): Process {
    return new Process(this, instance, options)
  }

  pass(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }
}

export class Process implements Driver {
  readonly #stage: Stage
  readonly requests: Noted[] = []
  readonly dsync: Dsync
  fate: (request: Noted) => Fate = () => undefined
  /** Its watches tell nothing any more, and it is not told that. */
  isDeaf = false

  constructor(stage: Stage, instance: string, options: DsyncOptions) {
    this.#stage = stage
    this.dsync = new Dsync(this, instance, {
      scope: 'test',
      leaseDurationMs: LEASE_MS,
      renewDeadlineMs: DEADLINE_MS,
      clock: stage.clock,
      random: () => 0.5,
      ...options,
    })
  }

  get puts(): readonly Noted[] {
    return this.requests.filter(({ what }) => what === 'put')
  }

  get(place: LeasePlace, limits: RequestLimits): Promise<LeaseSight | undefined> {
    return this.#meet({ what: 'get', timeoutMs: limits.timeoutMs }, () => this.#stage.store.get(place, limits))
  }

  put(
    place: LeasePlace,
    record: LeaseRecord,
    base: Pick<LeaseSight, 'uid' | 'version'> | undefined,
    limits: RequestLimits,
  ): Promise<LeaseSight> {
    const noted = { what: 'put', record, base, timeoutMs: limits.timeoutMs } as const
    return this.#meet(noted, () => this.#stage.store.put(place, record, base, limits))
  }

  watch(place: LeasePlace, listener: WatchListener, limits: WatchLimits): void {
    const request: Noted = { what: 'watch', at: this.#stage.clock.now(), timeoutMs: limits.pauseMs }
    this.requests.push(request)
    const fate = this.fate(request)
    const sight = (seen: LeaseSight | undefined) => {
      if (!this.isDeaf) listener.sight(seen)
    }
    if (fate === undefined) this.#stage.store.watch(place, { ...listener, sight }, limits)
    else if (fate instanceof Error) queueMicrotask(() => listener.failed(fate))
  }

  async #meet<T>(request: Omit<Noted, 'at'>, act: () => Promise<T>): Promise<T> {
    const noted = { ...request, at: this.#stage.clock.now() }
    this.requests.push(noted)
    const fate = this.fate(noted)
    if (fate instanceof Error) throw fate
    if (fate === 'written-but-hangs') await act()
    if (fate !== undefined) return new Promise(() => undefined)
    return act()
  }
}

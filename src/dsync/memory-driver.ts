// Leases in memory: for tests of whoever uses dsync, and where there is only one process. It behaves as the API server does,
// and can be told to be away. One object is one store: who shares it competes.
import { randomUUID } from 'node:crypto'
import {
  type Driver,
  DriverError,
  type LeasePlace,
  type LeaseSight,
  type RequestLimits,
  type WatchLimits,
  type WatchListener,
} from './driver.ts'
import { type LeaseRecord, toWholeSeconds } from './lease.ts'

export interface MemoryDriver extends Driver {
  /** While true every request fails, and watches tell nothing. */
  isAway: boolean
  /** The Lease as it is now. */
  read(place: LeasePlace): LeaseSight | undefined
  /** Deletes a Lease, as somebody with kubectl would. */
  remove(place: LeasePlace): void
  /** Changes a Lease without asking its holder, as somebody with kubectl would; makes it when there is none. */
  edit(place: LeasePlace, change: Partial<LeaseRecord>): void
}

/** An empty store. */
export function createMemoryDriver(): MemoryDriver {
  return new Store()
}

interface Watcher {
  readonly key: string
  readonly tell: () => void
}

const EMPTY_RECORD: LeaseRecord = {
  holder: '',
  durationMs: 15_000,
  acquireTime: undefined,
  renewTime: undefined,
  transitions: 0,
  kept: {},
}

class Store implements MemoryDriver {
  readonly #leases = new Map<string, LeaseSight>()
  readonly #watchers = new Set<Watcher>()
  #version = 0n
  #isAway = false

  get isAway(): boolean {
    return this.#isAway
  }

  set isAway(value: boolean) {
    if (this.#isAway === value) return
    this.#isAway = value
    for (const watcher of this.#watchers) watcher.tell()
  }

  async get(place: LeasePlace, { signal }: RequestLimits): Promise<LeaseSight | undefined> {
    signal.throwIfAborted()
    this.#refuseWhenAway()
    return this.read(place)
  }

  async put(
    place: LeasePlace,
    record: LeaseRecord,
    base: Pick<LeaseSight, 'uid' | 'version'> | undefined,
    { signal }: RequestLimits,
  ): Promise<LeaseSight> {
    signal.throwIfAborted()
    this.#refuseWhenAway()
    const known = this.read(place)
    if (base?.uid !== known?.uid || base?.version !== known?.version)
      throw new DriverError('conflict', `the Lease ${place.name} is not the one that was to be written`)
    return this.#write(place, record, known?.uid)
  }

  watch(place: LeasePlace, listener: WatchListener, { signal }: WatchLimits): void {
    let told: LeaseSight | 'absent' | undefined
    const tellNow = () => {
      if (signal.aborted) return
      if (this.#isAway) {
        told = undefined
        listener.failed(new DriverError('unavailable', 'the store is away'))
        return
      }
      const sight = this.read(place)
      if (told === (sight ?? 'absent')) return
      told = sight ?? 'absent'
      listener.sight(sight)
    }
    // Never within the call that changed something: a server does not answer in the same turn either.
    const watcher = { key: keyOf(place), tell: () => queueMicrotask(tellNow) }
    if (signal.aborted) return
    this.#watchers.add(watcher)
    signal.addEventListener('abort', () => this.#watchers.delete(watcher), { once: true })
    watcher.tell()
  }

  read(place: LeasePlace): LeaseSight | undefined {
    return this.#leases.get(keyOf(place))
  }

  remove(place: LeasePlace): void {
    this.#version++
    this.#leases.delete(keyOf(place))
    this.#tell(place)
  }

  edit(place: LeasePlace, change: Partial<LeaseRecord>): void {
    const known = this.read(place)
    this.#write(place, { ...(known?.record ?? EMPTY_RECORD), ...change }, known?.uid)
  }

  #write(place: LeasePlace, record: LeaseRecord, uid: string | undefined): LeaseSight {
    const durationMs = toWholeSeconds(record.durationMs) * 1_000
    const sight: LeaseSight = {
      record: { ...record, durationMs },
      version: String(++this.#version),
      uid: uid ?? randomUUID(),
    }
    this.#leases.set(keyOf(place), sight)
    this.#tell(place)
    return sight
  }

  #tell(place: LeasePlace): void {
    const key = keyOf(place)
    for (const watcher of this.#watchers) if (watcher.key === key) watcher.tell()
  }

  #refuseWhenAway(): void {
    if (this.#isAway) throw new DriverError('unavailable', 'the store is away')
  }
}

function keyOf({ namespace = 'default', name }: LeasePlace): string {
  return `${namespace}/${name}`
}

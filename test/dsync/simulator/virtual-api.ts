// One Lease behind compare-and-swap, with versions, uids and watches, as an API server keeps it.
import type { LeaseSight } from '../../../src/dsync/driver.ts'
import type { LeaseRecord } from '../../../src/dsync/lease.ts'

export type Outcome = { readonly kind: 'written'; readonly sight: LeaseSight } | { readonly kind: 'conflict' }

export class VirtualApi {
  #lease: LeaseSight | undefined
  #version = 100
  #uids = 0
  readonly #watchers = new Set<(sight: LeaseSight | undefined) => void>()
  /** The version at which somebody took the Lease from its holder by hand: by deleting it, or by writing another holder. */
  robbedAt = 0n
  /** The longest duration that was ever on record. */
  longestMs = 0

  get lease(): LeaseSight | undefined {
    return this.#lease
  }

  put(record: LeaseRecord, base: LeaseSight | undefined): Outcome {
    if (base?.uid !== this.#lease?.uid || base?.version !== this.#lease?.version) return { kind: 'conflict' }
    return { kind: 'written', sight: this.#write(record, this.#lease?.uid ?? `uid-${++this.#uids}`) }
  }

  watch(watcher: (sight: LeaseSight | undefined) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** By hand. */
  remove(): void {
    if (this.#lease === undefined) return
    this.robbedAt = BigInt(++this.#version)
    this.#lease = undefined
    for (const watcher of [...this.#watchers]) watcher(undefined)
  }

  /** By hand. */
  edit(change: Partial<LeaseRecord>): void {
    if (this.#lease === undefined) return
    const { record, uid } = this.#lease
    this.#write({ ...record, ...change }, uid)
    if (change.holder !== undefined) this.robbedAt = BigInt(this.#version)
  }

  #write(record: LeaseRecord, uid: string): LeaseSight {
    this.longestMs = Math.max(this.longestMs, record.durationMs)
    this.#lease = { record, uid, version: String(++this.#version) }
    for (const watcher of [...this.#watchers]) watcher(this.#lease)
    return this.#lease
  }
}

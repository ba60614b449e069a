// A store of runs in memory, which several services share and which can be away. Its clock is the test's.
import type { Clock } from '../../src/lib/clock.ts'
import {
  ENDED_STATES,
  type EndedState,
  type ItemFilter,
  type Owner,
  OwnerLost,
  type Page,
  type RunChange,
  type RunCreation,
  type RunDraft,
  type RunEnd,
  type RunFilter,
  type RunItem,
  type RunRecord,
  type StateStore,
  type StoredItem,
} from '../../src/state/store.ts'

interface FakeOwner {
  beatAt: number
  readonly deadAfterMs: number
}

const isEnded = (run: RunRecord) => ENDED_STATES.includes(run.state as EndedState)

export class FakeStateStore implements StateStore {
  readonly kind = 'postgres'
  readonly runs = new Map<string, RunRecord>()
  readonly items = new Map<string, StoredItem[]>()
  readonly values = new Map<string, string>()
  readonly #keys = new Map<string, { readonly id: string; readonly fingerprint: string }>()
  readonly #owners = new Map<string, FakeOwner>()
  readonly #clock: Clock
  #nextOwner = 1
  /** While it is set every call rejects with it. */
  away: Error | undefined
  /** Held back until it resolves. */
  puts: Promise<void> | undefined
  /** Names of the calls, in order. */
  readonly calls: string[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  #called(name: string): void {
    this.calls.push(name)
    if (this.away !== undefined) throw this.away
  }

  async openOwner(deadAfterMs: number): Promise<Owner> {
    this.#called('openOwner')
    const id = `owner-${this.#nextOwner++}`
    const owner = { beatAt: this.#clock.now(), deadAfterMs }
    this.#owners.set(id, owner)
    return {
      id,
      beat: async () => {
        this.#called('beat')
        if (!this.#owners.has(id)) throw new OwnerLost('taken for dead')
        owner.beatAt = this.#clock.now()
      },
      [Symbol.asyncDispose]: async () => {
        this.#owners.delete(id)
      },
    }
  }

  /** The process is gone without a word. */
  kill(owner: string): void {
    this.#owners.delete(owner)
  }

  async interruptOrphans(endedAt: number, problem: string): Promise<readonly RunRecord[]> {
    this.#called('interruptOrphans')
    for (const [id, { beatAt, deadAfterMs }] of this.#owners) {
      if (this.#clock.now() - beatAt >= deadAfterMs) this.#owners.delete(id)
    }
    const orphans = [...this.runs.values()].filter((run) => !isEnded(run) && !this.#owners.has(run.owner))
    return orphans.map((run) => this.#put({ ...run, state: 'interrupted', problem, endedAt }))
  }

  async createRun({ idempotency, ...draft }: RunDraft): Promise<RunCreation> {
    this.#called('createRun')
    if (!this.#owners.has(draft.owner)) throw new OwnerLost('taken for dead')
    const known = idempotency && this.#keys.get(idempotency.key)
    const repeated = known && this.runs.get(known.id)
    if (repeated !== undefined) {
      return { outcome: known?.fingerprint === idempotency?.fingerprint ? 'repeated' : 'keyReused', run: repeated }
    }
    const other = [...this.runs.values()].find(
      (run) => !isEnded(run) && run.kind === draft.kind && run.resources.some((one) => draft.resources.includes(one)),
    )
    if (other !== undefined) return { outcome: 'overlaps', run: other }
    if (idempotency !== undefined) {
      this.#keys.set(idempotency.key, { id: draft.id, fingerprint: idempotency.fingerprint })
    }
    const nothing = { progress: null, summary: null, problem: null, locks: [], cancelRequested: false }
    const run = { ...draft, ...nothing, state: 'queued', startedAt: null, endedAt: null } as const
    return { outcome: 'created', run: this.#put(run) }
  }

  async getRun(id: string): Promise<RunRecord | undefined> {
    this.#called('getRun')
    return this.runs.get(id)
  }

  async listRuns({ kind, state, limit }: RunFilter): Promise<Page<RunRecord>> {
    this.#called('listRuns')
    const found = [...this.runs.values()]
      .filter((run) => (kind === undefined || run.kind === kind) && (state === undefined || run.state === state))
      .sort((a, b) => (a.id < b.id ? 1 : -1))
    return { items: found.slice(0, limit), nextCursor: null }
  }

  async listCancelled(owner: string): Promise<readonly string[]> {
    this.#called('listCancelled')
    return [...this.runs.values()]
      .filter((run) => run.owner === owner && run.cancelRequested && !isEnded(run))
      .map(({ id }) => id)
  }

  async changeRun(id: string, change: RunChange): Promise<boolean> {
    this.#called('changeRun')
    return this.#change(id, change)
  }

  async endRun(id: string, end: RunEnd): Promise<boolean> {
    this.#called('endRun')
    return this.#change(id, end)
  }

  async requestCancel(id: string): Promise<RunRecord | undefined> {
    this.#called('requestCancel')
    this.#change(id, { cancelRequested: true })
    return this.runs.get(id)
  }

  async putItems(runId: string, items: readonly RunItem[]): Promise<void> {
    this.#called('putItems')
    await this.puts
    const stored = this.items.get(runId) ?? []
    for (const item of items) {
      const seq = (stored.at(-1)?.seq ?? 0) + 1
      const at = stored.findIndex(({ key }) => key === item.key)
      if (at >= 0) stored.splice(at, 1)
      stored.push({ ...item, seq })
    }
    this.items.set(runId, stored)
  }

  async listItems(runId: string, { status, limit, cursor = '' }: ItemFilter): Promise<Page<RunItem>> {
    this.#called('listItems')
    const found = (this.items.get(runId) ?? [])
      .filter((item) => item.key > cursor && (status === undefined || item.status === status))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    const items = found.slice(0, limit)
    return { items, nextCursor: found.length > limit ? (items.at(-1)?.key ?? null) : null }
  }

  async readItemsAfter(runId: string, seq: number, limit: number): Promise<readonly StoredItem[]> {
    this.#called('readItemsAfter')
    return (this.items.get(runId) ?? []).filter((item) => item.seq > seq).slice(0, limit)
  }

  async getValue(key: string): Promise<string | undefined> {
    this.#called('getValue')
    return this.values.get(key)
  }

  async putValue(key: string, value: string | undefined): Promise<void> {
    this.#called('putValue')
    if (value === undefined) this.values.delete(key)
    else this.values.set(key, value)
  }

  async prune({ maxRuns, endedBefore }: { maxRuns: number; endedBefore: number }): Promise<readonly string[]> {
    this.#called('prune')
    const ended = [...this.runs.values()].filter(isEnded).sort((a, b) => (a.id < b.id ? 1 : -1))
    const gone = ended.filter((run, i) => i >= maxRuns || (run.endedAt ?? 0) < endedBefore).map(({ id }) => id)
    for (const id of gone) {
      this.runs.delete(id)
      this.items.delete(id)
    }
    return gone
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #change(id: string, change: Partial<RunRecord>): boolean {
    const run = this.runs.get(id)
    if (run === undefined || isEnded(run)) return false
    this.#put({ ...run, ...change })
    return true
  }

  #put(run: RunRecord): RunRecord {
    this.runs.set(run.id, run)
    return run
  }
}

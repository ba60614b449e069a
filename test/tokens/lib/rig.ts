// Some clusters without a network, and a sync over them: what a test needs to say is what they hold and what goes wrong.

import { toData } from '../../../src/playground/waiter/cluster.ts'
import { WaiterStore } from '../../../src/playground/waiter/store.ts'
import { applyPlan } from '../../../src/tokens/carry-out.ts'
import type {
  PlanFile,
  SealedPlan,
  SyncMemory,
  SyncRequest,
  SyncSummary,
  SyncSurroundings,
  TokenItem,
  UndoEntry,
} from '../../../src/tokens/contract.ts'
import { syncTokens } from '../../../src/tokens/sync.ts'
import { JumpingClock } from '../histories/clock.ts'
import { type Fault, type Meeting, StoreCluster } from '../histories/store-cluster.ts'

export const REQUEST: SyncRequest = {
  mode: 'safe',
  dryRun: false,
  limit: 1_000,
  optOutMetadataName: undefined,
  onUnreachable: 'fail',
  onConflict: 'newest',
  maxDeletes: { percent: 20, atLeast: 5 },
  allowEmpty: [],
}

/** What a run did. */
export interface RigRun {
  readonly summary: SyncSummary
  readonly items: ReadonlyMap<string, TokenItem>
  readonly plans: readonly SealedPlan[]
}

export class Rig {
  readonly clock = new JumpingClock()
  readonly clusters: readonly StoreCluster[]
  /** Requests in the order in which they came: `read c0 token`. */
  readonly requests: string[] = []
  readonly undone: UndoEntry[] = []
  memory: SyncMemory | undefined
  /** Called for every request; what it returns goes wrong. */
  onRequest: (meeting: Meeting, n: number) => Fault | undefined | Promise<Fault | undefined> = () => undefined
  onUndo: (entries: readonly UndoEntry[]) => Promise<void> = async () => {}
  signal = new AbortController().signal

  /** `count`: so many clusters, `http://c0` and on. */
  constructor(count = 2) {
    this.clusters = Array.from({ length: count }, (_, index) => {
      return new StoreCluster(`http://c${index}`, new WaiterStore(`c${index}`, this.clock), {
        arrive: async (meeting) => {
          this.clock.pass(1)
          this.requests.push([meeting.kind, meeting.cluster, meeting.token ?? ''].join(' ').trim())
          return this.onRequest(meeting, this.requests.length)
        },
        leave: async () => {},
        later: () => {},
      })
    })
  }

  /** Somebody edits a token, or makes it. */
  edit(cluster: number, token: string, cmd: string, user = 'ann'): void {
    this.clock.pass(1)
    const holds = this.#at(cluster).holds
    const etag = holds.get(token)?.etag
    const body = toData({ token, cmd, cpus: 1, mem: 128, version: 'v', 'run-as-user': 'svc', root: 'home' })
    const { status } = holds.post(body, 'admin', { ifMatch: etag, caller: { name: user, isAdmin: true } })
    if (status !== 200) throw new Error(`refused: ${status}`)
  }

  remove(cluster: number, token: string, user = 'ann'): void {
    this.clock.pass(1)
    const { holds } = this.#at(cluster)
    const caller = { name: user, isAdmin: true }
    const { status } = holds.delete(token, false, { ifMatch: holds.get(token)?.etag, caller })
    if (status !== 200) throw new Error(`refused: ${status}`)
  }

  /** What the clusters hold of the token: its command, `deleted`, or `-`. */
  shown(token: string): string {
    return this.clusters
      .map(({ holds }) => {
        const data = holds.get(token)?.data
        if (data === undefined) return '-'
        return data.get('deleted') === true ? 'deleted' : String(data.get('cmd'))
      })
      .join(' ')
  }

  async sync(overrides: Partial<SyncRequest> = {}): Promise<RigRun> {
    return this.#gather((surroundings) => syncTokens({ ...REQUEST, ...overrides }, surroundings))
  }

  async apply(file: PlanFile): Promise<RigRun> {
    return this.#gather((surroundings) => applyPlan(file, surroundings))
  }

  /** The plan of a dry run, as it would be kept. */
  async plan(overrides: Partial<SyncRequest> = {}): Promise<PlanFile> {
    const request = { ...REQUEST, ...overrides, dryRun: true }
    const { plans, summary } = await this.sync(request)
    const clusters = this.clusters.map(({ url }) => url)
    return { version: 1, request, clusters, total: summary.tokens.total.length, tokens: plans }
  }

  async #gather(run: (surroundings: SyncSurroundings) => Promise<SyncSummary>): Promise<RigRun> {
    const items = new Map<string, TokenItem>()
    const plans: SealedPlan[] = []
    const summary = await run({
      clusters: this.clusters,
      signal: this.signal,
      clock: this.clock,
      random: () => 0.5,
      memory: this.memory,
      remember: async (memory) => {
        this.memory = memory
      },
      keepForUndo: async (entries) => {
        await this.onUndo(entries)
        this.undone.push(...entries)
      },
      onItem: async (item, plan) => {
        items.set(item.token, item)
        if (plan !== undefined) plans.push(plan)
      },
      onProgress: () => {},
    })
    return { summary, items, plans }
  }

  #at(index: number): StoreCluster {
    const cluster = this.clusters[index]
    if (cluster === undefined) throw new RangeError(`there is no cluster ${index}`)
    return cluster
  }
}

/** `c1: success/sync-update, …` */
export function codesOf(item: TokenItem | undefined): string {
  if (item === undefined) return 'no item'
  return [...item.results].map(([url, { code }]) => `${url.replace('http://', '')}: ${code}`).join(', ')
}

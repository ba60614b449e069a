// Runs for tests: kept in memory, ended by hand; whoever follows one gets what the test feeds.
import type {
  DbRuns,
  KeptOfPair,
  RunEvent,
  Runs,
  ScheduleStatus,
  Started,
  StartOptions,
  StartRequest,
  SyncDbBody,
  SyncTokensBody,
  TokenRuns,
  VerifyDbBody,
} from '../../../src/runs/contract.ts'
import {
  InvalidCursor,
  type ItemFilter,
  type Page,
  type RunFilter,
  type RunItem,
  type RunRecord,
} from '../../../src/state/store.ts'

export const RUN_ID = '019b76da-a800-7b3c-9d51-0f7c3f6d2e10'
const BEGIN = Date.UTC(2026, 0, 1)

export function runRecord(overrides: Partial<RunRecord> = {}): RunRecord {
  return {
    id: RUN_ID,
    kind: 'tokens',
    state: 'running',
    trigger: 'api',
    resources: ['cluster:c1', 'cluster:c2'],
    request: '{"clusters":["c1","c2"]}',
    dryRun: false,
    progress: '{"done":1,"total":3}',
    summary: null,
    problem: null,
    locks: [],
    owner: 'owner-1',
    cancelRequested: false,
    takesUp: null,
    createdAt: BEGIN,
    startedAt: BEGIN + 4,
    endedAt: null,
    ...overrides,
  }
}

export const SUMMARY = {
  sync: { unmodified: ['a'], updated: ['b'], failed: [] },
  tokens: { pending: 2, 'previously-synced': 5, processed: 2, selected: 2, total: 7 },
  counts: { create: 0, update: 1, softDelete: 0, hardDelete: 0, skip: 0, conflict: 0 },
}

export const ENDED = runRecord({
  state: 'succeeded',
  progress: '{"done":3,"total":3}',
  summary: JSON.stringify(SUMMARY),
  endedAt: BEGIN + 612,
})

export function tokenItem(token: string, overrides: object = {}): string {
  const body = {
    id: token,
    status: 'updated',
    latest: { cluster: 'http://c1:9091', etag: 'E-1' },
    results: { 'http://c2:9091': { code: 'success/sync-update', effect: 'update' } },
    ...overrides,
  }
  return JSON.stringify(body)
}

/** One listener of a run. */
export interface Follower {
  readonly id: string
  readonly after: number
  readonly signal: AbortSignal
  /** Events that were asked for, the one that is awaited included. */
  pulled: number
  /** Whether it was told that nobody listens any more. */
  returned: boolean
}

export class FakeRuns implements Runs {
  records: RunRecord[] = []
  stored: RunItem[] = []
  scheduled: ScheduleStatus[] = []
  readonly waits: { readonly id: string; readonly timeoutMs: number; readonly signal: AbortSignal }[] = []
  readonly followers: Follower[] = []
  /** What a wait comes to. */
  onWait: (timeoutMs: number, signal: AbortSignal) => Promise<RunRecord | undefined> = async () => this.records[0]
  /** What a follower gets. */
  onFollow: (follower: Follower) => AsyncIterable<RunEvent> = () => {
    throw new Error('unexpected follower')
  }

  start(_: StartRequest): Promise<Started> {
    return Promise.reject(new Error('unexpected start'))
  }
  async get(id: string) {
    return this.records.find((run) => run.id === id)
  }
  async list({ kind, state, limit, cursor }: RunFilter): Promise<Page<RunRecord>> {
    const runs = this.records.filter((run) => run.kind === (kind ?? run.kind) && run.state === (state ?? run.state))
    return page(runs, limit, cursor)
  }
  async items(id: string, { status, limit, cursor }: ItemFilter): Promise<Page<RunItem> | undefined> {
    if ((await this.get(id)) === undefined) return undefined
    return page(
      this.stored.filter((item) => item.status === (status ?? item.status)),
      limit,
      cursor,
    )
  }
  wait(id: string, timeoutMs: number, signal: AbortSignal) {
    this.waits.push({ id, timeoutMs, signal })
    return this.onWait(timeoutMs, signal)
  }
  async cancel(id: string) {
    this.records = this.records.map((run) =>
      run.id === id && run.endedAt === null ? { ...run, cancelRequested: true } : run,
    )
    return this.get(id)
  }
  async *follow(id: string, after: number, signal: AbortSignal): AsyncGenerator<RunEvent, void, undefined> {
    const follower: Follower = { id, after, signal, pulled: 1, returned: false }
    this.followers.push(follower)
    try {
      for await (const event of this.onFollow(follower)) {
        yield event
        follower.pulled++
      }
    } finally {
      follower.returned = true
    }
  }
  schedules() {
    return this.scheduled
  }
  async [Symbol.asyncDispose]() {}
}

function page<T>(all: readonly T[], limit: number, cursor: string | undefined): Page<T> {
  const from = cursor === undefined ? 0 : Number(/^from-(\d+)$/.exec(cursor)?.[1] ?? Number.NaN)
  if (Number.isNaN(from)) throw new InvalidCursor('no cursor of ours')
  const end = from + limit
  return { items: all.slice(from, end), nextCursor: end < all.length ? `from-${end}` : null }
}

/** Events that are fed by hand; ends when the signal aborts, as the real one does. */
export class Feed implements AsyncIterable<RunEvent> {
  #waiting: RunEvent[] = []
  #wake = Promise.withResolvers<void>()
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake.resolve(), { once: true })
  }

  push(...events: RunEvent[]): void {
    this.#waiting.push(...events)
    this.#wake.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, undefined> {
    while (!this.#signal.aborted) {
      for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
        yield event
        if (event.type === 'end') return
      }
      this.#wake = Promise.withResolvers()
      if (!this.#signal.aborted) await this.#wake.promise
    }
  }
}

const unexpectedStart = (_: SyncTokensBody): Promise<Started> => Promise.reject(new Error('unexpected start'))

export class FakeTokenRuns implements TokenRuns {
  readonly clusters = [
    { name: 'c1', url: 'http://c1:9091' },
    { name: 'c2', url: 'http://c2:9091' },
  ]
  readonly started: { readonly body: SyncTokensBody; readonly options: Parameters<TokenRuns['start']>[1] }[] = []
  onStart = unexpectedStart

  start(body: SyncTokensBody, options: Parameters<TokenRuns['start']>[1]): Promise<Started> {
    this.started.push({ body, options })
    return this.onStart(body)
  }
}

export class FakeDbRuns implements DbRuns {
  readonly pairs = [
    {
      name: 'app',
      left: { kind: 'cassandra', address: 'cassandra 10.0.0.1:9042/app' },
      right: { kind: 'elasticsearch', address: 'elasticsearch http://10.0.0.2:9200/app-{table}' },
      tables: 'all',
      execution: 'process',
    },
  ] as const
  readonly started: { readonly operation: 'sync' | 'verify'; readonly body: object; readonly options: StartOptions }[] =
    []
  kept: KeptOfPair = { savedEnds: [], deadLetters: 0, lastRun: undefined }
  onStart = (): Promise<Started> => Promise.reject(new Error('unexpected start'))
  onRead = (_: string): Promise<KeptOfPair> => Promise.resolve(this.kept)

  sync(body: SyncDbBody, options: StartOptions): Promise<Started> {
    this.started.push({ operation: 'sync', body, options })
    return this.onStart()
  }
  verify(body: VerifyDbBody, options: StartOptions): Promise<Started> {
    this.started.push({ operation: 'verify', body, options })
    return this.onStart()
  }
  readKept(pair: string) {
    return this.onRead(pair)
  }
}

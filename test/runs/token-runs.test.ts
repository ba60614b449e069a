// Token syncs as runs: real HTTP to faithful clusters, the state in SQLite.
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryDriver, Dsync } from '../../src/dsync/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { StartRequest, SyncTokensBody, TokenRuns } from '../../src/runs/contract.ts'
import { createRunLocks } from '../../src/runs/locks.ts'
import { createTokenMetrics } from '../../src/runs/metrics.ts'
import { createRuns, type RunService } from '../../src/runs/runs.ts'
import { createTokenJob } from '../../src/runs/token-job.ts'
import type { TokenSettings } from '../../src/runs/token-request.ts'
import { createTokenRuns } from '../../src/runs/token-runs.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import type { RunRecord, StateStore } from '../../src/state/store.ts'
import { openUndoFile, readUndoFile } from '../../src/tokens/undo.ts'
import { createWaiterCluster } from '../../src/tokens/waiter.ts'
import { type FakeWaiter, startFakeWaiter } from '../fakes/waiter.ts'
import { eventually } from '../lib/eventually.ts'

const never = new AbortController().signal
const LIVE = { cmd: 'run', cpus: 1, mem: 512, name: 'app', version: '1' }

let folder: string
let clusters: readonly [FakeWaiter, FakeWaiter, FakeWaiter]
let store: StateStore
let runs: RunService
let tokens: TokenRuns
let registry: Registry
let errors: unknown[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncer-token-runs-'))
  const [a, b, c] = await Promise.all(['c1', 'c2', 'c3'].map((name) => startFakeWaiter({ name })))
  if (a === undefined || b === undefined || c === undefined) throw new Error('three were started')
  clusters = [a, b, c]
  store = await openSqliteStore({ path: join(folder, 'state.db') })
  registry = new Registry()
  errors = []
  await open()
})
afterEach(async () => {
  await runs.stop(0)
  await store[Symbol.asyncDispose]()
  for (const cluster of clusters) await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** A service over this state. */
const open = async (): Promise<void> => {
  const metrics = createTokenMetrics(registry)
  const configured = clusters.map(({ name, url }) => ({
    name,
    url,
    open: (timeOuts: { connectionTimeoutMs: number; idleTimeoutMs: number }) =>
      createWaiterCluster({ url, clock: systemClock, ...timeOuts }),
  }))
  const dsync = new Dsync(createMemoryDriver(), 'test')
  runs = await createRuns({
    ...{ store, clock: systemClock, random: Math.random, maxConcurrent: 4, takesUp: [] },
    jobs: [
      createTokenJob({
        ...{ clusters: configured, store, clock: systemClock, random: Math.random },
        openUndo: (id) => openUndoFile(undoPath(id)),
        onWrite: (cluster, effect) => metrics.wrote(cluster, effect),
      }),
    ],
    locks: createRunLocks((name) => dsync.lock(name)),
    history: { maxRuns: 100, maxAgeMs: 1e9 },
    deadAfterMs: 30_000,
    lockWaitMs: 10_000,
    leadership: { isLeader: true, onChange: () => () => {} },
    schedules: () => [],
    onError: (error) => errors.push(error),
    onEnded: (run, { state, endedAt }) => metrics.ended(run, state, endedAt),
    onForgotten: async () => {},
  })
  const settings: TokenSettings = {
    ...{ clusters: configured, mode: 'safe', limit: 1_000, onUnreachable: 'fail', onConflict: 'newest' },
    ...{ connectionTimeoutMs: 1_000, idleTimeoutMs: 60_000 },
  }
  tokens = createTokenRuns({ settings, runs, store })
}
const undoPath = (id: string) => join(folder, 'undo', `${id}.jsonl`)

const start = async (body: SyncTokensBody = {}): Promise<string> => {
  const { outcome, run } = await tokens.start(body, { trigger: 'api' })
  expect(outcome).toBe('started')
  return run.id
}
const sync = async (
  body: SyncTokensBody = {},
): Promise<RunRecord & { readonly told: unknown; readonly kind: string }> => {
  const run = await runs.wait(await start(body), 20_000, never)
  if (run?.endedAt == null) throw new Error('it has not ended')
  return Object.assign(run, { told: run.problem === null ? undefined : JSON.parse(run.problem) })
}
const summaryOf = (run: RunRecord) => JSON.parse(run.summary ?? 'null')
const itemsOf = async (id: string, status?: string) =>
  (await runs.items(id, { limit: 1_000, status }))?.items.map(({ body }) => JSON.parse(body)) ?? []
const metric = async (name: string) =>
  (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith(name))
    .sort()

describe('a run', () => {
  test('brings the clusters in step, and tells of each token', async () => {
    const [a, b, c] = clusters
    a.edit('app', LIVE, 'joe')
    const run = await sync()
    expect(run).toMatchObject({
      state: 'succeeded',
      dryRun: false,
      resources: ['cluster:c1', 'cluster:c2', 'cluster:c3'],
    })
    expect(run.locks.map(({ name }) => name)).toEqual(['tokens-c1', 'tokens-c2', 'tokens-c3'])
    expect(summaryOf(run)).toMatchObject({
      sync: { unmodified: [], updated: ['app'], failed: [] },
      tokens: { pending: 1, 'previously-synced': 0, processed: 1, selected: 1, total: 1 },
      counts: { create: 2, update: 0 },
    })
    expect(await itemsOf(run.id)).toEqual([
      {
        id: 'app',
        status: 'updated',
        latest: { cluster: a.url, etag: a.etag('app'), lastUpdateTime: expect.any(String) },
        results: {
          [b.url]: expect.objectContaining({ code: 'success/sync-update', effect: 'create' }),
          [c.url]: expect.objectContaining({ code: 'success/sync-update', effect: 'create' }),
        },
      },
    ])
    expect([b.etag('app'), c.etag('app')]).toEqual([a.etag('app'), a.etag('app')])
    expect(JSON.parse(run.progress ?? '')).toEqual({ done: 1, total: 1 })
    expect(await metric('syncer_tokens_writes_total')).toEqual([
      'syncer_tokens_writes_total{cluster="c2",effect="create"} 1',
      'syncer_tokens_writes_total{cluster="c3",effect="create"} 1',
    ])
    expect(await metric('syncer_tokens_last_success')).toHaveLength(1)
    expect(errors).toEqual([])
  })

  test('works on the clusters that are named, in any order', async () => {
    const [a, b, c] = clusters
    a.edit('app', LIVE, 'joe')
    const run = await sync({ clusters: ['c2', 'c1'] })
    expect(run.state).toBe('succeeded')
    expect([b.etag('app') === undefined, c.etag('app') === undefined]).toEqual([false, true])
    expect(c.seen).toEqual([])
  })

  test('fails when a token failed', async () => {
    const [a, b] = clusters
    a.edit('app', LIVE, 'joe')
    b.fault = ({ kind }) => (kind === 'store' ? { status: 403 } : undefined)
    const run = await sync()
    expect([run.state, run.problem]).toEqual(['failed', null])
    expect(summaryOf(run).sync.failed).toEqual(['app'])
    expect(await itemsOf(run.id, 'failed')).toHaveLength(1)
    expect(await itemsOf(run.id, 'updated')).toHaveLength(0)
    expect(await metric('syncer_tokens_last_success')).toEqual([])
  })

  test('fails when a cluster gives no list, with the reason', async () => {
    clusters[1].fault = ({ kind }) => (kind === 'list' ? { status: 500 } : undefined)
    const run = await sync()
    expect([run.state, run.summary]).toEqual(['failed', null])
    expect(run.told).toEqual({ kind: 'cluster-unreachable', detail: expect.stringContaining('answered 500') })
    expect(errors).toEqual([])
  })

  test('goes on without such a cluster where that is wanted, and still fails', async () => {
    const [a, b] = clusters
    a.edit('app', LIVE, 'joe')
    b.fault = ({ kind }) => (kind === 'list' ? { status: 500 } : undefined)
    const run = await sync({ onUnreachable: 'skip-writes' })
    expect([run.state, summaryOf(run).tokens.total]).toEqual(['failed', 1])
    expect(run.told).toMatchObject({ kind: 'cluster-unreachable' })
  })

  test('refuses to delete too much', async () => {
    const [a] = clusters
    for (const cluster of clusters) cluster.edit('app', LIVE, 'joe')
    await sync()
    a.softDelete('app', 'joe')
    const run = await sync({ maxDeletes: 0 })
    expect([run.state, run.told]).toEqual(['failed', expect.objectContaining({ kind: 'too-many-deletes' })])
    expect(clusters[1].etag('app')).toBeDefined()
  })

  test('remembers for the next one by the clusters, whatever their order, and not in a dry run', async () => {
    const [a, b] = clusters
    for (const name of ['app', 'web']) a.edit(name, LIVE, 'joe')
    await sync({ clusters: ['c1', 'c2'], dryRun: true })
    b.edit('gone', LIVE, 'joe')
    b.hardDelete('gone')
    expect((await sync({ clusters: ['c1', 'c2'] })).state).toBe('succeeded')
    for (const name of ['app', 'web']) b.hardDelete(name)
    const run = await sync({ clusters: ['c2', 'c1'] })
    expect([run.state, run.told]).toEqual(['failed', expect.objectContaining({ kind: 'empty-list' })])
    expect((await sync({ clusters: ['c2', 'c3'] })).state).toBe('succeeded')
    expect((await sync({ clusters: ['c2', 'c1'], allowEmpty: ['c2'] })).state).toBe('succeeded')
    expect(b.etag('app')).toBe(a.etag('app'))
  })

  test('keeps what it overwrites in a file of its own, and makes none for nothing', async () => {
    const [a, b] = clusters
    a.edit('app', LIVE, 'joe')
    const first = await sync()
    expect(existsSync(undoPath(first.id))).toBe(false)
    const before = b.etag('app')
    // The later one wins.
    a.skewMs = 5
    a.edit('app', { cpus: 2 }, 'joe')
    const second = await sync()
    const entries = readUndoFile(await readFile(undoPath(second.id), 'utf8'))
    expect(entries.map(({ cluster, token, etag }) => [cluster, token, etag]).sort()).toEqual(
      [b.url, clusters[2].url].map((url) => [url, 'app', before]).sort(),
    )
  })

  test('reads again what failed, but not where the original did not', async () => {
    const [a] = clusters
    a.edit('app', LIVE, 'joe')
    const flaky = () => {
      let left = 1
      a.fault = ({ kind }) => (kind === 'list' && left-- > 0 ? { status: 503 } : undefined)
    }
    flaky()
    expect((await sync({ mode: 'compat' })).state).toBe('failed')
    flaky()
    expect((await sync()).state).toBe('succeeded')
  })

  test('is held to its own time-outs', async () => {
    clusters[0].fault = ({ kind }) => (kind === 'list' ? 'hang' : undefined)
    const run = await sync({ mode: 'compat', idleTimeoutMs: 250 })
    expect(run.told).toMatchObject({ kind: 'cluster-unreachable' })
  })

  test('ends when it is cancelled, in the middle of a request', async () => {
    clusters[0].fault = ({ kind }) => (kind === 'list' ? 'hang' : undefined)
    const id = await start({ idleTimeoutMs: 60_000 })
    await eventually(() => clusters[0].seen.length > 0)
    await runs.cancel(id)
    expect(await runs.wait(id, 5_000, never)).toMatchObject({ state: 'cancelled', problem: null })
  })
})

describe('a plan', () => {
  test('is carried out as its dry run found it', async () => {
    const [a, b, c] = clusters
    a.edit('app', LIVE, 'joe')
    const dry = await sync({ dryRun: true, clusters: ['c1', 'c2'] })
    expect([dry.state, dry.dryRun, summaryOf(dry).counts.create]).toEqual(['succeeded', true, 1])
    expect(b.etag('app')).toBeUndefined()
    expect(existsSync(join(folder, 'undo'))).toBe(false)
    const run = await sync({ plan: dry.id })
    expect(run).toMatchObject({ state: 'succeeded', dryRun: false, resources: dry.resources })
    expect(JSON.parse(run.request)).toMatchObject({ plan: dry.id })
    expect([b.etag('app'), c.etag('app')]).toEqual([a.etag('app'), undefined])
  })

  test('leaves alone what has changed since', async () => {
    const [a, b] = clusters
    for (const name of ['app', 'web']) a.edit(name, LIVE, 'joe')
    const dry = await sync({ dryRun: true })
    b.edit('app', { ...LIVE, cpus: 3 }, 'ann')
    const run = await sync({ plan: dry.id })
    expect([run.state, summaryOf(run).sync]).toEqual(['failed', { failed: ['app'], unmodified: [], updated: ['web'] }])
    const [item] = await itemsOf(run.id, 'failed')
    expect(JSON.stringify(item)).toContain('error/plan-outdated')
  })

  test('of many tokens is read over several pages', async () => {
    const [a, b] = clusters
    for (let n = 0; n < 1_100; n++) a.edit(`app-${n}`, LIVE, 'joe')
    const dry = await sync({ dryRun: true, clusters: ['c1', 'c2'], limit: 2_000 })
    const run = await sync({ plan: dry.id })
    expect(summaryOf(run).sync.updated).toHaveLength(1_100)
    expect(b.dump().size).toBe(1_100)
  }, 60_000)

  test('is refused when there is none', async () => {
    clusters[0].edit('app', LIVE, 'joe')
    const notDry = await sync()
    clusters[1].fault = ({ kind }) => (kind === 'list' ? { status: 500 } : undefined)
    const failed = await sync({ dryRun: true })
    for (const [plan, why] of [
      ['01940000-0000-7000-8000-000000000000', 'no run that is remembered'],
      [notDry.id, 'no dry run'],
      [failed.id, 'no whole plan'],
    ] as const) {
      await expect(tokens.start({ plan }, { trigger: 'api' })).rejects.toMatchObject({
        name: 'InvalidRunRequest',
        pointer: '/plan',
        message: expect.stringContaining(why),
      })
    }
  })

  test('is refused when its clusters are not there any more', async () => {
    const dry = await sync({ dryRun: true })
    const settings = { clusters: [], mode: 'safe', limit: 1, onUnreachable: 'fail', onConflict: 'newest' } as const
    const other = createTokenRuns({
      runs,
      store,
      settings: { ...settings, connectionTimeoutMs: 1, idleTimeoutMs: 250 },
    })
    await expect(other.start({ plan: dry.id }, { trigger: 'api' })).rejects.toThrow(
      'is for c1, which is no cluster any more',
    )
  })

  test('that was forgotten meanwhile fails its run', async () => {
    const dry = await sync({ dryRun: true })
    const begin: StartRequest = {
      ...{ kind: 'tokens', trigger: 'api', resources: dry.resources, dryRun: false },
      request: { plan: '01940000-0000-7000-8000-000000000000', connectionTimeoutMs: 1, idleTimeoutMs: 250 },
    }
    const { run } = await runs.start(begin)
    const ended = await runs.wait(run.id, 10_000, never)
    expect(JSON.parse(ended?.problem ?? '')).toMatchObject({ kind: 'plan-outdated' })
  })
})

describe('requests', () => {
  test('that are the same give the same run, whatever the order of their fields', async () => {
    const body = { clusters: ['c1', 'c2'], limit: 5 }
    const options = { trigger: 'api', idempotencyKey: 'k' } as const
    const first = await tokens.start(body, options)
    const again = await tokens.start({ limit: 5, clusters: ['c1', 'c2'] }, options)
    const other = await tokens.start({ ...body, limit: 6 }, options)
    expect([first.outcome, again.outcome, other.outcome]).toEqual(['started', 'repeated', 'keyReused'])
    expect(again.run.id).toBe(first.run.id)
    await runs.wait(first.run.id, 10_000, never)
  })

  test('for clusters that have nothing in common run side by side', async () => {
    clusters[0].fault = ({ kind }) => (kind === 'list' ? 'hang' : undefined)
    const id = await start({ clusters: ['c1', 'c2'], idleTimeoutMs: 60_000 })
    expect((await tokens.start({ clusters: ['c2', 'c3'] }, { trigger: 'api' })).outcome).toBe('overlaps')
    await runs.cancel(id)
    await runs.wait(id, 5_000, never)
    await start({ clusters: ['c2', 'c3'] })
  })
})

// Two replicas of the service that share their runs in PostgreSQL and their locks in Leases of a real API server, under exactly the Role
// of roles/dsync.yaml: which one starts what, what each can say of the other's runs, and what is left when one is gone.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runSyncer } from '../cli/running-syncer.ts'
import { eventually } from '../lib/eventually.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { readLease } from './lib/kube-leases.ts'
import { admitReplicas, awaitLeader, LEASE_MS, NAMESPACE, type ReplicaConfig } from './lib/kube-replicas.ts'
import { type Postgres, startPostgres } from './lib/postgres.ts'
import { createRunFolder, type RunFolder } from './lib/run-folder.ts'
import { waitUntil } from './lib/server-process.ts'
import { startTokenClusters, type TokenClusters } from './lib/token-clusters.ts'
import { asTokenItem, asTokenRun, type Run, startTokenService, type TokenService } from './lib/token-service.ts'

/** In the address of the state, and in what the clusters are shown. */
const SECRET = 'hunter2'
/** Kubernetes' own part of a take-over, and a process on a busy machine. */
const SLACK_MS = 2_000
/** A lease, the silence after which a replica counts as dead, and processes on a busy machine. */
const PATIENCE_MS = 60_000
/** What the Role lets have a Lease. */
const NAMES = ['c1', 'c2']
const LOCKS = NAMES.map((name) => `tokens-${name}`)

let kube: KubeCluster
let postgres: Postgres
let replica: ReplicaConfig
let clusters: TokenClusters
let folder: RunFolder
let database: string
const running: TokenService[] = []

beforeAll(async () => {
  ;[kube, postgres] = await Promise.all([startCluster(), startPostgres()])
  replica = await admitReplicas(kube)
})
afterAll(async () => {
  await kube.stop()
  await postgres[Symbol.asyncDispose]()
})
beforeEach(async () => {
  folder = createRunFolder('kube-runs')
  clusters = await startTokenClusters(2)
  database = await postgres.createDatabase()
})
afterEach(async () => {
  const told: string[] = []
  for (const service of running.splice(0)) {
    service.syncer.signal('SIGCONT')
    told.push(...(await service.findSaid(SECRET)))
    await service[Symbol.asyncDispose]()
  }
  await clusters[Symbol.asyncDispose]()
  folder.remove()
  expect(told).toEqual([])
})

async function serve(tokens: Readonly<Record<string, unknown>> = {}): Promise<TokenService> {
  const service = await startTokenService({
    clusters: clusters.all.map(({ url }, at) => ({ name: NAMES[at] ?? '', url })),
    folder: folder.path,
    tokens,
    config: {
      ...replica.config,
      state: { kind: 'postgres', url: { file: 'state-url' } },
      shutdown: { readinessDelayMs: 0, graceMs: 300 },
    },
    files: { ...replica.files, 'state-url': database },
  })
  running.push(service)
  return service
}

/** Two replicas: the one that leads, and the other. */
async function servePair(tokens?: Readonly<Record<string, unknown>>): Promise<readonly [TokenService, TokenService]> {
  const pair = [await serve(tokens), await serve(tokens)]
  const leader = await awaitLeader(
    pair.map(({ syncer }) => syncer),
    PATIENCE_MS,
  )
  const [leading] = pair.filter(({ syncer }) => syncer === leader)
  const [other] = pair.filter(({ syncer }) => syncer !== leader)
  if (leading === undefined || other === undefined) throw new Error('there are two replicas')
  return [leading, other]
}

function hold(...kinds: readonly string[]): void {
  for (const cluster of clusters.all) cluster.fault = ({ kind }) => (kinds.includes(kind) ? 'hang' : undefined)
}

function letGo(): void {
  for (const cluster of clusters.all) cluster.fault = () => undefined
}

const readRuns = async ({ client }: TokenService): Promise<readonly Run[]> =>
  (await client.listRuns({ query: { limit: 1_000 } })).items.map(asTokenRun).toReversed()

/** Fencing tokens of the locks that the run worked under, in the order of the clusters. */
function fencesOf({ locks = [] }: Run): readonly bigint[] {
  expect(locks.map(({ name }) => name)).toEqual(LOCKS)
  return locks.map(({ token }) => BigInt(token))
}

function expectLater(later: Run, earlier: Run): void {
  const before = fencesOf(earlier)
  fencesOf(later).forEach((fence, at) => {
    expect(fence).toBeGreaterThan(before[at] ?? 0n)
  })
}

describe('replicas of the service', () => {
  it('start each scheduled run once, under a lock for each cluster whose token grows', async () => {
    const [leading, other] = await servePair({ schedule: '* * * * * *' })
    clusters.edit(0, 'new', 'new')
    await eventually(() => clusters.shown()[0] === 'new: new new', PATIENCE_MS)
    await waitUntil(
      async () => (await readRuns(other)).filter(({ endedAt }) => endedAt !== null).length >= 4,
      PATIENCE_MS,
    )
    const runs = (await readRuns(other)).filter(({ endedAt }) => endedAt !== null)
    expect(new Set(runs.map(({ trigger, state }) => `${trigger} ${state}`))).toEqual(new Set(['schedule succeeded']))
    expect(leading.syncer.log()).toContain('"trigger":"schedule"')
    expect(other.syncer.log()).not.toContain('"trigger":"schedule"')
    runs.slice(1).forEach((run, at) => {
      const before = runs[at]
      if (before === undefined) throw new Error('every run but the first has one before it')
      expect(Date.parse(run.createdAt)).toBeGreaterThanOrEqual(Date.parse(String(before.endedAt)))
      expectLater(run, before)
    })
    for (const name of LOCKS) expect(await readLease(kube, NAMESPACE, `syncer.lock.${name}`)).toBeDefined()
    const [mine, theirs] = await Promise.all(
      [leading, other].map(async ({ client }) => (await client.getStatus()).schedules?.[0]),
    )
    expect(mine?.nextAt).not.toBeNull()
    expect(theirs).toMatchObject({ name: 'tokens', nextAt: null })
  })

  it('show, follow, cancel and refuse for each other', async () => {
    const [one, other] = await servePair()
    for (const n of [1, 2, 3]) clusters.edit(0, `token-${n}`, 'new')
    for (const cluster of clusters.all) {
      cluster.fault = ({ kind, token }) => (kind === 'store' && token === 'token-3' ? 'hang' : undefined)
    }
    const { id } = (await one.sync()).body
    const items: string[] = []
    const reading = (async () => {
      for await (const { event, data } of other.client.streamRunEvents({ path: { id } })) {
        if (event === 'item') items.push(asTokenItem(data).id)
        if (event === 'end') return data
      }
      return undefined
    })()
    await eventually(() => items.length === 2, PATIENCE_MS)
    expect(items.toSorted()).toEqual(['token-1', 'token-2'])
    const seen = await other.client.getRun({ path: { id } })
    expect(seen).toMatchObject({ state: 'running', trigger: 'api' })
    fencesOf(asTokenRun(seen))
    const refused = await other.sync()
    expect(refused.body).toMatchObject({ type: '/problems/run-overlaps', run: { id } })
    await other.client.cancelRun({ path: { id } })
    expect(await reading).toMatchObject({ id, state: 'cancelled' })
    expect(await one.client.getRun({ path: { id } })).toEqual(await other.client.getRun({ path: { id } }))
    expect((await other.items(id)).map((item) => item.id)).toContain('token-1')
    letGo()
    expect((await other.run()).state).toBe('succeeded')
    expect(clusters.shown()).toEqual(['token-1: new new', 'token-2: new new', 'token-3: new new'])
  })

  it.each([
    ['the leader', 0],
    ['another replica', 1],
  ] as const)('take up the run of %s that was killed, under newer locks', async (_, which) => {
    const pair = await servePair()
    const victim = pair[which]
    const survivor = pair[1 - which]
    if (victim === undefined || survivor === undefined) throw new Error('there are two replicas')
    clusters.share('edited')
    clusters.edit(1, 'edited', 'second')
    hold('store')
    const { id } = (await victim.sync()).body
    await eventually(() => clusters.all.some(({ requests }) => requests.store > 0), PATIENCE_MS)
    const killedAt = Date.now()
    await victim.kill()
    letGo()
    await awaitLeader([survivor.syncer], LEASE_MS + SLACK_MS)
    const interrupted = await survivor.ended(id)
    expect(interrupted).toMatchObject({ state: 'interrupted', problem: { type: '/problems/interrupted' } })
    let runs: readonly Run[] = []
    await waitUntil(async () => {
      runs = await readRuns(survivor)
      return runs.length === 2 && runs[1]?.endedAt !== null
    }, PATIENCE_MS)
    const [, again] = runs
    expect(again).toMatchObject({ takesUp: id, state: 'succeeded', trigger: 'api', request: interrupted.request })
    if (again !== undefined) expectLater(again, interrupted)
    expect(clusters.shown()).toEqual(['edited: second second'])
    const atMs = (moment: string | null | undefined) => Date.parse(String(moment)) - killedAt
    console.log(`interrupted after ${atMs(interrupted.endedAt)} ms, taken up at ${atMs(again?.startedAt)} ms`)
  })

  it('go on with the schedule when the one that ran it was killed in the middle of a run', async () => {
    const [leading, other] = await servePair({ schedule: '* * * * * *' })
    await waitUntil(async () => (await readRuns(other)).some(({ state }) => state === 'succeeded'), PATIENCE_MS)
    hold('store')
    clusters.edit(0, 'new', 'new')
    await eventually(() => clusters.all.some(({ requests }) => requests.store > 0), PATIENCE_MS)
    const under = (await readRuns(other)).at(-1)
    expect(under).toMatchObject({ state: 'running', trigger: 'schedule' })
    await leading.kill()
    letGo()
    await eventually(() => clusters.shown()[0] === 'new: new new', PATIENCE_MS)
    expect(await other.ended(String(under?.id))).toMatchObject({ state: 'interrupted' })
    let later: readonly Run[] = []
    await waitUntil(async () => {
      later = (await readRuns(other)).filter(({ id, state }) => id > String(under?.id) && state === 'succeeded')
      return later.length >= 3
    }, PATIENCE_MS)
    expect(other.syncer.log()).toContain('"trigger":"schedule"')
    if (under !== undefined && later[0] !== undefined) expectLater(later[0], under)
  })

  it('let a replica that comes back from a long sleep write nothing more', async () => {
    const [one, other] = await servePair()
    clusters.share('edited')
    clusters.edit(1, 'edited', 'second')
    hold('read')
    const { id } = (await one.sync()).body
    await eventually(() => clusters.all.every(({ requests }) => requests.read > 0), PATIENCE_MS)
    one.syncer.signal('SIGSTOP')
    letGo()
    expect(await other.ended(id)).toMatchObject({ state: 'interrupted' })
    await eventually(() => clusters.shown()[0] === 'edited: second second', PATIENCE_MS)
    const stores = () => clusters.all.map(({ only }) => only('store').length)
    const before = stores()
    one.syncer.signal('SIGCONT')
    // It has noticed when it takes runs again; what the lost run still has to put away may outlast that by a moment.
    await waitUntil(async () => (await one.sync({ dryRun: true }, { Prefer: 'wait=10' })).status === 200, PATIENCE_MS)
    const idle = /^syncer_runs_under_way\{kind="tokens"\} 0$/m
    await waitUntil(async () => idle.test(await one.client.getMetrics()), PATIENCE_MS)
    expect(stores()).toEqual(before)
    expect(await one.client.getRun({ path: { id } })).toMatchObject({ state: 'interrupted' })
  })

  it('stop a run whose locks cannot be kept, and take it up when they can again', async () => {
    const [one, other] = await servePair()
    clusters.edit(0, 'new', 'new')
    hold('list')
    const { id } = (await other.sync()).body
    await eventually(() => clusters.all.every(({ requests }) => requests.list > 0), PATIENCE_MS)
    await kube.killApiServer()
    expect(await one.ended(id)).toMatchObject({ state: 'interrupted', problem: { type: '/problems/lock-lost' } })
    letGo()
    expect(clusters.shown()).toEqual(['new: new -'])
    await kube.startApiServer()
    await eventually(() => clusters.shown()[0] === 'new: new new', PATIENCE_MS)
    const [, again] = await readRuns(one)
    expect(again).toMatchObject({ takesUp: id })
  })
})

describe('a configuration with Leases', () => {
  it.each([
    ['a schedule', { schedule: '* * * * * *' }, 'tokens.schedule'],
    ['following', { follow: true }, 'tokens.follow'],
  ])('and a SQLite file is refused with %s', async (_, starter, named) => {
    const config = {
      ...replica.config,
      listen: { host: '127.0.0.1', port: 0 },
      tokens: { clusters: clusters.all.map(({ url }, at) => ({ name: NAMES[at], url })), ...starter },
    }
    writeFileSync(join(folder.path, 'syncer.yaml'), JSON.stringify(config))
    const { code, err, out } = await runSyncer(['serve'], { cwd: folder.path }).exit
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toContain('state.kind: must be postgres')
    expect(err).toContain(`the runs of ${named}`)
  })
})

// Replicas of the service that share runs: two processes over a real API server (under roles/dsync.yaml) and a real PostgreSQL,
// syncing tokens between two faithful Waiter clusters.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createSyncerClient } from '../../generated/client.ts'
import { type FakeWaiter, startFakeWaiter } from '../fakes/waiter.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { readLease } from './lib/kube-leases.ts'
import { type Postgres, startPostgres } from './lib/postgres.ts'
import { waitUntil } from './lib/server-process.ts'
import { type Syncer, startSyncer } from './lib/syncer.ts'

const NAMESPACE = 'syncer'
const LEASE_MS = 3_000
/** Two leases without a word from its process, and a look of the leader. */
const NOTICED_MS = 4 * LEASE_MS
const LIVE = { cmd: 'run', cpus: 1, mem: 512, name: 'app', version: '1' }

let kube: KubeCluster
let postgres: Postgres
let token: string
let stateUrl: string
let clusters: readonly [FakeWaiter, FakeWaiter]
const running: Syncer[] = []

beforeAll(async () => {
  kube = await startCluster()
  await kube.createNamespace(NAMESPACE).catch(() => undefined)
  await kube.createServiceAccount(NAMESPACE, 'syncer')
  await kube.applyFile('roles/dsync.yaml')
  token = await kube.createToken(NAMESPACE, 'syncer')
  postgres = await startPostgres()
})
afterAll(async () => {
  await postgres?.[Symbol.asyncDispose]()
  await kube?.stop()
})
beforeEach(async () => {
  stateUrl = await postgres.createDatabase()
  const [a, b] = await Promise.all([startFakeWaiter({ name: 'c1' }), startFakeWaiter({ name: 'c2' })])
  clusters = [a, b]
})
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop()
  for (const cluster of clusters) await cluster[Symbol.asyncDispose]()
})

async function start(tokens: object = {}): Promise<Syncer> {
  const kubeConfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: kube.server, 'certificate-authority': 'kube-ca.pem' } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: NAMESPACE } }],
  }
  const service = await startSyncer({
    config: {
      auth: { mode: 'none' },
      kubernetes: { kubeConfig: 'kubeconfig' },
      dsync: { driver: 'kubernetes', leaseDurationMs: LEASE_MS },
      state: { kind: 'postgres', url: { env: 'STATE_URL' } },
      tokens: { clusters: clusters.map(({ name, url }) => ({ name, url })), idleTimeoutMs: 60_000, ...tokens },
    },
    files: { kubeconfig: JSON.stringify(kubeConfig), 'kube-ca.pem': kube.ca },
    env: { STATE_URL: stateUrl },
  })
  running.push(service)
  return service
}

const clientOf = ({ baseUrl }: Syncer) => createSyncerClient({ baseUrl })
const stateOf = async (service: Syncer, id: string) => (await clientOf(service).getRun({ path: { id } })).state
const hang = () => {
  for (const cluster of clusters) cluster.fault = ({ kind }) => (kind === 'list' ? 'hang' : undefined)
}
const heal = () => {
  for (const cluster of clusters) cluster.fault = () => undefined
}
const listed = () => waitUntil(() => clusters[0].only('list').length > 0, 10_000)
const holderOf = async (name: string) =>
  (await readLease(kube, NAMESPACE, `syncer.lock.tokens-${name}`))?.spec.holderIdentity ?? ''

describe('replicas that share their state', () => {
  it('run under the Leases of their clusters, and give these back', async () => {
    const service = await start()
    clusters[0].edit('app', LIVE, 'joe')
    hang()
    const { id } = await clientOf(service).syncTokens({})
    await listed()
    expect([await holderOf('c1'), await holderOf('c2')].every((holder) => holder !== '')).toBe(true)
    const { locks = [] } = await clientOf(service).getRun({ path: { id } })
    expect(locks.map(({ name }) => name)).toEqual(['tokens-c1', 'tokens-c2'])
    for (const one of locks) expect(BigInt(one.token)).toBeGreaterThan(0n)
    await clientOf(service).cancelRun({ path: { id } })
    await waitUntil(async () => (await holderOf('c1')) === '' && (await holderOf('c2')) === '', 5_000)
    heal()
    const run = await clientOf(service).syncTokens({}, { header: { Prefer: 'wait=20' } })
    expect(run.state).toBe('succeeded')
    expect(clusters[1].etag('app')).toBe(clusters[0].etag('app'))
    expect(BigInt(run.locks?.[0]?.token ?? 0)).toBeGreaterThan(BigInt(locks[0]?.token ?? 0))
  })

  it('answer for each other’s runs: by state, by overlap, by events, and when they are cancelled', async () => {
    const [one, other] = [await start(), await start()]
    hang()
    const { id } = await clientOf(one).syncTokens({})
    await listed()
    expect(await stateOf(other, id)).toBe('running')
    await expect(clientOf(other).syncTokens({})).rejects.toMatchObject({ status: 409 })
    const events = fetch(`${other.baseUrl}/v1/runs/${id}/events`).then((answer) => answer.text())
    const startedAt = performance.now()
    await clientOf(other).cancelRun({ path: { id } })
    const ended = await clientOf(other).waitForRun(id, { signal: AbortSignal.timeout(10_000) })
    expect(ended.state).toBe('cancelled')
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    expect(await events).toContain('event: end')
  })

  it('find the run of one that was killed interrupted, and the leader makes it anew, with larger tokens', async () => {
    const [one, other] = [await start(), await start()]
    clusters[0].edit('app', LIVE, 'joe')
    hang()
    const { id } = await clientOf(one).syncTokens({ limit: 7 })
    await listed()
    const before = await clientOf(other).getRun({ path: { id } })
    one.signal('SIGKILL')
    heal()
    await waitUntil(async () => (await stateOf(other, id)) === 'interrupted', NOTICED_MS + LEASE_MS)
    const find = async () => (await clientOf(other).listRuns()).items.find(({ takesUp }) => takesUp === id)
    await waitUntil(async () => (await find())?.state === 'succeeded', 3 * LEASE_MS + 5_000)
    const taker = await find()
    expect(taker?.request).toMatchObject({ limit: 7 })
    expect(clusters[1].etag('app')).toBe(clusters[0].etag('app'))
    expect(BigInt(taker?.locks?.[0]?.token ?? 0)).toBeGreaterThan(BigInt(before.locks?.[0]?.token ?? 0))
    expect((await clientOf(other).listRuns()).items).toHaveLength(2)
  })

  it('take turns at the schedule: only the leader starts runs, and another one goes on when it is gone', async () => {
    const services = [await start({ schedule: '* * * * * *' }), await start({ schedule: '* * * * * *' })]
    const leads = async (service: Syncer) => JSON.parse((await service.get('/v1/status')).body).leader.isLeader === true
    let leader: Syncer | undefined
    await waitUntil(async () => {
      for (const service of services) if (await leads(service)) leader = service
      return leader !== undefined
    }, 3 * LEASE_MS)
    if (leader === undefined) throw new Error('nobody leads')
    const other = services.find((service) => service !== leader)
    if (other === undefined) throw new Error('there are two')
    const count = async () => (await clientOf(other).listRuns({ query: { limit: 1_000 } })).items.length
    const next = async (service: Syncer) => JSON.parse((await service.get('/v1/status')).body).schedules[0].nextAt
    await waitUntil(async () => (await count()) >= 3, 15_000)
    expect([(await next(leader)) === null, (await next(other)) === null]).toEqual([false, true])
    const runs = (await clientOf(other).listRuns({ query: { limit: 1_000 } })).items
    const seconds = runs.map(({ createdAt }) => createdAt.slice(0, 19))
    expect(new Set(seconds).size).toBe(seconds.length)
    leader.signal('SIGKILL')
    const before = await count()
    await waitUntil(async () => (await count()) >= before + 2, 3 * LEASE_MS + NOTICED_MS)
    expect(await next(other)).not.toBeNull()
  })

  it('lose their state for a while, say so, and go on', async () => {
    const service = await start()
    await postgres.end()
    await waitUntil(async () => (await service.get('/readyz')).status === 503, 3 * LEASE_MS)
    expect((await service.get('/readyz?verbose')).body).toContain('"name":"state","ok":false')
    await expect(clientOf(service).syncTokens({})).rejects.toMatchObject({ status: 503 })
    await postgres.start()
    await waitUntil(async () => (await service.get('/readyz')).status === 200, 6 * LEASE_MS)
    const run = await clientOf(service).syncTokens({}, { header: { Prefer: 'wait=20' } })
    expect(run.state).toBe('succeeded')
    expect(service.log()).not.toContain('hunter2')
  })
})

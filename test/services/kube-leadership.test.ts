// Two services as processes that elect a leader over a real API server, each with a ServiceAccount's token under roles/dsync.yaml.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { waitUntil } from './lib/server-process.ts'
import { type Syncer, startSyncer } from './lib/syncer.ts'

const NAMESPACE = 'syncer'
const LEASE_MS = 3_000
/** Kubernetes' own part of a take-over, and a process on a busy machine. */
const SLACK_MS = 1_500

let cluster: KubeCluster
let token: string
const running: Syncer[] = []

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.createNamespace(NAMESPACE).catch(() => undefined)
  await cluster.createServiceAccount(NAMESPACE, 'syncer')
  await cluster.applyFile('roles/dsync.yaml')
  token = await cluster.createToken(NAMESPACE, 'syncer')
})
afterAll(() => cluster.stop())
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop()
})

async function start(): Promise<Syncer> {
  const kubeConfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: cluster.server, 'certificate-authority': 'kube-ca.pem' } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: NAMESPACE } }],
  }
  const service = await startSyncer({
    config: { kubernetes: { kubeConfig: 'kubeconfig' }, dsync: { driver: 'kubernetes', leaseDurationMs: LEASE_MS } },
    files: { kubeconfig: JSON.stringify(kubeConfig), 'kube-ca.pem': cluster.ca },
  })
  running.push(service)
  return service
}

interface Leader {
  readonly driver: string
  readonly name: string | null
  readonly isLeader: boolean
  readonly term: string | null
  readonly expiresInMs: number | null
}

async function leaderOf(service: Syncer): Promise<Leader> {
  return JSON.parse((await service.get('/v1/status')).body).leader
}

/** The one of them that leads, when exactly one does and all know it. */
async function findLeader(services: readonly Syncer[]): Promise<Syncer | undefined> {
  const leaders = await Promise.all(services.map(leaderOf))
  const names = new Set(leaders.map((leader) => leader.name))
  const leading = services.filter((_, i) => leaders[i]?.isLeader)
  return leading.length === 1 && names.size === 1 && !names.has(null) ? leading[0] : undefined
}

async function awaitLeader(services: readonly Syncer[], withinMs: number): Promise<Syncer> {
  let found: Syncer | undefined
  await waitUntil(async () => {
    found = await findLeader(services)
    return found !== undefined
  }, withinMs)
  if (found === undefined) throw new Error('nobody leads')
  return found
}

describe('replicas of the service', () => {
  it('have one leader, which all of them name in status, readiness and metrics', async () => {
    const services = [await start(), await start()]
    const leader = await awaitLeader(services, 2 * LEASE_MS)
    const status = await leaderOf(leader)
    expect(status).toMatchObject({ driver: 'kubernetes', isLeader: true })
    expect(status.term).toMatch(/^[1-9][0-9]*$/)
    expect(status.expiresInMs).toBeGreaterThan(0)
    expect(status.expiresInMs).toBeLessThanOrEqual((LEASE_MS * 2) / 3)
    for (const service of services) {
      const ready = await service.get('/readyz?verbose')
      expect(ready.status).toBe(200)
      expect(ready.body).toMatch(
        service === leader ? /this replica leads, term \d+/ : new RegExp(`${status.name} leads`),
      )
      const metrics = (await service.get('/metrics')).body
      expect(metrics).toContain(`syncer_dsync_is_leader ${service === leader ? 1 : 0}`)
      expect(/^syncer_dsync_term_remaining_seconds /m.test(metrics)).toBe(service === leader)
    }
  })

  it('hand over at once when the leader stops, with a larger term', async () => {
    const services = [await start(), await start()]
    const first = await awaitLeader(services, 2 * LEASE_MS)
    const { term } = await leaderOf(first)
    const others = services.filter((service) => service !== first)
    expect((await first.stop()).code).toBe(0)
    const second = await awaitLeader(others, SLACK_MS)
    expect(BigInt((await leaderOf(second)).term ?? 0)).toBeGreaterThan(BigInt(term ?? 0))
  })

  it('have a new leader within a lease when the leader is killed', async () => {
    const services = [await start(), await start()]
    const first = await awaitLeader(services, 2 * LEASE_MS)
    const others = services.filter((service) => service !== first)
    first.signal('SIGKILL')
    await awaitLeader(others, LEASE_MS + SLACK_MS)
  })

  it('go on answering while the API server is away, without a leader, and have one again afterwards', async () => {
    const services = [await start(), await start()]
    await awaitLeader(services, 2 * LEASE_MS)
    await cluster.killApiServer()
    await waitUntil(
      async () => (await Promise.all(services.map(leaderOf))).every((leader) => !leader.isLeader),
      LEASE_MS + SLACK_MS,
    )
    for (const service of services) {
      expect((await service.get('/readyz')).status).toBe(200)
      expect((await service.get('/metrics')).body).toContain('syncer_dsync_store_up 0')
    }
    await cluster.startApiServer()
    await awaitLeader(services, 3 * LEASE_MS)
  })
})

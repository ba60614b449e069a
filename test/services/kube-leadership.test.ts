// Two services as processes that elect a leader over a real API server, each with a ServiceAccount's token under roles/dsync.yaml.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { admitReplicas, awaitLeader, LEASE_MS, leaderOf, type ReplicaConfig } from './lib/kube-replicas.ts'
import { waitUntil } from './lib/server-process.ts'
import { type Syncer, startSyncer } from './lib/syncer.ts'

/** Kubernetes' own part of a take-over, and a process on a busy machine. */
const SLACK_MS = 1_500

let cluster: KubeCluster
let replica: ReplicaConfig
const running: Syncer[] = []

beforeAll(async () => {
  cluster = await startCluster()
  replica = await admitReplicas(cluster)
})
afterAll(() => cluster.stop())
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop()
})

async function start(): Promise<Syncer> {
  const service = await startSyncer(replica)
  running.push(service)
  return service
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

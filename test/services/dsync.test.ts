import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createKubernetesDriver, Dsync, type DsyncOptions } from '../../src/dsync/index.ts'
import { encodeLease, type LeaseRecord, toMicroTime } from '../../src/dsync/lease.ts'
import { describeDriver, LEASE_NAMES } from '../conformance/dsync-driver.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import {
  dsyncRule,
  isRequest,
  leasePath,
  leaseRequests,
  openLeaseScene,
  readLease,
  removeLease,
} from './lib/kube-leases.ts'
import { waitUntil } from './lib/server-process.ts'

const NAMESPACE = 'syncer'
const FAST: DsyncOptions = { scope: 'test', leaseDurationMs: 3_000, renewDeadlineMs: 2_000 }
const NAMES = ['requests', 'waiters', 'fields', 'token', 'frozen', 'killed'].flatMap((name) => [
  `test.election.${name}`,
  `test.lock.${name}`,
])

let cluster: KubeCluster
let token: string
const stops: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  cluster = await startCluster()
  token = await cluster.serviceAccountToken(NAMESPACE, 'conformance', dsyncRule([...LEASE_NAMES, ...NAMES, 'raw']))
})
afterAll(() => cluster.stop())
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function openDriver(bearer: () => string = () => token) {
  const driver = await createKubernetesDriver({
    namespace: NAMESPACE,
    server: cluster.server,
    ca: cluster.ca,
    token: bearer,
  })
  stops.push(async () => driver[Symbol.asyncDispose]())
  return driver
}

async function campaign(instance: string, name: string, options = FAST, bearer?: () => string) {
  const election = new Dsync(await openDriver(bearer), instance, options).election(name)
  stops.push(() => election.stop({ graceMs: 0 }))
  return election
}

describeDriver('the Kubernetes driver, under the Role of roles/dsync.yaml', () =>
  openLeaseScene(cluster, NAMESPACE, token),
)

describe('the Role of roles/dsync.yaml', () => {
  it('is enough to lead with, allows no other Lease, and nothing else', async () => {
    await cluster.createServiceAccount('syncer', 'syncer')
    await cluster.applyFile('roles/dsync.yaml')
    const own = await cluster.createToken('syncer', 'syncer')
    const election = await campaign('pod', 'schedule', { ...FAST, scope: 'syncer' }, () => own)
    await waitUntil(() => election.isLeader, 5_000)
    const path = leasePath('syncer', 'syncer.election.schedule')
    for (const [method, target] of [
      ['GET', leasePath('syncer', 'another')],
      ['GET', path.slice(0, path.lastIndexOf('/'))],
      ['DELETE', path],
    ] as const) {
      expect([method, (await cluster.request(method, target, undefined, own)).status]).toEqual([method, 403])
    }
    const other = await campaign('pod', 'another', { ...FAST, scope: 'syncer' }, () => own)
    await waitUntil(() => other.problem !== undefined, 5_000)
    expect(other.isLeader).toBe(false)
    expect(String(other.problem)).toContain('403')
  })
})

describe('a real API server', () => {
  const path = leasePath(NAMESPACE, 'raw')
  const record: LeaseRecord = {
    holder: 'a',
    durationMs: 3_000,
    acquireTime: toMicroTime(Date.now(), 1),
    renewTime: toMicroTime(Date.now(), 1),
    transitions: 0,
    kept: {},
  }
  const put = async (body: unknown) => (await cluster.request('PUT', path, body)).status
  const encode = (base?: { readonly uid: string; readonly version: string }) =>
    encodeLease('raw', NAMESPACE, record, base)

  it('creates by a PUT without resourceVersion, and calls it invalid when there is one', async () => {
    expect(await put(encode())).toBe(201)
    expect(await put(encode())).toBe(422)
  })

  it('brings a deleted Lease back to life unless the PUT has its uid', async () => {
    const lease = await readLease(cluster, NAMESPACE, 'raw')
    const base = { uid: lease?.metadata.uid ?? '', version: lease?.metadata.resourceVersion ?? '' }
    await removeLease(cluster, NAMESPACE, 'raw')
    expect(await put(encode(base))).toBe(409)
    const { uid: _uid, ...withoutUid } = encode(base).metadata
    expect(await put({ ...encode(base), metadata: withoutUid })).toBe(201)
  })

  it('refuses what the seed wrote: no duration; and a time with other than six digits', async () => {
    const lease = await readLease(cluster, NAMESPACE, 'raw')
    const base = { uid: lease?.metadata.uid ?? '', version: lease?.metadata.resourceVersion ?? '' }
    const body = encode(base)
    expect(await put({ ...body, spec: { ...body.spec, leaseDurationSeconds: 0 } })).toBe(422)
    expect(await put({ ...body, spec: { ...body.spec, renewTime: new Date().toISOString() } })).toBe(400)
    expect(await put(body)).toBe(200)
  })
})

describe('an election on a real API server', () => {
  it('writes what others can read', async () => {
    const election = await campaign('pod-a', 'fields')
    await waitUntil(() => election.isLeader, 5_000)
    const lease = await readLease(cluster, NAMESPACE, 'test.election.fields')
    expect(lease?.spec).toMatchObject({
      holderIdentity: expect.stringMatching(/^pod-a_/),
      leaseDurationSeconds: 3,
      leaseTransitions: 0,
    })
    expect(lease?.spec.renewTime).toMatch(/\.\d{6}Z$/)
    expect(String(election.term?.token)).toBe(lease?.metadata.resourceVersion)
  })

  it('asks for little: a renewal every third of the lease, and nothing of those who follow', async () => {
    const options = { scope: 'test', leaseDurationMs: 6_000, renewDeadlineMs: 4_000 }
    const leader = await campaign('pod-a', 'requests', options)
    await waitUntil(() => leader.isLeader, 5_000)
    const follower = await campaign('pod-b', 'requests', options)
    await waitUntil(() => follower.leader !== undefined, 5_000)
    await sleep(200)
    const before = leaseRequests(cluster, 'test.election.requests').length
    await sleep(12_100)
    const verbs = leaseRequests(cluster, 'test.election.requests').slice(before)
    expect(verbs.every((verb) => verb === 'update')).toBe(true)
    expect(verbs.length).toBeGreaterThanOrEqual(5)
    expect(verbs.length).toBeLessThanOrEqual(6)
    expect(leader.isLeader).toBe(true)
  })

  it('sends one request for a lock that stays held, and asks for a watch that lasts', async () => {
    const holder = new Dsync(await openDriver(), 'pod-a', FAST).lock('waiters')
    await holder.lock()
    const before = cluster.readAudit().length
    const waiter = new Dsync(await openDriver(), 'pod-b', FAST).lock('waiters')
    const waiting = new AbortController()
    const refused = expect(waiter.lock({ signal: waiting.signal })).rejects.toMatchObject({ code: 'Aborted' })
    await sleep(5_000)
    const asked = cluster
      .readAudit()
      .slice(before)
      .filter(isRequest)
      .filter(({ requestURI, verb }) => requestURI.includes('test.lock.waiters') && verb !== 'update')
    expect(asked).toHaveLength(1)
    expect(asked[0]?.verb).toBe('watch')
    const seconds = new URL(asked[0]?.requestURI ?? '', 'https://kube').searchParams.get('timeoutSeconds')
    expect(Number(seconds)).toBeGreaterThanOrEqual(300)
    waiting.abort()
    await refused
    await holder.unlock()
  })

  it('goes on when a token is refused and a new one is there', async () => {
    let bearer = token
    const election = await campaign('pod-a', 'token', FAST, () => bearer)
    await waitUntil(() => election.isLeader, 5_000)
    bearer = 'no-such-token'
    await waitUntil(() => !election.isLeader, 4_000)
    expect(String(election.problem)).toContain('401')
    expect(String(election.problem)).not.toContain('no-such-token')
    bearer = token
    await waitUntil(() => election.isLeader, 6_000)
  })

  it.each([
    ['frozen', () => cluster.freezeEtcd(), async () => cluster.thawEtcd()],
    ['killed', () => cluster.killApiServer(), () => cluster.startApiServer()],
  ])('lets go in time when the store is %s, and leads again when it is back', async (name, breakIt, repair) => {
    const elections = [await campaign('pod-a', name), await campaign('pod-b', name)]
    await waitUntil(() => elections.some((one) => one.isLeader), 5_000)
    const leader = elections.find((one) => one.isLeader)
    const brokenAt = performance.now()
    let lostAt = 0
    leader?.once('change', () => {
      lostAt = performance.now()
    })
    await breakIt()
    try {
      await waitUntil(() => lostAt > 0, 5_000)
      expect(lostAt - brokenAt).toBeLessThan(2_000 + 250 + 300)
      await sleep(2_000)
      expect(elections.filter((one) => one.isLeader)).toEqual([])
    } finally {
      await repair()
    }
    const bound = 3_000 + 600 + 2_000
    await waitUntil(() => elections.some((one) => one.isLeader), bound)
    expect(elections.filter((one) => one.isLeader)).toHaveLength(1)
  })
})

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { createKubeClient, type KubeClient } from '../../src/lib/kube/client.ts'
import { parseWatchEvent, splitLines, type WatchEvent } from '../../src/lib/kube/watch-events.ts'
import { type KubeCluster, type Manifest, startCluster } from './lib/kube-cluster.ts'
import { endpoint, follow, SLICES, slice } from './lib/kube-gateway.ts'
import { mountServiceAccount } from './lib/kube-pod-credentials.ts'

const ROLES = join(import.meta.dirname, '../../roles')
const ACCOUNT = 'system:serviceaccount:syncer:syncer'
/** How soon a change is to be known, in milliseconds. */
const SOON_MS = 250

let cluster: KubeCluster
let client: KubeClient

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.createNamespace('gateway')
  await cluster.applyFile(join(ROLES, 'gateway-service.yaml'))
  const token = await cluster.serviceAccountToken('syncer', 'syncer')
  const { credentials } = await mountServiceAccount(cluster, systemClock, {
    name: 'syncer',
    namespace: 'syncer',
    token,
  })
  client = createKubeClient({ credentials, clock: systemClock })
})
afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await cluster.stop()
})

async function clear(path: string): Promise<void> {
  const { status } = await cluster.request('DELETE', path)
  expect(status).toBe(200)
}

describe('the EndpointSlices of the gateway’s Service', () => {
  afterEach(() => clear(SLICES))

  it('may be read with the role as it is shipped, and nothing else may', async () => {
    const token = await cluster.createToken('syncer', 'syncer')
    const ask = async (method: string, path: string, body?: unknown) =>
      (await cluster.request(method, path, body, token)).status
    const stored = slice('one', [endpoint(1)])
    await cluster.apply(stored)
    expect(await ask('GET', SLICES)).toBe(200)
    expect(await ask('GET', `${SLICES}/one`)).toBe(403)
    expect(await ask('POST', SLICES, slice('two', []))).toBe(403)
    expect(await ask('PUT', `${SLICES}/one`, stored)).toBe(403)
    expect(await ask('DELETE', `${SLICES}/one`)).toBe(403)
    expect(await ask('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices')).toBe(403)
    expect(await ask('GET', '/apis/discovery.k8s.io/v1/endpointslices')).toBe(403)
    expect(await ask('GET', '/api/v1/namespaces/gateway/pods')).toBe(403)
    expect(await ask('GET', '/api/v1/namespaces/gateway/secrets')).toBe(403)
  })

  it('are read by one watch-list that goes on as a watch, with no list beside it', async () => {
    await cluster.apply(slice('one', [endpoint(1), endpoint(2)]))
    const before = cluster.readAudit().length
    await using followed = follow({ client })
    const { discovery } = followed
    await followed.becomes('gw-1', 'gw-2')
    expect(discovery.replicas).toEqual([
      { name: 'gw-1', address: '10.1.0.1', port: 8443, terminating: false },
      { name: 'gw-2', address: '10.1.0.2', port: 8443, terminating: false },
    ])
    expect(discovery.problem).toBeUndefined()
    await cluster.apply(slice('one', [endpoint(2)]))
    await followed.becomes('gw-2')
    const asked = cluster
      .readAudit()
      .slice(before)
      .filter(({ user }) => user.username === ACCOUNT)
    expect(asked.map(({ verb, stage }) => `${verb} ${stage}`)).toEqual(['watch ResponseStarted'])
    const query = new URL(asked[0]?.requestURI ?? '', cluster.server).searchParams
    expect(Object.fromEntries(query)).toMatchObject({
      labelSelector: 'kubernetes.io/service-name=gw',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
    })
  })

  it('are an empty list, not none, while the Service has no Pods', async () => {
    await using followed = follow({ client })
    await followed.becomes()
    await cluster.apply(slice('one', [endpoint(1)]))
    await followed.becomes('gw-1')
  })

  it('are known within 250 ms of each creation, change and deletion', async () => {
    await using followed = follow({ client })
    await followed.becomes()
    const draining = { ready: false, serving: true, terminating: true }
    const steps: readonly (readonly [write: () => Promise<unknown>, names: readonly string[]])[] = [
      [() => cluster.apply(slice('a', [endpoint(1)])), ['gw-1']],
      [() => cluster.apply(slice('a', [endpoint(1), endpoint(2)])), ['gw-1', 'gw-2']],
      [() => cluster.apply(slice('b', [endpoint(3), endpoint(4, {})])), ['gw-1', 'gw-2', 'gw-3', 'gw-4']],
      [() => cluster.apply(slice('a', [endpoint(1), endpoint(2, { ready: false })])), ['gw-1', 'gw-3', 'gw-4']],
      [() => cluster.apply(slice('a', [endpoint(2, draining)])), ['gw-2', 'gw-3', 'gw-4']],
      // A Pod that moves from one slice to the other is there once.
      [() => cluster.apply(slice('b', [endpoint(2, draining), endpoint(3)])), ['gw-2', 'gw-3']],
      [() => cluster.remove(slice('a', [])), ['gw-2', 'gw-3']],
      // It now belongs to another Service: gone from what is watched.
      [() => cluster.apply(slice('b', [endpoint(3)], 'another')), []],
      [() => cluster.apply(slice('b', [endpoint(3)])), ['gw-3']],
      [() => cluster.remove(slice('b', [])), []],
    ]
    const lateness: number[] = []
    for (const [write, names] of steps) {
      const before = followed.names
      await write()
      const writtenAt = performance.now()
      const knownAt = await followed.becomes(...names)
      if (names.join() !== before?.join()) lateness.push(knownAt - writtenAt)
    }
    expect(lateness).toHaveLength(9)
    expect(Math.max(...lateness)).toBeLessThan(SOON_MS)
  })

  it('tell of a Pod on its way out that it is one', async () => {
    await cluster.apply(slice('a', [endpoint(1), endpoint(2, { ready: false, serving: true, terminating: true })]))
    await using followed = follow({ client })
    const { discovery } = followed
    await followed.becomes('gw-1', 'gw-2')
    expect(discovery.replicas?.map(({ terminating }) => terminating)).toEqual([false, true])
  })

  it('are read at once when somebody asks for a refresh', async () => {
    await cluster.apply(slice('a', [endpoint(1)]))
    await using followed = follow({ client })
    const { discovery } = followed
    await followed.becomes('gw-1')
    const before = cluster.readAudit().length
    await Promise.all(Array.from({ length: 20 }, () => discovery.refresh(AbortSignal.timeout(5_000))))
    const lists = cluster.readAudit().slice(before)
    expect(lists.filter(({ verb, user }) => verb === 'list' && user.username === ACCOUNT)).toHaveLength(1)
  })
})

describe('a history that is no longer kept', () => {
  afterEach(() => clear(SLICES))

  /** What the server says to a watch from there until it closes. */
  async function watchFrom(resourceVersion: string): Promise<readonly WatchEvent<Manifest>[]> {
    const query = { watch: 'true', resourceVersion, timeoutSeconds: '5' }
    using stream = await client.stream({ method: 'GET', path: SLICES, query, timeoutMs: 5_000 })
    let said = ''
    for await (const chunk of stream.chunks) said += Buffer.from(chunk).toString('utf8')
    return splitLines('', said).lines.map((line) => parseWatchEvent<Manifest>(line))
  }

  it('is told as an event in an answer of 200, and as 410 where pages are read', async () => {
    const first = await cluster.apply(slice('a', [endpoint(1)]))
    for (const n of [2, 3, 4]) await cluster.apply(slice(`a${n}`, [endpoint(n)]))
    const page = (await client.request({ method: 'GET', path: SLICES, query: { limit: '1' }, timeoutMs: 5_000 })) as {
      readonly metadata: { readonly continue: string }
    }
    await cluster.apply(slice('a', [endpoint(1), endpoint(5)]))
    await cluster.compact()
    await cluster.restartApiServer()

    expect(await watchFrom(first.metadata.resourceVersion ?? '')).toEqual([
      { type: 'error', error: expect.objectContaining({ code: 'gone', status: 410 }) },
    ])
    const rest = { limit: '1', continue: page.metadata.continue }
    await expect(client.request({ method: 'GET', path: SLICES, query: rest, timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'gone',
      status: 410,
    })
  })

  it('does not keep the list from being followed', async () => {
    await cluster.apply(slice('a', [endpoint(1)]))
    await using followed = follow({ client })
    await followed.becomes('gw-1')
    await cluster.apply(slice('b', [endpoint(2)]))
    await followed.becomes('gw-1', 'gw-2')
    await cluster.compact()
    await cluster.restartApiServer()
    await cluster.remove(slice('b', []))
    await followed.becomes('gw-1')
  })
})

describe('an API server that is away', () => {
  afterEach(() => clear(SLICES))

  it('leaves the last good list, whose age and problem are told, and is followed again when it is back', async () => {
    await cluster.apply(slice('a', [endpoint(1), endpoint(2)]))
    await using followed = follow({ client })
    const { discovery } = followed
    await followed.becomes('gw-1', 'gw-2')
    const known = discovery.replicas

    await cluster.killApiServer()
    await expect.poll(() => discovery.problem, { timeout: 2_000 }).toMatch(/failed|ECONNREFUSED/)
    expect(discovery.replicas).toBe(known)
    const young = discovery.ageMs() ?? 0
    const startedAt = performance.now()
    await discovery.refresh(AbortSignal.timeout(5_000))
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    await sleep(1_000)
    expect(discovery.ageMs()).toBeGreaterThan(young + 900)
    expect(discovery.replicas).toBe(known)

    await cluster.startApiServer()
    await cluster.apply(slice('a', [endpoint(2), endpoint(3)]))
    await followed.becomes('gw-2', 'gw-3')
    expect(discovery.problem).toBeUndefined()
    expect(discovery.ageMs()).toBeLessThan(1_000)

    const writtenAt = performance.now()
    await cluster.apply(slice('a', [endpoint(3)]))
    expect((await followed.becomes('gw-3')) - writtenAt).toBeLessThan(SOON_MS)
  })

  it('is waited for by a service that starts before it', async () => {
    await cluster.apply(slice('a', [endpoint(1)]))
    await cluster.killApiServer()
    await using followed = follow({ client })
    const { discovery } = followed
    await expect.poll(() => discovery.problem, { timeout: 2_000 }).toBeDefined()
    expect(discovery.replicas).toBeUndefined()
    expect(discovery.ageMs()).toBeUndefined()
    await cluster.startApiServer()
    await followed.becomes('gw-1')
  })

  it('keeps the list while etcd is frozen, and tells what changed afterwards', async () => {
    await cluster.apply(slice('a', [endpoint(1)]))
    await using followed = follow({ client })
    const { discovery } = followed
    await followed.becomes('gw-1')
    const known = discovery.replicas
    cluster.freezeEtcd()
    try {
      const startedAt = performance.now()
      await discovery.refresh(AbortSignal.timeout(5_000))
      expect(performance.now() - startedAt).toBeLessThan(1_000)
      expect(discovery.replicas).toBe(known)
    } finally {
      cluster.thawEtcd()
    }
    await expect.poll(() => isReady(cluster), { timeout: 10_000 }).toBe(true)
    await cluster.apply(slice('a', [endpoint(1), endpoint(2)]))
    await followed.becomes('gw-1', 'gw-2')
  })

  it('gives the list to a service that started while etcd was frozen', async () => {
    await cluster.apply(slice('a', [endpoint(1)]))
    cluster.freezeEtcd()
    await using followed = follow({ client })
    try {
      await sleep(1_000)
    } finally {
      cluster.thawEtcd()
    }
    await followed.becomes('gw-1')
  })

  it('keeps the list while the API server itself is frozen', async () => {
    await cluster.apply(slice('a', [endpoint(1)]))
    await using followed = follow({ client })
    await followed.becomes('gw-1')
    cluster.freezeApiServer()
    try {
      const startedAt = performance.now()
      await followed.discovery.refresh(AbortSignal.timeout(5_000))
      expect(performance.now() - startedAt).toBeLessThan(1_000)
      expect(followed.names).toEqual(['gw-1'])
    } finally {
      cluster.thawApiServer()
    }
    await cluster.apply(slice('a', [endpoint(2)]))
    await followed.becomes('gw-2')
  })
})

async function isReady(one: KubeCluster): Promise<boolean> {
  const { status } = await one.request('GET', '/readyz')
  return status === 200
}

describe('the Pods of a gateway without a Service', () => {
  const PODS = '/api/v1/namespaces/gateway/pods'
  beforeAll(async () => {
    await cluster.applyFile(join(ROLES, 'gateway-selector.yaml'))
    await cluster.createServiceAccount('gateway', 'default') // no controller makes it here
  })
  afterEach(() => clear(`${PODS}?gracePeriodSeconds=0`))

  /** A Pod of the gateway, as its kubelet would tell of it; nothing runs. */
  async function run(n: number, ready: boolean, labels: Readonly<Record<string, string>> = { app: 'gw' }) {
    const identity = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `gw-${n}`, namespace: 'gateway' } }
    const containers = [{ name: 'nginx', image: 'nginx', ports: [{ name: 'probe', containerPort: 8443 }] }]
    const spec = { containers, nodeName: 'node', automountServiceAccountToken: false }
    await cluster.apply({ ...identity, metadata: { ...identity.metadata, labels }, spec })
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
    const podIP = `10.1.0.${n}`
    const writtenAt = performance.now()
    await cluster.applyStatus({ ...identity, status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions } })
    return writtenAt
  }

  it('are known when they become ready, fail, go away and are gone', async () => {
    await using followed = follow({ client, selector: 'app=gw' })
    const { discovery } = followed
    await followed.becomes()
    await run(9, true, { app: 'another' })
    const writtenAt = await run(1, true)
    expect((await followed.becomes('gw-1')) - writtenAt).toBeLessThan(SOON_MS)
    expect(discovery.replicas).toEqual([{ name: 'gw-1', address: '10.1.0.1', port: 8443, terminating: false }])
    await run(2, true)
    await followed.becomes('gw-1', 'gw-2')
    await run(1, false)
    await followed.becomes('gw-2')
    await run(1, true)
    await followed.becomes('gw-1', 'gw-2')
    // Its kubelet is to end it within half a minute, and there is none.
    expect((await cluster.request('DELETE', `${PODS}/gw-2`)).status).toBe(200)
    await expect.poll(() => discovery.replicas?.map(({ terminating }) => terminating)).toEqual([false, true])
    expect((await cluster.request('DELETE', `${PODS}/gw-2?gracePeriodSeconds=0`)).status).toBe(200)
    await followed.becomes('gw-1')
  })

  it('may be read with the role as it is shipped, and not be changed', async () => {
    await run(1, true)
    const token = await cluster.createToken('syncer', 'syncer')
    const ask = async (method: string, path: string) => (await cluster.request(method, path, undefined, token)).status
    expect(await ask('GET', `${PODS}/gw-1`)).toBe(403)
    expect(await ask('GET', PODS)).toBe(200)
    expect(await ask('DELETE', `${PODS}/gw-1`)).toBe(403)
    expect(await ask('GET', `${PODS}/gw-1/log`)).toBe(403)
    expect(await ask('GET', '/api/v1/namespaces/syncer/pods')).toBe(403)
  })
})

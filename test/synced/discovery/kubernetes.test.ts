import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKubeClient, type KubeClient } from '../../../src/lib/kube/client.ts'
import { createGivenCredentials } from '../../../src/lib/kube/credentials.ts'
import { createKubernetesDiscovery } from '../../../src/synced/discovery/kubernetes.ts'
import type { Discovery } from '../../../src/synced/replica.ts'
import { FakeKubeApi } from '../../fakes/kube-api.ts'
import { eventually } from '../../lib/eventually.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

const SLICES = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices'
const PODS = '/api/v1/namespaces/shop/pods'
const NEVER = new AbortController().signal

let api: FakeKubeApi
let clock: FakeClock
let client: KubeClient
let discovery: Discovery
let changes: number

beforeEach(async () => {
  api = await FakeKubeApi.start()
  api.define(SLICES)
  api.define(PODS)
  clock = new FakeClock()
  changes = 0
  client = createKubeClient({
    credentials: createGivenCredentials({
      server: api.origin,
      ca: api.ca.cert,
      token: () => api.token,
      namespace: 'shop',
    }),
    clock,
  })
})

afterEach(async () => {
  await discovery[Symbol.asyncDispose]()
  expect(clock.pending).toBe(0)
  await client[Symbol.asyncDispose]()
  await api[Symbol.asyncDispose]()
  expect(api.unexpected).toEqual([])
})

const options = () => ({ defaultPort: 8443, maxAgeMs: 300_000, client, clock, random: () => 0.999 })

function follow(which: { service?: string; selector?: string; portName?: string } = { service: 'gw' }): void {
  discovery = createKubernetesDiscovery({ ...options(), ...which })
  discovery.start(() => changes++)
}

function putSlice(
  name: string,
  endpoints: Record<string, { ready?: boolean; serving?: boolean; terminating?: boolean }>,
  service = 'gw',
): void {
  api.put(SLICES, {
    metadata: { name, labels: { 'kubernetes.io/service-name': service } },
    ...{
      addressType: 'IPv4',
      ports: [{ name: 'https', port: 9443 }],
      endpoints: Object.entries(endpoints).map(([address, conditions]) => ({ addresses: [address], conditions })),
    },
  })
}

const tells = (...addresses: string[]) =>
  eventually(() => discovery.replicas?.map((replica) => replica.address).join() === addresses.join())

describe('discovery by EndpointSlices', () => {
  it('follows the slices of one Service', async () => {
    putSlice('gw-a', { '10.0.0.1': {}, '10.0.0.2': { ready: false } })
    putSlice('web-a', { '10.0.0.9': {} }, 'web')
    follow({ service: 'gw', portName: 'https' })
    await tells('10.0.0.1')
    expect(discovery.replicas?.[0]?.port).toBe(9443)
    putSlice('gw-b', { '10.0.0.3': { ready: false, serving: true, terminating: true } })
    await tells('10.0.0.1', '10.0.0.3')
    expect(discovery.replicas?.[1]?.terminating).toBe(true)
    api.remove(SLICES, 'gw-a')
    await tells('10.0.0.3')
    expect(changes).toBe(3)
  })

  it('tells a change of the slices only when the replicas changed', async () => {
    putSlice('gw-a', { '10.0.0.1': {} })
    follow()
    await tells('10.0.0.1')
    const before = discovery.replicas
    putSlice('gw-a', { '10.0.0.1': { ready: true } })
    putSlice('gw-b', { '10.0.0.2': {} })
    await tells('10.0.0.1', '10.0.0.2')
    expect(discovery.replicas).not.toBe(before)
    expect(changes).toBe(2)
  })

  it('has no list and no age before the server has told', () => {
    follow()
    expect([discovery.replicas, discovery.ageMs(), discovery.problem]).toEqual([undefined, undefined, undefined])
  })

  it('tells a new replica without any time going by', async () => {
    follow()
    await tells()
    putSlice('gw-a', { '10.0.0.1': {} })
    await tells('10.0.0.1')
    expect(clock.now()).toBe(0)
  })

  it('keeps the list while the server is away, tells its age and why', async () => {
    putSlice('gw-a', { '10.0.0.1': {} })
    follow()
    await tells('10.0.0.1')
    api.fault = () => 'reset'
    api.resetWatches()
    await eventually(() => discovery.problem !== undefined)
    await clock.advance(50)
    expect(discovery.ageMs()).toBe(50)
    expect(discovery.replicas).toHaveLength(1)
    expect(discovery.problem).toMatch(/^GET \/apis\/discovery.k8s.io\/v1\/namespaces\/shop\/endpointslices failed: /)
  })
})

describe('discovery by Pods', () => {
  it('follows the Pods that the selector selects', async () => {
    const put = (name: string, app: string, podIP: string) =>
      api.put(PODS, {
        metadata: { name, uid: name, labels: { app } },
        ...{ status: { podIP, conditions: [{ type: 'Ready', status: 'True' }] } },
      })
    put('gw-0', 'gw', '10.0.0.1')
    put('web-0', 'web', '10.0.0.9')
    follow({ selector: 'app=gw' })
    await tells('10.0.0.1')
    put('gw-1', 'gw', '10.0.0.2')
    await tells('10.0.0.1', '10.0.0.2')
    expect(discovery.replicas?.map((replica) => replica.name)).toEqual(['gw-0', 'gw-1'])
  })
})

describe('discovery by Kubernetes', () => {
  it.each([[{}], [{ service: 'gw', selector: 'app=gw' }]])('refuses %j: a Service or a selector', async (which) => {
    expect(() => createKubernetesDiscovery({ ...options(), ...which })).toThrow('either `service` or `selector`')
    follow()
    await tells()
  })
})

describe('a refresh by Kubernetes', () => {
  beforeEach(async () => {
    putSlice('gw-a', { '10.0.0.1': {} })
    follow()
    await tells('10.0.0.1')
    api.muted = true
    putSlice('gw-a', { '10.0.0.1': {}, '10.0.0.2': {} })
  })

  it('brings what the watch has not told, once for all who ask at the same time', async () => {
    const all = [1, 2, 3].map(() => discovery.refresh(NEVER))
    await Promise.all(all)
    expect(discovery.replicas).toHaveLength(2)
    expect(api.lists(SLICES)).toHaveLength(1)
    expect(changes).toBe(2)
  })

  it('asks the server at most once a second', async () => {
    for (let i = 0; i < 100; i++) await discovery.refresh(NEVER)
    expect(api.lists(SLICES)).toHaveLength(1)
    await clock.advance(999)
    await discovery.refresh(NEVER)
    expect(api.lists(SLICES)).toHaveLength(1)
    await clock.advance(1)
    await discovery.refresh(NEVER)
    expect(api.lists(SLICES)).toHaveLength(2)
  })

  it('resolves with the old list when the server does not answer in time', async () => {
    api.fault = () => 'silent'
    const refreshed = discovery.refresh(NEVER)
    await eventually(() => api.lists(SLICES).length === 1)
    await clock.advance(500)
    await refreshed
    expect(discovery.replicas).toHaveLength(1)
  })

  it('lets a caller go who no longer waits', async () => {
    api.fault = () => 'silent'
    const caller = new AbortController()
    const refreshed = discovery.refresh(caller.signal)
    caller.abort()
    await refreshed
    await discovery.refresh(caller.signal)
    await eventually(() => api.lists(SLICES).length === 1)
    await clock.advance(500)
  })

  it('resolves when the server refuses', async () => {
    api.fault = () => ({ status: 403 })
    await discovery.refresh(NEVER)
    expect(discovery.replicas).toHaveLength(1)
  })
})

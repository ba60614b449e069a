import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeDns } from '../fakes/dns-server.ts'
import { FakeKubeApi } from '../fakes/kube-api.ts'
import { type GatewayReplica, type NginxGateway, startGateway } from './lib/nginx-gateway.ts'
import { caFile, probeSection, type Syncer, startSyncer } from './lib/syncer.ts'

/** A change of the list is known after this. */
const FOLLOW_MS = 250

let gateway: NginxGateway
let serial = 0
const newToken = (what: string) => `${what}-${process.pid}-${serial++}`
const names = () => gateway.replicas.map(({ name }) => name)
const others = (origin = 'gw-0') => names().filter((name) => name !== origin)

beforeAll(async () => {
  gateway = await startGateway({ replicas: 8 })
})
afterAll(() => gateway.stop())

describe('replicas from the EndpointSlices of a Service', () => {
  const COLLECTION = '/apis/discovery.k8s.io/v1/namespaces/apigw/endpointslices'
  let api: FakeKubeApi

  beforeEach(async () => {
    api = await FakeKubeApi.start()
    api.define(COLLECTION)
  })
  afterEach(async () => {
    await api[Symbol.asyncDispose]()
    expect(api.unexpected).toEqual([])
  })

  type Conditions = { readonly ready: boolean; readonly serving?: boolean; readonly terminating?: boolean }
  const READY: Conditions = { ready: true, serving: true, terminating: false }
  const LEAVING: Conditions = { ready: false, serving: true, terminating: true }
  const GONE: Conditions = { ready: false, serving: false, terminating: true }

  /** Writes a slice with these replicas; those in `conditions` are in that state. */
  function publish(
    slice: string,
    replicas: readonly GatewayReplica[],
    conditions: Readonly<Record<string, Conditions>> = {},
  ): void {
    const endpoints = replicas.map(({ name, address }) => ({
      addresses: [address],
      conditions: conditions[name] ?? READY,
      targetRef: { kind: 'Pod', namespace: 'apigw', name, uid: `uid-of-${name}` },
    }))
    api.put(COLLECTION, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: slice, namespace: 'apigw', labels: { 'kubernetes.io/service-name': 'gw' } },
      addressType: 'IPv4',
      ports: [{ name: 'probe', port: gateway.port, protocol: 'TCP' }],
      endpoints,
    } as Parameters<FakeKubeApi['put']>[1])
  }

  const start = (readyPath = '/readyz') =>
    startSyncer({
      readyPath,
      config: {
        kubernetes: { kubeConfig: 'kube.yaml' },
        gateway: {
          discovery: { kind: 'kubernetes', namespace: 'apigw', service: 'gw', portName: 'probe' },
          probe: probeSection(gateway.tls),
        },
      },
      files: {
        ...caFile(gateway.tls),
        'kube.yaml': JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          'current-context': 'test',
          contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
          clusters: [
            {
              name: 'test',
              cluster: {
                server: api.origin,
                'certificate-authority-data': Buffer.from(api.ca.cert).toString('base64'),
              },
            },
          ],
          users: [{ name: 'test', user: { token: api.token } }],
        }),
      },
    })

  const listed = async (syncer: Syncer): Promise<string[]> => {
    const { body } = await syncer.get('/v1/replicas')
    return JSON.parse(body).items.map(({ name }: { name: string }) => name)
  }

  it('are asked under the names of their pods, from all slices: in a rollout both revisions', async () => {
    publish('gw-old', gateway.replicas.slice(0, 3))
    publish('gw-new', gateway.replicas.slice(3))
    await using syncer = await start()
    const token = newToken('all')
    await gateway.plant(token, names())
    const verdict = await syncer.check(token, 'gw-4')
    expect(verdict).toMatchObject({ verdict: 'Synced' })
    expect(verdict.result.replicas.map(({ name }) => name)).toEqual(others('gw-4'))
    const behind = newToken('behind')
    await gateway.plant(behind, names().slice(3))
    expect(await syncer.check(behind, 'gw-4')).toMatchObject({ verdict: 'Partialy' })
  })

  it('are asked as soon as they are there, and no more when they are gone', async () => {
    publish('gw', gateway.replicas.slice(0, 7))
    await using syncer = await start()
    const token = newToken('follow')
    await gateway.plant(token, others('gw-7'))
    expect(await syncer.check(token, 'gw-0')).toMatchObject({ verdict: 'Synced' })
    const addedAt = performance.now()
    publish('gw', gateway.replicas)
    await expect.poll(() => listed(syncer), { interval: 10 }).toContain('gw-7')
    expect(performance.now() - addedAt).toBeLessThan(FOLLOW_MS)
    expect(await syncer.check(token, 'gw-0')).toMatchObject({ verdict: 'Partialy' })
    const removedAt = performance.now()
    publish('gw', gateway.replicas.slice(0, 7))
    await expect.poll(() => listed(syncer), { interval: 10 }).not.toContain('gw-7')
    expect(performance.now() - removedAt).toBeLessThan(FOLLOW_MS)
    expect(await syncer.check(token, 'gw-0')).toMatchObject({ verdict: 'Synced' })
  })

  it('that join during a check have to have the token too', async () => {
    publish('gw', gateway.replicas.slice(0, 7))
    await using syncer = await start()
    const token = newToken('joins')
    await gateway.plant(token, others().slice(0, -2)) // all but gw-6 and gw-7
    const check = syncer.check(token, 'gw-0')
    await sleep(100)
    publish('gw', gateway.replicas)
    await sleep(FOLLOW_MS)
    await gateway.plant(token, ['gw-6'])
    const verdict = await check
    expect(verdict).toMatchObject({ verdict: 'Partialy' })
    expect(verdict.result.replicas.find(({ name }) => name === 'gw-7')).toMatchObject({ state: 'absent' })
  })

  it('that leave during a check are waited for no longer', async () => {
    publish('gw', gateway.replicas)
    await using syncer = await start()
    const token = newToken('leaves')
    await gateway.plant(
      token,
      others().filter((name) => name !== 'gw-5'),
    )
    gateway.freeze('gw-5')
    try {
      const check = syncer.check(token, 'gw-0')
      await sleep(150)
      publish(
        'gw',
        gateway.replicas.filter(({ name }) => name !== 'gw-5'),
      )
      const verdict = await check
      expect(verdict).toMatchObject({ verdict: 'Synced' })
      expect(verdict.tookMs).toBeLessThan(800)
    } finally {
      gateway.thaw('gw-5')
    }
  })

  it('on their way out are asked and reported, not counted; those that do not serve are left out', async () => {
    publish('gw', gateway.replicas, { 'gw-6': LEAVING, 'gw-7': GONE })
    await using syncer = await start()
    const token = newToken('leaving')
    await gateway.plant(token, others().slice(0, -2))
    const verdict = await syncer.check(token, 'gw-0')
    expect(verdict).toMatchObject({ verdict: 'Synced' })
    expect(verdict.result.replicas.at(-1)).toMatchObject({ name: 'gw-6', counted: false })
    expect(await listed(syncer)).not.toContain('gw-7')
  })

  it('stay known while the API server is away, and are followed again when it is back', async () => {
    publish('gw', gateway.replicas.slice(0, 7))
    await using syncer = await start()
    api.fault = () => 'reset'
    api.cutConnections()
    for (const fault of ['reset', 'not-http', { status: 500 }, { status: 403 }, 'silent'] as const) {
      api.fault = () => fault
      const token = newToken('away')
      await gateway.plant(token, names())
      expect(await syncer.check(token, 'gw-0')).toMatchObject({ verdict: 'Synced' })
      expect((await syncer.check(newToken('away'), 'gw-0')).verdict).toBe('NotSynced')
      expect((await syncer.get('/readyz')).status).toBe(200)
    }
    expect(JSON.parse((await syncer.get('/v1/replicas')).body).source).toMatchObject({ kind: 'kubernetes' })
    api.fault = () => undefined
    api.cutConnections()
    publish('gw', gateway.replicas)
    await expect.poll(() => listed(syncer), { timeout: 35_000, interval: 50 }).toContain('gw-7')
    expect(syncer.exit).toBeUndefined()
  })

  it('that are an unknown origin are looked for once more before they are refused', async () => {
    publish('gw', gateway.replicas.slice(0, 7))
    await using syncer = await start()
    api.muted = true
    publish('gw', gateway.replicas)
    const token = newToken('new-origin')
    await gateway.plant(token, names())
    expect(await listed(syncer)).not.toContain('gw-7')
    expect(await syncer.check(token, 'gw-7')).toMatchObject({ verdict: 'Synced' })
    expect(await syncer.check(token, 'gw-99')).toMatchObject({ status: 422 })
  })

  it('that nobody knows yet give 503, never Synced', async () => {
    api.fault = () => ({ status: 500 })
    await using syncer = await start('/livez')
    const answer = await syncer.check(newToken('early'), 'gw-0')
    expect(answer).toMatchObject({ status: 503, verdict: undefined })
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect((await syncer.get('/readyz')).status).toBe(503)
    api.fault = () => undefined
    publish('gw', gateway.replicas)
    await expect.poll(async () => (await syncer.get('/readyz')).status, { timeout: 35_000, interval: 50 }).toBe(200)
    expect((await syncer.check(newToken('early'), 'gw-0')).verdict).toBe('NotSynced')
  })

  it('that have all gone give 503, never Synced', async () => {
    await using syncer = await start('/livez')
    expect(await syncer.check(newToken('none'), 'gw-0')).toMatchObject({ status: 503, verdict: undefined })
    publish('gw', gateway.replicas)
    await expect.poll(() => listed(syncer)).toHaveLength(8)
    publish('gw', [])
    await expect.poll(() => listed(syncer)).toHaveLength(0)
    expect(await syncer.check(newToken('none'), 'gw-0')).toMatchObject({ status: 503, verdict: undefined })
  })
})

describe('replicas from DNS', () => {
  let dns: FakeDns
  beforeEach(async () => {
    dns = await FakeDns.start()
  })
  afterEach(() => dns[Symbol.asyncDispose]())

  const addresses = () => gateway.replicas.map(({ address }) => address)
  const start = (readyPath = '/readyz') =>
    startSyncer({
      readyPath,
      config: {
        gateway: {
          discovery: { kind: 'dns', name: 'gw.test', port: gateway.port, servers: [dns.address], refreshMs: 100 },
          probe: probeSection(gateway.tls),
        },
      },
      files: caFile(gateway.tls),
    })

  it('are asked under their addresses, and followed', async () => {
    const [first = '', ...rest] = addresses()
    dns.names.set('gw.test', { a: [first, ...rest.slice(0, -1)] })
    await using syncer = await start()
    const token = newToken('dns')
    await gateway.plant(token, others().slice(0, -1))
    expect(await syncer.check(token, first)).toMatchObject({ verdict: 'Synced' })
    dns.names.set('gw.test', { a: [first, ...rest] })
    await expect.poll(async () => (await syncer.check(token, first)).verdict, { timeout: 5_000 }).toBe('Partialy')
  })

  it.each(['servfail', 'silent', 'refused'] as const)('stay known while the server answers with %s', async (fault) => {
    dns.names.set('gw.test', { a: addresses() })
    await using syncer = await start()
    dns.fault = () => fault
    await sleep(300)
    const token = newToken('away')
    await gateway.plant(token, names())
    expect(await syncer.check(token, addresses()[0] ?? '')).toMatchObject({ verdict: 'Synced' })
    expect((await syncer.get('/readyz')).status).toBe(200)
  })

  it('that nobody knows give 503, never Synced', async () => {
    await using syncer = await start('/livez')
    expect(await syncer.check(newToken('none'), addresses()[0] ?? '')).toMatchObject({
      status: 503,
      verdict: undefined,
    })
  })
})

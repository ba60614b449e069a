import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Driver, LeasePlace, LeaseSight } from '../../src/dsync/driver.ts'
import { createKubernetesDriver, type LeaseRecord } from '../../src/dsync/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { withDeadline } from '../../src/lib/with-deadline.ts'
import { FakeKubeApi, type Fault } from '../fakes/kube-api.ts'
import { eventually } from '../lib/eventually.ts'

const COLLECTION = '/apis/coordination.k8s.io/v1/namespaces/shop/leases'
const PLACE: LeasePlace = { name: 'x.election.y' }
const PATH = `${COLLECTION}/${PLACE.name}`
const RECORD: LeaseRecord = {
  holder: 'a',
  durationMs: 3_000,
  acquireTime: '2026-01-01T00:00:00.000001Z',
  renewTime: '2026-01-01T00:00:00.000001Z',
  transitions: 0,
  kept: {},
}
const BASE = { uid: 'u', version: '7' }
const LIMITS = { timeoutMs: 300, signal: new AbortController().signal }

let api: FakeKubeApi
let driver: Driver & AsyncDisposable
let watches: AbortController

beforeEach(async () => {
  api = await FakeKubeApi.start()
  api.define(COLLECTION)
  watches = new AbortController()
  driver = await createKubernetesDriver({
    namespace: 'shop',
    server: api.origin,
    ca: api.ca.cert,
    token: () => api.token,
    random: () => 0.5,
  })
})
afterEach(async () => {
  watches.abort()
  await driver[Symbol.asyncDispose]()
  await api[Symbol.asyncDispose]()
  expect(api.unexpected).toEqual([])
})

const lease = (uid = 'u') => ({
  metadata: { name: PLACE.name, namespace: 'shop', uid },
  spec: { holderIdentity: 'a', leaseDurationSeconds: 3 },
})
const follow = (pauseMs = 1_000) => {
  const seen: (LeaseSight | undefined)[] = []
  const failures: unknown[] = []
  driver.watch(
    PLACE,
    { sight: (sight) => seen.push(sight), failed: (error) => failures.push(error) },
    { pauseMs, signal: watches.signal },
  )
  return { seen, failures }
}

describe('a put', () => {
  it('carries uid and resourceVersion, and is the only way to write', async () => {
    const stored = { ...lease(), metadata: { ...lease().metadata, resourceVersion: '8' } }
    api.answer = ({ method, path }) =>
      method === 'PUT' && path === PATH ? { status: 200, body: JSON.stringify(stored) } : undefined
    expect(await driver.put(PLACE, RECORD, BASE, LIMITS)).toMatchObject({ uid: 'u', version: '8' })
    expect(JSON.parse(api.seen[0]?.body ?? '')).toMatchObject({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: PLACE.name, namespace: 'shop', uid: 'u', resourceVersion: '7' },
      spec: { holderIdentity: 'a', leaseDurationSeconds: 3, leaseTransitions: 0 },
    })
    await driver.put(PLACE, RECORD, undefined, LIMITS)
    const { metadata } = JSON.parse(api.seen[1]?.body ?? '')
    expect(metadata).toEqual({ name: PLACE.name, namespace: 'shop' })
  })

  const text = (status: number, body: string, headers = {}): Fault => ({ status, body, headers })
  it.each<[string, Fault, string, string]>([
    ['400', { status: 400 }, 'refused', 'refused'],
    ['401, with new credentials too', { status: 401 }, 'refused', 'refused'],
    ['403', { status: 403 }, 'refused', 'refused'],
    ['404', { status: 404 }, 'refused', 'conflict'],
    ['409', { status: 409 }, 'conflict', 'conflict'],
    ['422', { status: 422 }, 'conflict', 'refused'],
    ['429 with a text', text(429, 'Too many requests, please try again later.'), 'refused', 'refused'],
    ['500', { status: 500 }, 'unavailable', 'unavailable'],
    ['503', { status: 503 }, 'unavailable', 'unavailable'],
    ['504 with JSON of no kind', text(504, '{"metadata":{}}'), 'unavailable', 'unavailable'],
    ['a redirect', text(302, ''), 'unavailable', 'unavailable'],
    ['something that is no Lease', text(200, '{"kind":"Status"}'), 'unavailable', 'unavailable'],
    ['something that is no JSON', text(200, '<html>'), 'unavailable', 'unavailable'],
    ['a broken connection', 'reset', 'unavailable', 'unavailable'],
    ['silence', 'silent', 'timeout', 'timeout'],
  ])('that is met with %s', async (_, fault, ofCreate, ofUpdate) => {
    api.fault = () => fault
    await expect(driver.put(PLACE, RECORD, undefined, LIMITS)).rejects.toMatchObject({ code: ofCreate })
    await expect(driver.put(PLACE, RECORD, BASE, LIMITS)).rejects.toMatchObject({ code: ofUpdate })
  })

  it('gives up by itself before its caller does, so that its dead connections are left behind', async () => {
    api.fault = () => 'silent'
    const put = withDeadline(systemClock, 300, (signal) => driver.put(PLACE, RECORD, BASE, { timeoutMs: 300, signal }))
    await expect(put).rejects.toMatchObject({ name: 'DriverError', code: 'timeout' })
  })

  it('tells how long the server wants to be left alone, and no token', async () => {
    api.fault = () => text(429, `busy, Bearer ${api.token}`, { 'retry-after': '3' })
    const error = await driver.put(PLACE, RECORD, BASE, LIMITS).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'refused', retryAfterMs: 3_000 })
    expect(String(error)).not.toContain(api.token)
  })
})

describe('a watch', () => {
  it('has the state and all that follows of one request, for one object, that lasts', async () => {
    api.put(COLLECTION, lease())
    const { seen } = follow()
    await eventually(() => seen.length === 1)
    api.put(COLLECTION, { ...lease(), spec: { holderIdentity: 'b' } } as ReturnType<typeof lease>)
    api.put(COLLECTION, { ...lease(), metadata: { ...lease().metadata, name: 'another' } })
    await eventually(() => seen.length === 2)
    api.remove(COLLECTION, PLACE.name)
    await eventually(() => seen.length === 3)
    expect(seen.map((sight) => sight?.record.holder)).toEqual(['a', 'b', undefined])
    expect(api.seen).toHaveLength(1)
    expect(api.seen[0]?.query.get('fieldSelector')).toBe(`metadata.name=${PLACE.name}`)
    expect(Number(api.seen[0]?.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300)
  })

  it('works where the server knows no watch-list, with the rights to get and watch', async () => {
    api.watchList = 422
    const { seen } = follow()
    await eventually(() => seen.length === 1 && seen[0] === undefined)
    api.put(COLLECTION, lease())
    await eventually(() => seen.length === 2)
    expect(api.lists(COLLECTION)).toEqual([])
    expect(api.lists(PATH)).toHaveLength(1)
  })

  it('tells each failure, and comes back within the pause that it is given', async () => {
    let isAway = true
    api.fault = () => (isAway ? { status: 500 } : undefined)
    const { seen, failures } = follow(200)
    await eventually(() => failures.length >= 8)
    expect(failures[0]).toMatchObject({ code: 'unavailable' })
    isAway = false
    await eventually(() => seen.length === 1, 1_000)
  })

  it('begins anew from 410, and shows what it has missed', async () => {
    api.put(COLLECTION, lease())
    const { seen } = follow()
    await eventually(() => seen.length === 1)
    api.muted = true
    api.put(COLLECTION, { ...lease(), spec: { holderIdentity: 'b' } } as ReturnType<typeof lease>)
    api.muted = false
    api.errorEvent(410)
    await eventually(() => seen.at(-1)?.record.holder === 'b')
  })
})

describe('credentials', () => {
  it('must be for https', async () => {
    await expect(createKubernetesDriver({ server: 'http://kube.example', token: () => 't' })).rejects.toMatchObject({
      code: 'credentials',
    })
  })

  it('are asked for with each request', async () => {
    api.put(COLLECTION, lease())
    expect((await driver.get(PLACE, LIMITS))?.record.holder).toBe('a')
    api.token = 'token-2'
    expect((await driver.get(PLACE, LIMITS))?.record.holder).toBe('a')
    expect(new Set(api.seen.map(({ authorization }) => authorization)).size).toBe(2)
  })
})

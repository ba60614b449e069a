import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { cleanUpTokens } from '../../src/tokens/cleanup.ts'
import { isTokenName, pingToken } from '../../src/tokens/ping.ts'
import { parseTokenPattern, sanitizeTokens } from '../../src/tokens/sanitize.ts'
import { createWaiterCluster } from '../../src/tokens/waiter.ts'
import { never, openScene, type Scene, token } from './lib/waiter-scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await openScene()
})
afterEach(() => scene[Symbol.asyncDispose]())

describe('a cleanup', () => {
  beforeEach(() => {
    scene.fake.put('live', token(1))
    scene.fake.put('old', token(9, { deleted: true }))
    scene.fake.put('older', token(1, { deleted: true }))
    scene.fake.put('young', token(10, { deleted: true }))
    scene.fake.put('timeless', { cmd: 'run', deleted: true })
  })
  const names = () => [...scene.fake.dump().keys()]

  it('deletes tombstones of before its moment, and nothing else', async () => {
    const result = await cleanUpTokens({ cluster: scene.cluster, beforeMs: 10, signal: never })
    expect(result).toEqual({ total: 5, deleted: ['old', 'older'], failed: [] })
    expect(names()).toEqual(['live', 'timeless', 'young'])
    expect(scene.fake.only('delete').map((one) => one.headers['if-match'])).toEqual([undefined, undefined])
  })

  it('deletes nothing in a dry run', async () => {
    const result = await cleanUpTokens({ cluster: scene.cluster, beforeMs: 10, signal: never, dryRun: true })
    expect(result.deleted).toEqual(['old', 'older'])
    expect(names()).toHaveLength(5)
  })

  it('spares what came back to life, takes what is gone for deleted, and goes on after an error', async () => {
    let listed = false
    scene.fake.put('third', token(2, { deleted: true }))
    scene.fake.fault = ({ kind, token: name }) => {
      if (kind === 'delete' && !listed) {
        listed = true
        scene.fake.edit('old', { cmd: 'back' }, 'alice')
        scene.fake.hardDelete('older')
      }
      return kind === 'delete' && name === 'third' ? 'html' : undefined
    }
    const result = await cleanUpTokens({ cluster: scene.cluster, beforeMs: 10, signal: never, concurrency: 1 })
    expect(result).toEqual({
      total: 6,
      deleted: ['older'],
      failed: [
        { token: 'old', message: 'answered 400: Must specify if-match header for token hard deletes' },
        { token: 'third', message: 'answered 502' },
      ],
    })
    expect(names()).toContain('old')
  })
})

describe('a ping', () => {
  const HEALTHY = { ...token(1), 'health-check-url': '/check?deep=1' }

  async function ping(name = 'tok', options: { queueTimeoutMs?: number } = {}) {
    const {
      exitCode,
      message,
      details,
      token: pinged,
    } = await pingToken({
      token: name,
      clusters: [scene.cluster],
      signal: never,
      ...options,
    })
    expect([...details.keys()]).toEqual([scene.fake.url])
    return { exitCode, message, pinged, detail: details.get(scene.fake.url) }
  }

  it('asks the service as the token says', async () => {
    scene.fake.put('tok', HEALTHY)
    const { exitCode, message, pinged, detail } = await ping()
    expect({ exitCode, message, pinged }).toEqual({
      exitCode: 0,
      message: `pinging token tok on ${scene.fake.url} was successful`,
      pinged: 'tok',
    })
    expect(detail).toEqual({
      isHealthy: true,
      status: 200,
      message: `successfully pinged token tok on ${scene.fake.url}, reason: health check returned status code 200`,
    })
    expect(scene.fake.only('service')[0]).toMatchObject({
      method: 'GET',
      path: '/check',
      query: 'deep=1',
      headers: { 'x-waiter-token': 'tok', 'x-waiter-queue-timeout': '12000' },
    })
    await ping('tok', { queueTimeoutMs: 5 })
    expect(scene.fake.only('service')[1]?.headers['x-waiter-queue-timeout']).toBe('5')
  })

  it.each([
    ['a missing token', undefined, undefined, 'there is no such token'],
    ['a tombstone', { ...HEALTHY, deleted: true }, undefined, 'the token is soft-deleted'],
    ['a token without health check', token(1), undefined, 'the token has no health-check-url'],
    ['an unhealthy service', HEALTHY, { status: 503 }, 'health check returned status code 503'],
    ['a service that redirects', HEALTHY, { status: 302 }, 'health check returned status code 302'],
    ['a service that hangs up', HEALTHY, 'reset', 'the connection broke'],
  ] as const)('fails for %s', async (_what, data, fault, reason) => {
    if (data !== undefined) scene.fake.put('tok', data)
    scene.fake.fault = ({ kind }) => (kind === 'service' ? fault : undefined)
    const { exitCode, message, detail } = await ping()
    expect(exitCode).toBe(1)
    expect(message).toBe(`pinging token tok on ${scene.fake.url} failed`)
    expect(detail?.message).toBe(`unable to ping token tok on ${scene.fake.url}, reason: ${reason}`)
  })

  it('waits for as long as Waiter may keep the request in its queue', async () => {
    scene.fake.put('tok', HEALTHY)
    scene.fake.latencyMs = 400
    await using impatient = createWaiterCluster({ url: scene.fake.url, clock: systemClock, idleTimeoutMs: 250 })
    const patient = { url: scene.fake.url, read: scene.cluster.read.bind(scene.cluster) }
    const check = impatient.checkHealth.bind(impatient)
    const ask = (queueTimeoutMs: number) =>
      pingToken({ token: 'tok', clusters: [{ ...patient, checkHealth: check }], queueTimeoutMs, signal: never })
    expect((await ask(1)).exitCode).toBe(1)
    expect((await ask(1_000)).exitCode).toBe(0)
  })

  it('never goes anywhere but to the cluster', async () => {
    for (const path of ['@other.test/x', '//other.test/x', 'http://other.test/x', '.other.test/x']) {
      scene.fake.put('tok', { ...HEALTHY, 'health-check-url': path })
      expect((await ping()).exitCode).toBe(0)
    }
    expect(scene.fake.only('service').map(({ path }) => path)).toEqual([
      '/@other.test/x',
      '//other.test/x',
      '/http://other.test/x',
      '/.other.test/x',
    ])
  })

  it('exits with the number of clusters that failed', async () => {
    await using second = await openScene()
    await using third = await openScene()
    scene.fake.put('tok', HEALTHY)
    const clusters = [third.cluster, scene.cluster, second.cluster]
    const result = await pingToken({ token: 'tok', clusters, signal: never })
    expect(result.exitCode).toBe(2)
    expect([...result.details.keys()]).toEqual(clusters.map(({ url }) => url).sort())
  })

  it('takes no name that is none', async () => {
    await expect(ping('1')).rejects.toThrow('the name of a token is a letter')
    expect(['ab', 'a.b-c_d$e9'].map(isTokenName)).toEqual([true, true])
    expect(['a', '', 'a b', 'a/b', 'a\n', 'ab\n'].map(isTokenName)).toEqual([false, false, false, false, false, false])
  })
})

describe('a sanitize', () => {
  it('stores each token as it is, under its version', async () => {
    for (const name of ['tok-b', 'tok-a', 'other']) scene.fake.put(name, { ...token(1), 'no-longer-known': 1 })
    scene.fake.put('tok-dead', token(1, { deleted: true }))
    const etag = scene.fake.etag('tok-a')
    const pattern = parseTokenPattern('tok-.*')
    const result = await sanitizeTokens({ cluster: scene.cluster, signal: never, pattern, concurrency: 1 })
    expect(result).toEqual({
      processed: ['tok-a', 'tok-b', 'tok-dead'],
      missing: [],
      updated: [],
      failed: [],
    })
    const [first] = scene.fake.only('store')
    expect(first).toMatchObject({ token: 'tok-a', headers: { 'if-match': etag } })
    expect(JSON.parse(first?.body ?? '')).toEqual({ ...token(1), previous: {}, token: 'tok-a' })
  })

  it('takes the first ones by name, and says what came of each', async () => {
    for (const name of ['aa', 'bb', 'cc', 'dd', 'ee']) scene.fake.put(name, token(1))
    scene.fake.fault = ({ kind, token: name }) => {
      if (kind === 'read' && name === 'aa') return { status: 404 }
      if (kind === 'read' && name === 'bb') return 'reset'
      if (kind === 'store' && name === 'cc') return { status: 412 }
      if (kind === 'store' && name === 'dd') return { status: 200, body: '{}', headers: { etag: 'E-other' } }
      return undefined
    }
    expect(await sanitizeTokens({ cluster: scene.cluster, signal: never, limit: 4 })).toEqual({
      processed: ['aa', 'bb', 'cc', 'dd'],
      missing: ['aa'],
      updated: ['dd'],
      failed: [
        { token: 'bb', message: 'the connection broke' },
        { token: 'cc', message: 'answered 412: as the test wants it' },
      ],
    })
  })

  it('stores nothing in a dry run', async () => {
    scene.fake.put('aa', token(1))
    const result = await sanitizeTokens({ cluster: scene.cluster, signal: never, dryRun: true })
    expect(result).toMatchObject({ processed: ['aa'], updated: [] })
    expect(scene.fake.only('store')).toEqual([])
  })

  it('matches whole names only', () => {
    expect(['ab', 'xab', 'abx', 'c'].filter((name) => parseTokenPattern('ab|c').test(name))).toEqual(['ab', 'c'])
    expect(() => parseTokenPattern('(')).toThrow(SyntaxError)
  })
})

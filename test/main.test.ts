import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LoadedConfig } from '../src/config/load.ts'
import { loadConfig } from '../src/config/load.ts'
import { type Clock, systemClock } from '../src/lib/clock.ts'
import { createLogger } from '../src/lib/logger.ts'
import { type RunningService, startService } from '../src/main.ts'
import { type PlaygroundGateway, startPlaygroundGateway } from '../src/playground/gateway.ts'
import { type FakeWaiter, startFakeWaiter } from './fakes/waiter.ts'
import { eventually } from './lib/eventually.ts'
import { FakeClock } from './lib/fake-clock.ts'

const DELAY_MS = 1_000
const GRACE_MS = 3_000

let clock: FakeClock
let gateway: PlaygroundGateway
let lines: Record<string, unknown>[]
let running: RunningService[]

beforeEach(async () => {
  clock = new FakeClock()
  gateway = await startPlaygroundGateway({ clock, replicas: [{ name: 'gw-0' }, { name: 'gw-1' }] })
  lines = []
  running = []
})
afterEach(async () => {
  for (const service of running) {
    const stopped = service.stop().catch(() => undefined)
    await until(stopped)
  }
  await gateway[Symbol.asyncDispose]()
  expect(clock.pending).toBe(0)
})

/** Lets time pass until the promise is settled: sockets need turns of the event loop in between. */
const until = async <T>(promise: Promise<T>): Promise<T> => {
  let settled = false
  promise.then(
    () => {
      settled = true
    },
    () => {
      settled = true
    },
  )
  while (!settled) {
    await clock.advance(10)
    await turn()
  }
  return promise
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

const load = (deadlineMs: number): Promise<LoadedConfig> => {
  const replicas = gateway.replicas.map(({ name, address, port }) => ({ name, address, port }))
  const config = {
    listen: { port: 0 },
    auth: { mode: 'none' },
    shutdown: { readinessDelayMs: DELAY_MS, graceMs: GRACE_MS },
    gateway: {
      discovery: { kind: 'static', replicas },
      probe: { scheme: 'http', host: 'gw.test', path: '/_synced' },
      deadlineMs,
    },
  }
  return loadConfig({ path: '/etc/syncer.yaml', env: {}, cwd: '/', readFile: async () => JSON.stringify(config) })
}

const start = async (loaded: LoadedConfig, over: { readonly clock?: Clock } = {}): Promise<RunningService> => {
  const log = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const service = await startService(loaded, { env: {}, clock, ...over, logger: createLogger('info', log) })
  running.push(service)
  return service
}

const check = (service: RunningService) =>
  fetch(`${service.url}/v1/synced`, { headers: { 'X-Auth-Token': 'tok', 'X-Nginx-Origin': 'gw-0' } })
const probed = async () => {
  while (gateway.replicas[1]?.probes === 0) await turn()
}

describe('a running service', () => {
  it('answers checks, and said where it listens and what it does', async () => {
    const service = await start(await load(500))
    gateway.zone.put('gw-1', 'tok')
    const answer = await until(check(service))
    expect(answer.headers.get('X-Token-Status')).toBe('Synced')
    expect(lines.filter((line) => line['msg'] === 'listening')).toEqual([
      expect.objectContaining({ address: service.url, source: '/etc/syncer.yaml', capabilities: ['gateway'] }),
    ])
  })

  it('fails readiness first, lets checks in flight end, and is gone then', async () => {
    const service = await start(await load(2_000))
    gateway.replicas[1]?.behave('freeze')
    const stopped = service.stop()
    await turn()
    expect((await fetch(`${service.url}/readyz`)).status).toBe(503)

    const answer = check(service)
    await probed()
    await clock.advance(DELAY_MS)
    const refused = expect.poll(() => fetch(`${service.url}/livez`).catch(() => 'refused')).toBe('refused')
    await until(refused)
    expect((await until(answer)).headers.get('X-Token-Status')).toBe('Timeout')
    await until(stopped)
    expect(lines.some((line) => line['level'] === 'warn')).toBe(false)
  })

  it('cuts off what does not end within the grace period', async () => {
    const service = await start(await load(60_000))
    gateway.replicas[1]?.behave('freeze')
    const answer = check(service).catch(() => 'cut off')
    await probed()
    const startedAt = clock.now()
    await until(service.stop())
    expect(await answer).toBe('cut off')
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(DELAY_MS + GRACE_MS)
    expect(clock.now() - startedAt).toBeLessThan(DELAY_MS + GRACE_MS + 1_000)
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', graceMs: GRACE_MS }))
  })

  it('is stopped once, however often it is asked to', async () => {
    const service = await start(await load(500))
    const first = service.stop()
    expect(service.stop()).toBe(first)
    await until(first)
    expect(service.stop()).toBe(first)
  })

  it('leaves nothing open when it cannot start', async () => {
    const service = await start(await load(500))
    const port = Number(new URL(service.url).port)
    const loaded = await load(500)
    const taken = { ...loaded, config: { ...loaded.config, listen: { ...loaded.config.listen, port } } }
    const before = clock.pending
    await expect(start(taken)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    // Less, when the first service was still connecting.
    expect(clock.pending).toBeLessThanOrEqual(before)
    expect(lines.filter((line) => line['level'] === 'error')).toEqual([])
  })
})

/** SQLite works in a thread, and has no other time than that of this machine. */
describe('a service that syncs tokens', () => {
  const RUN_GRACE_MS = 400
  let folder: string
  let clusters: FakeWaiter[]
  let services: RunningService[]
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'syncer-main-'))
    clusters = await Promise.all(['c1', 'c2'].map((name) => startFakeWaiter({ name })))
    services = []
  })
  afterEach(async () => {
    for (const service of services) await service.stop()
    for (const cluster of clusters) await cluster[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  const loadTokens = (more: object = {}): Promise<LoadedConfig> => {
    const config = {
      listen: { port: 0 },
      auth: { mode: 'none' },
      shutdown: { readinessDelayMs: 100, graceMs: RUN_GRACE_MS },
      tokens: { clusters: clusters.map(({ name, url }) => ({ name, url })), ...more },
    }
    const path = join(folder, 'syncer.yaml')
    return loadConfig({ path, env: {}, cwd: '/', readFile: async () => JSON.stringify(config) })
  }
  const open = async (more: object = {}): Promise<RunningService> => {
    const service = await start(await loadTokens(more), { clock: systemClock })
    services.push(...running.splice(0))
    return service
  }
  // biome-ignore lint/suspicious/noExplicitAny: what is asserted says what it is
  const ask = async (service: RunningService, path: string, init: RequestInit = {}): Promise<any> => {
    const answer = await fetch(`${service.url}${path}`, init)
    return { status: answer.status, body: await answer.json() }
  }
  const sync = (service: RunningService, body: object, headers: Record<string, string> = {}) =>
    ask(service, '/v1/tokens/sync', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const listed = () => eventually(() => (clusters[0]?.seen.length ?? 0) > 0)

  it('has runs, a state beside its configuration, and tells of them', async () => {
    clusters[0]?.edit('app', { cmd: 'run', cpus: 1, mem: 1, name: 'app', version: '1' }, 'joe')
    const service = await open({ schedule: '0 0 1 1 *' })
    const { status, body } = await sync(service, {}, { prefer: 'wait=10' })
    expect([status, body.state, body.summary.sync.updated]).toEqual([200, 'succeeded', ['app']])
    expect(clusters[1]?.etag('app')).toBe(clusters[0]?.etag('app'))
    expect(existsSync(join(folder, '.syncer', 'state.db'))).toBe(true)
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'listening', capabilities: ['tokens'] }))
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'run', run: body.id, state: 'succeeded' }))
    const { checks } = (await ask(service, '/readyz?verbose')).body
    expect(checks.map(({ name }: { name: string }) => name)).toEqual(['dsync', 'state', 'runs', 'shutdown'])
    const { schedules } = (await ask(service, '/v1/status')).body
    expect(schedules).toMatchObject([{ name: 'tokens', nextAt: expect.stringMatching(/-01-01T00:00:00/), missed: 0 }])
  })

  it('syncs by the clock', async () => {
    const service = await open({ schedule: '* * * * * *' })
    let items: { trigger: string; state: string }[] = []
    while (items.at(-1)?.state !== 'succeeded') ({ items } = (await ask(service, '/v1/runs')).body)
    expect(items.at(-1)).toMatchObject({ trigger: 'schedule', state: 'succeeded' })
  })

  it('syncs when a token has changed', async () => {
    const service = await open({ follow: true })
    await eventually(() => clusters.every((cluster) => cluster.requests.watch > 0))
    clusters[0]?.edit('app', { cmd: 'run', cpus: 1, mem: 1, name: 'app', version: '1' }, 'joe')
    await eventually(() => clusters[1]?.etag('app') !== undefined)
    expect((await ask(service, '/v1/runs')).body.items.at(-1)).toMatchObject({ trigger: 'schedule' })
  })

  it('lets a run end within the grace when it stops; who waits for it is answered at once', async () => {
    const service = await open()
    for (const cluster of clusters) cluster.latencyMs = 250
    const waited = sync(service, {}, { prefer: 'wait=60' })
    await listed()
    await service.stop()
    const { status, body } = await waited
    expect([status, body.state]).toEqual([202, 'running'])
    const next = await open()
    expect((await ask(next, `/v1/runs/${body.id}`)).body).toMatchObject({ state: 'succeeded' })
    expect(lines.filter((line) => line['level'] === 'error')).toEqual([])
  })

  it('interrupts a run that does not end within the grace, and tells of it after the next start', async () => {
    const service = await open({ idleTimeoutMs: 60_000 })
    for (const cluster of clusters) cluster.fault = () => 'hang'
    const { body } = await sync(service, {})
    await listed()
    const startedAt = performance.now()
    await service.stop()
    expect(performance.now() - startedAt).toBeLessThan(100 + RUN_GRACE_MS + 1_500)
    const next = await open()
    expect((await ask(next, `/v1/runs/${body.id}`)).body).toMatchObject({
      state: 'interrupted',
      problem: { type: '/problems/interrupted' },
    })
  })

  it('begins nothing by itself once it stops, while it still answers', async () => {
    const service = await open({ schedule: '0 0 1 1 *' })
    const stopped = service.stop()
    expect((await ask(service, '/v1/status')).body.schedules[0].nextAt).toBeNull()
    await stopped
  })

  it('is refused a state that is none, and leaves nothing open', async () => {
    const loaded = await loadTokens()
    const config = { ...loaded.config, state: { kind: 'sqlite', path: folder } as const }
    const before = clock.pending
    await expect(start({ ...loaded, config })).rejects.toMatchObject({ name: 'ConfigError' })
    expect(clock.pending).toBe(before)
  })
})

it('a service without anything to run opens no state', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'syncer-main-'))
  const loaded = await load(500)
  const config = { ...loaded.config, state: { kind: 'sqlite', path: join(folder, 'state.db') } as const }
  const service = await start({ ...loaded, config })
  expect((await fetch(`${service.url}/v1/runs`)).status).toBe(404)
  expect(existsSync(join(folder, 'state.db'))).toBe(false)
  rmSync(folder, { recursive: true })
})

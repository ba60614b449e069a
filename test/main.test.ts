import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LoadedConfig } from '../src/config/load.ts'
import { loadConfig } from '../src/config/load.ts'
import { createLogger } from '../src/lib/logger.ts'
import { type RunningService, startService } from '../src/main.ts'
import { type PlaygroundGateway, startPlaygroundGateway } from '../src/playground/gateway.ts'
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

const start = async (loaded: LoadedConfig): Promise<RunningService> => {
  const log = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const service = await startService(loaded, { env: {}, clock, logger: createLogger('info', log) })
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
    expect(clock.pending).toBe(before)
    expect(lines.filter((line) => line['level'] === 'error')).toEqual([])
  })
})

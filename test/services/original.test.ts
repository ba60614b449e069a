// What nginx-syncer gets wrong, one by one, against the service as a process.
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startFaultReplica } from './lib/fault-replica.ts'
import { type NginxGateway, startGateway } from './lib/nginx-gateway.ts'
import { caFile, gatewaySection, type Syncer, startSyncer } from './lib/syncer.ts'

const CALLER_TOKEN = 'correct-horse'
const CALLER_SHA256 = createHash('sha256').update(CALLER_TOKEN).digest('hex')

let gateway: NginxGateway
let syncer: Syncer
let serial = 0
const newToken = (what: string) => `${what}-${process.pid}-${serial++}`
const names = () => gateway.replicas.map(({ name }) => name)
const others = () => names().filter((name) => name !== 'gw-0')
const start = (more: Readonly<Record<string, unknown>> = {}, config: Readonly<Record<string, unknown>> = {}) =>
  startSyncer({
    config: { gateway: gatewaySection(gateway.replicas, gateway.tls, more), ...config },
    files: caFile(gateway.tls),
  })

beforeAll(async () => {
  gateway = await startGateway({ replicas: 9, tickMs: 1_000, accessLog: true })
  syncer = await start()
})
afterAll(async () => {
  await syncer.stop()
  await gateway.stop()
})
afterEach(async () => {
  expect(syncer.exit).toBeUndefined()
  expect((await syncer.get('/health')).body).toBe('{"status":"Up"}')
})

describe('where nginx-syncer', () => {
  it('crashes on a refused connection, this gives Timeout and goes on', async () => {
    await gateway.kill('gw-4')
    const verdicts = await Promise.all([1, 2, 3].map(() => syncer.check(newToken('refused'), 'gw-0')))
    await gateway.restart('gw-4')
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['Timeout', 'Timeout', 'Timeout'])
  })

  it('crashes after a Timeout, this answers the next check', async () => {
    gateway.freeze('gw-4')
    const [first] = await Promise.all([
      syncer.check(newToken('frozen'), 'gw-0'),
      syncer.check(newToken('frozen'), 'gw-1'),
    ])
    gateway.thaw('gw-4')
    expect(first.verdict).toBe('Timeout')
    const token = newToken('after')
    await gateway.plant(token, others())
    await expect.poll(async () => (await syncer.check(token, 'gw-0')).verdict).toBe('Synced')
  })

  it('crashes when the caller hangs up, this does not care', async () => {
    await expect(syncer.check(newToken('gone'), 'gw-0', { signal: AbortSignal.timeout(50) })).rejects.toThrow()
    await sleep(1_200)
    expect((await syncer.check(newToken('gone'), 'gw-0')).verdict).toBe('NotSynced')
  })

  it('looks for the last time at 800 ms, this still sees a token that comes at 950 ms', async () => {
    for (let i = 0; i < 5; i++) {
      const token = newToken('late')
      await sleep(gateway.nextTickAt('gw-0') - performance.now() + 10)
      const login = await gateway.login(token, 'gw-0')
      const verdict = await syncer.check(token, 'gw-0')
      expect((await login.everywhere) - verdict.sentAt).toBeGreaterThan(800)
      expect(verdict.verdict).toBe('Synced')
    }
  })

  it('counts the origin, so that one of two reads as more than half, this counts those that it asks', async () => {
    const [origin, ...rest] = gateway.replicas.slice(0, 3)
    if (origin === undefined) throw new Error('nine replicas were started')
    await using small = await startSyncer({
      config: { gateway: gatewaySection([origin, ...rest], gateway.tls) },
      files: caFile(gateway.tls),
    })
    const token = newToken('half')
    await gateway.plant(token, ['gw-0', 'gw-1'])
    expect((await small.check(token, 'gw-0')).verdict).toBe('NotSynced')
  })

  it('accepts an origin that it does not know, this refuses it', async () => {
    const token = newToken('stranger')
    await gateway.plant(token, names())
    expect(await syncer.check(token, 'somebody-else')).toMatchObject({ status: 422, verdict: undefined })
  })

  it('takes a 5xx for final, this asks again', async () => {
    const tls = gateway.tls ?? false
    await using shaky = await startFaultReplica({
      name: 'shaky',
      address: '127.0.0.111',
      tls,
      fault: { kind: 'answer', status: 503 },
    })
    await using pair = await startSyncer({
      config: { gateway: gatewaySection([...gateway.replicas.slice(0, 2), shaky], tls) },
      files: caFile(tls),
    })
    const token = newToken('again')
    await gateway.plant(token, names())
    shaky.tokens.add(token)
    const verdict = pair.check(token, 'gw-0')
    await sleep(300)
    await shaky.set({ kind: 'answer' })
    expect((await verdict).verdict).toBe('Synced')
  })

  it('logs the token eleven times a check, this logs a fingerprint', async () => {
    await using chatty = await start({}, { log: { level: 'trace' } })
    const token = newToken('VerySecret')
    await chatty.check(token, 'gw-0')
    await chatty.check(token, 'gw-0', { expect: 'absent', replicas: ['gw-1'] })
    await chatty.check(token, 'nobody')
    await sleep(100)
    expect(chatty.log()).toMatch(/"token":"[0-9a-f]{8}"/)
    expect(chatty.log().includes('VerySecret')).toBe(false)
  })

  it('gives the token to whoever has the address, this only to who shows the certificate', async () => {
    const tls = gateway.tls ?? false
    const fault = { kind: 'certificate', flaw: 'otherAuthority' } as const
    await using thief = await startFaultReplica({ name: 'thief', address: '127.0.0.112', tls, fault })
    await using wary = await startSyncer({
      config: { gateway: gatewaySection([...gateway.replicas.slice(0, 2), thief], tls) },
      files: caFile(tls),
    })
    expect((await wary.check(newToken('stolen'), 'gw-0')).verdict).toBe('Timeout')
    expect(thief.seen).toMatchObject({ requests: 0 })
    expect(thief.seen.connections).toBeGreaterThan(0)
  })

  it('asks nobody who they are, this does when it is told to', async () => {
    const callers = [{ name: 'gateway', sha256: CALLER_SHA256, scopes: ['synced'] }]
    await using strict = await start({}, { auth: { mode: 'bearer', callers } })
    const token = newToken('whose')
    await gateway.plant(token, others())
    const ask = (authorization: string) => strict.check(token, 'gw-0', { headers: { authorization } })
    expect(await strict.check(token, 'gw-0')).toMatchObject({ status: 401, verdict: undefined })
    expect(await ask('Bearer wrong')).toMatchObject({ status: 401, verdict: undefined })
    expect(await ask(`Bearer ${CALLER_TOKEN}`)).toMatchObject({ status: 200, verdict: 'Synced' })
  })

  it('takes on any number of checks, this has a cap, and answers those above it at once', async () => {
    await using capped = await start({ maxConcurrentChecks: 10 })
    const answers = await Promise.all(Array.from({ length: 30 }, () => capped.check(newToken('many'), 'gw-0')))
    const refused = answers.filter(({ status }) => status === 503)
    expect(answers.filter(({ verdict }) => verdict === 'NotSynced')).toHaveLength(10)
    expect(refused).toHaveLength(20)
    for (const { headers, tookMs } of refused) {
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
      expect(tookMs).toBeLessThan(500)
    }
  })

  it('probes without a limit, this keeps to one when it has one, and is still right', async () => {
    const before = gateway.probes('gw-3')
    await using thrifty = await start({ maxProbesPerSecond: 160 })
    const token = newToken('thrifty')
    const login = await gateway.login(token, 'gw-0')
    const verdicts = await Promise.all([
      thrifty.check(token, 'gw-0'),
      ...Array.from({ length: 5 }, () => thrifty.check(newToken('nowhere'), 'gw-0')),
    ])
    await login.everywhere
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['Synced', ...Array(5).fill('NotSynced')])
    await sleep(50)
    expect(gateway.probes('gw-3') - before).toBeLessThan(45)
  })
})

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type NginxGateway, startGateway } from './lib/nginx-gateway.ts'
import { caFile, gatewaySection, type Syncer, startSyncer, type Verdict } from './lib/syncer.ts'

const DEADLINE_MS = 1_000
/** Verdicts are to be right here; that they are on time to the millisecond is shown in realtime/, with nothing else running. */
const GRACE_MS = 250

let gateway: NginxGateway
let syncer: Syncer
let serial = 0
const newToken = (what: string) => `${what}-${process.pid}-${serial++}`

beforeAll(async () => {
  gateway = await startGateway({ replicas: 9, tickMs: 1_000, accessLog: true })
  syncer = await startSyncer({
    config: { gateway: gatewaySection(gateway.replicas, gateway.tls), log: { level: 'debug' } },
    files: caFile(gateway.tls),
  })
})
afterAll(async () => {
  await syncer.stop()
  await gateway.stop()
})
afterEach(() => {
  expect(syncer.exit).toBeUndefined()
})

const names = () => gateway.replicas.map(({ name }) => name)
const others = () => names().filter((name) => name !== 'gw-0')

function expectAtDeadline({ tookMs }: Verdict): void {
  expect(tookMs).toBeGreaterThanOrEqual(DEADLINE_MS - 5)
  expect(tookMs).toBeLessThanOrEqual(DEADLINE_MS + GRACE_MS)
}

describe('the four words, from nine nginx replicas over TLS with a one-second tick', () => {
  it('says Synced once the last replica has the token, never before', async () => {
    for (const origin of ['gw-0', 'gw-4', 'gw-8']) {
      await sleep(Math.random() * 300)
      const token = newToken('login')
      const login = await gateway.login(token, origin)
      const verdict = await syncer.check(token, origin)
      const at = await login.everywhere
      expect(verdict).toMatchObject({ status: 200, verdict: 'Synced', result: { status: 'Synced', origin } })
      expect(verdict.answeredAt).toBeGreaterThan(at)
      expect(verdict.answeredAt - at).toBeLessThan(GRACE_MS)
      expect(verdict.result.replicas.map(({ name }) => name)).toEqual(names().filter((name) => name !== origin))
      expect(verdict.result.replicas.every(({ state, counted }) => state === 'present' && counted)).toBe(true)
    }
  })

  it('says Synced at once when the token is everywhere', async () => {
    const token = newToken('known')
    await gateway.plant(token, others())
    const verdict = await syncer.check(token, 'gw-0')
    expect(verdict.verdict).toBe('Synced')
    expect(verdict.tookMs).toBeLessThan(200)
  })

  it.each([
    { on: 0, word: 'NotSynced' },
    { on: 3, word: 'NotSynced' },
    { on: 4, word: 'NotSynced' },
    { on: 5, word: 'Partialy' },
    { on: 7, word: 'Partialy' },
  ])('says $word at the deadline when $on of 8 have it', async ({ on, word }) => {
    const token = newToken('some')
    await gateway.plant(token, others().slice(0, on))
    const verdict = await syncer.check(token, 'gw-0')
    expect(verdict).toMatchObject({ status: 200, verdict: word })
    expectAtDeadline(verdict)
    const missing = verdict.result.replicas.filter(({ state }) => state === 'absent').map(({ name }) => name)
    expect(missing).toEqual(others().slice(on))
  })

  it('says Timeout at the deadline when one replica is frozen, whatever the others say', async () => {
    const [known, unknown] = [newToken('known'), newToken('nowhere')]
    await gateway.plant(known, others())
    gateway.freeze('gw-3')
    try {
      for (const verdict of await Promise.all([known, unknown].map((token) => syncer.check(token, 'gw-0')))) {
        expect(verdict.verdict).toBe('Timeout')
        expectAtDeadline(verdict)
        const blind = verdict.result.replicas.filter(({ state }) => state === 'unknown')
        expect(blind).toMatchObject([{ name: 'gw-3', reason: expect.stringMatching(/silent|pending|refused/) }])
      }
    } finally {
      gateway.thaw('gw-3')
    }
    await expect.poll(async () => (await syncer.check(known, 'gw-0')).verdict, { timeout: 5_000 }).toBe('Synced')
  })

  it('says Timeout when a replica freezes after it said that it lacks the token: nobody knows what it would say', async () => {
    const verdict = syncer.check(newToken('freezes'), 'gw-0')
    await sleep(300)
    gateway.freeze('gw-6')
    try {
      const { verdict: word, result } = await verdict
      expect(word).toBe('Timeout')
      const blind = result.replicas.filter(({ state }) => state === 'unknown')
      expect(blind).toMatchObject([{ name: 'gw-6', reason: 'silent' }])
      expect(blind[0]?.attempts).toBeGreaterThan(1)
    } finally {
      gateway.thaw('gw-6')
    }
  })

  it('takes a replica that is killed and comes back during the check for what it says in the end', async () => {
    const token = newToken('restart')
    await gateway.plant(token, others())
    await gateway.kill('gw-5')
    const verdict = syncer.check(token, 'gw-0')
    await sleep(200)
    await gateway.restart('gw-5')
    expect(await verdict).toMatchObject({ verdict: 'Synced' })
  })

  it('writes the header in exactly that case', async () => {
    const { rawHeaders } = await syncer.check(newToken('nowhere'), 'gw-0')
    expect(rawHeaders).toContain('X-Token-Status')
  })
})

describe('who is asked', () => {
  it('never asks the origin, by name or by address, and does not count it', async () => {
    const before = gateway.probes('gw-2')
    const token = newToken('origin')
    const [, , origin] = gateway.replicas
    for (const name of ['gw-2', origin?.address ?? '']) {
      const { result } = await syncer.check(token, name)
      expect(result.replicas).toHaveLength(8)
      expect(result.replicas.map(({ name }) => name)).not.toContain('gw-2')
    }
    await sleep(50)
    expect(gateway.probes('gw-2')).toBe(before)
  })

  it('asks only those that it is told to', async () => {
    const token = newToken('limited')
    await gateway.plant(token, ['gw-1', 'gw-7'])
    const probes = gateway.probes('gw-4')
    const verdict = await syncer.check(token, 'gw-0', { replicas: ['gw-7', 'gw-1'] })
    expect(verdict).toMatchObject({ verdict: 'Synced', result: { replicas: [{ name: 'gw-1' }, { name: 'gw-7' }] } })
    await sleep(50)
    expect(gateway.probes('gw-4')).toBe(probes)
  })

  it.each([
    { what: 'an origin that nobody knows', origin: 'gw-99', replicas: [] },
    { what: 'a replica that nobody knows', origin: 'gw-0', replicas: ['gw-99'] },
    { what: 'only the origin', origin: 'gw-0', replicas: ['gw-0'] },
  ])('refuses $what with 422', async ({ origin, replicas }) => {
    const answer = await syncer.check(newToken('who'), origin, { replicas })
    expect(answer).toMatchObject({ status: 422, verdict: undefined })
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  })

  it('joins equal questions, and answers every one of them', async () => {
    const token = newToken('joined')
    const before = gateway.probes('gw-6')
    const one = await syncer.check(newToken('alone'), 'gw-0')
    await sleep(50)
    const alone = gateway.probes('gw-6') - before
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => syncer.check(token, 'gw-0')))
    expect(new Set([one, ...verdicts].map(({ verdict }) => verdict))).toEqual(new Set(['NotSynced']))
    await sleep(50)
    expect(gateway.probes('gw-6') - before - alone).toBeLessThan(alone * 5)
  })
})

describe('the mirror question at a logout', () => {
  it('says Synced once the last replica has forgotten the token, never before', async () => {
    const token = newToken('logout')
    await gateway.plant(token, names())
    const logout = await gateway.logout(token, 'gw-1')
    const verdict = await syncer.check(token, 'gw-1', { expect: 'absent' })
    const at = await logout.everywhere
    expect(verdict).toMatchObject({ verdict: 'Synced', result: { expect: 'absent' } })
    expect(verdict.answeredAt).toBeGreaterThan(at)
    expect(verdict.answeredAt - at).toBeLessThan(GRACE_MS)
  })

  it.each([
    { still: 8, word: 'NotSynced' },
    { still: 4, word: 'NotSynced' },
    { still: 1, word: 'Partialy' },
  ])('says $word when $still of 8 still know it', async ({ still, word }) => {
    const token = newToken('remembered')
    await gateway.plant(token, others().slice(0, still))
    const verdict = await syncer.check(token, 'gw-0', { expect: 'absent' })
    expect(verdict.verdict).toBe(word)
    expectAtDeadline(verdict)
  })

  it('says Timeout when one replica cannot be asked', async () => {
    await gateway.kill('gw-8')
    const verdict = await syncer.check(newToken('gone'), 'gw-0', { expect: 'absent' })
    await gateway.restart('gw-8')
    expect(verdict.verdict).toBe('Timeout')
    expectAtDeadline(verdict)
  })
})

describe('the answer', () => {
  it.each([401, 403] as const)('is %i for whatever is not Synced when the gateway wants that', async (denyStatus) => {
    const [known, unknown] = [newToken('known'), newToken('nowhere')]
    await gateway.plant(known, others())
    expect(await syncer.check(known, 'gw-0', { denyStatus })).toMatchObject({ status: 200, verdict: 'Synced' })
    expect(await syncer.check(unknown, 'gw-0', { denyStatus })).toMatchObject({
      status: denyStatus,
      verdict: 'NotSynced',
      result: { status: 'NotSynced' },
    })
  })

  it.each([
    { what: 'no token', headers: { 'X-Nginx-Origin': 'gw-0' } },
    { what: 'no origin', headers: { 'X-Auth-Token': 'abc' } },
    { what: 'an empty token', headers: { 'X-Auth-Token': '', 'X-Nginx-Origin': 'gw-0' } },
    { what: 'a token with a semicolon', headers: { 'X-Auth-Token': 'a; b=c', 'X-Nginx-Origin': 'gw-0' } },
    { what: 'a token with a quote', headers: { 'X-Auth-Token': '"a"', 'X-Nginx-Origin': 'gw-0' } },
    { what: 'a token of 8193 characters', headers: { 'X-Auth-Token': 'a'.repeat(8_193), 'X-Nginx-Origin': 'gw-0' } },
    { what: 'an origin that is no name', headers: { 'X-Auth-Token': 'abc', 'X-Nginx-Origin': 'gw 0/..' } },
    { what: 'an origin of 254 characters', headers: { 'X-Auth-Token': 'abc', 'X-Nginx-Origin': 'g'.repeat(254) } },
  ])('is 400 for $what', async ({ headers }) => {
    const answer = await syncer.get('/v1/synced', headers)
    expect(answer.status).toBe(400)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.headers['x-token-status']).toBeUndefined()
  })

  it('never shows the token, nor does the log', async () => {
    const token = newToken('TopSecret')
    const bodies = [
      (await syncer.check(token, 'gw-0')).body,
      (await syncer.check(token, 'gw-99')).body,
      (await syncer.check(`${token};`, 'gw-0')).body,
      (await syncer.get('/v1/replicas')).body,
      (await syncer.get('/metrics')).body,
    ]
    expect(bodies.filter((body) => body.includes('TopSecret'))).toEqual([])
    expect(syncer.log().includes('TopSecret')).toBe(false)
    expect(syncer.log().includes('"operation":"getSynced"')).toBe(true)
  })
})

describe('a caller that hangs up', () => {
  it('leaves nothing undone: the next answers are right, and no check stays', async () => {
    const hangUps = Array.from({ length: 60 }, async (_, i) => {
      const caller = new AbortController()
      const check = syncer.check(newToken('hang-up'), 'gw-0', { signal: caller.signal })
      setTimeout(() => caller.abort(), 10 + i * 10)
      await expect(check).rejects.toThrow(/abort/i)
    })
    await Promise.all(hangUps)
    const token = newToken('after')
    await gateway.plant(token, others())
    expect(await syncer.check(token, 'gw-0')).toMatchObject({ verdict: 'Synced' })
    await expect
      .poll(async () => (await syncer.get('/metrics')).body, { timeout: 3_000 })
      .toMatch(/^syncer_gateway_checks_in_flight 0$/m)
  })
})

describe('a gateway of one replica', () => {
  it('is Synced: there is nobody else who could lack the token', async () => {
    const [only] = gateway.replicas
    if (only === undefined) throw new Error('nine replicas were started')
    await using alone = await startSyncer({
      config: { gateway: gatewaySection([only], gateway.tls) },
      files: caFile(gateway.tls),
    })
    const verdict = await alone.check(newToken('alone'), 'gw-0')
    expect(verdict).toMatchObject({ status: 200, verdict: 'Synced', result: { replicas: [] } })
    expect(verdict.tookMs).toBeLessThan(200)
  })
})

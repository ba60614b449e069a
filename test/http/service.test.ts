import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ReplicaListStatus } from '../../src/synced/contract.ts'
import { createHarness } from './lib/harness.ts'

const LIST: ReplicaListStatus = {
  source: 'dns',
  ageMs: 1234.5,
  problem: 'the server does not answer',
  replicas: [
    {
      name: 'gw-0',
      address: '10.0.0.1',
      port: 8443,
      terminating: false,
      state: 'up',
      since: 0,
      lag: { p50Ms: 1, p99Ms: 2, samples: 3 },
    },
    {
      name: 'gw-1',
      address: 'fd00::2',
      port: 1,
      terminating: true,
      state: 'down',
      reason: 'tls',
      since: 1_700_000_000_123,
      lag: null,
    },
  ],
}
const ITEMS = [
  { ...LIST.replicas[0], since: '1970-01-01T00:00:00.000Z' },
  { ...LIST.replicas[1], since: '2023-11-14T22:13:20.123Z' },
]
const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')

describe('GET /v1/replicas', () => {
  it('lists the replicas in one page', async () => {
    await using h = await createHarness()
    h.gateway.list = LIST
    expect((await h.ask({ url: '/v1/replicas' })).json()).toEqual({
      items: ITEMS,
      nextCursor: null,
      source: { kind: 'dns', ageMs: 1234.5, problem: 'the server does not answer' },
    })
  })

  it('says that there is no list yet', async () => {
    await using h = await createHarness()
    h.gateway.list = { source: 'kubernetes', ageMs: null, replicas: [] }
    expect((await h.ask({ url: '/v1/replicas' })).json()).toEqual({
      items: [],
      nextCursor: null,
      source: { kind: 'kubernetes', ageMs: null },
    })
  })
})

describe('GET /v1/status', () => {
  const service = { version: '1.2.3', instance: 'syncer-0', startedAt: '2026-01-01T00:00:00.000Z' }
  const caller = { name: 'tester', scopes: ['synced', 'read'] }
  const alone = { driver: 'memory', name: 'syncer-0', isLeader: true, term: null, expiresInMs: null }

  it('shows the service and its gateway', async () => {
    await using h = await createHarness()
    h.gateway.list = LIST
    await h.clock.advance(5_000)
    expect((await h.ask({ url: '/v1/status' })).json()).toEqual({
      service,
      caller,
      leader: alone,
      gateway: {
        source: { kind: 'dns', ageMs: 1234.5, problem: 'the server does not answer' },
        replicas: ITEMS,
        verdicts: h.gateway.verdicts(),
      },
    })
  })

  it('has no section for what is not configured', async () => {
    await using h = await createHarness({ gateway: undefined })
    expect((await h.ask({ url: '/v1/status' })).json()).toEqual({ service, caller, leader: alone })
  })

  it('tells who leads among several replicas, in which term and until when', async () => {
    const leadership = {
      driver: 'kubernetes',
      leader: 'syncer-0_1',
      isLeader: true,
      problem: undefined,
      termsLed: 1,
      onChange: () => () => {},
    } as const
    await using h = await createHarness({
      gateway: undefined,
      leadership: { ...leadership, term: { token: 2n ** 60n, remainingMs: 9_000.4 } },
    })
    const { leader } = (await h.ask({ url: '/v1/status' })).json()
    expect(leader).toEqual({
      driver: 'kubernetes',
      name: 'syncer-0_1',
      isLeader: true,
      term: '1152921504606846976',
      expiresInMs: 9_000,
    })
  })

  it('tells that nobody is known to lead, and why', async () => {
    const leadership = {
      driver: 'kubernetes',
      leader: undefined,
      isLeader: false,
      term: undefined,
      termsLed: 0,
      onChange: () => () => {},
    } as const
    await using h = await createHarness({
      gateway: undefined,
      leadership: { ...leadership, problem: 'connection refused' },
    })
    const { leader } = (await h.ask({ url: '/v1/status' })).json()
    expect(leader).toEqual({
      driver: 'kubernetes',
      name: null,
      isLeader: false,
      term: null,
      expiresInMs: null,
      problem: 'connection refused',
    })
  })
})

describe('health', () => {
  it('is word for word that of nginx-syncer', async () => {
    await using h = await createHarness()
    expect((await h.ask({ url: '/health' })).body).toBe('{"status":"Up"}')
  })

  it('is alive as long as it answers, while it stops too', async () => {
    await using h = await createHarness()
    h.lifecycle.stopping = true
    expect((await h.ask({ url: '/livez' })).json()).toEqual({ status: 'ok', checks: [{ name: 'process', ok: true }] })
    expect((await h.ask({ url: '/livez?verbose' })).json()).toMatchObject({
      checks: [{ detail: 'the process answers' }],
    })
  })

  it('is ready when every check is well', async () => {
    await using h = await createHarness()
    expect((await h.ask({ url: '/readyz' })).json()).toEqual({
      status: 'ok',
      checks: [
        { name: 'gateway', ok: true },
        { name: 'shutdown', ok: true },
      ],
    })
  })

  it.each([
    ['/readyz?verbose', true],
    ['/readyz?verbose=', true],
    ['/readyz?verbose=true', true],
    ['/readyz?verbose=1', true],
    ['/readyz?verbose=false', false],
    ['/readyz?verbose=0', false],
  ])('tells people more: %s', async (url, tells) => {
    await using h = await createHarness()
    const checks = (await h.ask({ url })).json()['checks']
    expect(checks).toEqual([
      { name: 'gateway', ok: true, ...(tells && { detail: 'static list of 2 replicas' }) },
      { name: 'shutdown', ok: true, ...(tells && { detail: 'the service is not stopping' }) },
    ])
  })

  it('is not ready when a check fails', async () => {
    await using h = await createHarness({
      readiness: () => [
        { name: 'gateway', ok: false, detail: 'no list yet' },
        { name: 'issuer', ok: true, detail: '' },
      ],
    })
    const answer = await h.ask({ url: '/readyz?verbose' })
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.json()).toMatchObject({
      type: '/problems/not-ready',
      detail: 'These checks fail: gateway.',
      checks: [
        { name: 'gateway', ok: false, detail: 'no list yet' },
        { name: 'issuer', ok: true },
        { name: 'shutdown', ok: true },
      ],
    })
  })

  it('is not ready once it stops, and lets connections go', async () => {
    await using h = await createHarness()
    expect((await h.ask({ url: '/readyz' })).headers['connection']).toBe('keep-alive')
    h.lifecycle.stopping = true
    const answer = await h.ask({ url: '/readyz' })
    expect(answer.json()).toMatchObject({ status: 503, detail: 'These checks fail: shutdown.' })
    expect(answer.headers['connection']).toBe('close')
  })
})

describe('the document', () => {
  it('is served as it is written', async () => {
    await using h = await createHarness()
    const json = await h.ask({ url: '/openapi.json' })
    expect(json.body).toBe(read('generated/openapi.json'))
    const yaml = await h.ask({ url: '/openapi.yaml' })
    expect(yaml.body).toBe(read('openapi/syncer.yaml'))
    expect([json.headers['content-type'], yaml.headers['content-type']]).toEqual([
      'application/json; charset=utf-8',
      'application/yaml; charset=utf-8',
    ])
  })

  it('is where a browser is sent', async () => {
    await using h = await createHarness()
    const answer = await h.ask({ url: '/' })
    expect([answer.status, answer.headers['location']]).toEqual([302, '/swagger-ui'])
  })
})

describe('Swagger UI', () => {
  it('loads nothing from elsewhere, and its policy forbids it', async () => {
    await using h = await createHarness()
    const page = await h.app.inject('/swagger-ui')
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; /)
    const policy = String(page.headers['content-security-policy'])
    expect(policy).not.toMatch(/https?:|\*/)
    const loaded = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => String(match[1]))
    expect(loaded.length).toBeGreaterThan(5)
    for (const url of loaded) {
      const file = await h.app.inject(url)
      expect([url, file.statusCode, file.headers['content-security-policy']]).toEqual([url, 200, policy])
    }
    const settings = await h.app.inject('/swagger-ui/static/swagger-initializer.js')
    expect(settings.body).toContain('validatorUrl: null')
  })

  it('shows the document as it is written', async () => {
    await using h = await createHarness()
    expect((await h.app.inject('/swagger-ui/json')).json()).toEqual(JSON.parse(read('generated/openapi.json')))
  })
})

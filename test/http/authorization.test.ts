import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Route, routes } from '../../generated/routes.ts'
import type { AppDependencies } from '../../src/http/app.ts'
import { type AuthFailureReason, failure } from '../../src/http/auth/authenticator.ts'
import { FakeDbRuns, FakeRuns, FakeTokenRuns, RUN_ID, runRecord } from './lib/fake-runs.ts'
import { ASKING, acceptAll, acceptBearers, createHarness, type Harness, verdict } from './lib/harness.ts'

const callers = acceptBearers({
  reads: { name: 'reader', scopes: new Set(['read']) },
  asks: { name: 'gateway', scopes: new Set(['synced']) },
})
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const withOpen = (...open: ('metrics' | 'ui')[]): AppDependencies['config'] => ({ auth: { mode: 'none', open } })

let h: Harness
beforeAll(async () => {
  h = await createHarness({
    authenticator: callers,
    runs: new FakeRuns(),
    tokens: new FakeTokenRuns(),
    db: new FakeDbRuns(),
  })
})
beforeEach(() => h.gateway.forget())
afterAll(() => h[Symbol.asyncDispose]())

const guarded = Object.values<Route>(routes).flatMap(({ operationId, method, url, scopes }) =>
  scopes === null ? [] : [{ operationId, method, url: url.replace(':id', RUN_ID), scopes }],
)

describe('an operation with a scope', () => {
  it.each(guarded)('asks who calls: $operationId', async ({ method, url }) => {
    const answer = await h.ask({ method, url })
    expect(answer.json()).toMatchObject({ type: '/problems/unauthorized', status: 401 })
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="syncer"')
  })

  it.each(guarded)('refuses a caller without it: $operationId', async ({ method, url, scopes }) => {
    const isRead = scopes.includes('read')
    const answer = await h.ask({ method, url, headers: bearer(isRead ? 'asks' : 'reads') })
    expect(answer.json()).toMatchObject({ type: '/problems/forbidden', status: 403 })
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="syncer", error="insufficient_scope", scope="${scopes.join(' ')}"`,
    )
    expect(h.lines().at(-1)).toMatchObject({ caller: isRead ? 'gateway' : 'reader', problem: 'forbidden' })
  })

  it.each([
    ['tokens', 'tokens', 202],
    ['db', 'db', 202],
    ['tokens', 'db', 403],
    ['db', 'tokens', 403],
  ] as const)('cancels a run of kind %s only for its own kind: %s', async (kind, scope, status) => {
    const runs = new FakeRuns()
    runs.records = [runRecord({ kind })]
    const authenticator = acceptAll({ name: 'one', scopes: new Set([scope]) })
    await using h = await createHarness({ authenticator, runs })
    const answer = await h.ask({ method: 'POST', url: `/v1/runs/${RUN_ID}/cancel` })
    expect(answer.status).toBe(status)
    expect(runs.records[0]?.cancelRequested).toBe(status === 202)
    if (status === 403) expect(answer.headers['www-authenticate']).toContain(`scope="${kind}"`)
  })

  it.each([{ dryRun: true }, {}])('asks as much for a dry run as for the real one: %j', async (body) => {
    const headers = { ...bearer('reads'), 'content-type': 'application/json' }
    const answer = await h.ask({ method: 'POST', url: '/v1/tokens/sync', headers, payload: JSON.stringify(body) })
    expect([answer.status, answer.json()['detail']]).toEqual([403, 'The caller needs the scope "tokens".'])
  })

  it('lets a caller with it pass', async () => {
    h.gateway.onCheck = async () => verdict('Synced')
    expect((await h.ask({ url: '/v1/synced', headers: { ...ASKING, ...bearer('asks') } })).status).toBe(200)
    expect((await h.ask({ url: '/v1/replicas', headers: bearer('reads') })).status).toBe(200)
    expect(
      h
        .lines()
        .slice(-2)
        .map((line) => line['caller']),
    ).toEqual(['gateway', 'reader'])
  })

  it('is refused before its request is looked at, and before it is said what is configured', async () => {
    await using h = await createHarness({ authenticator: callers, gateway: undefined })
    expect((await h.ask({ url: '/v1/synced?expct=1' })).status).toBe(401)
    expect((await h.ask({ url: '/v1/synced', headers: bearer('reads') })).status).toBe(403)
    expect((await h.ask({ url: '/v1/synced', headers: bearer('asks') })).status).toBe(404)
  })

  it.each<[AuthFailureReason, number, string | undefined]>([
    ['missing', 401, 'Bearer realm="syncer"'],
    ['malformed', 401, 'Bearer realm="syncer", error="invalid_request"'],
    ['unknown', 401, 'Bearer realm="syncer", error="invalid_token"'],
    ['expired', 401, 'Bearer realm="syncer", error="invalid_token"'],
    ['unavailable', 503, undefined],
  ])('answers credentials that are %s with %i, now or later', async (reason, status, challenge) => {
    for (const outcome of [failure(reason, `why: ${reason}`), Promise.resolve(failure(reason, `why: ${reason}`))]) {
      await using h = await createHarness({ authenticator: { mode: 'oidc', authenticate: () => outcome } })
      const answer = await h.ask({ url: '/v1/status', headers: bearer('whatever') })
      expect(answer.status).toBe(status)
      expect(answer.json()['detail']).toBe(`why: ${reason}`)
      expect(answer.headers['www-authenticate']).toBe(challenge)
      expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
    }
  })

  it('waits for an authenticator that has to ask', async () => {
    const outcome = Promise.resolve({
      ok: true as const,
      caller: { name: 'later', scopes: new Set(['read' as const]) },
    })
    await using h = await createHarness({ authenticator: { mode: 'oidc', authenticate: () => outcome } })
    expect((await h.ask({ url: '/v1/status', headers: bearer('x') })).status).toBe(200)
    expect(h.lines().at(-1)).toMatchObject({ caller: 'later' })
  })

  it('answers 500 when the authenticator fails', async () => {
    await using h = await createHarness({
      authenticator: { mode: 'oidc', authenticate: () => Promise.reject(new Error('defect')) },
    })
    expect((await h.ask({ url: '/v1/status', headers: bearer('x') })).status).toBe(500)
  })
})

describe('what needs no credentials', () => {
  it.each(['/health', '/livez', '/readyz'])('is always %s', async (url) => {
    expect((await h.ask({ url })).status).toBe(200)
  })

  const UI = [
    '/',
    '/openapi.json',
    '/openapi.yaml',
    '/swagger-ui',
    '/swagger-ui/json',
    '/swagger-ui/static/swagger-ui.css',
  ]

  it.each<[('metrics' | 'ui')[], readonly string[], readonly string[]]>([
    [[], [], ['/metrics', ...UI]],
    [['metrics'], ['/metrics'], UI],
    [['ui'], UI, ['/metrics']],
    [['metrics', 'ui'], ['/metrics', ...UI], []],
  ])('follows auth.open: %j', async (open, free, closed) => {
    await using h = await createHarness({ authenticator: callers, config: withOpen(...open) })
    const statusOf = async (url: string, headers = {}) => (await h.app.inject({ url, headers })).statusCode
    for (const url of free) expect([url, await statusOf(url)]).toEqual([url, url === '/' ? 302 : 200])
    for (const url of closed) {
      expect([url, await statusOf(url)]).toEqual([url, 401])
      expect([url, await statusOf(url, bearer('asks'))]).toEqual([url, 403])
      expect([url, await statusOf(url, bearer('reads'))]).toEqual([url, url === '/' ? 302 : 200])
    }
  })
})

// The generated client against the application itself, without a socket between them.
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { type components, createSyncerClient, SyncerProblem } from '../../generated/client.ts'
import { NoReplicas } from '../../src/synced/contract.ts'
import { acceptBearers, createHarness, type Harness, TOKEN, verdict } from './lib/harness.ts'

let h: Harness
beforeAll(async () => {
  h = await createHarness({
    authenticator: acceptBearers({ good: { name: 'client', scopes: new Set(['synced', 'read']) } }),
    readiness: () => [{ name: 'gateway', ok: false, detail: 'no list yet' }],
  })
})
beforeEach(() => h.gateway.forget())
afterAll(() => h[Symbol.asyncDispose]())

/** A fetch that injects. */
async function fetchInjected(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const answer = await h.ask({
    method: request.method,
    url: pathname + search,
    headers: Object.fromEntries(request.headers),
  })
  return new Response(answer.body, { status: answer.status, headers: answer.headers as Record<string, string> })
}

const client = createSyncerClient({ baseUrl: 'http://syncer', token: 'good', fetch: fetchInjected })
const PARAMS = { header: { 'X-Auth-Token': TOKEN, 'X-Nginx-Origin': 'gw-0' } }

describe('the client', () => {
  it('asks for a verdict', async () => {
    h.gateway.onCheck = async () => verdict('Partialy')
    const result = await client.getSynced({ ...PARAMS, query: { expect: 'absent', replica: ['gw-1', 'gw-2'] } })
    expect(result).toEqual(verdict('Partialy'))
    expect(h.gateway.asked).toEqual([{ token: TOKEN, origin: 'gw-0', expect: 'absent', only: ['gw-1', 'gw-2'] }])
    expectTypeOf(result).toEqualTypeOf<components['schemas']['CheckResult']>()
  })

  it.each([401, 403] as const)('has the verdict of an answer that denyStatus made %i', async (denyStatus) => {
    h.gateway.onCheck = async () => verdict('NotSynced')
    expect(await client.getSynced({ ...PARAMS, query: { denyStatus } })).toEqual(verdict('NotSynced'))
  })

  it('reads JSON and text', async () => {
    expect(await client.getHealth()).toEqual({ status: 'Up' })
    expect(await client.getStatus()).toMatchObject({ service: { version: '1.2.3' } })
    expect(await client.listReplicas()).toMatchObject({ items: [], nextCursor: null })
    expect(await client.getMetrics()).toContain('# TYPE syncer_http_requests_total counter')
    expect(await client.getOpenapiYaml()).toContain('openapi: 3.1.0')
    expectTypeOf(await client.getMetrics()).toEqualTypeOf<string>()
  })

  it('throws the problem of an error, with when to try again', async () => {
    h.gateway.onCheck = () => Promise.reject(new NoReplicas('no list yet'))
    const error = await client.getSynced(PARAMS).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SyncerProblem)
    expect(error).toMatchObject({
      name: 'SyncerProblem',
      type: '/problems/no-replicas',
      status: 503,
      retryAfterSeconds: 1,
      message: 'No replicas (503): no list yet',
      problem: { requestId: expect.any(String) },
    })
  })

  it('throws what is not ready', async () => {
    await expect(client.getReadyz()).rejects.toMatchObject({
      type: '/problems/not-ready',
      problem: { checks: [{ name: 'gateway', ok: false }, { name: 'shutdown' }] },
    })
  })

  it('throws for credentials that are not good', async () => {
    const stranger = createSyncerClient({ baseUrl: 'http://syncer', token: 'bad', fetch: fetchInjected })
    await expect(stranger.getSynced(PARAMS)).rejects.toMatchObject({
      type: '/problems/unauthorized',
      status: 401,
      retryAfterSeconds: undefined,
    })
  })

  it('fetches the token before each call where it is told how', async () => {
    const tokens = ['bad', 'good']
    const rotating = createSyncerClient({
      baseUrl: 'http://syncer',
      token: async () => tokens.shift() ?? '',
      fetch: fetchInjected,
    })
    await expect(rotating.getStatus()).rejects.toMatchObject({ status: 401 })
    await expect(rotating.getStatus()).resolves.toMatchObject({ service: {} })
  })

  it('makes a problem of an answer that is not from the service', async () => {
    const fetch = async () =>
      new Response('<html>Bad Gateway</html>', {
        status: 502,
        statusText: 'Bad Gateway',
        headers: { 'content-type': 'text/html' },
      })
    const behindProxy = createSyncerClient({ baseUrl: 'http://syncer', fetch })
    await expect(behindProxy.getStatus()).rejects.toMatchObject({
      type: '/problems/unknown',
      status: 502,
      problem: { title: 'Bad Gateway', requestId: 'unknown' },
    })
  })

  it('can be called off', async () => {
    const fetch = (request: Request) => Promise.reject(request.signal.reason)
    const client = createSyncerClient({ baseUrl: 'http://syncer', fetch })
    await expect(client.getStatus({}, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })
})

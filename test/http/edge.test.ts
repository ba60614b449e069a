// What is left of a request once it is answered: one line of log, two metrics, and nothing that is a secret.
import { describe, expect, it } from 'vitest'
import { prefersOpenMetrics } from '../../src/http/handlers/metrics.ts'
import { TooManyChecks, UnknownOrigin } from '../../src/synced/contract.ts'
import { ASKING, acceptBearers, createHarness, TOKEN, verdict } from './lib/harness.ts'

const ID = { 'x-request-id': 'id-1' }

describe('the log', () => {
  it('has one line for a verdict, with the token as its fingerprint', async () => {
    await using h = await createHarness()
    h.gateway.onCheck = async () => {
      await h.clock.advance(123.4567)
      return verdict('Partialy')
    }
    await h.ask({ url: '/v1/synced', headers: { ...ASKING, ...ID } })
    expect(h.lines()).toEqual([
      {
        level: 'info',
        requestId: 'id-1',
        method: 'GET',
        operation: 'getSynced',
        status: 200,
        ms: 123.457,
        caller: 'tester',
        verdict: 'Partialy',
        token: expect.stringMatching(/^[0-9a-f]{8}$/),
      },
    ])
  })

  it('shows the same token the same way, another one another way, and both another way after the next start', async () => {
    await using h = await createHarness()
    await using later = await createHarness()
    h.gateway.onCheck = later.gateway.onCheck = async () => verdict('Synced')
    for (const token of ['one', 'one', 'two'])
      await h.ask({ url: '/v1/synced', headers: { ...ASKING, 'x-auth-token': token } })
    await later.ask({ url: '/v1/synced', headers: { ...ASKING, 'x-auth-token': 'one' } })
    const [first, again, other] = h.lines().map((line) => line['token'])
    expect(again).toBe(first)
    expect(other).not.toBe(first)
    expect(later.lines()[0]?.['token']).not.toBe(first)
  })

  it('names the problem of an answer that is one', async () => {
    await using h = await createHarness()
    h.gateway.onCheck = () => Promise.reject(new UnknownOrigin('gw-9'))
    await h.ask({ url: '/v1/synced', headers: { ...ASKING, ...ID } })
    await h.ask({ url: '/nowhere', headers: ID })
    expect(h.lines()).toEqual([
      {
        level: 'info',
        requestId: 'id-1',
        method: 'GET',
        operation: 'getSynced',
        status: 422,
        ms: 0,
        caller: 'tester',
        problem: 'unknown-origin',
        token: expect.any(String),
      },
      { level: 'info', requestId: 'id-1', method: 'GET', operation: 'none', status: 404, ms: 0, problem: 'not-found' },
    ])
  })

  it('tells all of a failure, in the line of its request', async () => {
    await using h = await createHarness()
    h.gateway.onCheck = () => Promise.reject(new Error('outer', { cause: new Error('inner') }))
    await h.ask({ url: '/v1/synced', headers: ASKING })
    expect(h.lines()).toEqual([
      expect.objectContaining({
        level: 'error',
        status: 500,
        failure: expect.stringMatching(/outer[\s\S]*edge\.test[\s\S]*inner/),
      }),
    ])
  })

  it('says of a caller that left that it left', async () => {
    await using h = await createHarness()
    const asked = Promise.withResolvers<void>()
    const settled = Promise.withResolvers<ReturnType<typeof verdict>>()
    h.gateway.onCheck = () => {
      asked.resolve()
      return settled.promise
    }
    const origin = await h.app.listen({ port: 0, host: '127.0.0.1' })
    const leaving = new AbortController()
    const gone = fetch(`${origin}/v1/synced`, { headers: ASKING, signal: leaving.signal }).catch(() => 'gone')
    await asked.promise
    leaving.abort()
    expect(await gone).toBe('gone')
    await expect
      .poll(() => h.lines().filter((line) => line['operation'] === 'getSynced'))
      .toEqual([expect.objectContaining({ status: 499 })])
    settled.resolve(verdict('Synced'))
    await new Promise(setImmediate)
    expect(h.lines().filter((line) => line['operation'] === 'getSynced')).toHaveLength(1)
  })
})

describe('the metrics', () => {
  const samples = (text: string) => text.split('\n').filter((line) => line.startsWith('syncer_http_'))

  it('count requests by operation and status, and how long they took', async () => {
    await using h = await createHarness()
    h.gateway.onCheck = async () => {
      await h.clock.advance(20)
      return verdict('Synced')
    }
    await h.ask({ url: '/v1/synced', headers: ASKING })
    await h.ask({ url: '/v1/synced', headers: ASKING })
    h.gateway.onCheck = () => Promise.reject(new TooManyChecks('full'))
    await h.ask({ url: '/v1/synced', headers: ASKING })
    await h.ask({ method: 'POST', url: '/v1/synced' })
    const lines = samples((await h.ask({ url: '/metrics' })).body)
    expect(lines.filter((line) => line.startsWith('syncer_http_requests_total'))).toEqual([
      'syncer_http_requests_total{operation="none",status="405"} 1',
      'syncer_http_requests_total{operation="getSynced",status="200"} 2',
      'syncer_http_requests_total{operation="getSynced",status="503"} 1',
    ])
    expect(lines).toEqual(
      expect.arrayContaining([
        'syncer_http_request_duration_seconds_bucket{le="0.001",operation="getSynced"} 1',
        'syncer_http_request_duration_seconds_bucket{le="0.01",operation="getSynced"} 1',
        'syncer_http_request_duration_seconds_bucket{le="0.025",operation="getSynced"} 3',
        'syncer_http_request_duration_seconds_bucket{le="+Inf",operation="getSynced"} 3',
        'syncer_http_request_duration_seconds_sum{operation="getSynced"} 0.04',
        'syncer_http_request_duration_seconds_count{operation="getSynced"} 3',
      ]),
    )
  })

  it('put a duration that is a bound into the bucket of that bound, and what is above all into the last one', async () => {
    await using h = await createHarness()
    h.gateway.onCheck = async ({ origin }) => {
      await h.clock.advance(Number(origin))
      return verdict('Synced')
    }
    for (const ms of [10_000, 10_001])
      await h.ask({ url: '/v1/synced', headers: { ...ASKING, 'x-nginx-origin': String(ms) } })
    const { body } = await h.ask({ url: '/metrics' })
    expect(body).toContain('duration_seconds_bucket{le="5",operation="getSynced"} 0\n')
    expect(body).toContain('duration_seconds_bucket{le="10",operation="getSynced"} 1\n')
    expect(body).toContain('duration_seconds_bucket{le="+Inf",operation="getSynced"} 2\n')
  })

  it('come in the format that is asked for, as often as they are asked for', async () => {
    await using h = await createHarness()
    const ask = (accept: string) => h.ask({ url: '/metrics', headers: { accept } })
    const [plain, open, plainAgain] = [
      await ask('*/*'),
      await ask('application/openmetrics-text; version=1.0.0'),
      await ask('text/plain'),
    ]
    expect(plain.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(open.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(open.body).toContain(
      '# TYPE syncer_http_requests counter\nsyncer_http_requests_total{operation="getMetrics",status="200"} 1\n',
    )
    expect(open.body.endsWith('\n# EOF\n')).toBe(true)
    expect(plainAgain.body).toContain(
      '# TYPE syncer_http_requests_total counter\nsyncer_http_requests_total{operation="getMetrics",status="200"} 2\n',
    )
    expect(plainAgain.body).not.toContain('# EOF')
  })

  it.each([
    [undefined, false],
    ['*/*', false],
    ['text/plain', false],
    ['application/openmetrics-text', true],
    [
      'application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.2',
      true,
    ],
    ['text/plain;q=0.9, application/openmetrics-text;q=0.1', false],
    ['Application/OpenMetrics-Text; Q=0.5', true],
    ['application/openmetrics-text;q=0', false],
    ['application/openmetrics-text;q=nonsense', false],
  ])('are OpenMetrics where the scraper likes it: %s', (accept, expected) =>
    expect(prefersOpenMetrics(accept)).toBe(expected),
  )
})

describe('a secret', () => {
  const CREDENTIALS = 'cred-77aa-5ec2e7'
  const GOOD = { ...ASKING, authorization: `Bearer ${CREDENTIALS}` }
  const authenticator = acceptBearers({ [CREDENTIALS]: { name: 'gateway', scopes: new Set(['synced']) } })
  const fail = (error: Error) => () => Promise.reject(error)

  it.each([
    ['a verdict', { url: '/v1/synced', headers: GOOD }, async () => verdict('NotSynced')],
    ['a verdict as 401', { url: '/v1/synced?denyStatus=401', headers: GOOD }, async () => verdict('NotSynced')],
    ['an unknown origin', { url: '/v1/synced', headers: GOOD }, fail(new UnknownOrigin('gw-9'))],
    ['too many checks', { url: '/v1/synced', headers: GOOD }, fail(new TooManyChecks('full'))],
    [
      'a failure that quotes both',
      { url: '/v1/synced', headers: GOOD },
      fail(new Error(`${TOKEN} ${CREDENTIALS}`, { cause: { TOKEN, CREDENTIALS, headers: GOOD } })),
    ],
    ['a malformed header', { url: '/v1/synced', headers: { ...GOOD, 'x-auth-token': `${TOKEN} ${TOKEN}` } }, undefined],
    [
      'no origin',
      { url: '/v1/synced', headers: { 'x-auth-token': TOKEN, authorization: GOOD.authorization } },
      undefined,
    ],
    ['the token for the origin', { url: '/v1/synced', headers: { ...GOOD, 'x-nginx-origin': `${TOKEN}/` } }, undefined],
    ['the token in the query', { url: `/v1/synced?token=${TOKEN}`, headers: GOOD }, undefined],
    ['the token as a query parameter', { url: `/v1/synced?${TOKEN}`, headers: GOOD }, undefined],
    [
      'a wrong bearer',
      { url: '/v1/synced', headers: { ...ASKING, authorization: `Bearer ${CREDENTIALS}x` } },
      undefined,
    ],
    ['no scope', { url: '/v1/replicas', headers: GOOD }, undefined],
    ['no such method', { method: 'POST', url: `/v1/synced?t=${TOKEN}`, headers: GOOD, payload: TOKEN }, undefined],
    ['no such path', { url: `/nowhere?t=${TOKEN}`, headers: GOOD }, undefined],
    ['bad encoding', { url: `/%zz?t=${TOKEN}`, headers: GOOD }, undefined],
    ['a page', { url: '/health', headers: GOOD }, undefined],
  ])('is nowhere to be found after %s', async (_, asking, onCheck) => {
    await using h = await createHarness({ authenticator })
    if (onCheck !== undefined) h.gateway.onCheck = onCheck
    const answer = await h.ask(asking)
    const everything = [answer.body, JSON.stringify(answer.headers), ...h.logs, await h.registry.metrics()].join('\n')
    expect(h.logs).toHaveLength(1)
    expect(everything).not.toContain(TOKEN)
    expect(everything).not.toContain(CREDENTIALS)
  })
})

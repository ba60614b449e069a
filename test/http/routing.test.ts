import { METHODS } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Route, routes } from '../../generated/routes.ts'
import { SCOPES } from '../../src/config/schema.ts'
import { FakeDbRuns, FakeRuns, FakeTokenRuns, RUN_ID, runRecord } from './lib/fake-runs.ts'
import { acceptAll, createHarness, type Harness } from './lib/harness.ts'

const runs = new FakeRuns()
const tokens = new FakeTokenRuns()
let h: Harness
beforeAll(async () => {
  runs.records = [runRecord()]
  h = await createHarness({
    authenticator: acceptAll({ name: 'all', scopes: new Set(SCOPES) }),
    runs,
    tokens,
    db: new FakeDbRuns(),
  })
})
afterAll(() => h[Symbol.asyncDispose]())

const operations = Object.values<Route>(routes).map(({ method, url }) => ({ method, url: url.replace(':id', RUN_ID) }))

describe('a method that the document does not have', () => {
  it.each(operations)('is 405 with Allow: $url', async ({ method: allowed, url }) => {
    for (const method of METHODS.filter((one) => one !== allowed && one !== 'CONNECT')) {
      const answer = await h.ask({ method, url: `${url}?some=query` })
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, allowed])
      if (method !== 'HEAD')
        expect(answer.json()).toMatchObject({ type: '/problems/method-not-allowed', instance: url })
    }
  })

  it('is 405 whatever comes with it', async () => {
    const headers = { 'content-type': 'text/xml' }
    expect((await h.ask({ method: 'POST', url: '/v1/synced', headers, payload: 'x'.repeat(100_000) })).status).toBe(405)
  })

  it('is 405 on a path in other spelling', async () => {
    expect((await h.ask({ method: 'POST', url: '/%68ealth' })).status).toBe(405)
  })

  it('is 405 on the pages', async () => {
    expect((await h.ask({ method: 'POST', url: '/swagger-ui/static/index.html' })).headers['allow']).toBe('GET, HEAD')
  })
})

describe('a path that is not there', () => {
  it.each([
    '/nowhere',
    '/v1',
    '/v1/synced/',
    '/v1/synced/gw-1',
    '//health',
    '/V1/synced',
    '/health/',
    '/swagger-ui/static/nothing.js',
    '/swagger-uix',
    '*',
  ])('is 404: %s', async (url) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      if (method !== 'GET' && url.startsWith('/swagger-ui/')) continue
      const answer = await h.ask({ method, url })
      expect(answer.json()).toMatchObject({ type: '/problems/not-found', status: 404 })
    }
  })

  it('is repeated in the answer without its query, when it is one', async () => {
    expect((await h.ask({ url: '/nowhere/at/all?a=b' })).json()['instance']).toBe('/nowhere/at/all')
    expect((await h.ask({ url: `/${'a'.repeat(300)}` })).json()['instance']).toBe('/')
    expect((await h.ask({ url: '//evil.example/' })).json()['instance']).toBe('/')
  })

  it.each(['/%zz', '/v1/%', '/v1/synced%ff'])('is 400 when it is no well-formed percent-encoding: %s', async (url) => {
    const answer = await h.ask({ url })
    expect(answer.json()).toMatchObject({
      type: '/problems/bad-request',
      detail: 'The path is not well-formed percent-encoding.',
    })
    expect(h.lines().at(-1)).toMatchObject({ operation: 'none', status: 400, problem: 'bad-request' })
  })
})

describe('a query parameter that an operation does not have', () => {
  it.each(operations)('is refused: $method $url', async ({ method, url }) => {
    const body = { headers: { 'content-type': 'application/json' }, payload: '{"pair":"app"}' }
    const answer = await h.ask({ method, url: `${url}?surprise=1`, ...(url.startsWith('/v1/db/') && body) })
    expect(answer.json()).toMatchObject({ type: '/problems/bad-request', errors: [{ query: 'surprise' }] })
  })
})

describe('the request id', () => {
  it.each(['abc', 'A-1_b.c:d', 'x'.repeat(128)])('is kept when it is sane: %s', async (id) => {
    const answer = await h.ask({ url: '/health', headers: { 'x-request-id': id } })
    expect(answer.headers['x-request-id']).toBe(id)
    const failed = await h.ask({ url: '/nowhere', headers: { 'x-request-id': id } })
    expect([failed.headers['x-request-id'], failed.json()['requestId']]).toEqual([id, id])
  })

  it.each(['', 'a b', 'x'.repeat(129), 'a/b', '<script>', 'ä', ['one', 'two']])(
    'is made anew when it is not: %s',
    async (id) => {
      const answer = await h.ask({ url: '/health', headers: { 'x-request-id': id } })
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    },
  )
})

describe('a body', () => {
  const send = async (payload: string, contentType = 'application/json') => {
    const headers = { 'content-type': contentType }
    const response = await h.ask({ method: 'POST', url: '/v1/tokens/sync', headers, payload })
    return [response.status, response.headers['content-type'], response.json()['type']]
  }
  const problem = (status: number, kind: string) => [
    status,
    'application/problem+json; charset=utf-8',
    `/problems/${kind}`,
  ]

  it('may be JSON', async () => {
    tokens.onStart = async () => ({ outcome: 'started', run: runRecord() })
    expect((await send('{}'))[0]).toBe(202)
    expect((await send('{}', 'application/json; charset=utf-8'))[0]).toBe(202)
  })
  it('may not have more than 64 KiB', async () =>
    expect(await send(`"${'a'.repeat(65_536)}"`)).toEqual(problem(413, 'payload-too-large')))
  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'nonsense'])(
    'may not be %s',
    async (type) => expect(await send('a=b', type)).toEqual(problem(415, 'unsupported-media-type')),
  )
  it.each(['{', '', '{"__proto__": 1}', '{"constructor": {"prototype": 1}}'])('may not be %s', async (text) =>
    expect(await send(text)).toEqual(problem(400, 'bad-request')),
  )
})

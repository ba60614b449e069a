import { METHODS } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { routes } from '../../generated/routes.ts'
import { createHarness, type Harness } from './lib/harness.ts'

let h: Harness
beforeAll(async () => {
  h = await createHarness()
  // No operation has a body yet; what the application does with one is settled all the same.
  h.app.post('/body', (_request, reply) => reply.send({}))
})
afterAll(() => h[Symbol.asyncDispose]())

const paths = Object.values(routes).map((route) => route.url)
const others = METHODS.filter((method) => method !== 'GET' && method !== 'CONNECT')

describe('a method that the document does not have', () => {
  it.each(paths)('is 405 with Allow: %s', async (url) => {
    for (const method of others) {
      const answer = await h.ask({ method, url: `${url}?some=query` })
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, 'GET'])
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
  it.each(paths)('is refused: %s', async (url) => {
    const answer = await h.ask({ url: `${url}?surprise=1` })
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
    const response = await h.app.inject({
      method: 'POST',
      url: '/body',
      headers: { 'content-type': contentType },
      payload,
    })
    return [response.statusCode, response.headers['content-type'], response.json()['type']]
  }
  const problem = (status: number, kind: string) => [
    status,
    'application/problem+json; charset=utf-8',
    `/problems/${kind}`,
  ]

  it('may be JSON', async () => expect((await send('{}'))[0]).toBe(200))
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

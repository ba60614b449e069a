// What only a socket can see: the spelling of headers, and requests that never become one.
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createClientErrorHandler } from '../../src/http/client-errors.ts'
import { findBreaches } from '../openapi/document.ts'
import { createHarness, type Harness, verdict } from './lib/harness.ts'

let h: Harness
let port: number
beforeAll(async () => {
  h = await createHarness()
  port = Number(new URL(await h.app.listen({ port: 0, host: '127.0.0.1' })).port)
})
beforeEach(() => h.gateway.forget())
afterAll(() => h[Symbol.asyncDispose]())

interface Answer {
  readonly head: string
  readonly status: number
  readonly body: string
}

/** Writes bytes and reads until the server closes; requests say `Connection: close` where the server would not. */
function exchange(...chunks: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      for (const chunk of chunks) socket.write(chunk)
    })
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (data) => {
      received += data
    })
    socket.on('end', () => resolve(received))
    socket.on('error', reject)
  })
}

function parse(received: string): Answer {
  const split = received.indexOf('\r\n\r\n')
  return { head: received.slice(0, split), status: Number(received.split(' ', 2)[1]), body: received.slice(split + 4) }
}

const request = (line: string, ...headers: readonly string[]) =>
  [`${line} HTTP/1.1`, 'Host: syncer', 'Connection: close', ...headers, '', ''].join('\r\n')

function expectProblem({ head, status, body }: Answer, kind: string): void {
  const problem = JSON.parse(body)
  expect(findBreaches('/components/schemas/Problem', problem)).toEqual([])
  expect(problem).toMatchObject({ type: `/problems/${kind}`, status })
  expect(head).toMatch(/\r\ncontent-type: application\/problem\+json; charset=utf-8(\r\n|$)/i)
  expect(head).toContain(`\r\nX-Request-Id: ${problem.requestId}`)
  expect(head).toMatch(new RegExp(`\r\ncontent-length: ${Buffer.byteLength(body)}(\r\n|$)`, 'i'))
}

const ASKED = ['X-Auth-Token: t', 'X-Nginx-Origin: gw-0']

describe('X-Token-Status', () => {
  it.each([
    ['/v1/synced', 'Synced', 200],
    ['/v1/synced', 'Timeout', 200],
    ['/v1/synced?denyStatus=401', 'NotSynced', 401],
    ['/v1/synced?denyStatus=403', 'Partialy', 403],
  ] as const)('is spelled so on the wire: %s, %s', async (path, status, expected) => {
    h.gateway.onCheck = async () => verdict(status)
    const answer = parse(await exchange(request(`GET ${path}`, ...ASKED)))
    expect(answer.status).toBe(expected)
    expect(answer.head.split('\r\n')).toContain(`X-Token-Status: ${status}`)
  })
})

describe('a request that is none', () => {
  it.each([
    ['garbage', 'GARBAGE\r\n\r\n', 400, 'bad-request'],
    ['no request line', '\r\n\r\n\r\nx y z\r\n\r\n', 400, 'bad-request'],
    ['a method that nobody knows', request('BREW /health'), 400, 'bad-request'],
    ['a newline in a header', 'GET /health HTTP/1.1\r\nHost: x\nEvil: y\r\n\r\n', 400, 'bad-request'],
    ['a space in a header name', request('GET /health', 'Bad Name: x'), 400, 'bad-request'],
    ['two lengths', request('POST /health', 'Content-Length: 1', 'Content-Length: 2'), 400, 'bad-request'],
    [
      'a length and chunks',
      request('POST /health', 'Content-Length: 1', 'Transfer-Encoding: chunked'),
      400,
      'bad-request',
    ],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad-request'],
    ['headers of more than 32 KiB', request('GET /health', `X-Long: ${'a'.repeat(33_000)}`), 431, 'headers-too-large'],
    ['CONNECT', 'CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere\r\n\r\n', 405, 'method-not-allowed'],
    ['an unknown expectation', request('GET /health', 'Expect: miracles'), 417, 'expectation-failed'],
    ['no Host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'bad-request'],
  ])('is answered with a problem: %s', async (_, text, status, kind) => {
    const answer = parse(await exchange(text))
    expect(answer.status).toBe(status)
    expectProblem(answer, kind)
    expect(h.lines().at(-1)).toMatchObject({ operation: 'none', status, problem: kind })
  })

  it('is counted', async () => {
    await exchange('GARBAGE\r\n\r\n')
    expect(await h.registry.metrics()).toMatch(/syncer_http_requests_total\{operation="none",status="400"\} \d+/)
  })
})

describe('a request that is unusual', () => {
  it.each([
    ['in absolute form', request('GET http://syncer/health'), 200],
    ['of HTTP/1.0 without Host', 'GET /health HTTP/1.0\r\n\r\n', 200],
    ['with Expect: 100-continue', request('GET /health', 'Expect: 100-continue'), 100],
    [
      'that wants another protocol',
      request('GET /health', 'Upgrade: h2c').replace('Connection: close', 'Connection: Upgrade, close'),
      200,
    ],
    [
      'with a token of 8 KiB and credentials of as much',
      request('GET /health', `X-Auth-Token: ${'a'.repeat(8192)}`, `Authorization: Bearer ${'b'.repeat(16_000)}`),
      200,
    ],
  ])('is served: %s', async (_, text, status) => expect(parse(await exchange(text)).status).toBe(status))

  it.each(['HEAD', 'TRACE', 'OPTIONS', 'PROPFIND', 'POST', 'DELETE'])('has another method: %s', async (method) => {
    const answer = parse(await exchange(request(`${method} /v1/synced`, ...ASKED)))
    expect(answer.status).toBe(405)
    expect(answer.head).toContain('\r\nAllow: GET')
    expect(answer.head).toMatch(/\r\nX-Request-Id: \S+/)
    if (method === 'HEAD') expect(answer.body).toBe('')
    else expectProblem(answer, 'method-not-allowed')
  })

  it('is OPTIONS for the whole server', async () =>
    expectProblem(parse(await exchange(request('OPTIONS *'))), 'not-found'))

  it('keeps the connection after a body that nobody wanted', async () => {
    const first = request('POST /health', 'Content-Type: text/x', 'Content-Length: 3').replace(
      'Connection: close\r\n',
      '',
    )
    const received = await exchange(`${first}abc${request('GET /health')}`)
    expect(received.match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 405', 'HTTP/1.1 200'])
  })
})

describe('garbage behind a request that waits for its verdict', () => {
  it('never becomes the answer to it', async () => {
    const settled = Promise.withResolvers<ReturnType<typeof verdict>>()
    h.gateway.onCheck = () => settled.promise
    const received = await exchange(
      request('GET /v1/synced', ...ASKED).replace('Connection: close\r\n', ''),
      'GARBAGE\r\n\r\n',
    )
    settled.resolve(verdict('Synced'))
    expect(received).toBe('')
  })
})

describe('the listener of socket errors', () => {
  const act = (code: string | undefined, socket: object) => {
    const done: string[] = []
    const refused: string[] = []
    const handle = createClientErrorHandler((_, problem) => refused.push(problem.kind))
    handle(Object.assign(new Error('x'), code === undefined ? {} : { code }), {
      writable: true,
      destroyed: false,
      end: (text: string) => done.push(text.slice(0, 12)),
      destroy: () => done.push('destroyed'),
      ...socket,
    })
    return { done, refused }
  }

  it.each([
    ['ERR_HTTP_REQUEST_TIMEOUT', {}, 'HTTP/1.1 408', ['request-timeout']],
    ['HPE_HEADER_OVERFLOW', {}, 'HTTP/1.1 431', ['headers-too-large']],
    ['HPE_INVALID_METHOD', {}, 'HTTP/1.1 400', ['bad-request']],
    [undefined, {}, 'HTTP/1.1 400', ['bad-request']],
    [
      'HPE_INVALID_CHUNK_SIZE',
      { _httpMessage: { headersSent: false, req: { complete: false } } },
      'HTTP/1.1 400',
      ['bad-request'],
    ],
    ['HPE_INVALID_METHOD', { _httpMessage: { headersSent: false, req: { complete: true } } }, 'destroyed', []],
    ['HPE_INVALID_CHUNK_SIZE', { _httpMessage: { headersSent: true, req: { complete: false } } }, 'destroyed', []],
    ['ECONNRESET', {}, 'destroyed', []],
    ['HPE_INVALID_METHOD', { writable: false }, 'destroyed', []],
  ])('after %s on %j', (code, socket, done, refused) => expect(act(code, socket)).toEqual({ done: [done], refused }))
})

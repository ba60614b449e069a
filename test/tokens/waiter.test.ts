import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { listen } from '../../src/playground/listen.ts'
import type { Description } from '../../src/tokens/contract.ts'
import { isObject, parseJson, writeJson } from '../../src/tokens/json.ts'
import { createWaiterCluster, type WaiterClient, type WaiterClusterOptions } from '../../src/tokens/waiter.ts'
import { type FakeWaiter, type FakeWaiterOptions, startFakeWaiter } from '../fakes/waiter.ts'
import { makeCa } from '../lib/certificates.ts'
import { eventually } from '../lib/eventually.ts'
import { FakeClock } from '../lib/fake-clock.ts'

let open = new AsyncDisposableStack()
afterEach(async () => {
  const opened = open
  open = new AsyncDisposableStack()
  await opened.disposeAsync()
})

const never = new AbortController().signal
const ALICE = { cmd: 'run', cpus: 1, mem: 256, owner: 'alice', cluster: 'c1', root: 'c1', 'last-update-user': 'alice' }

async function start(
  fakeOptions: FakeWaiterOptions = {},
  options: Partial<WaiterClusterOptions> = {},
): Promise<{ fake: FakeWaiter; client: WaiterClient }> {
  const fake = open.use(await startFakeWaiter(fakeOptions))
  return { fake, client: open.use(createWaiterCluster({ url: fake.url, clock: systemClock, ...options })) }
}

/** Port of a server that does with each connection what the test wants. */
async function listenWith(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = []
  const server = createTcpServer((socket) => {
    sockets.push(socket)
    onSocket(socket.on('error', () => {}))
  })
  open.defer(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return await listen(server, '127.0.0.1', 0)
}

function described(text: string): Description {
  const value = parseJson(text)
  if (!isObject(value)) throw new TypeError('no object')
  return value
}

describe('the list of tokens', () => {
  it('is asked for with deleted ones and metadata, and says of each what the index says', async () => {
    const { fake, client } = await start()
    fake.put('live', { ...ALICE, 'last-update-time': 1_700_000_000_123 })
    fake.put('gone', { ...ALICE, deleted: true, 'last-update-time': 1_700_000_000_000 })
    const list = [...(await client.list(never))].sort((a, b) => (a.token < b.token ? -1 : 1))
    expect(list).toEqual([
      { token: 'gone', deleted: true, etag: null, owner: 'alice', lastUpdateMs: 1_700_000_000_000 },
      { token: 'live', deleted: false, etag: fake.etag('live'), owner: 'alice', lastUpdateMs: 1_700_000_000_123 },
    ])
    expect(fake.seen[0]).toMatchObject({ method: 'GET', path: '/tokens', query: 'include=deleted&include=metadata' })
    expect(fake.seen[0]?.headers['accept']).toBe('application/json')
  })

  const NO_LIST = [
    ['an error of Waiter', { status: 500 }, 'answered 500'],
    ['an error page', 'html', 'answered 502'],
    ['a page with 200', { status: 200, body: '<html>' }, 'answered 200 with what is no list of tokens'],
    ['JSON that is no list', { status: 200, body: '{}' }, 'answered 200 with what is no list of tokens'],
    ['a list of something else', { status: 200, body: '["a"]' }, 'answered 200 with what is no list of tokens'],
    ['a redirect', { status: 302, headers: { location: '/login' } }, 'answered 302'],
    ['a broken connection', 'reset', 'the connection broke'],
    ['half an answer', 'half', 'the connection broke'],
  ] as const
  it.each(NO_LIST)('throws ClusterUnreachable for %s', async (_what, fault, reason) => {
    const { fake, client } = await start({ fault: () => fault })
    fake.put('live', ALICE)
    await expect(client.list(never)).rejects.toMatchObject({
      name: 'ClusterUnreachable',
      cluster: fake.url,
      message: `${fake.url}: ${reason}`,
    })
    expect(fake.seen).toHaveLength(1)
  })

  it('leaves out entries without a name', async () => {
    const { client } = await start({ fault: () => ({ status: 200, body: '[{"token":null},{"token":"a"}]' }) })
    expect(await client.list(never)).toEqual([
      { token: 'a', deleted: null, etag: null, owner: null, lastUpdateMs: null },
    ])
  })
})

describe('reading a token', () => {
  it('gives its description with times in milliseconds, and its version as the header has it', async () => {
    const { fake, client } = await start()
    fake.put('t', { ...ALICE, 'last-update-time': 1_700_000_000_123, previous: { 'last-update-time': 5 } })
    const read = await client.read('t', never)
    expect(read).toMatchObject({ kind: 'answered', status: 200, etag: fake.etag('t') })
    expect(read.kind === 'answered' && writeJson(read.description)).toBe(
      '{"cmd":"run","cpus":1,"mem":256,"owner":"alice","cluster":"c1","root":"c1","last-update-user":"alice",' +
        '"last-update-time":1700000000123,"previous":{"last-update-time":5}}',
    )
    expect(fake.seen[0]).toMatchObject({ path: '/token', query: 'include=deleted&include=metadata', token: 't' })
  })

  it('gives a tombstone without a version', async () => {
    const { fake, client } = await start()
    fake.put('t', { ...ALICE, deleted: true })
    const read = await client.read('t', never)
    expect(read).toMatchObject({ kind: 'answered', status: 200 })
    expect(read).not.toHaveProperty('etag')
  })

  it.each([404, 401, 403, 500, 503])('gives an empty description for JSON with status %i', async (status) => {
    const { client } = await start({ fault: () => ({ status }) })
    expect(await client.read('t', never)).toEqual({ kind: 'answered', status, description: new Map() })
  })

  it('says how long the cluster wants to be left alone', async () => {
    const { client } = await start({ fault: () => ({ status: 503, headers: { 'retry-after': '7' } }) })
    expect(await client.read('t', never)).toMatchObject({ status: 503, retryAfterMs: 7_000 })
  })

  const BROKEN = [
    ['an error page', 'html', 'answered 502 with what is no JSON'],
    ['a page with 200', { status: 200, body: '<html>' }, 'answered 200 with what is no JSON'],
    ['nothing', { status: 404, body: '' }, 'answered 404 with what is no JSON'],
    ['a JSON array', { status: 200, body: '[]' }, 'answered 200 with JSON that is no object'],
    [
      'a time that is none',
      { status: 200, body: '{"last-update-time":"soon"}' },
      'answered 200 with last-update-time is neither an ISO-8601 time nor a number',
    ],
    ['a reset', 'reset', 'the connection broke'],
    ['half an answer', 'half', 'the connection broke'],
  ] as const
  it.each(BROKEN)('is broken by %s', async (_what, fault, message) => {
    const { fake, client } = await start({ fault: () => fault })
    fake.put('t', ALICE)
    expect(await client.read('t', never)).toMatchObject({ kind: 'broken', message })
    expect(fake.seen).toHaveLength(1)
  })

  it('is broken when nobody listens', async () => {
    const { fake, client } = await start()
    await fake[Symbol.asyncDispose]()
    expect(await client.read('t', never)).toEqual({ kind: 'broken', message: 'connection refused' })
  })

  it('is broken when what answers speaks no HTTP', async () => {
    const url = `http://127.0.0.1:${await listenWith((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))}`
    const client = open.use(createWaiterCluster({ url, clock: systemClock }))
    expect(await client.read('t', never)).toMatchObject({ kind: 'broken', message: /^the answer is not HTTP \(HPE_/ })
  })

  it('is broken for a name that no header can carry, and nothing is sent', async () => {
    const { fake, client } = await start()
    expect(await client.read('a\r\nx: y', never)).toEqual({ kind: 'broken', message: 'the request cannot be sent' })
    expect(fake.seen).toHaveLength(0)
  })
})

describe('a write', () => {
  const NEW = '{"cmd":"run","cpus":1.0,"token":"other","env":{"2":"b","1":"a"},"mem":256,"previous":{},"owner":"alice"}'

  it('sends the description as it is and the name last, as an administrator', async () => {
    const { fake, client } = await start()
    const answer = await client.store('tok', described(NEW), undefined, never)
    expect(answer).toEqual({
      kind: 'answered',
      status: 400,
      message: expect.stringContaining('improperly configured: env'),
    })
    const [seen] = fake.seen
    expect(seen).toMatchObject({ method: 'POST', path: '/token', query: 'update-mode=admin' })
    expect(seen?.headers).not.toHaveProperty('if-match')
    expect(seen?.body).toBe(
      '{"cmd":"run","cpus":1.0,"env":{"2":"b","1":"a"},"mem":256,"previous":{},"owner":"alice","token":"tok"}',
    )
  })

  it('comes back as it was sent, digit by digit', async () => {
    const { client } = await start()
    const sent =
      '{"cmd":"run","cpus":1.0,"mem":1e2,"env":{"B":"b","A":"a"},"cors-rules":[{"origin-regex":".*"}],"owner":"alice",' +
      '"cluster":"c1","last-update-time":1700000000123,"last-update-user":"alice","previous":{"cpus":12345678901234567890},"root":"c1"}'
    const stored = await client.store('tok', described(sent), undefined, never)
    const read = await client.read('tok', never)
    expect(stored).toEqual({ kind: 'answered', status: 200, etag: expect.stringMatching(/^E-[0-9a-f]{32}$/) })
    expect(read).toMatchObject({ etag: stored.kind === 'answered' ? stored.etag : '' })
    expect(read.kind === 'answered' && writeJson(read.description)).toBe(sent)
  })

  it('names the version that it is to replace, or to delete', async () => {
    const { fake, client } = await start()
    fake.put('tok', ALICE)
    const etag = fake.etag('tok')
    expect(await client.store('tok', described('{"cmd":"new"}'), 'E-1', never)).toMatchObject({ status: 412 })
    expect(await client.store('tok', described('{"cmd":"new"}'), etag, never)).toMatchObject({ status: 200 })
    expect(await client.hardDelete('tok', etag, never)).toMatchObject({ status: 412 })
    expect(await client.hardDelete('tok', undefined, never)).toMatchObject({
      status: 400,
      message: 'Must specify if-match header for token hard deletes',
    })
    expect(await client.hardDelete('tok', fake.etag('tok'), never)).toMatchObject({ status: 200 })
    expect(fake.get('tok')).toBeUndefined()
    expect(fake.seen.map((one) => one.headers['if-match'])).toEqual(['E-1', etag, etag, undefined, expect.any(String)])
    expect(fake.only('delete')[0]).toMatchObject({ method: 'DELETE', query: 'hard-delete=true', token: 'tok' })
  })

  const UNKNOWN = [
    ['a reset', 'reset', false, 'the connection broke'],
    ['a reset after it was carried out', 'reset-after-commit', true, 'the connection broke'],
    ['half an answer', 'half', true, 'the connection broke'],
    ['a page with 200', { status: 200, body: '<html>' }, false, 'answered 200 with what is no JSON'],
  ] as const
  it.each(UNKNOWN)('has an unknown outcome after %s, and is not sent again', async (_what, fault, done, message) => {
    const { fake, client } = await start({ fault: () => fault })
    const answer = await client.store('tok', described('{"cmd":"new"}'), undefined, never)
    expect(answer).toEqual({ kind: 'unknown', message, sent: true })
    expect(fake.seen).toHaveLength(1)
    expect(fake.get('tok') !== undefined).toBe(done)
  })

  it('was surely not sent when no connection was made', async () => {
    const { fake, client } = await start()
    await fake[Symbol.asyncDispose]()
    const answer = await client.hardDelete('tok', undefined, never)
    expect(answer).toEqual({ kind: 'unknown', message: 'connection refused', sent: false })
  })

  it('is answered by an empty 2xx, and by any refusal', async () => {
    const { fake, client } = await start({ fault: () => ({ status: 204, body: '' }) })
    expect(await client.hardDelete('tok', undefined, never)).toEqual({ kind: 'answered', status: 204 })
    fake.fault = () => 'html'
    expect(await client.hardDelete('tok', undefined, never)).toEqual({ kind: 'answered', status: 502 })
    fake.fault = () => ({ status: 302, headers: { location: '/elsewhere' }, body: '' })
    expect(await client.hardDelete('tok', undefined, never)).toEqual({ kind: 'answered', status: 302 })
    expect(fake.seen).toHaveLength(3)
  })
})

describe('deadlines', () => {
  it('end a read that is not answered', async () => {
    const clock = new FakeClock()
    const { fake, client } = await start({ fault: () => 'hang' }, { clock, idleTimeoutMs: 250 })
    const read = client.read('t', never)
    await eventually(() => fake.seen.length === 1)
    await clock.advance(249)
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    expect(await read).toMatchObject({ kind: 'broken', message: 'no answer in 250 ms' })
  })

  it('leave a write whose answer never comes unknown', async () => {
    const clock = new FakeClock()
    const { fake, client } = await start({ fault: () => 'hang-after-commit' }, { clock, idleTimeoutMs: 250 })
    const answer = client.store('tok', described('{"cmd":"new"}'), undefined, never)
    await eventually(() => fake.seen.length === 1)
    await clock.advance(250)
    expect(await answer).toMatchObject({ kind: 'unknown', sent: true })
    expect(fake.get('tok')).toBeDefined()
  })

  it('do not end an answer that is slow and not silent', async () => {
    const clock = new FakeClock()
    const { fake, client } = await start(
      { clock, latencyMs: 400 },
      { clock, idleTimeoutMs: 300, maxConcurrentRequests: 1 },
    )
    const late = client.read('t', never)
    await eventually(() => fake.seen.length === 1)
    await clock.advance(300)
    expect((await late).kind).toBe('broken')
    fake.latencyMs = 200
    // What waits for its turn is not on its way yet.
    const reads = ['a', 'b', 'c'].map((token) => client.read(token, never))
    for (const seen of [2, 3, 4]) {
      await eventually(() => fake.seen.length === seen)
      await clock.advance(200)
    }
    expect((await Promise.all(reads)).map((read) => read.kind)).toEqual(['answered', 'answered', 'answered'])
  })

  it('end a connection that is not made in time, and say that nothing was sent', async () => {
    // A server that has accepted as many connections as it may leaves the next ones without an answer: here, TLS to a silent one.
    let connections = 0
    const url = `https://127.0.0.1:${await listenWith(() => connections++)}`
    const clock = new FakeClock()
    const client = open.use(createWaiterCluster({ url, clock, connectionTimeoutMs: 200 }))
    const answer = client.store('tok', described('{"cmd":"new"}'), undefined, never)
    await eventually(() => connections === 1)
    await clock.advance(200)
    expect(await answer).toEqual({ kind: 'unknown', message: 'no connection in 200 ms', sent: false })
  })
})

describe('a signal', () => {
  it('ends what is under way and what waits, with its reason', async () => {
    const { fake, client } = await start({ fault: () => 'hang' }, { maxConcurrentRequests: 2 })
    const stop = new AbortController()
    const asked = ['a', 'b', 'c'].map((token) => client.read(token, stop.signal))
    await eventually(() => fake.seen.length === 2)
    stop.abort(new Error('enough'))
    for (const one of asked) await expect(one).rejects.toThrow('enough')
    await expect(client.read('d', stop.signal)).rejects.toThrow('enough')
    expect(fake.seen).toHaveLength(2)
    fake.fault = () => undefined
    expect(await client.read('e', never)).toMatchObject({ status: 404 })
  })

  it('ends a request of its own only', async () => {
    const { fake, client } = await start({ latencyMs: 50 })
    const stop = new AbortController()
    const [mine, other] = [client.read('mine', stop.signal), client.read('other', never)]
    await eventually(() => fake.seen.length === 2)
    stop.abort(new Error('enough'))
    await expect(mine).rejects.toThrow('enough')
    expect(await other).toMatchObject({ kind: 'answered', status: 404 })
  })
})

describe('many requests', () => {
  it('are never more at once than is allowed, begin in their order, and share their connections', async () => {
    const { fake, client } = await start({ latencyMs: 2 }, { maxConcurrentRequests: 4 })
    const names = Array.from({ length: 200 }, (_, i) => `t${i}`)
    await Promise.all(names.map((name) => client.read(name, never)))
    expect(fake.busiest).toBe(4)
    expect(fake.openSockets).toBe(4)
    const order = fake.seen.map((one) => names.indexOf(one.token ?? ''))
    expect(order.every((place, at) => Math.abs(place - at) < 8)).toBe(true)
  })

  it('leave no connection behind', async () => {
    const { fake, client } = await start()
    await Promise.all(['a', 'b', 'c'].map((name) => client.read(name, never)))
    const hanging = client.read('d', never)
    await client[Symbol.asyncDispose]()
    expect(await hanging).toMatchObject({ kind: 'broken', message: 'the cluster is no longer in use' })
    expect(await client.read('e', never)).toMatchObject({ kind: 'broken' })
    await eventually(() => fake.openSockets === 0)
  })

  it('go on when the cluster comes back on the same port', async () => {
    const { fake, client } = await start()
    await client.read('a', never)
    await fake[Symbol.asyncDispose]()
    expect(await client.read('b', never)).toMatchObject({ kind: 'broken' })
    open.use(await startFakeWaiter({ port: fake.port }))
    expect(await client.read('c', never)).toMatchObject({ kind: 'answered', status: 404 })
  })
})

describe('the clock of the cluster', () => {
  it.each([90_000, -7_000])('is known to be %i ms ahead', async (skewMs) => {
    const clock = new FakeClock()
    const { client } = await start({ clock, skewMs }, { clock })
    expect(client.skewMs).toBeUndefined()
    await client.read('t', never)
    expect(Math.abs((client.skewMs ?? 0) - skewMs)).toBeLessThanOrEqual(600)
  })
})

describe('what a cluster is called', () => {
  const fail = (url: string) => () => createWaiterCluster({ url, clock: systemClock })

  it('has no slash at its end, and may have a path', async () => {
    const { fake } = await start()
    const client = open.use(createWaiterCluster({ url: `${fake.url}/proxy/w1//`, clock: systemClock }))
    expect(client.url).toBe(`${fake.url}/proxy/w1`)
    await client.read('t', never)
    await client.store('t', described('{"cmd":"x"}'), undefined, never)
    expect(fake.seen.map((one) => one.path)).toEqual(['/proxy/w1/token', '/proxy/w1/token'])
  })

  it('is no address of something else', () => {
    expect(fail('ftp://host')).toThrow('begins with http:// or https://')
    expect(fail('host:8080')).toThrow('begins with http:// or https://')
    expect(fail('http://host/?a=b')).toThrow('has a query')
    expect(fail('http://user:hunter2@host')).toThrow('the address of host holds a user name or password')
    expect(fail('http://user:hunter2@host')).not.toThrow('hunter2')
  })
})

describe('the header Authorization', () => {
  it('is sent with every request, as it is at that moment, and shows up nowhere else', async () => {
    let secret = 'Bearer s3cret-1'
    const { fake, client } = await start({}, { authorization: () => secret })
    await client.list(never)
    secret = 'Bearer s3cret-2'
    fake.fault = () => ({ status: 403, body: `{"waiter-error":{"message":"who is ${secret} or s3cret-2?"}}` })
    const answer = await client.hardDelete('tok', undefined, never)
    expect(answer).toMatchObject({ message: 'who is *** or ***?' })
    expect(fake.seen.map((one) => one.headers['authorization'])).toEqual(['Bearer s3cret-1', 'Bearer s3cret-2'])
    secret = 'Bearer s3cret-3\n'
    const read = await client.read('tok', never)
    expect(read).toEqual({ kind: 'broken', message: 'the request cannot be sent' })
    const refused: unknown = await client.list(never).catch((error: unknown) => error)
    for (let error = refused; error instanceof Error; error = error.cause) {
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('s3cret')
    }
  })

  it('lets the message of an error come through in one line, and not for ever', async () => {
    const message = `first\nsecond ${'x'.repeat(1_000)}`
    const { client } = await start({
      fault: () => ({ status: 400, body: JSON.stringify({ 'waiter-error': { message } }) }),
    })
    const answer = await client.hardDelete('tok', undefined, never)
    expect(answer).toMatchObject({ message: expect.stringMatching(/^first second x+…$/) })
    expect(answer.kind === 'answered' && answer.message?.length).toBe(301)
  })
})

describe('TLS', () => {
  it('trusts the authority that it is told to, and nobody else', async () => {
    const ca = await makeCa('Waiter CA')
    const server = createTlsServer(await ca.issue({ names: ['waiter.test'] }), (_request, response) =>
      response.end('{}'),
    )
    open.defer(() => new Promise<void>((resolve) => void server.close(() => resolve())))
    const url = `https://127.0.0.1:${await listen(server, '127.0.0.1', 0)}`
    const clock = systemClock
    const secureContext = () => createSecureContext({ ca: ca.cert })
    const good = open.use(createWaiterCluster({ url, clock, secureContext, servername: 'waiter.test' }))
    expect(await good.read('t', never)).toMatchObject({ kind: 'answered', status: 200 })
    const unnamed = open.use(createWaiterCluster({ url, clock, secureContext }))
    expect(await unnamed.read('t', never)).toMatchObject({
      message: 'the request failed (ERR_TLS_CERT_ALTNAME_INVALID)',
    })
    const untrusting = open.use(createWaiterCluster({ url, clock }))
    expect(await untrusting.read('t', never)).toMatchObject({
      kind: 'broken',
      message: /^the request failed \([A-Z_]+\)$/,
    })
    const unreadable = open.use(
      createWaiterCluster({
        url,
        clock,
        secureContext: () => {
          throw new Error('file ca.pem does not exist')
        },
      }),
    )
    expect(await unreadable.read('t', never)).toMatchObject({ kind: 'broken' })
    await good[Symbol.asyncDispose]()
  })
})

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKubeClient, type KubeClient, type KubeRequest } from '../../../src/lib/kube/client.ts'
import { createGivenCredentials, type KubeCredentials } from '../../../src/lib/kube/credentials.ts'
import { KubeError } from '../../../src/lib/kube/error.ts'
import { FakeKubeApi } from '../../fakes/kube-api.ts'
import { makeCa } from '../../lib/certificates.ts'
import { eventually } from '../../lib/eventually.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/shop/leases/master'
const GET: KubeRequest = { method: 'GET', path: LEASE, timeoutMs: 1_000 }

let api: FakeKubeApi
let clock: FakeClock
let client: KubeClient
let token: string
let ca: string
let rejected: number

const credentials: KubeCredentials = {
  namespace: 'shop',
  access: () => createGivenCredentials({ server: api.origin, ca, token: async () => token }).access(),
  reject: () => void rejected++,
}

beforeEach(async () => {
  api = await FakeKubeApi.start()
  api.answer = () => ({ status: 200, body: '{"ok":true}' })
  clock = new FakeClock()
  token = api.token
  ca = api.ca.cert
  rejected = 0
  client = createKubeClient({ credentials, clock })
})

afterEach(async () => {
  await client[Symbol.asyncDispose]()
  expect(clock.pending).toBe(0)
  await eventually(() => api.openSockets === 0)
  await api[Symbol.asyncDispose]()
})

async function failure(request: Partial<KubeRequest> = {}): Promise<KubeError> {
  const error: unknown = await client.request({ ...GET, ...request }).catch((thrown: unknown) => thrown)
  if (!(error instanceof KubeError)) throw new Error(`not a KubeError: ${error}`)
  return error
}

describe('a request', () => {
  it('sends JSON, the token and the query, and gives the parsed body', async () => {
    const body = { metadata: { name: 'master' }, spec: { holderIdentity: 'a' } }
    expect(await client.request({ ...GET, method: 'PUT', body, query: { dryRun: 'All', selector: 'a=b,c' } })).toEqual({
      ok: true,
    })
    expect(api.seen[0]).toMatchObject({
      method: 'PUT',
      path: LEASE,
      authorization: 'Bearer token-1',
      body: JSON.stringify(body),
    })
    expect(Object.fromEntries(api.seen[0]?.query ?? [])).toEqual({ dryRun: 'All', selector: 'a=b,c' })
  })

  it('shares its connection with the next ones', async () => {
    for (let i = 0; i < 50; i++) await client.request(GET)
    // Asked for in the very turn in which the last answer ended, a connection may not be free yet.
    expect(api.connections).toBeLessThanOrEqual(2)
  })

  it('keeps the path in front of a server behind a proxy', async () => {
    const behind = createKubeClient({
      credentials: createGivenCredentials({ server: `${api.origin}/k8s/clusters/c-1/`, ca, token: () => token }),
      clock,
    })
    await behind.request(GET)
    await behind[Symbol.asyncDispose]()
    expect(api.seen[0]?.path).toBe(`/k8s/clusters/c-1${LEASE}`)
    expect(behind.namespace).toBe('default')
  })

  it.each([
    [400, 'bad-request'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [409, 'conflict'],
    [410, 'gone'],
    [422, 'invalid'],
    [429, 'throttled'],
    [500, 'server-error'],
    [504, 'server-error'],
    [302, 'unexpected-status'],
    [418, 'unexpected-status'],
  ])('answered %i is an error %s, whatever the body', async (status, code) => {
    for (const body of ['{"kind":"Status","message":"no\\nway"}', '{"error":1}', '<html>no</html>', 'no way\n', '']) {
      api.fault = () => ({ status, body })
      const said = body.includes('way') ? ': no way' : ''
      expect(await failure()).toMatchObject({ code, status, message: `GET ${LEASE} was answered ${status}${said}` })
    }
  })

  it('passes on how long a server wants to be left alone', async () => {
    api.fault = () => ({ status: 429, body: 'slow down', headers: { 'retry-after': '3' } })
    expect(await failure()).toMatchObject({ code: 'throttled', retryAfterMs: 3_000 })
  })

  it.each([
    ['cut off', 'reset', 'unreachable'],
    ['met by something else', 'not-http', 'unreachable'],
  ] as const)('%s is an error', async (_, fault, code) => {
    api.fault = () => fault
    expect(await failure()).toMatchObject({ code, status: undefined })
  })

  it('answered with something else than JSON is an error', async () => {
    api.answer = () => ({ status: 200, body: '<html>welcome</html>' })
    expect(await failure()).toMatchObject({ code: 'garbage', status: 200 })
  })

  it('to a server that is not there is an error', async () => {
    const gone = createKubeClient({ credentials: createGivenCredentials({ server: 'https://127.0.0.1:1' }), clock })
    await expect(gone.request(GET)).rejects.toMatchObject({
      code: 'unreachable',
      message: `GET ${LEASE} failed: connect ECONNREFUSED 127.0.0.1:1`,
    })
    await gone[Symbol.asyncDispose]()
  })

  it('to a server of another authority is an error', async () => {
    ca = (await makeCa('Somebody else')).cert
    expect(await failure()).toMatchObject({ code: 'tls' })
    expect(rejected).toBe(1)
  })

  it('ends at its deadline, and leaves the connections behind that may be dead', async () => {
    await Promise.all([client.request(GET), client.request(GET)])
    expect(api.openSockets).toBe(2)
    api.fault = () => 'silent'
    const failed = failure()
    await eventually(() => api.seen.length === 3)
    await clock.advance(999)
    expect(api.openSockets).toBe(2)
    await clock.advance(1)
    expect(await failed).toMatchObject({ code: 'timeout', message: `GET ${LEASE} was not answered within 1000 ms` })
    await eventually(() => api.openSockets === 0)
    api.fault = () => undefined
    await client.request(GET)
  })

  it('ends at its deadline when the server accepts the connection and does not shake hands', async () => {
    const sockets: Socket[] = []
    const frozen = createServer((socket) => sockets.push(socket))
    await new Promise<void>((resolve) => frozen.listen(0, '127.0.0.1', resolve))
    const server = `https://127.0.0.1:${(frozen.address() as AddressInfo).port}`
    const stuck = createKubeClient({ credentials: createGivenCredentials({ server, ca, token: () => token }), clock })
    const failed = expect(stuck.request(GET)).rejects.toMatchObject({ code: 'timeout' })
    await eventually(() => sockets.length === 1)
    const startedAt = performance.now()
    await clock.advance(1_000)
    await failed
    // Not when undici gives up the connection, five seconds of real time later.
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    await stuck[Symbol.asyncDispose]()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => frozen.close(resolve))
  })

  it('ends at its deadline when the credentials do not come', async () => {
    const slow = createKubeClient({
      credentials: { ...credentials, access: () => new Promise(() => undefined) },
      clock,
    })
    const failed = expect(slow.request(GET)).rejects.toMatchObject({ code: 'timeout' })
    await clock.advance(1_000)
    await failed
    await slow[Symbol.asyncDispose]()
  })

  it('ends with the reason of its signal', async () => {
    api.fault = () => 'silent'
    const caller = new AbortController()
    const reason = new Error('no longer of interest')
    const failed = expect(client.request({ ...GET, signal: caller.signal })).rejects.toBe(reason)
    await eventually(() => api.seen.length === 1)
    caller.abort(reason)
    await failed
    await expect(client.request({ ...GET, signal: caller.signal })).rejects.toBe(reason)
    expect(api.seen).toHaveLength(1)
  })
})

describe('credentials that change', () => {
  it('are read anew when they are refused, once', async () => {
    api.token = 'token-2'
    expect(await failure()).toMatchObject({ code: 'unauthorized', status: 401 })
    expect(api.seen).toHaveLength(2)
    expect(rejected).toBe(2)
    token = 'token-2'
    await client.request(GET)
    expect(api.seen).toHaveLength(3)
  })

  it('of the server lead to new connections; what is under way ends on the old ones', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    api.define('/apis/slow')
    api.answer = ({ path }) => (path === LEASE ? { status: 200, body: '{}' } : undefined)
    api.beforeListAnswer = () => held
    const slow = client.request({ ...GET, path: '/apis/slow' })
    await eventually(() => api.seen.length === 1)
    const next = await makeCa('The next Kube CA')
    await api.rotateCertificate(next)
    expect(await failure()).toMatchObject({ code: 'tls' })
    ca = next.cert
    await client.request(GET)
    release()
    expect(await slow).toMatchObject({ kind: 'List' })
  })

  it.each([
    [
      'an error of the server',
      () => ({ status: 403, body: JSON.stringify({ message: 'Bearer s3cret-token may not; s3cret-token' }) }),
    ],
    ['a text of the server', () => ({ status: 500, body: 'you sent s3cret-token' })],
  ])('are never repeated by %s', async (_, fault) => {
    token = 's3cret-token'
    api.fault = fault
    const error = await failure()
    expect(error.message).toMatch(/\*\*\*/)
    expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain('s3cret')
  })

  it('that no header can carry are refused without being told', async () => {
    token = 's3cret\u0000token'
    const error = await failure()
    expect(error.code).toBe('credentials')
    expect(`${error.stack}`).not.toContain('s3cret')
    expect(api.seen).toEqual([])
  })
})

describe('a stream', () => {
  it('has no deadline once it is open, and ends with its signal', async () => {
    api.define('/apis/things')
    api.answer = () => undefined
    const caller = new AbortController()
    const stream = await client.stream({
      ...GET,
      path: '/apis/things',
      query: { watch: 'true', sendInitialEvents: 'true' },
      signal: caller.signal,
    })
    expect(clock.pending).toBe(0)
    const reason = new Error('enough')
    const read = (async () => {
      for await (const chunk of stream.chunks) if (Buffer.from(chunk).includes('BOOKMARK')) caller.abort(reason)
    })()
    await expect(read).rejects.toBe(reason)
    stream[Symbol.dispose]()
    await eventually(() => api.openWatches === 0)
  })

  it('that nobody reads goes with its owner', async () => {
    api.define('/apis/things')
    api.answer = () => undefined
    const stream = await client.stream({ ...GET, path: '/apis/things', query: { watch: 'true' } })
    stream[Symbol.dispose]()
    await eventually(() => api.openWatches === 0)
  })

  it('that is refused is an error, and leaves nothing', async () => {
    api.fault = () => ({ status: 422 })
    await expect(client.stream({ ...GET, query: { watch: 'true' } })).rejects.toMatchObject({ code: 'invalid' })
    expect(clock.pending).toBe(0)
  })
})

describe('a client that was closed', () => {
  it('ends what is under way, and takes nothing new', async () => {
    api.fault = () => 'silent'
    const failed = failure()
    await eventually(() => api.seen.length === 1)
    await client[Symbol.asyncDispose]()
    expect(await failed).toMatchObject({ code: 'closed' })
    expect(await failure()).toMatchObject({ code: 'closed' })
  })
})

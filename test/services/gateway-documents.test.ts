import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DocumentedGateway, readDocument, startDocumentedGateway } from './lib/documented-gateway.ts'
import { type NginxGateway, startGateway } from './lib/nginx-gateway.ts'
import { createReplicaClient, type Endpoint, type ReplicaClient } from './lib/replica-client.ts'
import { type StandIn, startStandIn } from './lib/stand-in.ts'
import { caFile, gatewaySection, type Syncer, startSyncer } from './lib/syncer.ts'
import { createTestTls, type TestTls } from './lib/test-tls.ts'

const NOBODY = '127.0.0.1:9' // the discard port: closed

let tls: TestTls
let client: ReplicaClient
beforeAll(async () => {
  tls = await createTestTls()
  client = createReplicaClient(tls)
})
afterAll(() => client.close())

describe.each(['njs', 'lua'] as const)('docs/gateway/%s.conf', (name) => {
  let syncer: StandIn
  let gateway: DocumentedGateway

  beforeAll(async () => {
    syncer = await startStandIn()
    gateway = await startDocumentedGateway({ name, tls, syncer: [syncer.authority] })
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await syncer[Symbol.asyncDispose]()
  })
  const login = (user: string) => client.send('GET', gateway, `/login?user=${user}`)
  const asked = (token: string) => syncer.seen.filter(({ headers }) => headers['x-auth-token'] === token)

  it('hands the token out once it is everywhere', async () => {
    const { status, headers } = await login('alice')
    expect({ status, verdict: headers['x-token-status'] }).toEqual({ status: 204, verdict: 'Synced' })
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^auth_token=alice; .*HttpOnly/)])
    expect(asked('alice')).toHaveLength(1)
  })

  it('hands the form of a login on', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await client.send('POST', gateway, '/login', headers, 'user=gina')
    expect(answer).toMatchObject({ status: 204, headers: { 'x-token-status': 'Synced' } })
    expect(asked('gina')).toMatchObject([{ method: 'GET' }])
    expect(asked('gina')[0]?.headers['content-length']).toBeUndefined()
  })

  it('sends the token, its own name, and nothing that the user sent', async () => {
    await client.send('GET', gateway, '/login?user=bob', {
      cookie: 'session=private',
      authorization: 'Basic cHJpdmF0ZQ==',
      'x-nginx-origin': 'forged',
    })
    const [request] = asked('bob')
    expect(request).toMatchObject({ method: 'GET', url: '/v1/synced' })
    expect(request?.headers).toMatchObject({ 'x-auth-token': 'bob', 'x-nginx-origin': hostname() })
    expect(request?.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
    expect(JSON.stringify(request)).not.toContain('private')
  })

  it('asks again until the last replica has caught up', async () => {
    syncer.script('carol', 'NotSynced', 'Partialy', 'Synced')
    expect(await login('carol')).toMatchObject({ status: 204, headers: { 'x-token-status': 'Synced' } })
    expect(asked('carol')).toHaveLength(3)
  })

  it.each(['NotSynced', 'Partialy', 'Timeout'] as const)('hands nothing out when it stays %s', async (verdict) => {
    syncer.script(`late-${verdict}`, verdict)
    const { status, headers } = await login(`late-${verdict}`)
    expect(status).toBe(503)
    expect(headers).toMatchObject({ 'x-token-status': verdict, 'retry-after': '1' })
    expect(headers['set-cookie']).toBeUndefined()
  })

  it.each([422, 503, 401] as const)('waits for a tick and goes on when the service answers %i', async (code) => {
    syncer.script(`blind-${code}`, code)
    const startedAt = performance.now()
    expect(await login(`blind-${code}`)).toMatchObject({ status: 204, headers: { 'x-token-status': 'Unasked' } })
    expect(performance.now() - startedAt).toBeGreaterThan(1_000)
  })

  it('does not wait for ever for a service that is silent', async () => {
    syncer.script('mute', 'silence')
    const startedAt = performance.now()
    expect(await login('mute')).toMatchObject({ status: 204, headers: { 'x-token-status': 'Unasked' } })
    expect(performance.now() - startedAt).toBeLessThan(3_500)
  })

  it('passes on that the login was refused, and asks nothing', async () => {
    const before = syncer.seen.length
    expect(await client.send('GET', gateway, '/login')).toMatchObject({ status: 403 })
    expect(syncer.seen).toHaveLength(before)
  })

  it('asks at a logout whether the token is forgotten everywhere', async () => {
    const logout = () => client.send('GET', gateway, '/logout', { cookie: 'auth_token=dora' })
    expect(await logout()).toMatchObject({ status: 204, headers: { 'x-token-status': 'Synced' } })
    expect(asked('dora')[0]?.url).toBe('/v1/synced?expect=absent')
    syncer.script('dora', 'Partialy')
    expect(await logout()).toMatchObject({ status: 202, headers: { 'x-token-status': 'Partialy' } })
  })

  it('keeps its connection to the service', async () => {
    for (let i = 0; i < 20; i++) await login(`again-${i}`)
    const connections = new Set(
      syncer.seen
        .filter(({ url }) => url === '/v1/synced')
        .slice(-20)
        .map((one) => one.connection),
    )
    expect(connections.size).toBe(1)
  })

  it('does not let the outside ask the service', async () => {
    expect(await client.send('GET', gateway, '/_syncer')).toMatchObject({ status: 404 })
  })

  it('goes on when the service is away', async () => {
    await using alone = await startDocumentedGateway({ name, tls, syncer: [NOBODY] })
    const answer = await client.send('GET', alone, '/login?user=erin')
    expect(answer).toMatchObject({ status: 204, headers: { 'x-token-status': 'Unasked' } })
  })

  it('asks another replica of the service when one is away', async () => {
    await using pair = await startDocumentedGateway({ name, tls, syncer: [NOBODY, syncer.authority] })
    for (let i = 0; i < 4; i++) {
      const answer = await client.send('GET', pair, `/login?user=pair-${i}`)
      expect(answer).toMatchObject({ status: 204, headers: { 'x-token-status': 'Synced' } })
    }
  })
})

describe('docs/gateway/lua.conf', () => {
  it('finds the verdict only in the case in which the service writes it', async () => {
    await using syncer = await startStandIn()
    await using gateway = await startDocumentedGateway({ name: 'lua', tls, syncer: [syncer.authority] })
    syncer.header = 'x-token-status'
    expect(await client.send('GET', gateway, '/login?user=frank')).toMatchObject({
      headers: { 'x-token-status': 'Unasked' },
    })
  })
})

describe('docs/gateway/auth-request.conf', () => {
  let syncer: StandIn
  let gateway: DocumentedGateway

  beforeAll(async () => {
    syncer = await startStandIn()
    gateway = await startDocumentedGateway({ name: 'auth-request', tls, syncer: [syncer.authority] })
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await syncer[Symbol.asyncDispose]()
  })
  const finish = (path: string, token: string) =>
    client.send('GET', gateway, path, { cookie: `pending_token=${token}` })

  describe.each([
    { path: '/login/finish', url: '/v1/synced' },
    { path: '/login/finish-strict', url: '/v1/synced?denyStatus=401' },
  ])('$path', ({ path, url }) => {
    it('hands the token out once it is everywhere', async () => {
      const { status, headers } = await finish(path, 'alice')
      expect({ status, verdict: headers['x-token-status'] }).toEqual({ status: 204, verdict: 'Synced' })
      expect(headers['set-cookie']).toEqual([expect.stringMatching(/^auth_token=alice; /)])
      expect(headers['retry-after']).toBeUndefined()
      expect(syncer.seen.at(-1)).toMatchObject({ url, method: 'GET' })
      expect(syncer.seen.at(-1)?.headers).toMatchObject({ 'x-auth-token': 'alice', 'x-nginx-origin': hostname() })
      expect(syncer.seen.at(-1)?.headers['cookie']).toBeUndefined()
    })

    it.each(['NotSynced', 'Partialy', 'Timeout'] as const)(
      'hands nothing out when the verdict is %s',
      async (verdict) => {
        syncer.script('late', verdict)
        const { status, headers } = await finish(path, 'late')
        expect(status).toBe(503)
        expect(headers).toMatchObject({ 'x-token-status': verdict, 'retry-after': '1' })
        expect(headers['set-cookie']).toBeUndefined()
      },
    )

    it.each([422, 503, 'silence'] as const)('hands nothing out without a verdict (%s)', async (answer) => {
      syncer.script('blind', answer)
      const { status, headers } = await finish(path, 'blind')
      expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '2' })
      expect(headers['set-cookie']).toBeUndefined()
    })
  })

  it('hands nothing out when the service is away', async () => {
    await using alone = await startDocumentedGateway({ name: 'auth-request', tls, syncer: [NOBODY] })
    expect(await client.send('GET', alone, '/login/finish', { cookie: 'pending_token=x' })).toMatchObject({
      status: 503,
    })
  })
})

describe('docs/gateway/ with the service itself and a gateway of five with a one-second tick', () => {
  const self = hostname()
  let nginx: NginxGateway
  let service: Syncer

  beforeAll(async () => {
    nginx = await startGateway({ replicas: 5, tickMs: 1_000, tls })
    const replicas = nginx.replicas.map((one) => (one.name === 'gw-0' ? { ...one, name: self } : one))
    service = await startSyncer({ config: { gateway: gatewaySection(replicas, tls) }, files: caFile(tls) })
  })
  afterAll(async () => {
    await service.stop()
    await nginx.stop()
  })
  const isKnown = async (token: string) => {
    const probe = (replica: Endpoint) => client.send('GET', replica, nginx.path, { cookie: `auth_token=${token}` })
    return Promise.all(nginx.replicas.map(async (replica) => (await probe(replica)).status === 200))
  }

  it.each(['njs', 'lua'] as const)(
    '%s.conf: the first request after a login, and after a logout, is treated alike everywhere',
    async (name) => {
      await using gateway = await startDocumentedGateway({
        name,
        tls,
        syncer: [service.authority],
        onLogin: (token) => nginx.login(token),
        onLogout: (token) => nginx.logout(token),
      })
      for (let i = 0; i < 4; i++) {
        const token = `${name}-${i}`
        const login = await client.send('GET', gateway, `/login?user=${token}`)
        expect(login).toMatchObject({ status: 204, headers: { 'x-token-status': 'Synced' } })
        expect(await isKnown(token)).toEqual(Array(5).fill(true))
        const logout = await client.send('GET', gateway, '/logout', { cookie: `auth_token=${token}` })
        expect(logout).toMatchObject({ status: 204, headers: { 'x-token-status': 'Synced' } })
        expect(await isKnown(token)).toEqual(Array(5).fill(false))
      }
    },
  )

  it.each(['/login/finish', '/login/finish-strict'])(
    'auth-request.conf: %s lets only a token pass that is everywhere',
    async (path) => {
      await using gateway = await startDocumentedGateway({ name: 'auth-request', tls, syncer: [service.authority] })
      const token = `auth${path.replaceAll('/', '-')}`
      const finish = () => client.send('GET', gateway, path, { cookie: `pending_token=${token}` })
      nginx.setLag('gw-3', 'never')
      await nginx.login(token)
      expect(await finish()).toMatchObject({ status: 503, headers: { 'x-token-status': 'Partialy' } })
      nginx.setLag('gw-3', 0)
      await nginx.login(token)
      expect(await finish()).toMatchObject({ status: 204, headers: { 'x-token-status': 'Synced' } })
      expect(await isKnown(token)).toEqual(Array(5).fill(true))
    },
  )

  it('closes idle connections later than the upstream block of the documents does', async () => {
    const { headers } = await service.get('/livez')
    expect(headers['keep-alive']).toBe('timeout=75')
    expect(readDocument('syncer-upstream.conf')).toMatch(/keepalive_timeout 55s;/)
  })
})

import { X509Certificate } from 'node:crypto'
import { Agent, request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCertificateAuthority } from '../../src/playground/certificates.ts'
import { type PlaygroundGateway, startPlaygroundGateway } from '../../src/playground/gateway.ts'
import type { GatewayReplica } from '../../src/playground/replica.ts'
import { FakeClock } from '../lib/fake-clock.ts'

const SERVER_NAME = 'gateway.test'

let clock: FakeClock
let gateway: PlaygroundGateway
let agent: Agent

beforeEach(async () => {
  clock = new FakeClock()
  const authority = await createCertificateAuthority('test', Date.now())
  const tls = await authority.issue({ commonName: SERVER_NAME, hostNames: [SERVER_NAME] })
  gateway = await startPlaygroundGateway({ clock, tls, replicas: [{ name: 'gw-0' }, { name: 'gw-1' }] })
  agent = new Agent({ connect: { ca: authority.cert, servername: SERVER_NAME } })
})

afterEach(async () => {
  await agent.destroy()
  await gateway[Symbol.asyncDispose]()
  expect(clock.pending).toBe(0)
})

const replica = (index: number): GatewayReplica => {
  const found = gateway.replicas[index]
  if (found === undefined) throw new RangeError(`there is no replica ${index}`)
  return found
}
const call = (
  index: number,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  options: { body?: string; headers?: Record<string, string> } = {},
) => request(`https://127.0.0.1:${replica(index).port}${path}`, { method, dispatcher: agent, ...options })
const probe = async (index: number, token: string) => {
  const { statusCode, body } = await call(index, 'GET', '/_synced', {
    headers: { cookie: `other=1; auth_token=${token}` },
  })
  await body.dump()
  return statusCode
}

describe('the playground gateway', () => {
  it('knows a token at once where it was stored, and elsewhere after a tick', async () => {
    const login = await call(0, 'POST', '/login', { body: 'tok' })
    expect(login.statusCode).toBe(201)
    expect(await login.body.json()).toEqual({ token: 'tok', origin: 'gw-0' })
    expect([await probe(0, 'tok'), await probe(1, 'tok')]).toEqual([200, 401])
    await clock.advance(1_000)
    expect([await probe(0, 'tok'), await probe(1, 'tok')]).toEqual([200, 200])
    expect(replica(1).probes).toBe(2)
  })

  it('makes up a token when none is given, and understands a bearer', async () => {
    const { token } = (await (await call(0, 'POST', '/login')).body.json()) as { token: string }
    expect(token).toMatch(/^[\w-]{24}$/)
    const { statusCode, body } = await call(0, 'GET', '/_synced', { headers: { authorization: `Bearer ${token}` } })
    await body.dump()
    expect(statusCode).toBe(200)
  })

  it('forgets a token in the same way', async () => {
    await (await call(0, 'POST', '/login', { body: 'tok' })).body.dump()
    await clock.advance(1_000)
    await (await call(1, 'POST', '/logout', { body: 'tok' })).body.dump()
    expect([await probe(0, 'tok'), await probe(1, 'tok')]).toEqual([200, 401])
    await clock.advance(1_000)
    expect([await probe(0, 'tok'), await probe(1, 'tok')]).toEqual([401, 401])
  })

  it.each([
    ['fail', 500],
    ['throttle', 429],
    ['redirect', 302],
    ['cut-off', 401],
    ['answer', 401],
  ] as const)('can be told to %s', async (behaviour, status) => {
    const told = await call(1, 'PUT', '/behaviour', { body: behaviour })
    expect(await told.body.json()).toEqual({ name: 'gw-1', behaviour })
    expect(await probe(1, 'tok')).toBe(status)
  })

  it('can be told to reset connections', async () => {
    replica(1).behave('reset')
    await expect(probe(1, 'tok')).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' })
  })

  it('can be told to freeze, and still stops at once', async () => {
    replica(1).behave('freeze')
    const frozen = probe(1, 'tok')
    const broken = expect(frozen).rejects.toThrow()
    while (replica(1).probes === 0) await new Promise((resolve) => setImmediate(resolve))
    await gateway[Symbol.asyncDispose]()
    await broken
  })

  it('says what is allowed when told something else', async () => {
    const told = await call(0, 'PUT', '/behaviour', { body: 'sing' })
    expect(told.statusCode).toBe(400)
    expect(await told.body.json()).toEqual({
      detail: 'the body is one of answer, freeze, fail, reset, redirect, throttle, cut-off',
    })
    expect((await call(0, 'POST', '/elsewhere')).statusCode).toBe(404)
    expect((await call(0, 'POST', '/logout')).statusCode).toBe(400)
  })

  it('takes a free port when the wanted one is in use', async () => {
    await using second = await startPlaygroundGateway({ clock, replicas: [{ name: 'gw-0', port: replica(0).port }] })
    expect(second.replicas[0]?.port).not.toBe(replica(0).port)
    expect(second.replicas[0]?.port).toBeGreaterThan(0)
  })
})

describe('the certificate authority', () => {
  it('issues what verifies against it alone, with the names asked for', async () => {
    const authority = await createCertificateAuthority('ours', Date.now())
    const other = await createCertificateAuthority('theirs', Date.now())
    const { cert } = await authority.issue({ commonName: 'leaf', hostNames: ['a.test'], addresses: ['127.0.0.1'] })
    const leaf = new X509Certificate(cert)
    expect(leaf.subjectAltName).toBe('DNS:a.test, IP Address:127.0.0.1')
    expect(leaf.verify(new X509Certificate(authority.cert).publicKey)).toBe(true)
    expect(leaf.verify(new X509Certificate(other.cert).publicKey)).toBe(false)
    expect(new X509Certificate(authority.cert).ca).toBe(true)
    expect(leaf.ca).toBe(false)
  })

  it('issues expired and client certificates for tests', async () => {
    const authority = await createCertificateAuthority('ours', Date.now())
    const { cert } = await authority.issue({
      commonName: 'old',
      usage: 'client',
      notAfter: new Date(Date.now() - 60_000),
    })
    const leaf = new X509Certificate(cert)
    expect(leaf.validToDate.getTime()).toBeLessThan(Date.now())
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  })
})

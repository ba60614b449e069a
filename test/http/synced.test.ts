import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { InvalidToken, NoReplicas, TooManyChecks, UnknownOrigin, UnknownReplica } from '../../src/synced/contract.ts'
import { ASKING, createHarness, type Harness, TOKEN, verdict } from './lib/harness.ts'

let h: Harness
beforeAll(async () => {
  h = await createHarness()
})
beforeEach(() => h.gateway.forget())
afterAll(() => h[Symbol.asyncDispose]())

const STATUSES = ['Synced', 'Partialy', 'NotSynced', 'Timeout'] as const

describe('GET /v1/synced', () => {
  it.each(STATUSES)('answers 200 with the verdict %s', async (status) => {
    h.gateway.onCheck = async () => verdict(status)
    const answer = await h.ask({ url: '/v1/synced', headers: ASKING })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({ 'x-token-status': status, 'cache-control': 'no-store' })
    expect(answer.json()).toEqual(verdict(status))
  })

  it('answers with an empty list when there is no replica but the origin', async () => {
    h.gateway.onCheck = async () => verdict('Synced', { replicas: [] })
    expect((await h.ask({ url: '/v1/synced', headers: ASKING })).json()['replicas']).toEqual([])
  })

  it('asks what it was asked, present and of all replicas unless it says otherwise', async () => {
    h.gateway.onCheck = async () => verdict('Synced')
    await h.ask({ url: '/v1/synced', headers: ASKING })
    await h.ask({ url: '/v1/synced?expect=absent&replica=gw-1&replica=gw-2', headers: ASKING })
    await h.ask({ url: '/v1/synced?replica=gw-1', headers: ASKING })
    expect(h.gateway.asked).toEqual([
      { token: TOKEN, origin: 'gw-0', expect: 'present', only: undefined },
      { token: TOKEN, origin: 'gw-0', expect: 'absent', only: ['gw-1', 'gw-2'] },
      { token: TOKEN, origin: 'gw-0', expect: 'present', only: ['gw-1'] },
    ])
  })

  it.each([401, 403])('answers a verdict other than Synced with %i when the gateway wants that', async (denyStatus) => {
    for (const status of STATUSES) {
      h.gateway.onCheck = async () => verdict(status)
      const answer = await h.ask({ url: `/v1/synced?denyStatus=${denyStatus}`, headers: ASKING })
      expect(answer.status).toBe(status === 'Synced' ? 200 : denyStatus)
      expect(answer.headers).toMatchObject({ 'x-token-status': status })
      expect(answer.json()).toEqual(verdict(status))
    }
  })

  it.each([
    ['a longest token', { 'x-auth-token': 'a'.repeat(8192) }],
    [
      'a token of every visible character',
      { 'x-auth-token': String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i)) },
    ],
    ['an origin with dots', { 'x-nginx-origin': 'gw-0.gateway.example' }],
    ['an underscore in it', { 'x-nginx-origin': 'my_host' }],
    ['an IPv4 address', { 'x-nginx-origin': '10.0.0.1' }],
    ['an IPv6 address', { 'x-nginx-origin': 'fd00::1:2' }],
    ['the shortest IPv6 address', { 'x-nginx-origin': '::1' }],
    ['a longest origin', { 'x-nginx-origin': 'a'.repeat(253) }],
  ])('takes %s', async (_, headers) => {
    h.gateway.onCheck = async ({ origin }) => verdict('Synced', { origin })
    expect((await h.ask({ url: '/v1/synced', headers: { ...ASKING, ...headers } })).status).toBe(200)
  })

  it.each([
    ['no token', { 'x-nginx-origin': 'gw-0' }, [{ header: 'X-Auth-Token', detail: 'is missing' }]],
    ['no origin', { 'x-auth-token': TOKEN }, [{ header: 'X-Nginx-Origin', detail: 'is missing' }]],
    [
      'neither',
      {},
      [
        { header: 'X-Auth-Token', detail: 'is missing' },
        { header: 'X-Nginx-Origin', detail: 'is missing' },
      ],
    ],
    ['an empty token', { ...ASKING, 'x-auth-token': '' }, [{ header: 'X-Auth-Token' }]],
    ['a token that is too long', { ...ASKING, 'x-auth-token': 'a'.repeat(8193) }, [{ header: 'X-Auth-Token' }]],
    [
      'a space in the token',
      { ...ASKING, 'x-auth-token': 'a b' },
      [{ header: 'X-Auth-Token', detail: 'must be 1 to 8192 visible ASCII characters without spaces' }],
    ],
    ['two tokens', { ...ASKING, 'x-auth-token': ['a', 'b'] }, [{ header: 'X-Auth-Token' }]],
    ['a token of Latin-1', { ...ASKING, 'x-auth-token': 'tök' }, [{ header: 'X-Auth-Token' }]],
    ['an empty origin', { ...ASKING, 'x-nginx-origin': '' }, [{ header: 'X-Nginx-Origin' }]],
    ['an origin that is too long', { ...ASKING, 'x-nginx-origin': 'a'.repeat(254) }, [{ header: 'X-Nginx-Origin' }]],
    [
      'a slash in the origin',
      { ...ASKING, 'x-nginx-origin': 'gw/0' },
      [{ header: 'X-Nginx-Origin', detail: 'must be a host name or an address of at most 253 characters' }],
    ],
    ['an origin that ends with a dot', { ...ASKING, 'x-nginx-origin': 'gw-0.' }, [{ header: 'X-Nginx-Origin' }]],
    ['two origins', { ...ASKING, 'x-nginx-origin': ['gw-0', 'gw-1'] }, [{ header: 'X-Nginx-Origin' }]],
  ])('refuses %s', async (_, headers, errors) => {
    const answer = await h.ask({ url: '/v1/synced', headers })
    expect(answer.json()).toMatchObject({ type: '/problems/bad-request', status: 400, errors })
    expect(h.gateway.asked).toEqual([])
  })

  it.each([
    [
      'expct=absent',
      'expct',
      'is not a query parameter of this operation; allowed are expect, replica, denyStatus; did you mean expect?',
    ],
    ['zzzzzzzz=1', 'zzzzzzzz', 'is not a query parameter of this operation; allowed are expect, replica, denyStatus'],
    ['expect=maybe', 'expect', 'must be one of "present", "absent"'],
    ['expect=', 'expect', 'must be one of "present", "absent"'],
    ['expect=present&expect=absent', 'expect', expect.any(String)],
    ['denyStatus=200', 'denyStatus', 'must be one of 401, 403'],
    ['denyStatus=', 'denyStatus', expect.any(String)],
    ['replica=', 'replica', expect.any(String)],
    [`replica=${'a'.repeat(254)}`, 'replica', expect.any(String)],
    [Array.from({ length: 101 }, (_, i) => `replica=r${i}`).join('&'), 'replica', expect.any(String)],
    ['__proto__=1', '?', expect.stringContaining('is not a query parameter')],
    ['Expect=absent', 'Expect', expect.stringContaining('did you mean expect?')],
  ])('refuses ?%s', async (query, name, detail) => {
    const answer = await h.ask({ url: `/v1/synced?${query}`, headers: ASKING })
    expect(answer.json()).toMatchObject({ type: '/problems/bad-request', errors: [{ query: name, detail }] })
    expect(h.gateway.asked).toEqual([])
  })

  it.each([
    [
      new InvalidToken('the token must be token68'),
      400,
      'bad-request',
      { errors: [{ header: 'X-Auth-Token', detail: 'the token must be token68' }] },
    ],
    [
      new UnknownOrigin('gw-9 is not one of gw-0, gw-1'),
      422,
      'unknown-origin',
      { errors: [{ header: 'X-Nginx-Origin', detail: 'gw-9 is not one of gw-0, gw-1' }] },
    ],
    [
      new UnknownReplica('gw-9 is no replica'),
      422,
      'unknown-replica',
      { errors: [{ query: 'replica', detail: 'gw-9 is no replica' }] },
    ],
    [new NoReplicas('no list yet'), 503, 'no-replicas', { detail: 'no list yet' }],
    [new TooManyChecks('1024 checks are in flight'), 503, 'too-many-checks', { detail: '1024 checks are in flight' }],
    [new UnknownOrigin('x'.repeat(9_999)), 422, 'unknown-origin', {}],
    [new NoReplicas(), 503, 'no-replicas', {}],
    [new Error('boom'), 500, 'internal-error', { detail: expect.not.stringContaining('boom') }],
    ['no error at all', 500, 'internal-error', {}],
  ])('answers %s with %i %s', async (error, status, kind, rest) => {
    h.gateway.onCheck = () => Promise.reject(error)
    const answer = await h.ask({ url: '/v1/synced', headers: ASKING })
    expect(answer.status).toBe(status)
    expect(answer.json()).toMatchObject({ type: `/problems/${kind}`, status, instance: '/v1/synced', ...rest })
    expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
    expect(answer.headers['x-token-status']).toBeUndefined()
  })

  it('answers a gateway that throws at once', async () => {
    h.gateway.onCheck = () => {
      throw new TooManyChecks('full')
    }
    expect((await h.ask({ url: '/v1/synced', headers: ASKING })).status).toBe(503)
  })

  it('never sends what the document does not have', async () => {
    h.gateway.onCheck = async () => Object.assign(verdict('Synced'), { token: TOKEN })
    expect((await h.ask({ url: '/v1/synced', headers: ASKING })).body).not.toContain(TOKEN)
  })

  it('is not configured without a gateway, before the request is looked at', async () => {
    await using without = await createHarness({ gateway: undefined })
    for (const url of ['/v1/synced', '/v1/synced?expct=1', '/v1/replicas']) {
      const answer = await without.ask({ url })
      expect(answer.json()).toMatchObject({
        type: '/problems/not-configured',
        status: 404,
        detail: expect.stringContaining('"gateway"'),
      })
    }
  })
})

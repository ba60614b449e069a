import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Authenticator } from '../../../src/http/auth/authenticator.ts'
import { createIssuerClient } from '../../../src/http/auth/issuer-client.ts'
import { createOidcAuthenticator, type OidcConfig } from '../../../src/http/auth/oidc.ts'
import { type FakeIssuer, makeSigningKey, type SigningKey, sign, startIssuer } from '../../fakes/oidc-issuer.ts'
import { makeCa } from '../../lib/certificates.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

let ec: SigningKey
let rsa: SigningKey
let ed: SigningKey
let next: SigningKey
beforeAll(async () => {
  ;[ec, rsa, ed, next] = await Promise.all([
    makeSigningKey('ec'),
    makeSigningKey('rsa', 'RS256'),
    makeSigningKey('ed', 'Ed25519'),
    makeSigningKey('next'),
  ])
})

let stack: AsyncDisposableStack
let issuer: FakeIssuer
let clock: FakeClock
beforeEach(async () => {
  stack = new AsyncDisposableStack()
  issuer = stack.use(await startIssuer([ec, rsa, ed]))
  clock = new FakeClock()
})
afterEach(() => stack.disposeAsync())

function create(config: Partial<OidcConfig> = {}, ca?: () => string): Authenticator {
  const client = stack.use(createIssuerClient(ca))
  const whole: OidcConfig = {
    mode: 'oidc',
    open: [],
    issuer: issuer.issuer,
    audience: 'syncer',
    scopeClaim: 'scope',
    scopePrefix: '',
    ...config,
  }
  return stack.use(createOidcAuthenticator(whole, { clock, fetchJson: client.fetchJson }))
}

const seconds = () => Math.floor(clock.wallNow() / 1000)
const claims = (more: Record<string, unknown> = {}) => ({
  iss: issuer.issuer,
  aud: 'syncer',
  sub: 'gateway',
  exp: seconds() + 300,
  scope: 'openid synced',
  ...more,
})
const ask = async (authenticator: Authenticator, token: string) => authenticator.authenticate(`Bearer ${token}`)
const keySets = () => issuer.asked.filter((path) => path === '/jwks').length

const GATEWAY = { ok: true, caller: { name: 'gateway', scopes: new Set(['synced']) } }

describe('a token that holds', () => {
  test.each(['ES256', 'RS256', 'Ed25519'])('signed with %s', async (alg) => {
    const key = [ec, rsa, ed].find((one) => one.alg === alg) ?? ec
    expect(await ask(create(), await sign(key, claims()))).toEqual(GATEWAY)
  })

  test('with the key set at a written address, without discovery', async () => {
    expect(await ask(create({ jwksUri: issuer.jwksUri }), await sign(ec, claims()))).toEqual(GATEWAY)
    expect(issuer.asked).toEqual(['/jwks'])
  })

  test('for several audiences, one of which is ours', async () => {
    expect(await ask(create(), await sign(ec, claims({ aud: ['other', 'syncer'] })))).toEqual(GATEWAY)
  })

  test('has its scopes in a claim of another name, with a prefix', async () => {
    const token = await sign(ec, claims({ roles: ['syncer:read', 'syncer:db', 'tokens'] }))
    const outcome = await ask(create({ scopeClaim: 'roles', scopePrefix: 'syncer:' }), token)
    expect(outcome).toMatchObject({ caller: { scopes: new Set(['read', 'db']) } })
  })

  test.each([
    [{ sub: 'a', client_id: 'b' }, 'a'],
    [{ sub: undefined, client_id: 'b' }, 'b'],
    [{ sub: undefined, azp: 'c' }, 'c'],
    [{ sub: undefined }, 'unnamed'],
    [{ sub: 'x'.repeat(1000) }, 'x'.repeat(256)],
  ])('names its caller: %j', async (more, name) => {
    expect(await ask(create(), await sign(ec, claims(more)))).toMatchObject({ caller: { name } })
  })

  test('without a key id is tried with every key of its kind', async () => {
    issuer.keys = [next.publicJwk, ec.publicJwk]
    expect(await ask(create(), await sign(ec, claims(), { kid: undefined }))).toEqual(GATEWAY)
  })

  test('five seconds of difference between clocks do no harm', async () => {
    const authenticator = create()
    expect(await ask(authenticator, await sign(ec, claims({ exp: seconds() - 4 })))).toEqual(GATEWAY)
    expect(await ask(authenticator, await sign(ec, claims({ nbf: seconds() + 5 })))).toEqual(GATEWAY)
  })
})

describe('a token that does not hold', () => {
  test.each<[string, Record<string, unknown>, string, string]>([
    ['expired', { exp: -5 }, 'expired', 'the token has expired'],
    ['not valid yet', { nbf: 6 }, 'unknown', 'the token is not valid yet'],
    [
      'for another audience',
      { aud: 'other' },
      'unknown',
      'the token is not for this service: its audience is another one',
    ],
    [
      'for no audience',
      { aud: undefined },
      'unknown',
      'the token is not for this service: its audience is another one',
    ],
    ['of another issuer', { iss: 'https://other' }, 'unknown', 'the token is of another issuer'],
    ['without an end', { exp: undefined }, 'unknown', 'the claim exp of the token is missing'],
  ])('%s', async (_, more, reason, detail) => {
    const times = Object.fromEntries(
      Object.entries(more).map(([key, value]) => [key, typeof value === 'number' ? seconds() + value : value]),
    )
    expect(await ask(create(), await sign(ec, claims(times)))).toEqual({ ok: false, reason, detail })
  })

  test('signed by nobody (alg none)', async () => {
    const token = new UnsecuredJWT(claims()).encode()
    expect(await ask(create(), token)).toMatchObject({ ok: false, reason: 'unknown' })
  })

  test('signed with HS256 and the public key as the secret', async () => {
    const publicKey = await importJWK(rsa.publicJwk, 'RS256', { extractable: true })
    const secret = new TextEncoder().encode(await exportSPKI(publicKey as CryptoKey))
    const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'rsa' }).sign(secret)
    expect(await ask(create(), token)).toEqual({
      ok: false,
      reason: 'unknown',
      detail: 'the token is signed with an algorithm that is not accepted',
    })
  })

  test('signed with a symmetric key, even if the issuer published it', async () => {
    const secret = new TextEncoder().encode('0123456789abcdef0123456789abcdef')
    issuer.keys = [{ kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 'oct', alg: 'HS256' }]
    const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'oct' }).sign(secret)
    expect(await ask(create(), token)).toMatchObject({ ok: false, reason: 'unknown' })
  })

  test('signed by another with the name of a known key', async () => {
    expect(await ask(create(), await sign(next, claims(), { kid: 'ec' }))).toEqual({
      ok: false,
      reason: 'unknown',
      detail: 'the signature of the token is not the issuer’s',
    })
  })

  test('signed by another without the name of a key', async () => {
    issuer.keys = [ec.publicJwk, (await makeSigningKey('third')).publicJwk]
    const outcome = await ask(create(), await sign(next, claims(), { kid: undefined }))
    expect(outcome).toMatchObject({ reason: 'unknown', detail: 'the signature of the token is not the issuer’s' })
  })

  test('changed on its way', async () => {
    const [header, , signature] = (await sign(ec, claims())).split('.')
    const payload = Buffer.from(JSON.stringify(claims({ sub: 'root' }))).toString('base64url')
    expect(await ask(create(), `${header}.${payload}.${signature}`)).toMatchObject({ ok: false, reason: 'unknown' })
  })

  test.each(['hunter2', 'a.b.c', 'e30.e30.e30', '..', 'a.b.c.d.e'])('no JSON Web Token at all: %s', async (token) => {
    const outcome = await ask(create(), token)
    expect(outcome).toMatchObject({ ok: false, reason: 'malformed' })
    expect(JSON.stringify(outcome)).not.toContain('hunter2')
  })

  test.each([
    [undefined, 'missing'],
    ['Basic x', 'malformed'],
  ])('a header that carries none (%j) is answered at once', (header, reason) => {
    expect(create().authenticate(header)).toMatchObject({ reason })
    expect(issuer.asked).toEqual([])
  })
})

describe('what was verified', () => {
  test('is known for a minute, and then given without a promise', async () => {
    const authenticator = create()
    const token = await sign(ec, claims())
    const [one, two] = await Promise.all([ask(authenticator, token), ask(authenticator, token)])
    expect(one).toBe(two)
    expect(authenticator.authenticate(`Bearer ${token}`)).toBe(one)
    await clock.advance(60_000)
    expect(authenticator.authenticate(`Bearer ${token}`)).toBeInstanceOf(Promise)
  })

  test('ends with the token', async () => {
    const authenticator = create()
    const token = await sign(ec, claims({ exp: seconds() + 10 }))
    expect(await ask(authenticator, token)).toEqual(GATEWAY)
    await clock.advance(14_999)
    expect(await ask(authenticator, token)).toEqual(GATEWAY)
    await clock.advance(1)
    expect(await ask(authenticator, token)).toMatchObject({ reason: 'expired' })
  })

  test('ends when the keys change', async () => {
    const authenticator = create()
    const token = await sign(ec, claims())
    await ask(authenticator, token)
    issuer.keys = [next.publicJwk]
    await clock.advance(30_000)
    expect(await ask(authenticator, await sign(next, claims()))).toEqual(GATEWAY)
    expect(await ask(authenticator, token)).toMatchObject({
      detail: 'the token is signed with a key that the issuer does not publish',
    })
  })
})

describe('the issuer’s keys', () => {
  test('are fetched once for all that wait', async () => {
    const authenticator = create()
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => sign(ec, claims({ jti: String(i) }))))
    const outcomes = await Promise.all(tokens.map((token) => ask(authenticator, token)))
    expect(outcomes).toEqual(Array(20).fill(GATEWAY))
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/jwks'])
  })

  test('are fetched again for a key that is not known, every 30 seconds at most', async () => {
    const authenticator = create()
    await ask(authenticator, await sign(ec, claims()))
    const token = await sign(next, claims())
    issuer.keys = [ec.publicJwk, next.publicJwk]
    await clock.advance(29_999)
    expect(await ask(authenticator, token)).toMatchObject({ reason: 'unknown' })
    expect(keySets()).toBe(1)
    await clock.advance(1)
    expect(await ask(authenticator, token)).toEqual(GATEWAY)
    expect(keySets()).toBe(2)
  })

  test('that are ten minutes old are used while newer ones are fetched', async () => {
    const authenticator = create()
    await ask(authenticator, await sign(ec, claims()))
    await clock.advance(600_001)
    expect(await ask(authenticator, await sign(ec, claims({ jti: '1' })))).toEqual(GATEWAY)
    await expect.poll(keySets).toBe(2)
  })

  test('are used for a day while the issuer is away, and no longer', async () => {
    const authenticator = create()
    await ask(authenticator, await sign(ec, claims()))
    issuer.fault = () => ({ status: 503, body: '' })
    await clock.advance(86_400_000)
    expect(await ask(authenticator, await sign(ec, claims({ jti: '1' })))).toEqual(GATEWAY)
    await expect.poll(() => issuer.asked.length).toBe(3)
    await clock.advance(1_000)
    expect(await ask(authenticator, await sign(ec, claims({ jti: '2' })))).toMatchObject({ reason: 'unavailable' })
    issuer.fault = undefined
    await clock.advance(1_000)
    expect(await ask(authenticator, await sign(ec, claims({ jti: '3' })))).toEqual(GATEWAY)
  })

  test('an unknown key while the issuer is away makes `unavailable`: it may be a new one', async () => {
    const authenticator = create()
    await ask(authenticator, await sign(ec, claims()))
    await clock.advance(30_000)
    issuer.fault = () => ({ status: 500, body: '' })
    expect(await ask(authenticator, await sign(next, claims()))).toEqual({
      ok: false,
      reason: 'unavailable',
      detail: `the keys of the issuer cannot be fetched: ${issuer.issuer}/.well-known/openid-configuration answered 500`,
    })
  })
})

describe('an issuer that is away', () => {
  const faults: [string, () => FakeIssuer['fault'], RegExp][] = [
    ['answers 500', () => () => ({ status: 500, body: 'no' }), /answered 500$/],
    ['sends elsewhere', () => () => ({ status: 302, body: '' }), /answered 302$/],
    ['answers garbage', () => () => ({ status: 200, body: '<html>' }), /something that is not JSON$/],
    ['answers without end', () => () => ({ status: 200, body: ' '.repeat(1_048_577) }), /more than 1048576 bytes$/],
    [
      'is another one',
      () => () => ({ status: 200, body: '{"issuer":"https://other"}' }),
      /the document of another issuer$/,
    ],
    [
      'names no key set',
      () => () => ({ status: 200, body: JSON.stringify({ issuer: issuer.issuer }) }),
      /names no jwks_uri$/,
    ],
    [
      'names a key set over plain HTTP elsewhere',
      () => () => ({ status: 200, body: JSON.stringify({ issuer: issuer.issuer, jwks_uri: 'http://10.0.0.1/jwks' }) }),
      /names a jwks_uri that is not https$/,
    ],
  ]
  test.each(faults)('%s', async (_, fault, detail) => {
    issuer.fault = fault()
    expect(await ask(create(), await sign(ec, claims()))).toEqual({
      ok: false,
      reason: 'unavailable',
      detail: expect.stringMatching(detail),
    })
  })

  test('a key set that is none', async () => {
    issuer.fault = () => ({ status: 200, body: '{"keys":[3]}' })
    const outcome = await ask(create({ jwksUri: issuer.jwksUri }), await sign(ec, claims()))
    expect(outcome).toMatchObject({ reason: 'unavailable', detail: expect.stringMatching(/is no JSON Web Key Set$/) })
  })

  test('refuses connections', async () => {
    await issuer[Symbol.asyncDispose]()
    const outcome = await ask(create(), await sign(ec, claims()))
    expect(outcome).toMatchObject({ reason: 'unavailable', detail: expect.stringContaining('ECONNREFUSED') })
  })

  test('is silent: given up after five seconds', async () => {
    const heard = Promise.withResolvers<void>()
    issuer.fault = () => {
      heard.resolve()
      return undefined
    }
    const asked = ask(create(), await sign(ec, claims()))
    await heard.promise
    await clock.advance(5_000)
    expect(await asked).toMatchObject({
      reason: 'unavailable',
      detail: 'the keys of the issuer cannot be fetched: no answer in 5000 ms',
    })
    expect(clock.pending).toBe(0)
  })

  test('is left in peace for a second after a failure, and asked again then', async () => {
    const authenticator = create()
    const token = await sign(ec, claims())
    issuer.fault = () => ({ status: 500, body: '' })
    for (let i = 0; i < 10; i++) expect(await ask(authenticator, token)).toMatchObject({ reason: 'unavailable' })
    expect(issuer.asked).toHaveLength(1)
    issuer.fault = undefined
    await clock.advance(1_000)
    expect(await ask(authenticator, token)).toEqual(GATEWAY)
  })
})

describe('an issuer over TLS', () => {
  test('is trusted by the authority of the configuration, also after that changed', async () => {
    const [first, second] = [await makeCa('First CA'), await makeCa('Second CA')]
    issuer = stack.use(await startIssuer([ec], await second.issue({ ips: ['127.0.0.1'] })))
    let trusted = first.cert
    const authenticator = create({}, () => trusted)
    const token = await sign(ec, claims())
    expect(await ask(authenticator, token)).toMatchObject({ reason: 'unavailable' })
    trusted = second.cert
    await clock.advance(1_000)
    expect(await ask(authenticator, token)).toEqual(GATEWAY)
  })

  test('is not trusted without one', async () => {
    issuer = stack.use(await startIssuer([ec], await (await makeCa()).issue({ ips: ['127.0.0.1'] })))
    expect(await ask(create(), await sign(ec, claims()))).toMatchObject({ reason: 'unavailable' })
  })
})

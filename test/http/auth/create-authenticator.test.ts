import { hash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { AuthConfig } from '../../../src/config/schema.ts'
import { createAuthenticator } from '../../../src/http/auth/create-authenticator.ts'
import { makeSigningKey, sign, startIssuer } from '../../fakes/oidc-issuer.ts'
import { makeCa } from '../../lib/certificates.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

const clock = new FakeClock()
const unasked = () => expect.unreachable('nobody is to be asked')

test.each<[AuthConfig, string | undefined, unknown]>([
  [{ mode: 'none', open: [] }, undefined, { ok: true, caller: { name: 'anonymous' } }],
  [
    { mode: 'bearer', open: [], callers: [{ name: 'gw', sha256: hash('sha256', 't'), scopes: ['synced'] }] },
    'Bearer t',
    { ok: true, caller: { name: 'gw' } },
  ],
])('$mode answers at once', async (auth, header, outcome) => {
  await using authenticator = await createAuthenticator(auth, { clock, reviewToken: unasked })
  expect(authenticator.mode).toBe(auth.mode)
  expect(authenticator.authenticate(header)).toMatchObject(outcome as object)
})

const TOKEN_REVIEW: AuthConfig = {
  mode: 'tokenReview',
  open: [],
  audiences: [],
  cacheMs: 0,
  grants: [{ users: ['a'], scopes: ['db'] }],
}

test('tokenReview asks what it was given', async () => {
  const reviewToken = async () => ({ status: { authenticated: true, user: { username: 'a' } } })
  await using authenticator = await createAuthenticator(TOKEN_REVIEW, { clock, reviewToken })
  expect(authenticator.mode).toBe('tokenReview')
  expect(await authenticator.authenticate('Bearer t')).toEqual({
    ok: true,
    caller: { name: 'a', scopes: new Set(['db']) },
  })
})

test('tokenReview without an API server does not start', async () => {
  await expect(createAuthenticator(TOKEN_REVIEW, { clock })).rejects.toThrow(
    'auth.mode tokenReview needs a Kubernetes API server to ask',
  )
})

test('oidc asks its issuer, trusting the authority in the file', async () => {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'auth-'))
  stack.defer(() => rmSync(folder, { recursive: true }))
  const ca = await makeCa()
  const file = join(folder, 'ca.pem')
  writeFileSync(file, ca.cert)
  const key = await makeSigningKey('k')
  const issuer = stack.use(await startIssuer([key], await ca.issue({ ips: ['127.0.0.1'] })))
  const auth: AuthConfig = {
    mode: 'oidc',
    open: [],
    issuer: issuer.issuer,
    audience: 'a',
    scopeClaim: 'scope',
    scopePrefix: '',
    ca: { file },
  }
  const authenticator = stack.use(await createAuthenticator(auth, { clock }))
  expect(issuer.asked).toEqual([])
  const token = await sign(key, {
    iss: issuer.issuer,
    aud: 'a',
    sub: 's',
    exp: clock.wallNow() / 1000 + 60,
    scope: 'read',
  })
  expect(await authenticator.authenticate(`Bearer ${token}`)).toEqual({
    ok: true,
    caller: { name: 's', scopes: new Set(['read']) },
  })
})

test('oidc does not start without the file of its authority', async () => {
  const auth: AuthConfig = {
    mode: 'oidc',
    open: [],
    issuer: 'https://a',
    audience: 'a',
    scopeClaim: 'scope',
    scopePrefix: '',
    ca: { file: '/no.pem' },
  }
  await expect(createAuthenticator(auth, { clock })).rejects.toMatchObject({
    problems: ['file /no.pem does not exist'],
  })
})

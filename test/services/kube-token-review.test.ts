import { createPrivateKey, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuthOutcome } from '../../src/http/auth/authenticator.ts'
import { createTokenReviewAuthenticator, type TokenReviewConfig } from '../../src/http/auth/token-review.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createKubeClient, type KubeClient } from '../../src/lib/kube/client.ts'
import { createTokenReview } from '../../src/wiring/kube.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { mountServiceAccount } from './lib/kube-pod-credentials.ts'

const ROLES = join(import.meta.dirname, '../../roles')
const GATEWAY = 'system:serviceaccount:gateway:nginx'
const ISSUER = 'https://kubernetes.default.svc'

let cluster: KubeCluster
let client: KubeClient

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.createServiceAccount('gateway', 'nginx')
  await cluster.createServiceAccount('gateway', 'stranger')
  const token = await cluster.serviceAccountToken('syncer', 'syncer')
  const { credentials } = await mountServiceAccount(cluster, systemClock, {
    name: 'syncer',
    namespace: 'syncer',
    token,
  })
  client = createKubeClient({ credentials, clock: systemClock })
})
afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await cluster.stop()
})

/** Asks once, with nothing remembered from before. */
async function authenticate(token: string, config: Partial<TokenReviewConfig> = {}): Promise<AuthOutcome> {
  const grants: TokenReviewConfig['grants'] = [
    { users: [GATEWAY], scopes: ['synced'] },
    { groups: ['system:serviceaccounts:gateway'], scopes: ['read'] },
  ]
  await using authenticator = createTokenReviewAuthenticator(
    { mode: 'tokenReview', open: [], audiences: ['syncer'], cacheMs: 10_000, grants, ...config },
    { clock: systemClock, review: createTokenReview(client) },
  )
  return await authenticator.authenticate(`Bearer ${token}`)
}

/** A token of the gateway's account as the server itself would sign it, with other claims. */
async function signLikeServer(claims: { readonly issuer?: string; readonly endsInS: number }): Promise<string> {
  const path = '/api/v1/namespaces/gateway/serviceaccounts/nginx'
  const { body } = await cluster.request('GET', path)
  const { uid } = (body as { readonly metadata: { readonly uid: string } }).metadata
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT({ 'kubernetes.io': { namespace: 'gateway', serviceaccount: { name: 'nginx', uid } } })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(claims.issuer ?? ISSUER)
    .setAudience('syncer')
    .setSubject(GATEWAY)
    .setJti(randomUUID())
    .setIssuedAt(now - 7_200)
    .setNotBefore(now - 7_200)
    .setExpirationTime(now + claims.endsInS)
    .sign(createPrivateKey(readFileSync(join(cluster.folder, 'accounts.key'))))
}

it('says that it cannot tell while the role is missing', async () => {
  const token = await cluster.createToken('gateway', 'nginx', { audiences: ['syncer'] })
  expect(await authenticate(token)).toMatchObject({ ok: false, reason: 'unavailable' })
})

describe('with the role as it is shipped', () => {
  beforeAll(() => cluster.applyFile(join(ROLES, 'token-review.yaml')))

  it('may review tokens and nothing else', async () => {
    const token = await cluster.createToken('syncer', 'syncer')
    const ask = async (method: string, path: string, body?: unknown) =>
      (await cluster.request(method, path, body, token)).status
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
    expect(await ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', review)).toBe(201)
    expect(await ask('GET', '/api/v1/namespaces/syncer/serviceaccounts')).toBe(403)
    expect(await ask('POST', '/api/v1/namespaces/syncer/serviceaccounts/syncer/token', {})).toBe(403)
    expect(await ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {})).toBe(403)
  })

  it('names the caller, and gives the scopes of its name and its groups', async () => {
    const token = await cluster.createToken('gateway', 'nginx', { audiences: ['syncer'] })
    expect(await authenticate(token)).toEqual({
      ok: true,
      caller: { name: GATEWAY, scopes: new Set(['synced', 'read']) },
    })
    const other = await cluster.createToken('gateway', 'stranger', { audiences: ['syncer', 'elsewhere'] })
    expect(await authenticate(other)).toEqual({
      ok: true,
      caller: { name: 'system:serviceaccount:gateway:stranger', scopes: new Set(['read']) },
    })
  })

  it('takes a token that was made for the API server only where no audience is asked for', async () => {
    const token = await cluster.createToken('gateway', 'nginx')
    expect(await authenticate(token)).toMatchObject({ ok: false, reason: 'unknown' })
    expect(await authenticate(token, { audiences: [] })).toMatchObject({ ok: true, caller: { name: GATEWAY } })
    const elsewhere = await cluster.createToken('gateway', 'nginx', { audiences: ['elsewhere'] })
    expect(await authenticate(elsewhere)).toMatchObject({ ok: false, reason: 'unknown' })
    expect(await authenticate(elsewhere, { audiences: [] })).toMatchObject({ ok: false, reason: 'unknown' })
  })

  it('refuses what is no token, one that another issuer signed, and one that has ended', async () => {
    expect(await authenticate('nonsense')).toMatchObject({ ok: false, reason: 'unknown' })
    expect(await authenticate(await signLikeServer({ endsInS: 600 }))).toMatchObject({ ok: true })
    const foreign = await signLikeServer({ endsInS: 600, issuer: 'https://elsewhere.test' })
    expect(await authenticate(foreign)).toMatchObject({ ok: false, reason: 'unknown' })
    expect(await authenticate(await signLikeServer({ endsInS: -3_600 }))).toMatchObject({
      ok: false,
      reason: 'expired',
    })
  })

  it('refuses the token of an account that was deleted', async () => {
    await cluster.createServiceAccount('gateway', 'leaver')
    const token = await cluster.createToken('gateway', 'leaver', { audiences: ['syncer'] })
    expect(await authenticate(token)).toMatchObject({ ok: true })
    await cluster.remove({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'leaver', namespace: 'gateway' },
    })
    // The server keeps what it knows of a token for ten seconds.
    await expect
      .poll(() => authenticate(token), { timeout: 20_000, interval: 250 })
      .toMatchObject({ ok: false, reason: 'unknown' })
  })

  it('says that it cannot tell while the server is away or frozen, and tells again afterwards', async () => {
    const token = await cluster.createToken('gateway', 'nginx', { audiences: ['syncer'] })
    cluster.freezeApiServer()
    const startedAt = performance.now()
    expect(await authenticate(token)).toMatchObject({ ok: false, reason: 'unavailable' })
    expect(performance.now() - startedAt).toBeLessThan(6_000)
    cluster.thawApiServer()
    expect(await authenticate(token)).toMatchObject({ ok: true })
    await cluster.killApiServer()
    expect(await authenticate(token)).toMatchObject({ ok: false, reason: 'unavailable' })
    await cluster.startApiServer()
    expect(await authenticate(token)).toMatchObject({ ok: true })
  })
})

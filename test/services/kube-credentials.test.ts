import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { createKubeClient, type KubeClient } from '../../src/lib/kube/client.ts'
import { KubeError } from '../../src/lib/kube/error.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { endpoint, follow, SLICES, slice } from './lib/kube-gateway.ts'
import { mountServiceAccount, type PodCredentials } from './lib/kube-pod-credentials.ts'

let cluster: KubeCluster
let pod: PodCredentials
let client: KubeClient

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.createNamespace('gateway')
  await cluster.applyFile(join(import.meta.dirname, '../../roles/gateway-service.yaml'))
  const token = await cluster.serviceAccountToken('syncer', 'syncer')
  pod = await mountServiceAccount(cluster, systemClock, { name: 'syncer', namespace: 'syncer', token })
  client = createKubeClient({ credentials: pod.credentials, clock: systemClock })
})
afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await cluster.stop()
})

describe('the token of the ServiceAccount', () => {
  it('is bound: it names account and namespace, ends, and dies with its account', async () => {
    const token = await cluster.serviceAccountToken('syncer', 'short-lived')
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    expect(claims).toMatchObject({
      sub: 'system:serviceaccount:syncer:short-lived',
      'kubernetes.io': { namespace: 'syncer', serviceaccount: { name: 'short-lived', uid: expect.any(String) } },
    })
    expect(claims.exp - claims.iat).toBe(3_600)
    const mounted = { name: 'short-lived', namespace: 'syncer', token }
    const { credentials } = await mountServiceAccount(cluster, systemClock, mounted)
    await using own = createKubeClient({ credentials, clock: systemClock })
    const ask = () => own.request({ method: 'GET', path: SLICES, timeoutMs: 5_000 })
    await expect(ask()).rejects.toMatchObject({ code: 'forbidden' })
    await cluster.remove({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'short-lived', namespace: 'syncer' },
    })
    // The server keeps what it knows of a token for ten seconds.
    await expect
      .poll(() => ask().catch((error: unknown) => (error instanceof KubeError ? error.code : error)), {
        timeout: 20_000,
        interval: 250,
      })
      .toBe('unauthorized')
  })

  it('is read anew: the list is followed on after the old one was replaced and its account made anew', async () => {
    await cluster.apply(slice('a', [endpoint(1)]))
    await using followed = follow({ client })
    const { discovery } = followed
    await followed.becomes('gw-1')
    await cluster.remove({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'syncer', namespace: 'syncer' },
    })
    const token = await cluster.serviceAccountToken('syncer', 'syncer')
    await cluster.restartApiServer()
    await expect.poll(() => discovery.problem, { timeout: 15_000 }).toMatch(/401/)
    expect(followed.names).toEqual(['gw-1'])
    pod.replaceToken(token)
    await cluster.apply(slice('a', [endpoint(2)]))
    await followed.becomes('gw-2')
  })
})

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { createKubeClient, type KubeClient } from '../../src/lib/kube/client.ts'
import { createGivenCredentials } from '../../src/lib/kube/credentials.ts'
import { findDebianEtcd } from './lib/etcd.ts'
import { type ClusterOptions, type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { endpoint, follow, SLICES, slice } from './lib/kube-gateway.ts'

const ROLE = join(import.meta.dirname, '../../roles/gateway-service.yaml')
const ACCOUNT = 'system:serviceaccount:syncer:syncer'
const WATCH_LIST =
  'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1'

/** A cluster with a gateway, and a client that may follow it; both end with the surrounding `describe`. */
function useCluster(options: ClusterOptions) {
  let cluster: KubeCluster
  let client: KubeClient
  beforeAll(async () => {
    cluster = await startCluster(options)
    await cluster.createNamespace('gateway')
    await cluster.applyFile(ROLE)
    const token = await cluster.serviceAccountToken('syncer', 'syncer')
    const credentials = createGivenCredentials({ server: cluster.server, ca: cluster.ca, token: () => token })
    client = createKubeClient({ credentials, clock: systemClock })
  })
  afterAll(async () => {
    await client[Symbol.asyncDispose]()
    await cluster.stop()
  })
  return () => ({ cluster, client })
}

const WITHOUT_WATCH_LIST: readonly (readonly [name: string, options: ClusterOptions, answer: object])[] = [
  ['whose watch-list is switched off', { extraApiArgs: ['--feature-gates=WatchList=false'] }, { status: 422 }],
  [
    'whose etcd is too old for it',
    { etcd: findDebianEtcd() },
    { status: 200, body: { type: 'ERROR', object: { code: 500 } } },
  ],
]

describe.each(WITHOUT_WATCH_LIST)('a server %s', (_, options, answer) => {
  const parts = useCluster(options)

  it('refuses a watch-list in its own way', async () => {
    expect(await parts().cluster.request('GET', `${SLICES}?${WATCH_LIST}`)).toMatchObject(answer)
  })

  it('is followed by a list and a watch from there, also after it was killed', async () => {
    const { cluster, client } = parts()
    await cluster.apply(slice('a', [endpoint(1)]))
    const before = cluster.readAudit().length
    await using followed = follow({ client })
    await followed.becomes('gw-1')
    const writtenAt = performance.now()
    await cluster.apply(slice('b', [endpoint(2)]))
    expect((await followed.becomes('gw-1', 'gw-2')) - writtenAt).toBeLessThan(250)
    await cluster.remove(slice('a', []))
    await followed.becomes('gw-2')
    const asked = cluster.readAudit().slice(before)
    const ours = asked.filter(({ user, stage }) => user.username === ACCOUNT && stage !== 'ResponseStarted')
    // The watch that it follows goes on: only what has ended counts here.
    expect(ours.map(({ verb, requestURI }) => `${verb} ${requestURI.includes('sendInitialEvents')}`)).toEqual([
      'watch true',
      'list false',
    ])

    await cluster.compact()
    await cluster.restartApiServer()
    await cluster.apply(slice('c', [endpoint(3)]))
    await followed.becomes('gw-2', 'gw-3')
  })
})

describe('a server that is asked too much', () => {
  const few = [
    '--enable-priority-and-fairness=false',
    '--max-requests-inflight=1',
    '--max-mutating-requests-inflight=1',
  ]
  const parts = useCluster({ extraApiArgs: few })

  it('says so, and how long it wants to be left alone', async () => {
    const { client } = parts()
    const ask = () => client.request({ method: 'GET', path: SLICES, timeoutMs: 5_000 })
    const answers = await Promise.allSettled(Array.from({ length: 200 }, ask))
    const refused = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(refused.length).toBeGreaterThan(0)
    for (const error of refused) expect(error).toMatchObject({ code: 'throttled', status: 429, retryAfterMs: 1_000 })
  })

  it('is followed all the same, while others ask too much', async () => {
    const { cluster, client } = parts()
    const flooding = new AbortController()
    const ask = async () => {
      while (!flooding.signal.aborted)
        await client.request({ method: 'GET', path: SLICES, timeoutMs: 5_000 }).catch(() => undefined)
    }
    const flood = Array.from({ length: 8 }, ask)
    await using followed = follow({ client })
    await followed.becomes()
    await cluster.apply(slice('a', [endpoint(1)]))
    await followed.becomes('gw-1')
    flooding.abort()
    await Promise.all(flood)
  })
})

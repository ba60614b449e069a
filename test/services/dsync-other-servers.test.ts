import { afterAll, beforeAll, describe } from 'vitest'
import { describeDriver, LEASE_NAMES } from '../conformance/dsync-driver.ts'
import { findDebianEtcd } from './lib/etcd.ts'
import { type ClusterOptions, type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { dsyncRule, openLeaseScene } from './lib/kube-leases.ts'

const NAMESPACE = 'syncer'
const SERVERS: readonly (readonly [name: string, options: ClusterOptions])[] = [
  ['whose watch-list is switched off', { extraApiArgs: ['--feature-gates=WatchList=false'] }],
  ['whose etcd is too old for it', { etcd: findDebianEtcd() }],
]

describe.each(SERVERS)('a server %s', (_, options) => {
  let cluster: KubeCluster
  let token: string
  beforeAll(async () => {
    cluster = await startCluster(options)
    token = await cluster.serviceAccountToken(NAMESPACE, 'conformance', dsyncRule(LEASE_NAMES))
  })
  afterAll(() => cluster.stop())

  describeDriver('the Kubernetes driver', () => openLeaseScene(cluster, NAMESPACE, token))
})

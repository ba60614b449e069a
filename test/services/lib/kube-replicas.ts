// Replicas of the service that elect a leader over a real API server, under exactly the Role of roles/dsync.yaml.
import type { KubeCluster } from './kube-cluster.ts'
import { waitUntil } from './server-process.ts'
import type { HttpAnswer } from './syncer.ts'

/** Of the Role, and of the ServiceAccount that it is for. */
export const NAMESPACE = 'syncer'
/** As short as the configuration has it. */
export const LEASE_MS = 3_000

/** What a replica is given: sections of its configuration, and files beside it. */
export interface ReplicaConfig {
  readonly config: Readonly<Record<string, unknown>>
  readonly files: Readonly<Record<string, string>>
}

/** Makes the ServiceAccount with its Role, and what a replica needs to be it. */
export async function admitReplicas(cluster: KubeCluster): Promise<ReplicaConfig> {
  await cluster.createServiceAccount(NAMESPACE, 'syncer')
  await cluster.applyFile('roles/dsync.yaml')
  const token = await cluster.createToken(NAMESPACE, 'syncer')
  const kubeConfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: cluster.server, 'certificate-authority': 'kube-ca.pem' } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: NAMESPACE } }],
  }
  return {
    config: { kubernetes: { kubeConfig: 'kubeconfig' }, dsync: { driver: 'kubernetes', leaseDurationMs: LEASE_MS } },
    files: { kubeconfig: JSON.stringify(kubeConfig), 'kube-ca.pem': cluster.ca },
  }
}

export interface Leader {
  readonly driver: string
  readonly name: string | null
  readonly isLeader: boolean
  readonly term: string | null
  readonly expiresInMs: number | null
}

/** A replica, wherever it runs. */
export interface Replica {
  get(path: string): Promise<Pick<HttpAnswer, 'body'>>
}

/** The leader as this replica sees it. */
export async function leaderOf(service: Replica): Promise<Leader> {
  return JSON.parse((await service.get('/v1/status')).body).leader
}

/** Resolves with the one of them that leads, when exactly one does and all know it. Throws when that takes longer. */
export async function awaitLeader<T extends Replica>(services: readonly T[], withinMs: number): Promise<T> {
  let found: T | undefined
  await waitUntil(async () => {
    found = await findLeader(services)
    return found !== undefined
  }, withinMs)
  if (found === undefined) throw new Error('nobody leads')
  return found
}

async function findLeader<T extends Replica>(services: readonly T[]): Promise<T | undefined> {
  const leaders = await Promise.all(services.map(leaderOf))
  const names = new Set(leaders.map((leader) => leader.name))
  const leading = services.filter((_, i) => leaders[i]?.isLeader)
  return leading.length === 1 && names.size === 1 && !names.has(null) ? leading[0] : undefined
}

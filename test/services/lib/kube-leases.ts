// Leases of a real API server for the tests of dsync: the Role of roles/dsync.yaml with their names, what kubectl would do by hand.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import { createKubernetesDriver } from '../../../src/dsync/index.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import type { Scene } from '../../conformance/dsync-driver.ts'
import type { AuditEvent, KubeCluster, PolicyRule } from './kube-cluster.ts'

const ROLE_FILE = join(import.meta.dirname, '../../../roles/dsync.yaml')

/** The rule of roles/dsync.yaml, for these Leases. */
export function dsyncRule(leaseNames: readonly string[]): PolicyRule {
  const role: unknown = parseAllDocuments(readFileSync(ROLE_FILE, 'utf8'))[0]?.toJS()
  const { rules } = role as { readonly rules: readonly [PolicyRule] }
  return { ...rules[0], resourceNames: leaseNames }
}

export function leasePath(namespace: string, name: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`
}

export interface LeaseBody {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string; readonly [key: string]: unknown }
  readonly spec: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
    readonly [key: string]: unknown
  }
}

/** The Lease as it is; undefined when there is none. */
export async function readLease(cluster: KubeCluster, namespace: string, name: string): Promise<LeaseBody | undefined> {
  const { status, body } = await cluster.request('GET', leasePath(namespace, name))
  if (status === 404) return undefined
  if (status !== 200) throw new Error(`the Lease ${name} was answered ${status}`)
  return body as LeaseBody
}

/** Deletes a Lease, by hand. */
export async function removeLease(cluster: KubeCluster, namespace: string, name: string): Promise<void> {
  const { status } = await cluster.request('DELETE', leasePath(namespace, name))
  if (status !== 200 && status !== 404) throw new Error(`the Lease ${name} cannot be deleted: ${status}`)
}

/** What was asked about this Lease, in order: `get`, `update`, `create`, `watch` by whom. */
export function leaseRequests(cluster: KubeCluster, name: string): readonly string[] {
  return cluster
    .readAudit()
    .filter(({ requestURI, user }) => requestURI.includes(name) && user.username.startsWith('system:serviceaccount:'))
    .filter(isRequest)
    .map(({ verb }) => verb)
}

/** One event for each request: a watch counts when it begins, for its end may come at any time later. */
export function isRequest({ stage, verb }: AuditEvent): boolean {
  return stage === (verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete')
}

/** What the suite of drivers needs, over this server as this ServiceAccount. */
export async function openLeaseScene(cluster: KubeCluster, namespace: string, token: string): Promise<Scene> {
  const { server, ca } = cluster
  const driver = await createKubernetesDriver({ namespace, server, ca, token: () => token })
  return {
    driver,
    clock: systemClock,
    pass: (ms) => sleep(ms),
    remove: ({ name }) => removeLease(cluster, namespace, name),
    label: async ({ name }) => {
      const lease = await readLease(cluster, namespace, name)
      const metadata = { ...lease?.metadata, labels: { team: 'blue' } }
      const { status } = await cluster.request('PUT', leasePath(namespace, name), { ...lease, metadata })
      if (status !== 200) throw new Error(`the Lease ${name} cannot be labelled: ${status}`)
    },
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  }
}

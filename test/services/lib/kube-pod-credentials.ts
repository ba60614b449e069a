// What Kubernetes mounts into a Pod for its ServiceAccount, so that a test finds its credentials as the service does there.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../src/lib/clock.ts'
import { findKubeCredentials, type KubeCredentials } from '../../../src/lib/kube/credentials.ts'
import type { KubeCluster } from './kube-cluster.ts'

export interface PodCredentials {
  readonly credentials: KubeCredentials
  /** The kubelet does so long before the token ends. */
  replaceToken(token: string): void
}

/** Lays the files out in a folder of the cluster and reads them as in a Pod. */
export async function mountServiceAccount(
  cluster: KubeCluster,
  clock: Clock,
  mounted: { readonly name: string; readonly namespace: string; readonly token: string },
): Promise<PodCredentials> {
  const folder = join(cluster.folder, `pod-${mounted.name}`)
  mkdirSync(folder)
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, `.${name}`), text, { mode: 0o600 })
    renameSync(join(folder, `.${name}`), join(folder, name))
  }
  write('ca.crt', cluster.ca)
  write('namespace', mounted.namespace)
  write('token', mounted.token)
  const { hostname, port } = new URL(cluster.server)
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
  const credentials = await findKubeCredentials({ env, clock, serviceAccountDir: folder })
  return { credentials, replaceToken: (token) => write('token', token) }
}

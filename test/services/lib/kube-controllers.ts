// The controllers of a cluster of tests: with them Deployments make Pods (which nobody runs), Services EndpointSlices, Jobs Pods.
import { join } from 'node:path'
import { findFreePort } from './free-port.ts'
import { findKubeBinaries } from './kube-binaries.ts'
import type { KubeCluster } from './kube-cluster.ts'
import { sendToKube } from './kube-request.ts'
import { type ServerProcess, startProcess } from './server-process.ts'

export interface ControllersOptions {
  /** Which ones; those that the service's objects need when left out. */
  readonly controllers?: readonly string[]
  readonly extraArgs?: readonly string[]
  /** The Job controller's waits as Go durations: JOB_SYNC_BATCH_PERIOD, JOB_POD_BACKOFF, JOB_POD_BACKOFF_MAX. */
  readonly env?: Readonly<Record<string, string>>
}

const CONTROLLERS = [
  'deployment-controller',
  'endpointslice-controller',
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'replicaset-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'ttl-after-finished-controller',
]

/** Starts them beside a cluster and resolves when they are healthy. Stop them before the cluster. */
export async function startControllers(cluster: KubeCluster, options: ControllersOptions = {}): Promise<ServerProcess> {
  const { controllers = CONTROLLERS, extraArgs = [], env = {} } = options
  const port = await findFreePort()
  const args = {
    kubeconfig: cluster.kubeconfig,
    controllers: controllers.join(','),
    'root-ca-file': join(cluster.folder, 'ca.crt'),
    'tls-cert-file': join(cluster.folder, 'tls.crt'),
    'tls-private-key-file': join(cluster.folder, 'tls.key'),
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'leader-elect': false,
    profiling: false,
    'kube-api-qps': 500,
    'kube-api-burst': 1_000,
    'endpointslice-updates-batch-period': '0s',
  }
  const self = { server: `https://127.0.0.1:${port}`, ca: cluster.ca }
  return startProcess({
    name: 'kube-controller-manager',
    command: findKubeBinaries().controllerManager,
    args: [...Object.entries(args).map(([key, value]) => `--${key}=${value}`), ...extraArgs],
    cwd: cluster.folder,
    env,
    stdoutFile: join(cluster.folder, 'controllers.log'),
    ready: async () =>
      (await sendToKube(self, { method: 'GET', path: '/healthz', token: cluster.adminToken })).status === 200,
    readyTimeoutMs: 30_000,
  })
}

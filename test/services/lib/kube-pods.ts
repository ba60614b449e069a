// Pods of the chart as processes of this machine: each listens on a loopback address of its own, which stands for the address of the Pod, and
// finds the token of its ServiceAccount, bound to the Pod, as the kubelet would have it: by a kubeconfig, for no process can be given /var/run.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubePod } from '../../../src/db/jobs/objects.ts'
import { findFreePort } from './free-port.ts'
import type { KubeCluster } from './kube-cluster.ts'
import type { Replica } from './kube-replicas.ts'
import type { Serving } from './kubelet.ts'

/** As many Pods as a test can have, one after the other. */
const MOST_PODS = 40
const REQUEST_MS = 10_000
const loopbackOf = (n: number): string => `127.77.0.${n}`

export interface PodAnswer {
  readonly status: number
  readonly body: string
}

export interface ServedPod extends Replica {
  readonly name: string
  get(path: string, token?: string): Promise<PodAnswer>
}

export interface Pods {
  /** For the kubelet. */
  readonly serving: Serving
  /** On which each of them is to listen. */
  readonly port: number
  /** Those of the namespace that run and are not on their way out. */
  list(): Promise<readonly ServedPod[]>
}

/** Pods of one namespace; `token` is what they are asked with when nothing else is said. */
export async function openPods(cluster: KubeCluster, namespace: string, token: () => string): Promise<Pods> {
  const port = await findFreePort(Array.from({ length: MOST_PODS }, (_, at) => loopbackOf(at + 1)))
  const numbers = new Map<string, number>()
  const numberOf = ({ metadata: { name } }: KubePod): number => {
    const number = numbers.get(name) ?? numbers.size + 1
    if (number > MOST_PODS) throw new RangeError(`a test has no more than ${MOST_PODS} Pods`)
    numbers.set(name, number)
    return number
  }
  const ask = async (pod: KubePod, path: string, bearer: string): Promise<PodAnswer> => {
    const response = await fetch(`http://${loopbackOf(numberOf(pod))}:${port}${path}`, {
      headers: bearer === '' ? {} : { authorization: `Bearer ${bearer}` },
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    return { status: response.status, body: await response.text() }
  }
  return {
    port,
    serving: {
      environment: async (pod, home) => {
        const kubeconfig = await writeCredentials(cluster, namespace, pod, home)
        return { HOST: loopbackOf(numberOf(pod)), ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }) }
      },
      // The API server takes no address of loopback for an endpoint.
      addressOf: (pod) => `10.77.0.${numberOf(pod)}`,
      isReady: async (pod) => (await ask(pod, '/readyz', '')).status === 200,
    },
    list: async () => {
      const { body } = await cluster.request('GET', `/api/v1/namespaces/${namespace}/pods`)
      const { items } = body as { readonly items: readonly KubePod[] }
      return items
        .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase === 'Running')
        .map((pod) => ({ name: pod.metadata.name, get: (path, bearer = token()) => ask(pod, path, bearer) }))
    },
  }
}

/** Undefined for a Pod that is to have no token. */
async function writeCredentials(
  cluster: KubeCluster,
  namespace: string,
  { metadata: { name, uid }, spec }: KubePod,
  home: string,
): Promise<string | undefined> {
  const { automountServiceAccountToken, serviceAccountName } = (spec ?? {}) as {
    readonly automountServiceAccountToken?: boolean
    readonly serviceAccountName?: string
  }
  if (automountServiceAccountToken === false) return undefined
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccountName}/token`
  const { status, body } = await cluster.request('POST', path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3_600, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
  })
  if (status !== 201) throw new Error(`${path} was answered ${status}: ${JSON.stringify(body)}`)
  const { token } = (body as { readonly status: { readonly token: string } }).status
  const { server, ca } = cluster
  const kubeconfig = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'pod' },
    clusters: [{ name: 'pod', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'pod', user: { token } }],
    contexts: [{ name: 'pod', context: { cluster: 'pod', user: 'pod', namespace } }],
  }
  const file = join(home, 'kubeconfig')
  writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 })
  return file
}

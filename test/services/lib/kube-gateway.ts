// A gateway as far as an API server knows of it: EndpointSlices with addresses that nobody has, and discovery that follows them.
import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '../../../src/lib/clock.ts'
import { createKubernetesDiscovery, type KubernetesDiscoveryOptions } from '../../../src/synced/discovery/kubernetes.ts'
import type { Discovery } from '../../../src/synced/replica.ts'
import type { Manifest } from './kube-cluster.ts'
import { waitUntil } from './server-process.ts'

/** The collection of the gateway's slices. */
export const SLICES = '/apis/discovery.k8s.io/v1/namespaces/gateway/endpointslices'
/** How soon discovery follows again after an outage of a few seconds, in milliseconds: its pauses grow to ten seconds. */
const AGAIN_MS = 15_000

export type Conditions = Readonly<Partial<Record<'ready' | 'serving' | 'terminating', boolean>>>

export interface Endpoint {
  readonly addresses: readonly string[]
  readonly conditions: Conditions
  readonly targetRef: { readonly kind: 'Pod'; readonly name: string; readonly namespace: string; readonly uid: string }
}

/** Pod `gw-N` at 10.1.0.N: the API server refuses addresses of loopback. */
export function endpoint(n: number, conditions: Conditions = { ready: true }): Endpoint {
  const targetRef = { kind: 'Pod', name: `gw-${n}`, namespace: 'gateway', uid: `uid-${n}` } as const
  return { addresses: [`10.1.0.${n}`], conditions, targetRef }
}

/** An EndpointSlice of a Service in namespace `gateway`, with a port `probe`. */
export function slice(name: string, endpoints: readonly Endpoint[], service = 'gw'): Manifest {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'gateway', labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: 'probe', port: 8443, protocol: 'TCP' }],
    endpoints,
  }
}

export interface Followed extends AsyncDisposable {
  readonly discovery: Discovery
  /** Names of the replicas as of the last call of `onChange`; undefined before the first. */
  readonly names: readonly string[] | undefined
  /** Waits until the names are these. Resolves with the moment (`performance.now()`) of the last change. Throws after 15 seconds. */
  becomes(...names: readonly string[]): Promise<number>
}

/** Follows Service `gw`, or what the options say, in real time. */
export function follow(
  options: Pick<KubernetesDiscoveryOptions, 'client'> & Partial<KubernetesDiscoveryOptions>,
): Followed {
  const discovery = createKubernetesDiscovery({
    namespace: 'gateway',
    ...(options.selector === undefined ? { service: 'gw' } : {}),
    portName: 'probe',
    defaultPort: 8443,
    maxAgeMs: 300_000,
    clock: systemClock,
    random: Math.random,
    ...options,
  })
  let names: readonly string[] | undefined
  let changedAt = performance.now()
  discovery.start(() => {
    names = discovery.replicas?.map(({ name }) => name)
    changedAt = performance.now()
  })
  return {
    discovery,
    get names() {
      return names
    },
    becomes: async (...wanted) => {
      try {
        await waitUntil(() => isDeepStrictEqual(names, wanted), AGAIN_MS)
      } catch (cause) {
        const state = `${names?.join(', ') ?? 'no list'} (${discovery.problem ?? 'no problem'})`
        throw new Error(`the replicas are ${state}, not ${wanted.join(', ')}`, { cause })
      }
      return changedAt
    },
    [Symbol.asyncDispose]: () => discovery[Symbol.asyncDispose](),
  }
}

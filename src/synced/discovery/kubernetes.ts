// Replicas from a Kubernetes API server: the EndpointSlices of a Service, or Pods by label, followed by a watch.
import type { Clock } from '../../lib/clock.ts'
import type { KubeClient } from '../../lib/kube/client.ts'
import type { Selection } from '../../lib/kube/list.ts'
import { createKubeWatch, type KubeWatch } from '../../lib/kube/watch.ts'
import type { Discovery, Replica } from '../replica.ts'
import { isSameList } from './candidates.ts'
import { type EndpointSlice, type PortChoice, replicasOfSlices } from './endpoint-slices.ts'
import { type Pod, replicasOfPods } from './pods.ts'
import { createSharedRefresh } from './shared-refresh.ts'

export interface KubernetesDiscoveryOptions {
  /** Namespace of the gateway; the client's own when left out. */
  readonly namespace?: string | undefined
  /** Name of the gateway's Service. Either this or `selector`. */
  readonly service?: string | undefined
  /** Label selector of the gateway's Pods. */
  readonly selector?: string | undefined
  /** Name of the port to probe; `defaultPort` when left out. */
  readonly portName?: string | undefined
  readonly defaultPort: number
  readonly maxAgeMs: number
  /** Stays the caller's. */
  readonly client: KubeClient
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
}

/** For the one list of a refresh: a check waits for it. */
const REFRESH_MS = 500
const REFRESH_PAUSE_MS = 1_000

/** Throws an Error unless exactly one of `service` and `selector` is given. */
export function createKubernetesDiscovery(options: KubernetesDiscoveryOptions): Discovery {
  const { service, selector, client, clock, random, portName, defaultPort } = options
  const namespace = encodeURIComponent(options.namespace ?? client.namespace)
  const choice: PortChoice = { portName, defaultPort }
  if (service !== undefined && selector === undefined) {
    const target: Selection = {
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      labelSelector: `kubernetes.io/service-name=${service}`,
    }
    const watch = createKubeWatch<EndpointSlice>({ client, clock, random, target })
    return new KubernetesDiscovery(options, watch, (slices) => replicasOfSlices(slices, choice))
  }
  if (selector !== undefined && service === undefined) {
    const target: Selection = { path: `/api/v1/namespaces/${namespace}/pods`, labelSelector: selector }
    const watch = createKubeWatch<Pod>({ client, clock, random, target })
    return new KubernetesDiscovery(options, watch, (pods) => replicasOfPods(pods, choice))
  }
  throw new Error('discovery by Kubernetes needs either `service` or `selector`')
}

class KubernetesDiscovery<T extends EndpointSlice | Pod> implements Discovery {
  readonly kind = 'kubernetes'
  readonly maxAgeMs: number
  readonly refresh: (signal: AbortSignal) => Promise<void>
  readonly #clock: Clock
  readonly #watch: KubeWatch<T>
  readonly #map: (items: readonly T[]) => readonly Replica[]
  #replicas: readonly Replica[] | undefined

  constructor(
    options: KubernetesDiscoveryOptions,
    watch: KubeWatch<T>,
    map: (items: readonly T[]) => readonly Replica[],
  ) {
    this.maxAgeMs = options.maxAgeMs
    this.#clock = options.clock
    this.#watch = watch
    this.#map = map
    this.refresh = createSharedRefresh(options.clock, REFRESH_PAUSE_MS, () => watch.read(REFRESH_MS))
  }

  get replicas(): readonly Replica[] | undefined {
    return this.#replicas
  }

  get problem(): string | undefined {
    return this.#watch.problem
  }

  ageMs(): number | undefined {
    const at = this.#watch.lastContactAt
    return at === undefined ? undefined : Math.max(0, this.#clock.now() - at)
  }

  start(onChange: () => void): void {
    this.#watch.start((items) => {
      const replicas = this.#map(items)
      if (isSameList(this.#replicas, replicas)) return
      this.#replicas = replicas
      onChange()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.stop()
  }
}

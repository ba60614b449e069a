// Replicas that are written down: known at once, for ever.
import type { Discovery, Replica } from '../replica.ts'
import { compareReplicas } from './candidates.ts'

export interface StaticDiscoveryOptions {
  readonly replicas: readonly { readonly name: string; readonly address: string; readonly port?: number | undefined }[]
  /** Port of a replica that has none of its own. */
  readonly defaultPort: number
}

/** A list that never changes and cannot age. */
export function createStaticDiscovery(options: StaticDiscoveryOptions): Discovery {
  const replicas: readonly Replica[] = options.replicas
    .map(({ name, address, port = options.defaultPort }) => ({ name, address, port, terminating: false }))
    .sort(compareReplicas)
  return {
    kind: 'static',
    replicas,
    ageMs: () => 0,
    maxAgeMs: Number.POSITIVE_INFINITY,
    problem: undefined,
    start: () => undefined,
    refresh: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

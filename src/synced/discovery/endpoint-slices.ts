// EndpointSlices of a Service → the gateway's replicas. Pure; the order of slices and endpoints changes nothing.
//
//   serving (else ready)   terminating   ready (absent = yes)   → the replica is
//   no                     any           any                    skipped: it takes no traffic
//   yes                    yes           any                    asked and reported, not counted
//   yes                    no            yes                    asked and counted
//   yes                    no            no                     skipped: kube-proxy sends it nothing
import type { KubeObject } from '../../lib/kube/object.ts'
import type { Replica } from '../replica.ts'
import { type Candidate, choosePort, settle } from './candidates.ts'

/** As far as it is read here; the API server lets most of it be absent. */
export interface EndpointSlice extends KubeObject {
  readonly addressType?: string
  readonly endpoints?: readonly Endpoint[] | null
  readonly ports?: readonly SlicePort[] | null
}

interface SlicePort {
  readonly name?: string | null
  readonly port?: number | null
}

interface Endpoint {
  readonly addresses?: readonly string[] | null
  readonly conditions?: EndpointConditions | null | undefined
  readonly hostname?: string | null
  readonly targetRef?: { readonly name?: string; readonly uid?: string } | null
}

interface EndpointConditions {
  readonly ready?: boolean | null
  readonly serving?: boolean | null
  readonly terminating?: boolean | null
}

export interface PortChoice {
  /** Name of the port to probe; `defaultPort` when undefined. */
  readonly portName: string | undefined
  readonly defaultPort: number
}

/** The replicas behind the slices, sorted by name; no two have the same name, or the same address and port. */
export function replicasOfSlices(slices: readonly EndpointSlice[], choice: PortChoice): readonly Replica[] {
  return settle(slices.flatMap((slice) => candidatesOf(slice, choice)))
}

function candidatesOf(slice: EndpointSlice, choice: PortChoice): readonly Candidate[] {
  const port = choosePort(slice.ports ?? [], choice, (one) => one.port)
  if (port === undefined) return []
  return (slice.endpoints ?? []).flatMap((endpoint): Candidate[] => {
    // Further addresses of one endpoint lead to the same place, and no longer exist in practice.
    const address = endpoint.addresses?.[0]
    const role = roleOf(endpoint.conditions ?? {})
    if (address === undefined || role === 'skipped') return []
    const { name, uid } = endpoint.targetRef ?? {}
    return [
      {
        name,
        hostName: endpoint.hostname ?? undefined,
        uid,
        address,
        port,
        terminating: role === 'terminating',
        rank: slice.addressType === 'IPv4' ? 0 : 1,
      },
    ]
  })
}

function roleOf({ ready, serving, terminating }: EndpointConditions): 'counted' | 'terminating' | 'skipped' {
  const isReady = ready ?? true
  if (!(serving ?? isReady)) return 'skipped'
  if (terminating ?? false) return 'terminating'
  return isReady ? 'counted' : 'skipped'
}

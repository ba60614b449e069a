// Pods, chosen by label → the gateway's replicas, for a gateway without a Service. Pure; the order of Pods changes nothing.
//
//   Ready condition and an address   deletionTimestamp   → the replica is
//   no                               any                 skipped
//   yes                              yes                 asked and reported, not counted
//   yes                              no                  asked and counted
import type { KubeObject } from '../../lib/kube/object.ts'
import type { Replica } from '../replica.ts'
import { type Candidate, choosePort, settle } from './candidates.ts'
import type { PortChoice } from './endpoint-slices.ts'

/** As far as it is read here; the API server lets most of it be absent. */
export interface Pod extends KubeObject {
  readonly spec?:
    | {
        readonly containers?: readonly Container[] | null
        readonly initContainers?: readonly Container[] | null
      }
    | null
    | undefined
  readonly status?:
    | {
        readonly podIP?: string | null
        readonly phase?: string | null
        readonly conditions?: readonly { readonly type?: string; readonly status?: string }[] | null
      }
    | null
    | undefined
}

interface Container {
  readonly ports?: readonly { readonly name?: string; readonly containerPort?: number }[] | null
}

/** The Pods that serve, sorted by name; no two have the same name, or the same address and port. */
export function replicasOfPods(pods: readonly Pod[], choice: PortChoice): readonly Replica[] {
  return settle(pods.flatMap((pod) => candidateOf(pod, choice)))
}

function candidateOf({ metadata, spec, status }: Pod, choice: PortChoice): readonly Candidate[] {
  const address = status?.podIP
  const isReady = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
  // A sidecar is an init container that goes on.
  const ports = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(
    (container) => container.ports ?? [],
  )
  const port = choosePort(ports, choice, (one) => one.containerPort)
  if (!address || !isReady || isOver || port === undefined) return []
  const terminating = metadata.deletionTimestamp !== undefined
  return [{ name: metadata.name, hostName: undefined, uid: metadata.uid, address, port, terminating, rank: 0 }]
}

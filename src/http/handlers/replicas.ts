// GET /v1/replicas, and how its replicas appear elsewhere: moments of the wall clock become ISO 8601.
import type { components } from '../../../generated/openapi.ts'
import type { Gateway, ReplicaListStatus, ReplicaStatus } from '../../synced/contract.ts'
import type { Handlers } from '../contract.ts'

export function createListReplicas(gateway: () => Gateway): Handlers['listReplicas'] {
  return () => {
    const list = gateway().replicas()
    return {
      status: 200,
      body: { items: list.replicas.map(describeReplica), nextCursor: null, source: describeSource(list) },
    }
  }
}

export function describeReplica(replica: ReplicaStatus): components['schemas']['Replica'] {
  return { ...replica, since: new Date(replica.since).toISOString() }
}

export function describeSource({ source, ageMs, problem }: ReplicaListStatus): components['schemas']['ReplicaSource'] {
  return { kind: source, ageMs, ...(problem !== undefined && { problem }) }
}

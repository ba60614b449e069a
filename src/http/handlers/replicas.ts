// GET /v1/replicas and /v1/gateway/history, and how replicas appear elsewhere: moments of the wall clock become ISO 8601.
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

export function createGetGatewayHistory(gateway: () => Gateway): Handlers['getGatewayHistory'] {
  return () => {
    const { stepMs, steps } = gateway().history()
    const items = steps.map(({ startedAt, ...step }) => ({ startedAt: new Date(startedAt).toISOString(), ...step }))
    return { status: 200, body: { stepMs, items } }
  }
}

export function describeReplica(replica: ReplicaStatus): components['schemas']['Replica'] {
  const { since, lastSeen, ...rest } = replica
  return {
    ...rest,
    since: new Date(since).toISOString(),
    ...(lastSeen !== undefined && { lastSeen: new Date(lastSeen).toISOString() }),
  }
}

export function describeSource({ source, ageMs, problem }: ReplicaListStatus): components['schemas']['ReplicaSource'] {
  return { kind: source, ageMs, ...(problem !== undefined && { problem }) }
}

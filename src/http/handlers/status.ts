// GET /v1/status: what this instance knows, one section for each capability that is configured.
import type { components } from '../../../generated/openapi.ts'
import type { Leadership } from '../../lib/leadership.ts'
import type { Gateway } from '../../synced/contract.ts'
import type { Handlers } from '../contract.ts'
import { describeReplica, describeSource } from './replicas.ts'

export interface ServiceIdentity {
  readonly version: string
  readonly instance: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

export function createGetStatus(
  { version, instance, startedAt }: ServiceIdentity,
  leadership: Leadership,
  gateway: Gateway | undefined,
): Handlers['getStatus'] {
  const service = { version, instance, startedAt: new Date(startedAt).toISOString() }
  return () => ({
    status: 200,
    body: { service, leader: describeLeader(leadership), ...(gateway && { gateway: describeGateway(gateway) }) },
  })
}

function describeLeader({
  driver,
  leader,
  isLeader,
  term,
  problem,
}: Leadership): components['schemas']['LeaderStatus'] {
  return {
    driver,
    name: leader ?? null,
    isLeader,
    // A fencing token may be larger than a JSON number is exact.
    term: term === undefined ? null : String(term.token),
    expiresInMs: term === undefined ? null : Math.round(term.remainingMs),
    ...(problem !== undefined && { problem: problem.slice(0, 2048) }),
  }
}

function describeGateway(gateway: Gateway): components['schemas']['GatewayStatus'] {
  const list = gateway.replicas()
  return { source: describeSource(list), replicas: list.replicas.map(describeReplica), verdicts: gateway.verdicts() }
}

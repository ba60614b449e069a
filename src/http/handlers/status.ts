// GET /v1/status: what this instance knows, one section for each capability that is configured.
import type { components } from '../../../generated/openapi.ts'
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
  gateway: Gateway | undefined,
): Handlers['getStatus'] {
  const service = { version, instance, startedAt: new Date(startedAt).toISOString() }
  return () => ({ status: 200, body: { service, ...(gateway && { gateway: describeGateway(gateway) }) } })
}

function describeGateway(gateway: Gateway): components['schemas']['GatewayStatus'] {
  const list = gateway.replicas()
  return { source: describeSource(list), replicas: list.replicas.map(describeReplica), verdicts: gateway.verdicts() }
}

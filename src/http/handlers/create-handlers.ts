// One handler for every operation of the document: what is missing here does not compile.
import type { Handlers } from '../contract.ts'
import type { AppDependencies } from '../dependencies.ts'
import { notConfigured } from '../problems.ts'
import { createDocumentHandlers, type WrittenDocument } from './document.ts'
import { createGetReadyz, getHealth, getLivez } from './health.ts'
import { createGetMetrics } from './metrics.ts'
import { createListReplicas } from './replicas.ts'
import { createGetStatus } from './status.ts'
import { createGetSynced } from './synced.ts'

export function createHandlers(deps: AppDependencies, document: WrittenDocument): Handlers {
  const { gateway, leadership, registry, version, instance, clock } = deps
  const gatewayOrThrow = () => {
    if (gateway === undefined) throw notConfigured('gateway')
    return gateway
  }
  return {
    getSynced: createGetSynced(gatewayOrThrow),
    listReplicas: createListReplicas(gatewayOrThrow),
    getStatus: createGetStatus({ version, instance, startedAt: clock.wallNow() }, leadership, gateway),
    getHealth,
    getLivez,
    getReadyz: createGetReadyz(deps),
    getMetrics: createGetMetrics(registry),
    ...createDocumentHandlers(document),
  }
}

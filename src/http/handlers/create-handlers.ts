// One handler for every operation of the document: what is missing here does not compile.
import type { Handlers } from '../contract.ts'
import type { AppDependencies } from '../dependencies.ts'
import { notConfigured } from '../problems.ts'
import { createDbHandlers } from './db.ts'
import { createDocumentHandlers, type WrittenDocument } from './document.ts'
import { createGetReadyz, getHealth, getLivez } from './health.ts'
import { createGetMetrics } from './metrics.ts'
import { createGetGatewayHistory, createListReplicas } from './replicas.ts'
import { createStreamRunEvents } from './run-events.ts'
import { createRunHandlers } from './runs.ts'
import { createGetStatus } from './status.ts'
import { createSyncTokens } from './sync-tokens.ts'
import { createGetSynced } from './synced.ts'

export function createHandlers(deps: AppDependencies, document: WrittenDocument): Handlers {
  const { gateway, runs, tokens, db, registry, clock } = deps
  const gatewayOrThrow = () => orNotConfigured(gateway, 'gateway')
  const runsOrThrow = () => orNotConfigured(runs, 'runs')
  return {
    getSynced: createGetSynced(gatewayOrThrow),
    listReplicas: createListReplicas(gatewayOrThrow),
    getGatewayHistory: createGetGatewayHistory(gatewayOrThrow),
    syncTokens: createSyncTokens(() => orNotConfigured(tokens, 'tokens'), runsOrThrow),
    ...createDbHandlers(() => orNotConfigured(db, 'db'), runsOrThrow),
    ...createRunHandlers(runsOrThrow),
    streamRunEvents: createStreamRunEvents(runsOrThrow, clock),
    getStatus: createGetStatus(deps, clock.wallNow()),
    getHealth,
    getLivez,
    getReadyz: createGetReadyz(deps),
    getMetrics: createGetMetrics(registry),
    ...createDocumentHandlers(document),
  }
}

function orNotConfigured<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw notConfigured(name)
  return part
}

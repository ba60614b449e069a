// The capability `tokens` as http and the schedule use it: a body becomes a run.

import type { StateStore } from '../state/store.ts'
import { InvalidRunRequest, type Runs, type Started, type SyncTokensBody, type TokenRuns } from './contract.ts'
import { findDryRun } from './token-plan.ts'
import { isPlanRequest, resolveRequest, type TokenSettings } from './token-request.ts'

export interface TokenRunsOptions {
  readonly settings: TokenSettings
  readonly runs: Pick<Runs, 'start'>
  readonly store: Pick<StateStore, 'getRun'>
}

export function createTokenRuns({ settings, runs, store }: TokenRunsOptions): TokenRuns {
  return {
    clusters: settings.clusters.map(({ name, url }) => ({ name, url })),
    async start(body, { trigger, idempotencyKey }): Promise<Started> {
      const request = resolveRequest(body, settings)
      return await runs.start({
        ...{ kind: 'tokens', trigger, request, idempotencyKey },
        // The configuration may change between two requests that are the same.
        asked: sortKeys(body),
        dryRun: !isPlanRequest(request) && request.dryRun,
        resources: isPlanRequest(request)
          ? await findResources(request.plan)
          : request.clusters.map((name) => `cluster:${name}`),
      })
    },
  }

  async function findResources(plan: string): Promise<readonly string[]> {
    const { run, request } = await findDryRun(store, plan)
    const gone = request.clusters.find((name) => !settings.clusters.some((cluster) => cluster.name === name))
    if (gone !== undefined) throw new InvalidRunRequest('/plan', `is for ${gone}, which is no cluster any more`)
    return run.resources
  }
}

const sortKeys = (body: SyncTokensBody): unknown =>
  Object.fromEntries(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)))

// The capability `db` as http, the command line and the schedule use it: a body becomes a run.
import type { SavedEnd } from '../db/checkpoint.ts'
import type { Clock } from '../lib/clock.ts'
import type { StateStore } from '../state/store.ts'
import type { DbRuns, DescribedPair, Runs, Started, StartOptions } from './contract.ts'
import { lastRunKey, resourceOf } from './db-job.ts'
import { type DbRunRequest, type PairSettings, resolveSync, resolveVerify } from './db-request.ts'

export interface DbRunsOptions {
  readonly pairs: readonly (PairSettings & DescribedPair)[]
  readonly runs: Pick<Runs, 'start'>
  readonly store: Pick<StateStore, 'getRun' | 'getValue'>
  readonly clock: Clock
  readonly readSavedEnds: (pair: string) => Promise<readonly SavedEnd[]>
  readonly countDeadLetters: (pair: string) => Promise<number>
}

export function createDbRuns(options: DbRunsOptions): DbRuns {
  const { pairs, runs, store, clock, readSavedEnds, countDeadLetters } = options
  const start = (request: DbRunRequest, body: object, { trigger, idempotencyKey }: StartOptions): Promise<Started> =>
    runs.start({
      ...{ kind: 'db', trigger, request, idempotencyKey },
      // The configuration may change between two requests that are the same.
      asked: [request.operation, Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1))],
      dryRun: request.operation === 'sync' && request.dryRun,
      resources: [resourceOf(request.pair)],
    })
  return {
    pairs: pairs.map(({ name, left, right, tables, execution }) => ({ name, left, right, tables, execution })),
    sync: async (body, how) => start(resolveSync(body, pairs, clock.wallNow()), body, how),
    verify: async (body, how) => start(resolveVerify(body, pairs, clock.wallNow()), body, how),
    async readKept(pair) {
      const [ends, deadLetters, lastRun] = await Promise.all([
        readSavedEnds(pair),
        countDeadLetters(pair),
        store.getValue(lastRunKey(pair)),
      ])
      return {
        ...{ savedEnds: ends, deadLetters },
        lastRun: lastRun === undefined ? undefined : await store.getRun(JSON.parse(lastRun)),
      }
    },
  }
}

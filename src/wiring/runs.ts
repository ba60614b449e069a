// Runs as the configuration has them: their state, their locks, what they do, and what starts them by itself. Imported only where a
// capability runs something.
import { hostname } from 'node:os'
import type { Registry } from 'prom-client'
import type { Env } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { Dsync } from '../dsync/dsync.ts'
import { createMemoryDriver } from '../dsync/memory-driver.ts'
import type { Clock } from '../lib/clock.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { Leadership } from '../lib/leadership.ts'
import type { Logger } from '../lib/logger.ts'
import type { DbRuns, Runs, ScheduleStatus, TokenRuns } from '../runs/contract.ts'
import type { Ended } from '../runs/execution.ts'
import { createRunLocks } from '../runs/locks.ts'
import { createRunMetrics } from '../runs/metrics.ts'
import { createRuns, type RunService } from '../runs/runs.ts'
import { openSchedule } from '../runs/schedule.ts'
import { RUN_KINDS, type RunKind, type RunRecord, type StateStore } from '../state/store.ts'
import type { RunsPart } from './part.ts'
import { openConfiguredState } from './state.ts'

export interface RunsSurroundings {
  /** What errors are about: the configuration. */
  readonly source: string
  readonly env: Env
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  readonly leadership: Leadership
  /** What leadership came from; undefined where there is one replica only. */
  readonly dsync: Dsync | undefined
  /** Asked for only where something needs the API server. The client stays the caller's. */
  readonly kube: () => Promise<KubeClient>
}

export interface OpenRuns extends AsyncDisposable {
  readonly runs: Runs
  /** Undefined where the configuration has no section `tokens`. */
  readonly tokens: TokenRuns | undefined
  /** Undefined where the configuration has no section `db`. */
  readonly db: DbRuns | undefined
  /** Starts nothing by itself any more. */
  stopStarting(): void
  /** Takes no run any more either, and lets runs end for `graceMs`, and a few seconds more after they were told to. */
  stop(graceMs: number): Promise<void>
  /** Why runs cannot be kept right now; undefined when they can. Costs nothing. */
  readonly problem: string | undefined
  /** Runs of this process that have not ended. */
  readonly underWay: number
}

type Configured = Pick<Config, 'state' | 'runs' | 'dsync' | 'tokens' | 'db'>

const DAY_MS = 86_400_000
const SOLE_DEAD_AFTER_MS = 30_000
const SOLE_LOCK_WAIT_MS = 60_000

/** Opens the state and begins to run what is due. Throws ConfigError, and StateUnavailable where a server does not answer. */
export async function openRuns(config: Configured, surroundings: RunsSurroundings): Promise<OpenRuns> {
  const stack = new AsyncDisposableStack()
  try {
    const store = stack.use(await openConfiguredState(config.state, surroundings))
    return await openOver(store, config, surroundings, stack)
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function openOver(
  store: StateStore,
  config: Configured,
  surroundings: RunsSurroundings,
  stack: AsyncDisposableStack,
): Promise<OpenRuns> {
  const { logger } = surroundings
  const random = Math.random
  const onError = (error: unknown, what: string) => logger.error({ err: error, what }, 'not as it should be')
  const onAway = (message: string) => logger.warn({ what: message }, 'a store is away, or back')
  const reports = { onError, onEnded: (run: RunRecord, ended: Ended) => logEnd(run, ended, logger) }
  const shared = { ...surroundings, random, store, onError }
  const tokens = config.tokens && (await import('./tokens.ts')).openTokens(config.tokens, shared)
  const db =
    config.db &&
    (await import('./db.ts')).openDb(config.db, { ...shared, state: config.state, kube: lend(surroundings), onAway })
  const parts = [...(tokens ? [tokens] : []), ...(db ? [db] : [])]
  let schedule: { statuses(): readonly ScheduleStatus[] } | undefined
  const schedules = () => schedule?.statuses() ?? []
  const service = stack.use(await openService(store, config, parts, { ...surroundings, ...reports, schedules }))
  const [begunTokens, begunDb] = [tokens?.begin(service), db?.begin(service)]
  const begun = [...(begunTokens ? [begunTokens] : []), ...(begunDb ? [begunDb] : [])]
  const sweeping = Promise.all(begun.map((one) => one.sweep())).catch((error: unknown) => onError(error, 'old files'))
  stack.defer(async () => void (await sweeping))
  const starters = new DisposableStack()
  const entries = begun.flatMap((one) => one.entries)
  schedule = starters.use(openSchedule(entries, { ...surroundings, random, runs: service, onError }))
  for (const starter of begun.flatMap((one) => one.starters)) starters.use(starter)
  return {
    ...{ runs: service, tokens: begunTokens?.capability, db: begunDb?.capability },
    stopStarting: () => starters.dispose(),
    stop: (graceMs) => {
      starters.dispose()
      return service.stop(graceMs)
    },
    get problem() {
      return service.problem
    },
    get underWay() {
      return RUN_KINDS.reduce((count, kind) => count + service.underWay(kind), 0)
    },
    async [Symbol.asyncDispose]() {
      starters.dispose()
      await stack.disposeAsync()
    },
  }
}

export interface ServiceSurroundings extends Pick<RunsSurroundings, 'clock' | 'registry' | 'dsync'> {
  readonly leadership: Pick<Leadership, 'isLeader' | 'onChange'>
  readonly schedules: () => readonly ScheduleStatus[]
  readonly onError: (error: unknown, what: string) => void
  /** A run of this process has ended. */
  readonly onEnded: (run: RunRecord, ended: Ended) => void
}

/** The one client of the service, which nobody closes who borrows it. */
const lend =
  ({ kube }: Pick<RunsSurroundings, 'kube'>) =>
  async () => ({ client: await kube(), async [Symbol.asyncDispose]() {} })

/** The service of runs that these parts bring jobs to. `store` stays the caller's. */
export async function openService(
  store: StateStore,
  config: Pick<Configured, 'runs' | 'dsync'>,
  parts: readonly RunsPart<unknown>[],
  surroundings: ServiceSurroundings,
): Promise<RunService> {
  const { clock, registry, schedules, onError, onEnded } = surroundings
  const underWay = (kind: RunKind) => service.underWay(kind)
  const metrics = createRunMetrics(registry, { underWay, schedules })
  const service = await createRuns({
    ...{ store, clock, random: Math.random, onError, schedules },
    ...settingsOf(config, surroundings),
    jobs: parts.map(({ job }) => job),
    onEnded: (run, ended) => {
      metrics.ended(run, ended)
      for (const part of parts) part.ended(run, ended)
      onEnded(run, ended)
    },
    onForgotten: async (ids) => {
      for (const part of parts) await part.forget(ids)
    },
  })
  return service
}

function settingsOf(
  { runs, dsync }: Pick<Configured, 'runs' | 'dsync'>,
  { clock, leadership, dsync: shared }: ServiceSurroundings,
) {
  const { maxConcurrent, history } = runs
  // One process has nobody to share with; the rest is as it is with several.
  const locks = shared ?? new Dsync(createMemoryDriver(), hostname(), { scope: 'syncer', clock })
  const leaseMs = dsync.driver === 'kubernetes' ? dsync.leaseDurationMs : undefined
  return {
    ...{ maxConcurrent, leadership },
    history: { maxRuns: history.maxRuns, maxAgeMs: history.maxAgeDays * DAY_MS },
    locks: createRunLocks((name) => locks.lock(name)),
    // A replica that is gone leaves its locks behind for a lease.
    deadAfterMs: leaseMs === undefined ? SOLE_DEAD_AFTER_MS : 2 * leaseMs,
    lockWaitMs: leaseMs === undefined ? SOLE_LOCK_WAIT_MS : 3 * leaseMs,
    // What a sync of tokens has not done its next one does; one of a pair has windows to close.
    takesUp: leaseMs === undefined ? (['db'] as const) : RUN_KINDS,
  }
}

/** One line a run, as there is one a request. */
function logEnd({ id, kind, trigger }: RunRecord, { state, startedAt, endedAt, problem }: Ended, logger: Logger): void {
  const durationMs = startedAt === undefined ? undefined : endedAt - startedAt
  logger.info({ run: id, kind, trigger, state, durationMs, problem: problem?.kind }, 'run')
}

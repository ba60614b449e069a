// Runs as the configuration has them: their state, their locks, what they do, and what starts them by itself. Imported only where a
// capability runs something.
import { hostname } from 'node:os'
import type { Registry } from 'prom-client'
import type { Env } from '../config/load.ts'
import { readSchedule } from '../config/schedule-schema.ts'
import type { Config } from '../config/schema.ts'
import type { TokensConfig } from '../config/tokens-schema.ts'
import { Dsync } from '../dsync/dsync.ts'
import { createMemoryDriver } from '../dsync/memory-driver.ts'
import type { Clock } from '../lib/clock.ts'
import type { Leadership } from '../lib/leadership.ts'
import type { Logger } from '../lib/logger.ts'
import { openChangeTrigger } from '../runs/change-trigger.ts'
import type { Runs, TokenRuns } from '../runs/contract.ts'
import type { Ended } from '../runs/execution.ts'
import { createRunLocks } from '../runs/locks.ts'
import { createRunMetrics, createTokenMetrics } from '../runs/metrics.ts'
import { createRuns, type RunService } from '../runs/runs.ts'
import { openSchedule, type Schedule, type ScheduleEntry } from '../runs/schedule.ts'
import { createTokenRuns } from '../runs/token-runs.ts'
import type { RunRecord, StateStore } from '../state/store.ts'
import { openConfiguredState } from './state.ts'
import { type OpenTokens, openTokens } from './tokens.ts'

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
}

export interface OpenRuns extends AsyncDisposable {
  readonly runs: Runs
  readonly tokens: TokenRuns
  /** Starts nothing by itself any more. */
  stopStarting(): void
  /** Takes no run any more either, and lets runs end for `graceMs`, and a few seconds more after they were told to. */
  stop(graceMs: number): Promise<void>
  /** Why runs cannot be kept right now; undefined when they can. Costs nothing. */
  readonly problem: string | undefined
  /** Runs of this process that have not ended. */
  readonly underWay: number
}

type Configured = Pick<Config, 'state' | 'runs' | 'dsync'> & { readonly tokens: TokensConfig }

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
  const { env, clock, logger, registry } = surroundings
  const random = Math.random
  const onError = (error: unknown, what: string) => logger.error({ err: error, what }, 'not as it should be')
  const tokenMetrics = createTokenMetrics(registry)
  const capability = openTokens(config.tokens, { env, clock, random, store, metrics: tokenMetrics, onError })
  let schedule: Schedule | undefined
  const schedules = () => schedule?.statuses() ?? []
  const runMetrics = createRunMetrics(registry, { underWay: (kind) => service.underWay(kind), schedules })
  const service = await createRuns({
    ...{ store, clock, random, onError, schedules },
    ...settingsOf(config, surroundings),
    jobs: [capability.job],
    onEnded: (run, ended) => {
      runMetrics.ended(run, ended)
      tokenMetrics.ended(run, ended.state, ended.endedAt)
      logEnd(run, ended, logger)
    },
    onForgotten: (ids) => capability.forget(ids),
  })
  stack.use(service)
  const sweeping = capability.sweep().catch((error: unknown) => onError(error, 'undo files'))
  stack.defer(() => sweeping)
  const settings = { ...config.tokens, clusters: capability.clusters }
  const tokens = createTokenRuns({ settings, runs: service, store })
  const starters = new DisposableStack()
  schedule = starters.use(
    openSchedule(entriesOf(config.tokens, tokens), { ...surroundings, random, runs: service, onError }),
  )
  if (config.tokens.follow) starters.use(openFollowing(capability, tokens, service, surroundings, onError))
  return {
    ...{ runs: service, tokens },
    stopStarting: () => starters.dispose(),
    stop: (graceMs) => {
      starters.dispose()
      return service.stop(graceMs)
    },
    get problem() {
      return service.problem
    },
    get underWay() {
      return service.underWay('tokens')
    },
    async [Symbol.asyncDispose]() {
      starters.dispose()
      await stack.disposeAsync()
    },
  }
}

function settingsOf({ runs, dsync }: Configured, { clock, leadership, dsync: shared }: RunsSurroundings) {
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
    takesUp: leaseMs !== undefined,
  }
}

function entriesOf({ schedule }: TokensConfig, tokens: TokenRuns): readonly ScheduleEntry[] {
  if (schedule === undefined) return []
  return [
    {
      ...{ name: 'tokens', ...readSchedule(schedule), filter: { kind: 'tokens' } },
      owns: ({ trigger }) => trigger === 'schedule',
      start: () => tokens.start({}, { trigger: 'schedule' }),
    },
  ]
}

function openFollowing(
  capability: OpenTokens,
  tokens: TokenRuns,
  runs: RunService,
  { leadership, clock }: RunsSurroundings,
  onError: (error: unknown, what: string) => void,
): Disposable {
  return openChangeTrigger({
    ...{ runs, leadership, clock, onError },
    watch: (onChange, signal) => capability.watch(onChange, signal),
    start: () => tokens.start({}, { trigger: 'schedule' }),
  })
}

/** One line a run, as there is one a request. */
function logEnd({ id, kind, trigger }: RunRecord, { state, startedAt, endedAt, problem }: Ended, logger: Logger): void {
  const durationMs = startedAt === undefined ? undefined : endedAt - startedAt
  logger.info({ run: id, kind, trigger, state, durationMs, problem: problem?.kind }, 'run')
}

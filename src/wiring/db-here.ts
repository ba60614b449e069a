// Runs over one pair in a process of its own, a command line: over the state of the configuration, so that they and those of the
// service know of each other. It starts nothing by itself, and takes up nothing.
import { Registry } from 'prom-client'
import type { Env, LoadedConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { type SavedEnds, savedEnds } from '../db/checkpoint.ts'
import type { Dsync } from '../dsync/dsync.ts'
import { type Clock, delay } from '../lib/clock.ts'
import type { DbRuns, Started } from '../runs/contract.ts'
import { resourceOf } from '../runs/db-job.ts'
import { interruptOrphans } from '../runs/orphans.ts'
import type { RunService } from '../runs/runs.ts'
import type { RunRecord, StateStore } from '../state/store.ts'
import { createDbPart, type PairSurroundings, type PreparedPair } from './db.ts'
import { openService } from './runs.ts'
import { openConfiguredState } from './state.ts'

export interface HereSurroundings {
  readonly env: Env
  readonly clock: Clock
  readonly onError: (error: unknown, what: string) => void
}

export interface StateHere extends AsyncDisposable {
  readonly store: StateStore
  readonly savedEnds: SavedEnds
  /** The run of the pair that is under way, in whatever process. */
  findRunUnderWay(): Promise<RunRecord | undefined>
}

export interface DbHere extends StateHere {
  readonly runs: RunService
  readonly db: DbRuns
}

/** From one try to start a run to the next, in milliseconds. */
const ASK_AGAIN_MS = 1_000
/** A run whose process is gone is known for it after so long, where that is not known at once, in milliseconds. */
const GONE_AFTER_MS = 32_000
const NOBODY_LEADS = { isLeader: false, onChange: () => () => {} }
const MAX_UNDER_WAY = 1_000

/** Opens the state alone. Throws ConfigError, and StateUnavailable where a server does not answer. */
export async function openStateHere(
  { config, source }: LoadedConfig,
  { key, name }: Pick<PreparedPair, 'key' | 'name'>,
  { env, clock }: HereSurroundings,
): Promise<StateHere> {
  const store = await openConfiguredState(config.state, { env, clock, source })
  return {
    store,
    savedEnds: savedEnds(key, store),
    async findRunUnderWay() {
      await interruptOrphans(store, clock)
      for (const state of ['running', 'queued'] as const) {
        const { items } = await store.listRuns({ kind: 'db', state, limit: MAX_UNDER_WAY })
        const found = items.find(({ resources }) => resources.includes(resourceOf(name)))
        if (found !== undefined) return found
      }
      return undefined
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** Opens the state and takes runs of this pair. Throws ConfigError, and StateUnavailable where a server does not answer. */
export async function openDbHere(
  loaded: LoadedConfig,
  pair: PreparedPair,
  surroundings: HereSurroundings,
): Promise<DbHere> {
  const { clock, onError } = surroundings
  const stack = new AsyncDisposableStack()
  try {
    const state = stack.use(await openStateHere(loaded, pair, surroundings))
    const dsync = await openLocks(loaded, surroundings, stack)
    const registry = new Registry()
    const part = createDbPart([pair], { store: state.store, clock, registry })
    const service = await openService(state.store, loaded.config, [part], {
      ...{ clock, registry, dsync, onError, leadership: NOBODY_LEADS, schedules: () => [], onEnded: () => {} },
    })
    stack.use(service)
    const { capability: db } = part.begin(service)
    return { ...state, runs: service, db, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/**
 * Starts it; where another run of the pair is in the way, gives that. One whose process died may look alive for a while where
 * processes only see each other's silence: as long as nothing is heard of it, it is waited for.
 */
export async function startHere(
  { store }: Pick<StateHere, 'store'>,
  start: () => Promise<Started>,
  { clock }: Pick<HereSurroundings, 'clock'>,
  signal: AbortSignal,
): Promise<Started> {
  const first = await start()
  if (first.outcome !== 'overlaps' || store.kind === 'sqlite') return first
  const giveUpAt = clock.now() + GONE_AFTER_MS
  while (clock.now() < giveUpAt) {
    await delay(clock, ASK_AGAIN_MS, signal)
    await interruptOrphans(store, clock)
    const next = await start()
    if (next.outcome !== 'overlaps' || isMoving(first.run, next.run)) return next
  }
  return first
}

const isMoving = (before: RunRecord, after: RunRecord): boolean =>
  before.id !== after.id || before.state !== after.state || before.progress !== after.progress

/** What a pair needs of its process. */
export function pairSurroundings(
  { config, source }: LoadedConfig,
  { env, clock }: Pick<HereSurroundings, 'env' | 'clock'>,
  onAway: PairSurroundings['onAway'],
): PairSurroundings {
  const kube = async () => {
    const { openKube } = await import('./kube.ts')
    const client = await openKube(config.kubernetes, { source, env, clock })
    return { client, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() }
  }
  return { env, clock, random: Math.random, state: config.state, source, kube, onAway }
}

/** The locks of the replicas of the service, where there are several. */
async function openLocks(
  { config, source }: LoadedConfig,
  { env, clock }: HereSurroundings,
  stack: AsyncDisposableStack,
): Promise<Dsync | undefined> {
  const { dsync, kubernetes }: Pick<Config, 'dsync' | 'kubernetes'> = config
  if (dsync.driver === 'memory') return undefined
  const [{ openKube }, { openSharedDsync }] = await Promise.all([import('./kube.ts'), import('./leadership.ts')])
  const client = stack.use(await openKube(kubernetes, { source, env, clock }))
  const opened = openSharedDsync(dsync, client, clock)
  stack.use(opened.driver)
  return opened.dsync
}

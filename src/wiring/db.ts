// The capability `db` as the configuration has it: its pairs, its job, and where rows that could not be carried are written.
// Imported only where the section `db` is.
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { Registry } from 'prom-client'
import type { DbConfig, PairConfig } from '../config/db-schema.ts'
import { describeSide } from '../config/db-side.ts'
import { readSchedule } from '../config/schedule-schema.ts'
import type { StateConfig } from '../config/state-schema.ts'
import { savedEnds } from '../db/checkpoint.ts'
import { writeDeadLetterFile } from '../db/dead-letter-file.ts'
import { readDeadLetters } from '../db/dead-letters.ts'
import { syncPair } from '../db/sync.ts'
import { verifyPair } from '../db/verify.ts'
import type { DbRuns, DescribedPair } from '../runs/contract.ts'
import { type ConfiguredPair, createDbJob, type OpenPair, resourceOf } from '../runs/db-job.ts'
import { createDbRuns } from '../runs/db-runs.ts'
import { createDbMetrics } from '../runs/metrics.ts'
import type { ScheduleEntry } from '../runs/schedule.ts'
import type { StateStore } from '../state/store.ts'
import type { KubeLoan } from './db-jobs.ts'
import { prepareStore, type StoreSurroundings } from './db-stores.ts'
import type { RunsPart } from './part.ts'

/** Longest key of a pair, in characters. */
const MAX_KEY = 300

export interface DbSurroundings extends Omit<StoreSurroundings, 'policy'> {
  /** The file of the configuration, or `defaults`. */
  readonly source: string
  readonly store: StateStore
  readonly registry: Registry
  readonly state: StateConfig
  /** Asked for only where workers in Pods carry the rows of a pair. */
  readonly kube: () => Promise<KubeLoan>
}

/** What a pair is to its runs, and how it may be shown. */
export interface PreparedPair extends ConfiguredPair, DescribedPair {
  /** Under what the state keeps its saved ends and dead letters. */
  readonly key: string
  /** Where its rows that could not be carried are written. */
  readonly deadLetterFile: string
}

/** Throws ConfigError when a secret or a file cannot be used. */
export function openDb(config: DbConfig, surroundings: DbSurroundings): RunsPart<DbRuns> {
  const pairs = config.pairs.map((pair) => preparePair(pair, surroundings))
  return createDbPart(pairs, surroundings, (db) => config.pairs.flatMap((pair) => entriesOf(pair, db)))
}

/** What pairs bring to the runs, wherever they come from. */
export function createDbPart(
  pairs: readonly PreparedPair[],
  { store, clock, registry }: Pick<DbSurroundings, 'store' | 'clock' | 'registry'>,
  entriesOver: (db: DbRuns) => readonly ScheduleEntry[] = () => [],
): RunsPart<DbRuns> {
  const metrics = createDbMetrics(registry)
  const keyOf = (name: string) => pairs.find((pair) => pair.name === name)?.key ?? name
  return {
    job: createDbJob({
      ...{ pairs, store, clock },
      onItem: (pair, item, isExplicit) => metrics.carried(pair, item, isExplicit),
      onDeadLetters: (pair, count) => metrics.deadLetters(pair, count),
    }),
    ended: (run, { state, endedAt }) => metrics.ended(run, state, endedAt),
    forget: async () => {},
    begin(service) {
      const db = createDbRuns({
        ...{ pairs, runs: service, store, clock },
        readSavedEnds: (pair) => savedEnds(keyOf(pair), store).list(),
        countDeadLetters: async (pair) => (await readDeadLetters(keyOf(pair), store)).length,
      })
      return { capability: db, entries: entriesOver(db), starters: [], sweep: async () => {} }
    },
  }
}

export type PairSurroundings = Omit<DbSurroundings, 'store' | 'registry'>

/** A pair of the configuration. Throws ConfigError when a secret or a file cannot be used. Nobody is asked yet. */
export function preparePair(pair: PairConfig, surroundings: PairSurroundings): PreparedPair {
  return prepareAs(pair, pair.name, `dead-letters-${pair.name}.jsonl`, surroundings)
}

/** A pair that the configuration does not have: it is called what its two stores are, whatever name is written. */
export function prepareUnnamedPair(pair: PairConfig, surroundings: PairSurroundings): PreparedPair {
  const addresses = `${describeSide(pair.left)} ${describeSide(pair.right)}`
  const digest = createHash('sha256').update(addresses).digest('hex')
  const name = addresses.length <= MAX_KEY ? addresses : `${addresses.slice(0, MAX_KEY - 65)} ${digest}`
  return prepareAs(pair, name, `dead-letters-${pair.name}-${digest.slice(0, 8)}.jsonl`, surroundings)
}

function prepareAs(pair: PairConfig, name: string, file: string, surroundings: PairSurroundings): PreparedPair {
  const { tables, lagMs } = pair
  const deadLetterFile = join(deadLetterFolder(surroundings), file)
  return {
    ...{ name, key: name, tables, lagMs, deadLetterFile, execution: pair.execution.kind },
    left: { kind: pair.left.kind, address: describeSide(pair.left) },
    right: { kind: pair.right.kind, address: describeSide(pair.right) },
    open: createOpener(pair, name, surroundings),
    sync: chooseSync(pair, surroundings),
    verify: verifyPair,
    keepDeadLetters: (letters) => writeDeadLetterFile(deadLetterFile, letters),
  }
}

function chooseSync({ name, execution }: PairConfig, surroundings: PairSurroundings): ConfiguredPair['sync'] {
  if (execution.kind === 'process') return syncPair
  return async (pair, request, around) => {
    // A part that somebody has cut by hand is what one worker does.
    if (request.shard !== undefined) return await syncPair(pair, request, around)
    const { createJobSync } = await import('./db-jobs.ts')
    return await createJobSync(name, execution, surroundings)(pair, request, around)
  }
}

/** `key`: under what the state keeps what is remembered of the pair. */
function createOpener(
  { left, right, ...pair }: PairConfig,
  key: string,
  surroundings: Omit<StoreSurroundings, 'policy'>,
): ConfiguredPair['open'] {
  const { tables, deletedField, lagMs, overlapMs, versionField, onUnknownField } = pair
  const policy = { versionField, onUnknownField }
  const shared = { ...surroundings, policy }
  const [openLeft, openRight] = [prepareStore(left, shared), prepareStore(right, shared)]
  return async (signal): Promise<OpenPair> => {
    const stack = new AsyncDisposableStack()
    try {
      const sides = { left: stack.use(await openLeft(signal)), right: stack.use(await openRight(signal)) }
      return {
        ...{ ...sides, key, tables, policy, deletedField, lagMs, overlapMs },
        [Symbol.asyncDispose]: () => stack.disposeAsync(),
      }
    } catch (error) {
      await stack.disposeAsync()
      throw error
    }
  }
}

/** Beside the state where that is a file; else where such a file would be. */
function deadLetterFolder({ state, source }: Pick<DbSurroundings, 'state' | 'source'>): string {
  if (state.kind === 'sqlite') return dirname(state.path)
  return join(source === 'defaults' ? '.' : dirname(source), '.syncer')
}

function entriesOf({ name, schedule }: PairConfig, db: DbRuns): readonly ScheduleEntry[] {
  if (schedule === undefined) return []
  const resource = resourceOf(name)
  return [
    {
      ...{ name: `db:${name}`, ...readSchedule(schedule), filter: { kind: 'db' } },
      owns: ({ trigger, resources }) => trigger === 'schedule' && resources.includes(resource),
      start: () => db.sync({ pair: name }, { trigger: 'schedule' }),
    },
  ]
}

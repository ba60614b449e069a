// What a run of kind `db` does: the sync or the verify of a pair of the configuration. What it finds of each table goes to the run's
// items, what it remembers to the store, rows that could not be carried to a file beside it.
import {
  type DbItem,
  type DbSummary,
  type DbSurroundings,
  DbSyncFailed,
  type DbSyncRequest,
  type DbVerifyRequest,
  type DbVerifySummary,
  type DbVerifySurroundings,
  type DeadLetter,
  type Pair,
  type VerifyItem,
} from '../db/contract.ts'
import { formatTime, type Window } from '../db/window.ts'
import { isExplicit } from '../db/windows.ts'
import type { Clock } from '../lib/clock.ts'
import type { RunItem, StateStore } from '../state/store.ts'
import type { Job, JobContext, JobOutcome } from './contract.ts'
import { createSyncProgress, createVerifyProgress } from './db-progress.ts'
import {
  type DbRunRequest,
  isDestructive,
  type PairSettings,
  type SyncRunRequest,
  toDbSyncRequest,
  toDbVerifyRequest,
  type VerifyRunRequest,
} from './db-request.ts'
import { lockNameOf } from './lock-names.ts'
import { findProblem, PairGone } from './problems.ts'

export interface OpenPair extends Pair, AsyncDisposable {}

/** Carries out a sync: in this process, or wherever the pair has it done. */
export type SyncPair = (pair: Pair, request: DbSyncRequest, surroundings: DbSurroundings) => Promise<DbSummary>
export type VerifyPair = (
  pair: Pair,
  request: DbVerifyRequest,
  surroundings: DbVerifySurroundings,
) => Promise<DbVerifySummary>

/** A pair of the configuration. */
export interface ConfiguredPair extends PairSettings {
  /** Opens its two stores for one run. */
  readonly open: (signal: AbortSignal) => Promise<OpenPair>
  readonly sync: SyncPair
  readonly verify: VerifyPair
  /** Writes them where users find them, in place of those of the last run. */
  readonly keepDeadLetters: (letters: readonly DeadLetter[]) => Promise<void>
}

export interface DbJobOptions {
  readonly pairs: readonly ConfiguredPair[]
  readonly store: Pick<StateStore, 'getValue' | 'putValue'>
  readonly clock: Clock
  /** A table and direction of a sync that is no dry run is done. `isExplicit`: its window is the caller's own, and moves no saved end. */
  readonly onItem: (pair: string, item: DbItem, isExplicit: boolean) => void
  /** So many rows of the pair wait to be tried again. */
  readonly onDeadLetters: (pair: string, count: number) => void
}

export const resourceOf = (pair: string): string => `pair:${pair}`
/** Under which key of the state the newest run of a pair is remembered. */
export const lastRunKey = (pair: string): string => `db last run ${pair}`

export function createDbJob(options: DbJobOptions): Job {
  const find = (name: string) => options.pairs.find((pair) => pair.name === name)
  return {
    kind: 'db',
    locksOf: (resources) => resources.map(lockNameOf),
    canBeTakenUp: (request) =>
      find((request as DbRunRequest).pair) !== undefined && !isDestructive(request as DbRunRequest),
    async execute(request, context) {
      const { pair: name } = request as DbRunRequest
      const pair = find(name)
      // A run may be older than the configuration, or another replica's.
      if (pair === undefined) throw new PairGone(`${name} is no pair of the configuration any more.`)
      await options.store.putValue(lastRunKey(name), JSON.stringify(context.id))
      return (request as DbRunRequest).operation === 'sync'
        ? sync(request as SyncRunRequest, pair, context, options)
        : verify(request as VerifyRunRequest, pair, context, options)
    },
  }
}

async function sync(
  request: SyncRunRequest,
  configured: ConfiguredPair,
  context: JobContext,
  { store, clock, onItem, onDeadLetters }: DbJobOptions,
): Promise<JobOutcome> {
  const { name } = configured
  const progress = createSyncProgress(clock)
  const told = new Set<string>()
  const tell = async (item: RunItem) => {
    told.add(item.key)
    await context.item(item)
  }
  await using pair = await configured.open(context.signal)
  const surroundings: DbSurroundings = {
    ...{ memory: store, clock, signal: context.signal },
    onProgress: (one) => context.progress(progress(one)),
    onItem: async (item) => {
      if (!request.dryRun) onItem(name, item, isExplicit(request))
      await tell(asSyncItem(item))
    },
    onHalfDone: (item) => tell(asSyncItem(item)),
    onDeadLetters: async (letters) => {
      onDeadLetters(name, letters.length)
      await configured.keepDeadLetters(letters)
    },
  }
  try {
    const summary = await configured.sync(pair, toDbSyncRequest(request), surroundings)
    return { failed: summary.counts.failed > 0, summary: writeSyncSummary(summary) }
  } catch (error) {
    const outcome = judgeSyncFailure(error, context)
    // What is half done counts in the summary, so it has to be among the items.
    if (error instanceof DbSyncFailed)
      for (const item of error.summary.items.map(asSyncItem)) if (!told.has(item.key)) await tell(item)
    return outcome
  }
}

/** A sync that stopped half way has a summary too. The message of the error tells where it stands, and what stopped it. */
function judgeSyncFailure(error: unknown, { signal }: JobContext): JobOutcome {
  if (!(error instanceof DbSyncFailed) || signal.aborted) throw error
  const cause = findProblem(error.cause)
  if (cause === undefined) throw error.cause ?? error
  return {
    failed: true,
    summary: writeSyncSummary(error.summary),
    problem: { kind: cause.kind, detail: error.message.slice(0, MAX_DETAIL) },
  }
}

const MAX_DETAIL = 2_048

async function verify(
  request: VerifyRunRequest,
  configured: ConfiguredPair,
  context: JobContext,
  { store, clock }: DbJobOptions,
): Promise<JobOutcome> {
  const progress = createVerifyProgress(clock)
  await using pair = await configured.open(context.signal)
  const summary = await configured.verify(pair, toDbVerifyRequest(request), {
    ...{ memory: store, clock, signal: context.signal, resume: context.takesUp },
    onProgress: (one) => context.progress(progress(one)),
    onItem: (item) => context.item(asVerifyItem(item)),
  })
  return { failed: hasDifferences(summary.counts), summary: writeVerifySummary(summary) }
}

function asSyncItem({ table, direction, window, note, ...figures }: DbItem): RunItem {
  const { read, applied, older, equal, echoed, failed, ms } = figures
  const status = failed > 0 ? 'failed' : applied > 0 ? 'updated' : 'unmodified'
  const body = {
    ...{ table, direction, window: describeWindow(window), read, applied, older, equal, echoed, failed, ms },
    ...(note !== undefined && { note }),
    status,
  }
  return { key: `${table} ${direction}`, status, body: JSON.stringify(body) }
}

function asVerifyItem({ table, counts, ms }: VerifyItem): RunItem {
  const status = hasDifferences(counts) ? 'failed' : 'unmodified'
  return { key: table, status, body: JSON.stringify({ table, counts, ms, status }) }
}

/** Without the items, of which a run has its own. */
const writeSyncSummary = ({ window, counts, deadLetters }: DbSummary): string =>
  JSON.stringify({ window: describeWindow(window), counts, deadLetters })

const writeVerifySummary = ({ window, counts, differences, repaired }: DbVerifySummary): string =>
  JSON.stringify({ window: describeWindow(window), counts, differences, repaired })

const describeWindow = ({ beginMs, endMs }: Window) => ({ begin: formatTime(beginMs), end: formatTime(endMs) })

const hasDifferences = ({ equal: _, ...differences }: VerifyItem['counts']): boolean =>
  Object.values(differences).some((count) => count > 0)

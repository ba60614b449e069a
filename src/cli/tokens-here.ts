// A token sync in this process: the clusters that are named, the files that go with it, what is drawn while it runs and told at its end.
import { resolve } from 'node:path'
import { replaceFile } from '../lib/replace-file.ts'
import type { ClusterUrl, Mode, SealedPlan, SyncSummary, SyncSurroundings, TokenItem } from '../tokens/contract.ts'
import { fromPlain, writeJson } from '../tokens/json.ts'
import { asSeedObject, pendingChanges } from '../tokens/summary.ts'
import { openClusters, retryReads } from './clusters.ts'
import { createDifferenceRecorder, type Differences } from './differences.ts'
import { CHANGES_PENDING, CliError, DONE, FAILED } from './exit.ts'
import type { CliIo } from './io.ts'
import { memoryFileText, readMemoryFile } from './memory-file.ts'
import type { Output } from './options.ts'
import { planText, type ShownToken, tokensText } from './plan-text.ts'
import { createProgressBar } from './progress-bar.ts'
import { Stopped, withStopSignal } from './stop.ts'
import type { TimeoutFlags } from './tokens-options.ts'
import { openUndoRecorder, type UndoRecorder } from './undo-recorder.ts'

export interface HereSettings extends TimeoutFlags {
  /** Begins what is told of errors. */
  readonly command: string
  readonly clusters: readonly ClusterUrl[]
  readonly mode: Mode
  readonly dryRun: boolean
  /** False keeps nothing; a file of its own for this run when it is left out. */
  readonly undoFile?: string | false
  readonly memoryFile?: string | undefined
  readonly output: Output
  readonly detailedExitcode?: boolean | undefined
}

/** What a sync found and did, and the plan of a dry run. */
export interface SyncRecord {
  readonly summary: SyncSummary
  /** Sorted by token. */
  readonly plans: readonly SealedPlan[]
}

interface Told {
  readonly item: TokenItem
  readonly differences: Differences
}

/**
 * Runs a sync and tells of it; resolves with the exit code. `onEnd` is called with what it found before anything is told of it.
 * Throws Stopped when a signal ended it, after telling what was done until then.
 */
export async function syncInProcess(
  settings: HereSettings,
  io: CliIo,
  run: (surroundings: SyncSurroundings) => Promise<SyncSummary>,
  onEnd: (record: SyncRecord) => Promise<void> = async () => {},
): Promise<number> {
  const told: Told[] = []
  const plans: SealedPlan[] = []
  await using stack = new AsyncDisposableStack()
  const undo = stack.use(await openUndoRecorder(settings.undoFile, io))
  try {
    const summary = await withStopSignal(io, (signal) =>
      runInSurroundings(settings, io, stack, { told, plans, undo, signal }, run),
    )
    told.sort((a, b) => (a.item.token < b.item.token ? -1 : 1))
    plans.sort((a, b) => (a.token < b.token ? -1 : 1))
    await onEnd({ summary, plans })
    tellResult(settings, io, summary, told)
    if (summary.problem !== undefined) io.err(`${settings.command}: ${summary.problem.message}\n`)
    return exitCodeOf(settings, summary)
  } catch (error) {
    if (error instanceof Stopped && settings.output === 'text')
      io.out(tokensText(told.map(showToken), settings.dryRun, io.colours))
    if (error instanceof CliError) throw error
    throw new CliError(FAILED, `${settings.command}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  } finally {
    undo.tell()
  }
}

interface Parts {
  readonly told: Told[]
  readonly plans: SealedPlan[]
  readonly undo: UndoRecorder
  readonly signal: AbortSignal
}

async function runInSurroundings(
  settings: HereSettings,
  io: CliIo,
  stack: AsyncDisposableStack,
  { told, plans, undo, signal }: Parts,
  run: (surroundings: SyncSurroundings) => Promise<SyncSummary>,
): Promise<SyncSummary> {
  const { clusters: urls, command, memoryFile } = settings
  const memoryPath = memoryFile === undefined ? undefined : resolve(io.cwd, memoryFile)
  const memory = memoryPath === undefined ? undefined : await readMemoryFile(memoryPath, urls, command)
  const clients = await openClusters(urls, settings, io, stack)
  // The original tries nothing again.
  const clusters = settings.mode === 'compat' ? clients : await Promise.all(clients.map((one) => retryReads(one, io)))
  const recorder = createDifferenceRecorder()
  using bar = createProgressBar(io, settings.dryRun ? 'planning' : 'syncing')
  return await run({
    clusters: clusters.map((cluster) => recorder.record(cluster)),
    signal,
    clock: io.clock,
    random: Math.random,
    memory,
    remember: async (next) => {
      if (memoryPath !== undefined) await replaceFile(memoryPath, memoryFileText(next, urls))
    },
    keepForUndo: (entries) => undo.keep(entries),
    onItem: async (item, plan) => {
      told.push({ item, differences: recorder.take(item) })
      if (plan !== undefined) plans.push(plan)
    },
    onProgress: (done, total) => bar.show(done, total),
  })
}

function tellResult(settings: HereSettings, io: CliIo, summary: SyncSummary, told: readonly Told[]): void {
  if (settings.output === 'json') {
    const items = told.map(({ item }) => item)
    io.out(`${writeJson(fromPlain(asSeedObject(summary, items)))}\n`)
    return
  }
  const { sync, tokens, counts, clockSkew } = summary
  const shown = {
    mode: settings.mode,
    dryRun: settings.dryRun,
    clusters: settings.clusters.length,
    tokens: told.map(showToken),
    sync: { unmodified: sync.unmodified.length, updated: sync.updated.length, failed: sync.failed.length },
    counts,
    totals: {
      pending: tokens.pending.length,
      previouslySynced: tokens.previouslySynced.length,
      selected: tokens.selected.length,
      total: tokens.total.length,
    },
    clockSkew,
  }
  io.out(planText(shown, io.colours))
}

function showToken({ item, differences }: Told): ShownToken {
  return {
    token: item.token,
    latest: item.latest,
    results: [...item.results].map(([cluster, { code, effect, details }]) => {
      const message = details?.get('message')
      return {
        cluster,
        code,
        effect,
        differs: code === 'success/token-match' ? undefined : differences.get(cluster),
        ...(typeof message === 'string' && { message }),
      }
    }),
  }
}

/** The original knows 0 and 1 only. */
function exitCodeOf(settings: HereSettings, { sync, problem, counts }: SyncSummary): number {
  if (sync.failed.length > 0 || problem !== undefined) return FAILED
  const asked = settings.detailedExitcode && settings.dryRun && settings.mode === 'safe'
  return asked && pendingChanges(counts) > 0 ? CHANGES_PENDING : DONE
}

// What a run of kind `tokens` does: the sync, or the plan of a dry run, with the clusters of the configuration; what it finds goes to
// the run's items, what it remembers to the store, what it overwrites to its undo file.
import { createHash } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { StateStore } from '../state/store.ts'
import { applyPlan } from '../tokens/carry-out.ts'
import type {
  SyncMemory,
  SyncSummary,
  SyncSurroundings,
  TokenItem,
  UndoEntry,
  WaiterCluster,
} from '../tokens/contract.ts'
import { writeJson } from '../tokens/json.ts'
import { asRunItem, asRunSummary } from '../tokens/summary.ts'
import { syncTokens } from '../tokens/sync.ts'
import { withReadRetries } from '../tokens/waiter-retry.ts'
import { InvalidRunRequest, type Job, type JobContext, type JobOutcome } from './contract.ts'
import { lockNameOf } from './lock-names.ts'
import { findProblem, PlanOutdated } from './problems.ts'
import { findDryRun, readPlan } from './token-plan.ts'
import { isPlanRequest, type SyncRunRequest, type TokensRunRequest, toSyncRequest } from './token-request.ts'

/** A cluster of the configuration. */
export interface ConfiguredCluster {
  readonly name: string
  readonly url: string
  /** Opens its connections for one run. Time-outs in milliseconds. */
  readonly open: (timeOuts: {
    readonly connectionTimeoutMs: number
    readonly idleTimeoutMs: number
  }) => WaiterCluster & AsyncDisposable
}

export interface Undo extends AsyncDisposable {
  /** Resolves when the entries are safe. */
  keep(entries: readonly UndoEntry[]): Promise<void>
}

export interface TokenJobOptions {
  readonly clusters: readonly ConfiguredCluster[]
  readonly store: Pick<StateStore, 'getRun' | 'getValue' | 'listItems' | 'putValue'>
  /** Where what this run overwrites is kept; nothing is made before there is something. */
  readonly openUndo: (runId: string) => Promise<Undo>
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  /** A write was made to the cluster with this name. */
  readonly onWrite: (cluster: string, effect: string) => void
}

export function createTokenJob(options: TokenJobOptions): Job {
  return {
    kind: 'tokens',
    locksOf: (resources) => resources.map(lockNameOf),
    canBeTakenUp: (request) => !isPlanRequest(request as TokensRunRequest),
    execute: (request, context) => runTokens(request as TokensRunRequest, context, options),
  }
}

async function runTokens(
  request: TokensRunRequest,
  context: JobContext,
  options: TokenJobOptions,
): Promise<JobOutcome> {
  const summary = isPlanRequest(request)
    ? await carryOutPlan(request.plan, request, context, options)
    : await sync(request, context, options)
  const { problem } = summary
  if (problem !== undefined && findProblem(problem) === undefined) throw problem
  const found = problem && findProblem(problem)
  return {
    failed: summary.sync.failed.length > 0 || found !== undefined,
    summary: writeJson(asRunSummary(summary)),
    ...(found && { problem: found }),
  }
}

async function sync(request: SyncRunRequest, context: JobContext, options: TokenJobOptions): Promise<SyncSummary> {
  const urlOf = findUrl(options.clusters)
  const key = memoryKey(request.clusters.map(urlOf))
  const memory = await options.store.getValue(key)
  await using work = await openWork(request, request, context, options)
  return await syncTokens(toSyncRequest(request, urlOf), {
    ...work.surroundings,
    memory: memory === undefined ? undefined : (JSON.parse(memory) as SyncMemory),
    remember: (next) => options.store.putValue(key, JSON.stringify(next)),
  })
}

async function carryOutPlan(
  id: string,
  timeOuts: Parameters<ConfiguredCluster['open']>[0],
  context: JobContext,
  options: TokenJobOptions,
): Promise<SyncSummary> {
  const dryRun = await findDryRun(options.store, id).catch((error: unknown) => {
    // It was there when the run was asked for.
    if (error instanceof InvalidRunRequest) throw new PlanOutdated(`The dry run ${id} ${error.message}.`)
    throw error
  })
  const plan = await readPlan(options.store, dryRun, findUrl(options.clusters))
  const { clusters, mode } = dryRun.request
  await using work = await openWork({ clusters, mode, dryRun: false }, timeOuts, context, options)
  return await applyPlan(plan, { ...work.surroundings, memory: undefined, remember: async () => {} })
}

interface Work extends AsyncDisposable {
  readonly surroundings: Omit<SyncSurroundings, 'memory' | 'remember'>
}

async function openWork(
  { clusters, mode, dryRun }: Pick<SyncRunRequest, 'clusters' | 'mode' | 'dryRun'>,
  timeOuts: Parameters<ConfiguredCluster['open']>[0],
  context: JobContext,
  options: TokenJobOptions,
): Promise<Work> {
  const { clock, random, onWrite } = options
  const nameOf = new Map(options.clusters.map(({ name, url }) => [url, name]))
  const stack = new AsyncDisposableStack()
  const undo = stack.use(await options.openUndo(context.id))
  const opened = clusters.map((name) => {
    const cluster = stack.use(findCluster(options.clusters, name).open(timeOuts))
    // The original tries nothing again.
    return mode === 'compat' ? cluster : withReadRetries(cluster, { clock, random })
  })
  return {
    surroundings: {
      ...{ clusters: opened, signal: context.signal, clock, random },
      keepForUndo: (entries) => undo.keep(entries),
      onItem: async (item, plan) => {
        if (!dryRun) countWrites(item, nameOf, onWrite)
        await context.item({
          ...{ key: item.token, status: item.status, body: writeJson(asRunItem(item)) },
          ...(plan && { plan: JSON.stringify(plan) }),
        })
      },
      onProgress: (done, total) => context.progress({ done, ...(total !== undefined && { total }) }),
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function countWrites(
  { results }: TokenItem,
  nameOf: ReadonlyMap<string, string>,
  onWrite: TokenJobOptions['onWrite'],
): void {
  for (const [url, { effect }] of results) {
    const name = nameOf.get(url)
    if (effect !== undefined && name !== undefined) onWrite(name, effect)
  }
}

const findUrl =
  (clusters: readonly ConfiguredCluster[]) =>
  (name: string): string =>
    findCluster(clusters, name).url

/** A run may be older than the configuration, or another replica's. */
function findCluster(clusters: readonly ConfiguredCluster[], name: string): ConfiguredCluster {
  const found = clusters.find((cluster) => cluster.name === name)
  if (found === undefined) throw new PlanOutdated(`${name} is no cluster of the configuration any more.`)
  return found
}

/** One for each set of clusters, whatever they are called and in whatever order. */
function memoryKey(urls: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(urls.toSorted()))
  return `tokens memory ${hash.digest('hex')}`
}

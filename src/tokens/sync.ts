// The sync of all tokens of some clusters: list, compare the lists, then token by token. `compat` is the original's algorithm, which
// reads everything before it writes anything; `safe` settles each token by itself, many at a time.
import { forEachConcurrently } from '../lib/concurrently.ts'
import { type ApplyOptions, applySteps, describe, writesOf } from './apply.ts'
import {
  ClusterUnreachable,
  type ClusterUrl,
  type Effect,
  EmptyList,
  type IndexEntry,
  type PlanFile,
  type PlanPolicy,
  type SealedPlan,
  type StepResult,
  type SyncMemory,
  type SyncRequest,
  type SyncSummary,
  type SyncSurroundings,
  TooManyDeletes,
  type WaiterCluster,
} from './contract.ts'
import { compareUrls } from './description.ts'
import { allowedDeletes, buildIndex, selectTokens, type TokenIndex } from './index-plan.ts'
import { planToken } from './plan.ts'
import { readEverywhere } from './reads.ts'
import { matchesSeal, sealPlan } from './seal.ts'
import { deletes, plannedResults, type SettleOptions, settleToken } from './settle.ts'
import { createSummary, itemOf, type SummaryBuilder } from './summary.ts'

/** Tokens under way at a time: enough to keep every cluster's connections busy while some tokens wait for one slow cluster. */
const TOKENS_AT_ONCE = 64
/** How long a write that is under way when the run is stopped may take to be answered, in milliseconds. */
const WRITE_GRACE_MS = 2_000
/** From this difference on a cluster's clock is reported, in milliseconds: `Date` has whole seconds only. */
const REPORTED_SKEW_MS = 2_000

interface Lists {
  readonly given: ReadonlyMap<ClusterUrl, readonly IndexEntry[]>
  readonly failed: readonly ClusterUnreachable[]
}

/**
 * Brings the tokens of the clusters in step, or says what that would take (`dryRun`). Throws ClusterUnreachable, EmptyList and
 * TooManyDeletes before anything is written, and the reason of `signal`.
 */
export async function syncTokens(request: SyncRequest, surroundings: SyncSurroundings): Promise<SyncSummary> {
  const list = [...surroundings.clusters].sort((a, b) => compareUrls(a.url, b.url))
  const lists = await readLists(list, request, surroundings.signal)
  const isSafe = request.mode === 'safe'
  if (isSafe) refuseEmptyLists(lists, request, surroundings)
  const index = buildIndex(lists.given)
  const { selected, selectedUpTo } = selectTokens(
    index.pending,
    request.limit,
    isSafe ? surroundings.memory?.selectedUpTo : undefined,
  )
  const summary = createSummary({ ...index, selected })
  using writing = openWriteSignal(surroundings)
  const run = { request, surroundings, list, lists, summary, writeSignal: writing.signal }
  surroundings.onProgress(0, selected.length)
  const refused = isSafe ? await syncSafely(run, index, selected, selectedUpTo) : await syncAsOriginal(run, selected)
  const problem = refused ?? lists.failed[0]
  return { ...summary.finish(findSkew(list)), ...(problem && { problem }) }
}

interface Run {
  readonly request: SyncRequest
  readonly surroundings: SyncSurroundings
  /** Sorted by URL. */
  readonly list: readonly WaiterCluster[]
  readonly lists: Lists
  readonly summary: SummaryBuilder
  readonly writeSignal: AbortSignal
}

async function readLists(
  list: readonly WaiterCluster[],
  { mode, onUnreachable }: SyncRequest,
  signal: AbortSignal,
): Promise<Lists> {
  const given = new Map<ClusterUrl, readonly IndexEntry[]>()
  const failed: ClusterUnreachable[] = []
  await Promise.all(
    list.map(async (cluster) => {
      try {
        given.set(cluster.url, await cluster.list(signal))
      } catch (error) {
        if (!(error instanceof ClusterUnreachable)) throw error
        failed.push(error)
      }
    }),
  )
  failed.sort((a, b) => compareUrls(a.cluster, b.cluster))
  const [first] = failed
  if (first !== undefined && (mode === 'compat' || onUnreachable === 'fail' || given.size === 0)) throw first
  return { given, failed }
}

function refuseEmptyLists({ given }: Lists, { allowEmpty }: SyncRequest, { memory }: SyncSurroundings): void {
  for (const [cluster, entries] of given) {
    const before = memory?.listed[cluster] ?? 0
    if (entries.length === 0 && before > 0 && !allowEmpty.includes(cluster)) throw new EmptyList(cluster, before)
  }
}

async function syncSafely(
  run: Run,
  index: TokenIndex,
  selected: readonly string[],
  selectedUpTo: string | undefined,
): Promise<TooManyDeletes | undefined> {
  const { request, surroundings } = run
  const allowed = allowedDeletes(request.maxDeletes, index.total.length)
  const deleted = new Set<string>()
  const remember = (listed: SyncMemory['listed']) =>
    surroundings.remember({
      listed: { ...surroundings.memory?.listed, ...listed },
      ...(selectedUpTo !== undefined && { selectedUpTo }),
    })
  const options = createSettleOptions(run, (token) => {
    if (deleted.size >= allowed && !deleted.has(token)) return false
    deleted.add(token)
    return true
  })
  if (!request.dryRun) {
    await refuseManyDeletes(
      selected.filter((token) => index.maybeDeleted.has(token)),
      allowed,
      options,
    )
    await remember(index.listed)
  }
  const { deletions, created } = await settleAll(selected, run, options)
  // What was made just now can be lost before the next run as well.
  if (created.size > 0) await remember(addTo(index.listed, created))
  return request.dryRun && deletions > allowed ? new TooManyDeletes(deletions, allowed) : undefined
}

/** Nothing is written before it is known that not too much will be deleted; most runs need not read a token for that. */
async function refuseManyDeletes(
  candidates: readonly string[],
  allowed: number,
  options: SettleOptions,
): Promise<void> {
  if (candidates.length <= allowed) return
  let deletions = 0
  await forEachConcurrently(candidates, TOKENS_AT_ONCE, options.stopping, async (token) => {
    const reads = await readEverywhere(token, options.list, options.unlisted, options.stopping)
    if (deletes(planToken(token, reads, options.policy))) deletions++
  })
  if (deletions > allowed) throw new TooManyDeletes(deletions, allowed)
}

/** What was done, or in a dry run would be: how many tokens were deleted somewhere, and how many were made on each cluster. */
interface Done {
  readonly deletions: number
  readonly created: ReadonlyMap<ClusterUrl, number>
}

async function settleAll(tokens: readonly string[], run: Run, options: SettleOptions): Promise<Done> {
  const { surroundings, summary } = run
  const created = new Map<ClusterUrl, number>()
  let done = 0
  let deletions = 0
  await forEachConcurrently(tokens, TOKENS_AT_ONCE, surroundings.signal, async (token) => {
    const { item, sealed } = await settleToken(token, options)
    const effects = [...item.results].map(([cluster, { effect }]) => ({ cluster, effect }))
    if (effects.some(isDelete)) deletions++
    for (const { cluster, effect } of effects)
      if (effect === 'create') created.set(cluster, (created.get(cluster) ?? 0) + 1)
    summary.add(item)
    await surroundings.onItem(item, sealed)
    surroundings.onProgress(++done, tokens.length)
  })
  return { deletions, created }
}

function addTo(listed: SyncMemory['listed'], created: ReadonlyMap<ClusterUrl, number>): SyncMemory['listed'] {
  return Object.fromEntries(
    Object.entries(listed).map(([cluster, count]) => [cluster, count + (created.get(cluster) ?? 0)]),
  )
}

/** As the original: everything is read, then everything is written, one after the other. */
async function syncAsOriginal(run: Run, selected: readonly string[]): Promise<undefined> {
  const { request, surroundings, list, summary } = run
  const policy = policyOf(request)
  const plans = new Map<string, Awaited<ReturnType<typeof planOne>>>()
  const planOne = async (token: string) => {
    const reads = await readEverywhere(token, list, new Set(), surroundings.signal)
    return { reads, plan: planToken(token, reads, policy) }
  }
  await forEachConcurrently(selected, TOKENS_AT_ONCE, surroundings.signal, async (token) => {
    plans.set(token, await planOne(token))
  })
  let done = 0
  for (const token of selected) {
    surroundings.signal.throwIfAborted()
    const planned = plans.get(token)
    if (planned === undefined) continue
    plans.delete(token)
    const { plan, reads } = planned
    const results = plannedResults(plan)
    if (!request.dryRun) {
      const outcomes = await applySteps(plan, writesOf(plan), reads, { ...applyOptionsOf(run), inOrder: true })
      for (const [cluster, { result }] of outcomes) results.set(cluster, result)
    }
    const item = itemOf(plan, results)
    summary.add(item)
    await surroundings.onItem(item, request.dryRun ? sealPlan(plan, reads) : undefined)
    surroundings.onProgress(++done, selected.length)
  }
  return undefined
}

/**
 * Carries out what a dry run found, exactly: a token that is not any more as it was seen then is refused with `error/plan-outdated`.
 * Throws TooManyDeletes before anything is written, RangeError when a cluster of the plan is missing, and the reason of `signal`.
 */
export async function applyPlan(file: PlanFile, surroundings: SyncSurroundings): Promise<SyncSummary> {
  const list = [...surroundings.clusters].sort((a, b) => compareUrls(a.url, b.url))
  for (const url of file.clusters) {
    if (!list.some((cluster) => cluster.url === url)) throw new RangeError(`the plan needs the cluster ${url}`)
  }
  const allowed = allowedDeletes(file.request.maxDeletes, file.total)
  const deletions = file.tokens.filter(({ steps }) => steps.some(isDelete)).length
  if (deletions > allowed) throw new TooManyDeletes(deletions, allowed)

  const names = file.tokens.map(({ token }) => token)
  const summary = createSummary({ total: names, pending: names, previouslySynced: [], selected: names })
  using writing = openWriteSignal(surroundings)
  const request = { ...file.request, dryRun: false }
  const run = { request, surroundings, list, lists: NO_LISTS, summary, writeSignal: writing.signal }
  const plans = new Map(file.tokens.map((plan) => [plan.token, plan]))
  surroundings.onProgress(0, names.length)
  await settleAll(names, run, {
    ...createSettleOptions(run, () => true),
    refuse: (plan, reads, written) => {
      const sealed = plans.get(plan.token)
      if (sealed === undefined || !isAsPlanned(sealed, sealPlan(plan, reads), written)) return OUTDATED
      return undefined
    },
  })
  return summary.finish(findSkew(list))
}

const NO_LISTS: Lists = { given: new Map(), failed: [] }

const isDelete = ({ effect }: { readonly effect?: Effect | undefined }): boolean =>
  effect === 'softDelete' || effect === 'hardDelete'

const OUTDATED: StepResult = {
  code: 'error/plan-outdated',
  details: describe({ message: 'the token has changed since the plan was made' }),
}

/** Whether what is to be written now is what the plan has, over what it saw; clusters that were written to have moved on. */
function isAsPlanned(sealed: SealedPlan, now: SealedPlan, written: ReadonlySet<ClusterUrl>): boolean {
  const codes = new Map(sealed.steps.map(({ cluster, code }) => [cluster, code]))
  return (
    matchesSeal(sealed, now, written) &&
    now.steps.every(({ cluster, code }) => written.has(cluster) || codes.get(cluster) === code)
  )
}

function createSettleOptions(run: Run, mayDelete: SettleOptions['mayDelete']): SettleOptions {
  const { request, surroundings, list, lists } = run
  return {
    ...applyOptionsOf(run),
    clock: surroundings.clock,
    random: surroundings.random,
    stopping: surroundings.signal,
    list,
    unlisted: new Set(lists.failed.map(({ cluster }) => cluster)),
    policy: policyOf(request),
    dryRun: request.dryRun,
    mayDelete,
  }
}

function applyOptionsOf({ list, surroundings, writeSignal }: Run): Omit<ApplyOptions, 'inOrder'> {
  return {
    clusters: new Map(list.map((cluster) => [cluster.url, cluster])),
    signal: writeSignal,
    keepForUndo: (entries) => surroundings.keepForUndo(entries),
  }
}

const policyOf = ({ mode, optOutMetadataName, onConflict }: SyncRequest): PlanPolicy => ({
  mode,
  optOutMetadataName,
  onConflict,
})

/** Aborts a while after the run was stopped. */
function openWriteSignal({ signal, clock }: SyncSurroundings): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  const stack = new DisposableStack()
  const onAbort = () => {
    const timer = clock.setTimer(WRITE_GRACE_MS, () => controller.abort(signal.reason))
    stack.defer(() => timer.cancel())
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  stack.defer(() => signal.removeEventListener('abort', onAbort))
  return { signal: controller.signal, [Symbol.dispose]: () => stack.dispose() }
}

function findSkew(list: readonly WaiterCluster[]): SyncSummary['clockSkew'] {
  return list.flatMap(({ url, skewMs }) =>
    skewMs !== undefined && Math.abs(skewMs) >= REPORTED_SKEW_MS ? [{ cluster: url, skewMs: Math.round(skewMs) }] : [],
  )
}

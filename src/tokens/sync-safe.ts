// The sync that loses nothing: each token is settled by itself, many at a time, after it is known that not too much will be deleted.
import { forEachConcurrently } from '../lib/concurrently.ts'
import { type ClusterUrl, type Effect, type SyncMemory, TooManyDeletes } from './contract.ts'
import { allowedDeletes, type Selection, type TokenIndex } from './index-plan.ts'
import { planToken } from './plan.ts'
import { readEverywhere } from './reads.ts'
import { applyOptionsOf, policyOf, type Run, TOKENS_AT_ONCE } from './run.ts'
import { deletes, type SettleOptions, settleToken } from './settle.ts'

/**
 * Brings the selected tokens in step. Throws TooManyDeletes before anything is written, and the reason of the run's signal; a dry run goes
 * to its end and resolves with what the run would throw.
 */
export async function syncSafely(
  run: Run,
  index: TokenIndex,
  { selected, selectedUpTo }: Selection,
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
  if (!request.dryRun && created.size > 0) await remember(addTo(index.listed, created))
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

/** Whether a result or a step deletes. */
export const isDelete = ({ effect }: { readonly effect?: Effect | undefined }): boolean =>
  effect === 'softDelete' || effect === 'hardDelete'

/** What was done, or in a dry run would be: how many tokens were deleted somewhere, and how many were made on each cluster. */
interface Done {
  readonly deletions: number
  readonly created: ReadonlyMap<ClusterUrl, number>
}

/** Settles these tokens, many at a time. */
export async function settleAll(tokens: readonly string[], run: Run, options: SettleOptions): Promise<Done> {
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

/** What settling a token of this run needs. */
export function createSettleOptions(run: Run, mayDelete: SettleOptions['mayDelete']): SettleOptions {
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

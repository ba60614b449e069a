// The sync of all tokens of some clusters: list, compare the lists, select, then token by token as the mode has it.
import {
  ClusterUnreachable,
  type ClusterUrl,
  EmptyList,
  type IndexEntry,
  type SyncRequest,
  type SyncSummary,
  type SyncSurroundings,
  type WaiterCluster,
} from './contract.ts'
import { compareUrls } from './description.ts'
import { buildIndex, selectTokens } from './index-plan.ts'
import { findSkew, type Lists, openWriteSignal, sortClusters } from './run.ts'
import { createSummary } from './summary.ts'
import { syncAsOriginal } from './sync-compat.ts'
import { syncSafely } from './sync-safe.ts'

/**
 * Brings the tokens of the clusters in step, or says what that would take (`dryRun`). Throws ClusterUnreachable, EmptyList and
 * TooManyDeletes before anything is written, and the reason of `signal`.
 */
export async function syncTokens(request: SyncRequest, surroundings: SyncSurroundings): Promise<SyncSummary> {
  const list = sortClusters(surroundings.clusters)
  const lists = await readLists(list, request, surroundings.signal)
  const isSafe = request.mode === 'safe'
  if (isSafe) refuseEmptyLists(lists, request, surroundings)
  const index = buildIndex(lists.given)
  const after = isSafe ? surroundings.memory?.selectedUpTo : undefined
  const selection = selectTokens(index.pending, request.limit, after)
  const { selected } = selection
  const summary = createSummary({ ...index, selected })
  using writing = openWriteSignal(surroundings)
  const run = { request, surroundings, list, lists, summary, writeSignal: writing.signal }
  surroundings.onProgress(0, selected.length)
  const refused = isSafe ? await syncSafely(run, index, selection) : await syncAsOriginal(run, selected)
  const problem = refused ?? lists.failed[0]
  return { ...summary.finish(findSkew(list)), ...(problem && { problem }) }
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

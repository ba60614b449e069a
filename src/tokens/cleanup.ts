// `cleanup`: tokens that were soft-deleted long ago are deleted for good, on one cluster.
import { forEachConcurrently } from '../lib/concurrently.ts'
import { type IndexRecord, isSuccess } from './answers.ts'
import { sortByToken, type TokenFailure, type ToolOptions } from './backup.ts'
import { compareUrls } from './description.ts'
import { describeRefusal } from './restore.ts'

export interface CleanupOptions extends ToolOptions {
  /** Tombstones last updated before this moment go, in milliseconds since 1970. */
  readonly beforeMs: number
}

export interface CleanupResult {
  /** Tokens that the cluster lists. */
  readonly total: number
  /** Sorted; in a dry run what would be deleted. */
  readonly deleted: readonly string[]
  readonly failed: readonly TokenFailure[]
}

/** How old a tombstone must be when nothing else is said: a week, in milliseconds. */
export const DEFAULT_CLEANUP_AGE_MS = 604_800_000

/** What goes, sorted by name. A tombstone whose time is not known stays. Pure. */
export function planCleanup(index: readonly IndexRecord[], beforeMs: number): readonly IndexRecord[] {
  return sortByToken(
    index.filter(({ deleted, lastUpdateMs }) => deleted === true && lastUpdateMs !== null && lastUpdateMs < beforeMs),
  )
}

/**
 * Deletes them. One that came back to life since it was listed is refused by the cluster, for no version is named. One that is gone
 * already counts as deleted. Throws ClusterUnreachable when the cluster gives no list, and the reason of `signal`.
 */
export async function cleanUpTokens(options: CleanupOptions): Promise<CleanupResult> {
  const { cluster, beforeMs, dryRun = false, signal, concurrency = 16, onProgress } = options
  const index = await cluster.list(signal)
  const plan = planCleanup(index, beforeMs)
  const deleted: string[] = []
  const failed: TokenFailure[] = []
  await forEachConcurrently(plan, concurrency, signal, async ({ token, etag }) => {
    if (dryRun) deleted.push(token)
    else {
      const answer = await cluster.hardDelete(token, etag ?? undefined, signal)
      if (answer.kind === 'answered' && (isSuccess(answer.status) || answer.status === 404)) deleted.push(token)
      else failed.push({ token, message: describeRefusal(answer) ?? 'it was not deleted' })
    }
    onProgress?.(deleted.length + failed.length, plan.length)
  })
  return { total: index.length, deleted: deleted.sort(compareUrls), failed: sortByToken(failed) }
}

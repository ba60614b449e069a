// `sanitize`: each token of a cluster is read and stored as it is, so that the cluster brings what it keeps of it into its present form.
import { forEachConcurrently } from '../lib/concurrently.ts'
import type { IndexRecord } from './answers.ts'
import { sortByToken, type TokenFailure, type ToolOptions } from './backup.ts'
import { compareUrls } from './description.ts'
import { describeRefusal } from './restore.ts'

export interface SanitizeOptions extends ToolOptions {
  /** 1 to 10000; 1000 when left out. */
  readonly limit?: number | undefined
  /** What the whole name of a token must match; any name when left out. */
  readonly pattern?: RegExp | undefined
}

/** Names, sorted. */
export interface SanitizeResult {
  readonly processed: readonly string[]
  /** Listed, and not there when they were read. */
  readonly missing: readonly string[]
  /** Their version is another one now. */
  readonly updated: readonly string[]
  readonly failed: readonly TokenFailure[]
}

/** The pattern that a whole name must match. Throws SyntaxError for what is no regular expression. */
export function parseTokenPattern(source: string): RegExp {
  return new RegExp(`^(?:${source})$`, 'u')
}

/** Names that are taken, sorted: the first `limit` that match. Pure. */
export function planSanitize(
  index: readonly IndexRecord[],
  limit: number,
  pattern: RegExp | undefined,
): readonly string[] {
  const names = index.map(({ token }) => token).filter((token) => pattern === undefined || pattern.test(token))
  return [...new Set(names)].sort(compareUrls).slice(0, limit)
}

type Outcome = 'missing' | 'same' | 'updated' | { readonly message: string }

/**
 * Stores them again; in a dry run only reads. One that cannot be read or stored does not keep the others from it. Throws
 * ClusterUnreachable when the cluster gives no list, and the reason of `signal`.
 */
export async function sanitizeTokens(options: SanitizeOptions): Promise<SanitizeResult> {
  const { cluster, limit = 1_000, pattern, signal, concurrency = 16, onProgress } = options
  const names = planSanitize(await cluster.list(signal), limit, pattern)
  const outcomes: { readonly token: string; readonly outcome: Outcome }[] = []
  await forEachConcurrently(names, concurrency, signal, async (token) => {
    outcomes.push({ token, outcome: await sanitize(token, options) })
    onProgress?.(outcomes.length, names.length)
  })
  const sorted = sortByToken(outcomes)
  const named = (wanted: Outcome) => sorted.filter(({ outcome }) => outcome === wanted).map(({ token }) => token)
  return {
    processed: sorted.map(({ token }) => token),
    missing: named('missing'),
    updated: named('updated'),
    failed: sorted.flatMap(({ token, outcome }) => (typeof outcome === 'string' ? [] : [{ token, ...outcome }])),
  }
}

async function sanitize(token: string, { cluster, dryRun = false, signal }: SanitizeOptions): Promise<Outcome> {
  const read = await cluster.read(token, signal)
  if (read.kind === 'broken') return { message: read.message }
  if (read.status === 404) return 'missing'
  if (read.description.size === 0) return { message: `answered ${read.status}` }
  if (dryRun) return 'same'
  const answer = await cluster.store(token, read.description, read.etag, signal)
  const message = describeRefusal(answer)
  if (message !== undefined) return { message }
  return answer.kind === 'answered' && answer.etag !== read.etag ? 'updated' : 'same'
}

// `backup`: all tokens of a cluster into a file. What the file has in the same version already is not read again.
import { readFile } from 'node:fs/promises'
import { forEachConcurrently } from '../lib/concurrently.ts'
import { replaceFile } from '../lib/replace-file.ts'
import type { IndexRecord } from './answers.ts'
import { type Backup, type BackupEntry, readBackup, writeBackup } from './backup-file.ts'
import { compareUrls } from './description.ts'
import type { ListedAs } from './waiter-retry.ts'

export interface ToolOptions {
  readonly cluster: ListedAs<IndexRecord>
  readonly signal: AbortSignal
  /** Writes nothing, and says what it would. */
  readonly dryRun?: boolean | undefined
  /** Tokens under way at once; 16 when left out. */
  readonly concurrency?: number | undefined
  /** Called after each token. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface BackupOptions extends ToolOptions {
  readonly path: string
  /** Keeps what is in the file and no longer on the cluster. */
  readonly accrete?: boolean | undefined
}

export interface TokenFailure {
  readonly token: string
  readonly message: string
}

/** Names, sorted. */
export interface BackupResult {
  /** In the file now, or in a dry run would be. */
  readonly total: number
  /** In the file already, in the same version. */
  readonly unchanged: readonly string[]
  /** New in the file, or in another version than before. */
  readonly read: readonly string[]
  /** Could not be read: what the file had of them is still in it. */
  readonly failed: readonly TokenFailure[]
  /** Were in the file and are no longer on the cluster; gone from the file, unless it accretes. */
  readonly gone: readonly string[]
}

/** The cluster lists nothing, and the file is a backup of something. */
export class NothingToBackUp extends Error {
  override readonly name = 'NothingToBackUp'
}

export interface BackupPlan {
  readonly keep: readonly string[]
  readonly read: readonly string[]
  readonly gone: readonly string[]
}

/** What has to be read, and what need not. Pure. */
export function planBackup(index: readonly IndexRecord[], existing: Backup): BackupPlan {
  const etags = new Map(index.map(({ token, etag }) => [token, etag]))
  const listed = [...etags.keys()].sort(compareUrls)
  // A tombstone has no version, neither in the index (null) nor in the file (undefined): it is read again.
  const isKept = (token: string): boolean => existing.get(token)?.etag === etags.get(token)
  return {
    keep: listed.filter(isKept),
    read: listed.filter((token) => !isKept(token)),
    gone: [...existing.keys()].filter((token) => !etags.has(token)).sort(compareUrls),
  }
}

/**
 * Brings the file up to date. Throws ClusterUnreachable when the cluster gives no list, SyntaxError when the file is no backup, and
 * NothingToBackUp rather than to empty a backup (unless it accretes): then the file stays as it is.
 */
export async function backUpTokens(options: BackupOptions): Promise<BackupResult> {
  const { cluster, path, accrete = false, dryRun = false, signal } = options
  const existing = readBackup(await readIfThere(path))
  const index = await cluster.list(signal)
  if (index.length === 0 && existing.size > 0 && !accrete) {
    throw new NothingToBackUp(
      `${cluster.url} lists no token and ${path} has ${existing.size}: let it accrete, or remove the file if that is what you want`,
    )
  }
  const plan = planBackup(index, existing)
  const { entries, failed, vanished } = await readAll(plan.read, options)
  const gone = [...plan.gone, ...vanished.filter((token) => existing.has(token))].sort(compareUrls)
  const kept = [...plan.keep, ...failed.map(({ token }) => token), ...(accrete ? gone : [])]
  const backup = new Map(entries)
  for (const token of kept) {
    const entry = existing.get(token)
    if (entry !== undefined) backup.set(token, entry)
  }
  if (!dryRun) await replaceFile(path, writeBackup(backup), 0o600)
  return { total: backup.size, unchanged: plan.keep, read: [...entries.keys()].sort(compareUrls), failed, gone }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

interface ReadTokens {
  readonly entries: ReadonlyMap<string, BackupEntry>
  readonly failed: readonly TokenFailure[]
  /** Listed, and not there any more when they were read. */
  readonly vanished: readonly string[]
}

async function readAll(tokens: readonly string[], options: ToolOptions): Promise<ReadTokens> {
  const { cluster, signal, concurrency = 16, onProgress } = options
  const entries = new Map<string, BackupEntry>()
  const failed: TokenFailure[] = []
  const vanished: string[] = []
  let done = 0
  await forEachConcurrently(tokens, concurrency, signal, async (token) => {
    const read = await cluster.read(token, signal)
    if (read.kind === 'broken') failed.push({ token, message: read.message })
    else if (read.status === 404) vanished.push(token)
    else if (read.description.size === 0) failed.push({ token, message: `answered ${read.status}` })
    else entries.set(token, { description: read.description, etag: read.etag })
    onProgress?.(++done, tokens.length)
  })
  return { entries, failed: sortByToken(failed), vanished }
}

/** By name. */
export function sortByToken<T extends { readonly token: string }>(list: readonly T[]): readonly T[] {
  return [...list].sort((a, b) => compareUrls(a.token, b.token))
}

// `restore`: tokens of a cluster from a backup, or from the undo file of a run.
//
//   on the cluster                  without force   with force
//   not there                       write           write
//   older than in the file          write           write
//   as old, newer, or a tombstone   skip            write
//     that is
import { forEachConcurrently } from '../lib/concurrently.ts'
import type { IndexRecord } from './answers.ts'
import { sortByToken, type ToolOptions } from './backup.ts'
import { readBackup } from './backup-file.ts'
import type { ClusterUrl, Description, UndoEntry, WriteAnswer } from './contract.ts'
import { compareUrls, lastUpdateMs, toMilliseconds } from './description.ts'
import { isObject, parseJson } from './json.ts'
import { readUndoFile } from './undo.ts'

export interface RestoreOptions extends ToolOptions {
  /** From readRestorable. */
  readonly tokens: ReadonlyMap<string, Description>
  readonly force?: boolean | undefined
  /** Keeps what is overwritten; resolves when that is safe on disk. */
  readonly keepForUndo?: ((entries: readonly UndoEntry[]) => Promise<void>) | undefined
}

export type RestoreCode =
  | 'success/restored'
  /** The cluster has a version that is as new, or newer. */
  | 'skip/not-newer'
  /** The file has a name and no description. */
  | 'skip/empty'
  | 'error/restore'

export interface RestoreItem {
  readonly token: string
  readonly code: RestoreCode
  readonly message?: string
}

export interface RestoreResult {
  readonly summary: { readonly error: number; readonly skip: number; readonly success: number }
  /** Sorted by name. */
  readonly items: readonly RestoreItem[]
}

/**
 * Descriptions by name, out of a backup or of an undo file; of the latter those of this cluster, each as it was before the run first
 * touched it. Throws SyntaxError when the text is neither.
 */
export function readRestorable(text: string, cluster: ClusterUrl): ReadonlyMap<string, Description> {
  if (!isUndoFile(text)) {
    return new Map([...readBackup(text)].map(([token, { description }]) => [token, toMilliseconds(description)]))
  }
  const tokens = new Map<string, Description>()
  for (const entry of readUndoFile(text)) {
    if (entry.cluster === cluster && !tokens.has(entry.token)) tokens.set(entry.token, entry.description)
  }
  return tokens
}

function isUndoFile(text: string): boolean {
  try {
    const first = parseJson(text.split('\n', 1)[0] ?? '')
    return isObject(first) && typeof first.get('cluster') === 'string' && typeof first.get('token') === 'string'
  } catch {
    return false
  }
}

/** Why a token is not to be written; undefined when it is. Pure. */
export function findSkip(
  description: Description,
  current: IndexRecord | undefined,
  force: boolean,
): 'skip/not-newer' | 'skip/empty' | undefined {
  if (description.size === 0) return 'skip/empty'
  const isOlder =
    current === undefined || current.lastUpdateMs === null || current.lastUpdateMs < lastUpdateMs(description)
  return force || isOlder ? undefined : 'skip/not-newer'
}

/** Writes what has to be written. Throws ClusterUnreachable when the cluster gives no list, and the reason of `signal`. */
export async function restoreTokens(options: RestoreOptions): Promise<RestoreResult> {
  const { cluster, tokens, force = false, dryRun = false, signal, concurrency = 16, onProgress } = options
  const index = new Map((await cluster.list(signal)).map((record) => [record.token, record]))
  const items: RestoreItem[] = []
  const names = [...tokens.keys()].sort(compareUrls)
  await forEachConcurrently(names, concurrency, signal, async (token) => {
    const description = tokens.get(token) ?? new Map()
    const current = index.get(token)
    const skip = findSkip(description, current, force)
    if (skip !== undefined) items.push({ token, code: skip })
    else if (dryRun) items.push({ token, code: 'success/restored' })
    else items.push(await restore(token, description, current, options))
    onProgress?.(items.length, names.length)
  })
  const count = (kind: string): number => items.filter(({ code }) => code.startsWith(kind)).length
  return {
    summary: { error: count('error/'), skip: count('skip/'), success: count('success/') },
    items: sortByToken(items),
  }
}

async function restore(
  token: string,
  description: Description,
  current: IndexRecord | undefined,
  { cluster, keepForUndo, signal }: RestoreOptions,
): Promise<RestoreItem> {
  let etag = current?.etag ?? undefined
  if (current !== undefined && keepForUndo !== undefined) {
    const read = await cluster.read(token, signal)
    if (read.kind === 'broken') return { token, code: 'error/restore', message: read.message }
    if (read.etag !== etag) return { token, code: 'error/restore', message: 'the token has changed meanwhile' }
    if (read.description.size > 0) {
      await keepForUndo([{ cluster: cluster.url, token, etag: read.etag, description: read.description }])
    }
    etag = read.etag
  }
  const message = describeRefusal(await cluster.store(token, description, etag, signal))
  return message === undefined ? { token, code: 'success/restored' } : { token, code: 'error/restore', message }
}

/** Why a write did not succeed, in a sentence; undefined when it did. */
export function describeRefusal(answer: WriteAnswer): string | undefined {
  if (answer.kind === 'unknown') {
    return answer.sent ? `${answer.message}: it may have been carried out or not` : answer.message
  }
  if (answer.status >= 200 && answer.status < 300) return undefined
  return answer.message === undefined ? `answered ${answer.status}` : `answered ${answer.status}: ${answer.message}`
}

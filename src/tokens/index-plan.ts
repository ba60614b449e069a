// Which tokens have to be looked at, from the lists of all clusters, and which of them in this run. Pure.
// The lists are folded into one small state a token, one cluster after the other: memory grows with the tokens, not with the clusters.
import type { ClusterUrl, IndexEntry, MaxDeletes } from './contract.ts'

/** Names are sorted by UTF-16 code unit. */
export interface TokenIndex {
  readonly total: readonly string[]
  /** Not the same everywhere, or not known to be: to be looked at. */
  readonly pending: readonly string[]
  /** Not deleted and of one version on every cluster. */
  readonly previouslySynced: readonly string[]
  /** Pending tokens that are on a list which does not say that they are not deleted: only these can lead to a delete. */
  readonly maybeDeleted: ReadonlySet<string>
  /** Tokens on each list. */
  readonly listed: Readonly<Record<ClusterUrl, number>>
}

interface TokenState {
  /** Lists that it is on. */
  lists: number
  /** The last of them; a list may name a token twice. */
  lastList: number
  /** The version that all lists so far agree on; null when they do not. */
  etag: string | null
  maybeDeleted: boolean
}

/** What the lists add up to; one list alone agrees with nobody, and all its tokens are pending. An entry without a name counts for nothing; of two for one token the last one counts. */
export function buildIndex(lists: ReadonlyMap<ClusterUrl, readonly IndexEntry[]>): TokenIndex {
  const states = new Map<string, TokenState>()
  const listed: [ClusterUrl, number][] = []
  for (const [cluster, entries] of lists) listed.push([cluster, fold(states, entries, listed.length)])
  const total = [...states.keys()].sort()
  const isSynced = (token: string) => {
    const state = states.get(token)
    return lists.size > 1 && state?.lists === lists.size && state.etag !== null && !state.maybeDeleted
  }
  const pending = total.filter((token) => !isSynced(token))
  return {
    total,
    pending,
    previouslySynced: total.filter(isSynced),
    maybeDeleted: new Set(pending.filter((token) => states.get(token)?.maybeDeleted)),
    listed: Object.fromEntries(listed),
  }
}

/** Folds one list in; the number of tokens on it. */
function fold(states: Map<string, TokenState>, entries: readonly IndexEntry[], list: number): number {
  let count = 0
  for (let at = entries.length - 1; at >= 0; at--) {
    const { token = '', deleted = null, etag = null } = entries[at] ?? {}
    const state = states.get(token)
    if (token === '' || state?.lastList === list) continue
    count++
    const maybeDeleted = deleted !== false
    if (state === undefined) states.set(token, { lists: 1, lastList: list, etag, maybeDeleted })
    else {
      state.lists++
      state.lastList = list
      if (state.etag !== etag) state.etag = null
      state.maybeDeleted ||= maybeDeleted
    }
  }
  return count
}

export interface Selection {
  /** Sorted. */
  readonly selected: readonly string[]
  /** The name after which the next run goes on; undefined when all were selected. */
  readonly selectedUpTo: string | undefined
}

/**
 * The tokens of this run: `limit` (1 or more) of the pending ones, which are sorted. Those behind `after` come first, then those from the
 * beginning, so that tokens that fail every time do not keep the others from their turn.
 */
export function selectTokens(pending: readonly string[], limit: number, after?: string): Selection {
  if (pending.length <= limit) return { selected: pending, selectedUpTo: undefined }
  const next = after === undefined ? 0 : pending.findIndex((token) => token > after)
  const start = Math.max(0, next)
  const turn = [...pending.slice(start), ...pending.slice(0, start)].slice(0, limit)
  return { selected: turn.toSorted(), selectedUpTo: turn.at(-1) }
}

/** How many tokens a run over `total` tokens may delete, whole. */
export function allowedDeletes(max: MaxDeletes, total: number): number {
  if ('count' in max) return max.count
  // 4.56 % of 1250 are 57, and a little less in binary.
  return Math.max(max.atLeast, Math.floor((total * max.percent) / 100 + 1e-9))
}

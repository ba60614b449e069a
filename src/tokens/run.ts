// What the parts of one run share: its clusters, its lists, its summary, and how long its writes may still go on when it is stopped.
import type { ApplyOptions } from './apply.ts'
import type {
  ClusterUnreachable,
  ClusterUrl,
  IndexEntry,
  PlanPolicy,
  SyncRequest,
  SyncSummary,
  SyncSurroundings,
  WaiterCluster,
} from './contract.ts'
import { compareUrls } from './description.ts'
import type { SummaryBuilder } from './summary.ts'

/** Tokens under way at a time: enough to keep every cluster's connections busy while some tokens wait for one slow cluster. */
export const TOKENS_AT_ONCE = 64
/** How long a write that is under way when the run is stopped may take to be answered, in milliseconds. */
const WRITE_GRACE_MS = 2_000
/** From this difference on a cluster's clock is reported, in milliseconds: `Date` has whole seconds only. */
const REPORTED_SKEW_MS = 2_000

/** What asking for the lists gave. */
export interface Lists {
  readonly given: ReadonlyMap<ClusterUrl, readonly IndexEntry[]>
  readonly failed: readonly ClusterUnreachable[]
}

export interface Run {
  readonly request: SyncRequest
  readonly surroundings: SyncSurroundings
  /** Sorted by URL. */
  readonly list: readonly WaiterCluster[]
  readonly lists: Lists
  readonly summary: SummaryBuilder
  readonly writeSignal: AbortSignal
}

/** The clusters in the order in which they are told of. */
export const sortClusters = (clusters: readonly WaiterCluster[]): readonly WaiterCluster[] =>
  [...clusters].sort((a, b) => compareUrls(a.url, b.url))

/** What carrying out steps needs of the run. */
export function applyOptionsOf({ list, surroundings, writeSignal }: Run): Omit<ApplyOptions, 'inOrder'> {
  return {
    clusters: new Map(list.map((cluster) => [cluster.url, cluster])),
    signal: writeSignal,
    keepForUndo: (entries) => surroundings.keepForUndo(entries),
  }
}

/** What planning needs of the request. */
export const policyOf = ({ mode, optOutMetadataName, onConflict }: SyncRequest): PlanPolicy => ({
  mode,
  optOutMetadataName,
  onConflict,
})

/** Aborts a while after the run was stopped. */
export function openWriteSignal({ signal, clock }: SyncSurroundings): Disposable & { readonly signal: AbortSignal } {
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

/** Clusters whose clock is far from ours. */
export function findSkew(list: readonly WaiterCluster[]): SyncSummary['clockSkew'] {
  return list.flatMap(({ url, skewMs }) =>
    skewMs !== undefined && Math.abs(skewMs) >= REPORTED_SKEW_MS ? [{ cluster: url, skewMs: Math.round(skewMs) }] : [],
  )
}

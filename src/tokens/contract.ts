// What the token sync is asked and what it answers; the parts of src/tokens meet here. Nothing in this file does anything.
import type { Clock } from '../lib/clock.ts'
import type { JsonObject } from './json.ts'

/** What a token is on one cluster: user parameters and system metadata, times as epoch milliseconds. Empty: there is no such token. */
export type Description = JsonObject

/** Address of a cluster, as it was written, without a slash at its end. Clusters are ordered by it, by UTF-16 code unit. */
export type ClusterUrl = string

export type Mode = 'safe' | 'compat'
export type OnUnreachable = 'fail' | 'skip-writes'
export type OnConflict = 'newest' | 'fail' | { readonly prefer: ClusterUrl }

/** Most tokens that one run may delete, softly or for good: so many, or so much of all tokens (percent, 0 to 100; then `atLeast` so many). */
export type MaxDeletes = { readonly count: number } | { readonly percent: number; readonly atLeast: number }

/** An entry of a cluster's index (`GET /tokens`). */
export interface IndexEntry {
  readonly token: string
  /** Null where the cluster does not say. */
  readonly deleted: boolean | null
  readonly etag: string | null
}

/**
 * What asking one cluster for one token gave.
 * `answered`: JSON came, with this status; `description` is empty unless the status is 2xx. `etag` as the header had it, raw.
 * `broken`: the connection broke, the time was over, or what came is no JSON object (then `status` says what it came with).
 * `retryAfterMs`: how long the other side wants to be left alone.
 */
export type TokenRead =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly description: Description
      readonly etag?: string
      readonly retryAfterMs?: number
    }
  | { readonly kind: 'broken'; readonly message: string; readonly status?: number; readonly retryAfterMs?: number }

export type SuccessCode =
  | 'success/token-match'
  | 'success/sync-update'
  | 'success/soft-delete'
  | 'success/hard-delete'
  | 'success/skip-missing'
  | 'success/skip-opt-out'
  | 'success/skip-hard-delete'
export type ErrorCode =
  | 'error/token-read'
  | 'error/token-sync'
  | 'error/tokens-deleted'
  | 'error/root-mismatch'
  | 'error/hard-delete'
  /** Edits that do not know of each other, with `onConflict: fail`. */
  | 'error/conflict'
  /** Carrying out a plan: the token is not what it was when the plan was made. */
  | 'error/plan-outdated'
  /** The token was deleted after the plan was counted, and one more delete is too many. */
  | 'error/max-deletes'
export type Code = SuccessCode | ErrorCode

export type Effect = 'create' | 'update' | 'softDelete' | 'hardDelete'

/** What is to be done about a token on one cluster; `code` is the result when it goes well, `failure` when it does not. */
export type Step =
  | { readonly do: 'nothing'; readonly cluster: ClusterUrl; readonly code: Code; readonly details?: JsonObject }
  | {
      readonly do: 'store'
      readonly cluster: ClusterUrl
      readonly effect: 'create' | 'update' | 'softDelete'
      readonly ifMatch: string | undefined
      readonly description: Description
      readonly code: 'success/sync-update' | 'success/soft-delete'
      readonly failure: 'error/token-sync'
    }
  | {
      readonly do: 'hardDelete'
      readonly cluster: ClusterUrl
      readonly effect: 'hardDelete'
      readonly ifMatch: string | undefined
      readonly code: 'success/hard-delete'
      readonly failure: 'error/hard-delete' | 'error/token-sync'
    }

export interface TokenPlan {
  readonly token: string
  /** Where the version is that the others get. */
  readonly latest: {
    readonly cluster: ClusterUrl
    readonly description: Description
    readonly etag: string | undefined
  }
  /** One for each cluster that gets a result, sorted by URL. */
  readonly steps: readonly Step[]
}

export interface PlanPolicy {
  readonly mode: Mode
  /** Name in `metadata` that keeps a token out of the sync when it is "true". */
  readonly optOutMetadataName: string | undefined
  /** Only `safe` heeds it. */
  readonly onConflict: OnConflict
}

export interface StepResult {
  readonly code: Code
  /** What was written, or in a dry run would be; left out where nothing was. */
  readonly effect?: Effect
  readonly details?: JsonObject
}

export type ItemStatus = 'unmodified' | 'updated' | 'failed'

/** What happened to one token. */
export interface TokenItem {
  readonly token: string
  readonly status: ItemStatus
  readonly latest: { readonly cluster: ClusterUrl; readonly etag?: string; readonly lastUpdateTime?: string }
  /** By URL, sorted. */
  readonly results: ReadonlyMap<ClusterUrl, StepResult>
}

/** Writes by kind, and results that are `success/skip-*` or a dispute (`error/root-mismatch`, `error/conflict`), each counted once a cluster. */
export interface Counts {
  readonly create: number
  readonly update: number
  readonly softDelete: number
  readonly hardDelete: number
  readonly skip: number
  readonly conflict: number
}

/** Names, each list sorted by UTF-16 code unit. */
export interface SyncSummary {
  readonly sync: Readonly<Record<ItemStatus, readonly string[]>>
  readonly tokens: {
    readonly pending: readonly string[]
    readonly previouslySynced: readonly string[]
    readonly processed: readonly string[]
    readonly selected: readonly string[]
    readonly total: readonly string[]
  }
  readonly counts: Counts
  /** Clusters whose `Date` differs from this machine's clock by two seconds or more; positive when the cluster is ahead. */
  readonly clockSkew: readonly { readonly cluster: ClusterUrl; readonly skewMs: number }[]
  /** Why the run has failed as a whole although it went to its end: TooManyDeletes of a dry run, or ClusterUnreachable. */
  readonly problem?: Error
}

/**
 * How a write was answered. `unknown`: nothing tells whether it was carried out; where it was not even sent (no connection was made),
 * it surely was not.
 */
export type WriteAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly etag?: string; readonly message?: string }
  | { readonly kind: 'unknown'; readonly message: string; readonly sent: boolean }

/** One Waiter cluster, as the sync needs it. Every call gives up when `signal` aborts, with its reason. */
export interface WaiterCluster {
  readonly url: ClusterUrl
  /** All tokens, deleted ones too. Throws ClusterUnreachable for anything but a list. */
  list(signal: AbortSignal): Promise<readonly IndexEntry[]>
  /** Never throws but for `signal`: what went wrong is part of the answer. */
  read(token: string, signal: AbortSignal): Promise<TokenRead>
  /** `POST /token?update-mode=admin`; `if-match` is sent when there is one. Sent once, whatever comes. */
  store(token: string, description: Description, ifMatch: string | undefined, signal: AbortSignal): Promise<WriteAnswer>
  /** `DELETE /token?hard-delete=true`; likewise. */
  hardDelete(token: string, ifMatch: string | undefined, signal: AbortSignal): Promise<WriteAnswer>
  /** How far its clock was ahead of ours at the last answer with a `Date`, in milliseconds; undefined before the first. */
  readonly skewMs: number | undefined
}

/** A cluster did not give its list: the run cannot know what it holds. */
export class ClusterUnreachable extends Error {
  override readonly name = 'ClusterUnreachable'
  readonly cluster: ClusterUrl

  constructor(cluster: ClusterUrl, reason: string, options?: ErrorOptions) {
    super(`${cluster}: ${reason}`, options)
    this.cluster = cluster
  }
}

/** The plan deletes more tokens than `maxDeletes` allows: nothing was written. */
export class TooManyDeletes extends Error {
  override readonly name = 'TooManyDeletes'
  readonly deletes: number
  readonly allowed: number

  constructor(deletes: number, allowed: number) {
    super(
      `the plan deletes ${deletes} ${deletes === 1 ? 'token' : 'tokens'} and ${allowed} ${allowed === 1 ? 'is' : 'are'} allowed: look at a dry run, and raise maxDeletes if that is what you want`,
    )
    this.deletes = deletes
    this.allowed = allowed
  }
}

/** A cluster that had tokens at the last run lists none: nothing was written. */
export class EmptyList extends Error {
  override readonly name = 'EmptyList'
  readonly cluster: ClusterUrl

  constructor(cluster: ClusterUrl, before: number) {
    super(
      `${cluster}: lists no token and had ${before} at the last run: name it in allowEmpty if it is meant to be empty`,
    )
    this.cluster = cluster
  }
}

export interface SyncRequest {
  readonly mode: Mode
  readonly dryRun: boolean
  /** 1 to 10000. */
  readonly limit: number
  readonly optOutMetadataName: string | undefined
  readonly onUnreachable: OnUnreachable
  readonly onConflict: OnConflict
  readonly maxDeletes: MaxDeletes
  /** Clusters that may have lost all their tokens since the last run. */
  readonly allowEmpty: readonly ClusterUrl[]
}

/** What one run remembers for the next; the caller keeps it by the set of clusters. Only `safe` heeds it. */
export interface SyncMemory {
  /** Tokens that each cluster listed, or that were made on it then. */
  readonly listed: Readonly<Record<ClusterUrl, number>>
  /** Name that the last selection ended with, when not all pending tokens were selected. */
  readonly selectedUpTo?: string
}

/** What a cluster held before it was written to. */
export interface UndoEntry {
  readonly cluster: ClusterUrl
  readonly token: string
  readonly etag: string | undefined
  readonly description: Description
}

/** What the sync needs of its surroundings. */
export interface SyncSurroundings {
  /** At least two, with different URLs. */
  readonly clusters: readonly WaiterCluster[]
  /** Once it aborts nothing new is read or written; a write under way gets two seconds to be answered. */
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  readonly memory: SyncMemory | undefined
  /** Called before anything is written, and when tokens were made on a cluster again at the end; in a dry run not at all. */
  remember(memory: SyncMemory): Promise<void>
  /** Resolves when the entries are safe on disk: only then is the write sent. */
  keepForUndo(entries: readonly UndoEntry[]): Promise<void>
  /** Called once a token, with what happened to it, in a dry run with its plan too; the sync waits for it. */
  onItem(item: TokenItem, plan: SealedPlan | undefined): Promise<void>
  /** How far the run is; called often and cheap. `total` is undefined before the lists are there. */
  onProgress(done: number, total: number | undefined): void
}

/**
 * A token's plan as it is kept: what was seen and what is to be done, without the descriptions themselves.
 * It is carried out only while every cluster is still as it was seen.
 */
export interface SealedPlan {
  readonly token: string
  /** By URL: the status and version of each cluster, with a SHA-256 of its description (a tombstone has no etag). */
  readonly seen: Readonly<Record<ClusterUrl, SealedRead>>
  readonly latest: ClusterUrl
  readonly steps: readonly {
    readonly cluster: ClusterUrl
    readonly code: Code
    readonly effect?: Effect
  }[]
}

export type SealedRead =
  | { readonly status: number; readonly etag?: string; readonly sha256: string }
  | { readonly broken: true }

/** What a dry run found, to be carried out later: `--plan-out FILE`, or the items of a run. */
export interface PlanFile {
  readonly version: 1
  readonly request: SyncRequest
  readonly clusters: readonly ClusterUrl[]
  /** Tokens that there were on all clusters together: `maxDeletes` may be a part of them. */
  readonly total: number
  /** Sorted by token. */
  readonly tokens: readonly SealedPlan[]
}

// What must survive a restart: runs with their items, idempotency keys, and what runs remember for the next ones. One contract,
// two implementations (SQLite in a file, PostgreSQL for several replicas), one conformance suite: test/conformance/state-store.ts.
// Times are milliseconds since 1970, as the caller's clock has them. JSON travels as text: the store looks at none of it.

export const RUN_KINDS = ['tokens', 'db'] as const
export type RunKind = (typeof RUN_KINDS)[number]

export const RUN_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted'] as const
export type RunState = (typeof RUN_STATES)[number]
/** States that a run does not leave any more. */
export const ENDED_STATES = ['succeeded', 'failed', 'cancelled', 'interrupted'] as const satisfies readonly RunState[]
export type EndedState = (typeof ENDED_STATES)[number]

export type RunTrigger = 'api' | 'schedule' | 'cli'

/** A lock that a run holds, with the fencing token that it got (decimal digits). */
export interface RunLock {
  readonly name: string
  readonly token: string
}

export interface RunRecord {
  /** UUIDv7: sorts by the moment of its making. */
  readonly id: string
  readonly kind: RunKind
  readonly state: RunState
  readonly trigger: RunTrigger
  /** What it works on, `cluster:NAME` or `pair:NAME`: two runs of one kind that share one of these never run at once. */
  readonly resources: readonly string[]
  /** JSON. */
  readonly request: string
  readonly dryRun: boolean
  /** JSON; null before there is any. */
  readonly progress: string | null
  /** JSON; null before the run has ended, and when it has none. */
  readonly summary: string | null
  /** JSON of what went wrong; null when nothing did. */
  readonly problem: string | null
  readonly locks: readonly RunLock[]
  /** Process that carries it out: an id from `openOwner`. */
  readonly owner: string
  readonly cancelRequested: boolean
  /** The run that this one takes up after it was interrupted. */
  readonly takesUp: string | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
}

export interface RunDraft
  extends Pick<
    RunRecord,
    'id' | 'kind' | 'trigger' | 'resources' | 'request' | 'dryRun' | 'owner' | 'takesUp' | 'createdAt'
  > {
  /** `fingerprint` tells one request from another: a key that comes again with another one is refused. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string } | undefined
}

/**
 * `created`: it is there, queued, and holds its resources. `repeated`: this key has made this run already.
 * `keyReused`: this key has made that run, of another request. `overlaps`: that run, not ended yet, holds one of the resources.
 */
export interface RunCreation {
  readonly outcome: 'created' | 'repeated' | 'keyReused' | 'overlaps'
  readonly run: RunRecord
}

/** What changes while a run is under way; what is left out stays. */
export interface RunChange {
  readonly state?: 'running'
  readonly startedAt?: number
  readonly progress?: string
  readonly locks?: readonly RunLock[]
}

export interface RunEnd {
  readonly state: EndedState
  readonly summary: string | null
  readonly problem: string | null
  readonly progress?: string
  readonly endedAt: number
}

export interface RunFilter {
  readonly kind?: RunKind | undefined
  readonly state?: RunState | undefined
  /** 1 to 1000. */
  readonly limit: number
  readonly cursor?: string | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Where the next page begins; null when there is none. */
  readonly nextCursor: string | null
}

/** What happened to one part of a run: a token, or a table and direction. */
export interface RunItem {
  /** Unique in its run. */
  readonly key: string
  readonly status: string
  /** JSON, as it is shown. */
  readonly body: string
  /** JSON that is not shown: what carrying out the plan of this run needs. */
  readonly plan?: string | undefined
}

/** `seq` grows with every item that is put, in the order of the puts, from 1 in each run. */
export interface StoredItem extends RunItem {
  readonly seq: number
}

export interface ItemFilter {
  readonly status?: string | undefined
  /** 1 to 1000. */
  readonly limit: number
  readonly cursor?: string | undefined
}

/** A process that carries out runs; while it is open and beats, its runs are not taken for interrupted. */
export interface Owner extends AsyncDisposable {
  readonly id: string
  /** Says that it is alive. Throws OwnerLost when the others have taken it for dead: it must stop what it does. */
  beat(): Promise<void>
}

/** A cursor that this store has not given out. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor'
}

/** The store took the owner for dead: its runs are interrupted, and others may work on their resources. */
export class OwnerLost extends Error {
  override readonly name = 'OwnerLost'
}

/** The store does not answer, or cannot take anything at the moment: later it may. Any method may throw it. */
export class StateUnavailable extends Error {
  override readonly name = 'StateUnavailable'
}

/** The store cannot be used as it is: a path that leads nowhere, no database, one of a newer version. Thrown when it is opened. */
export class StateUnusable extends Error {
  override readonly name = 'StateUnusable'
}

export interface StateStore extends AsyncDisposable {
  readonly kind: 'sqlite' | 'postgres'

  /**
   * Registers this process. SQLite holds a lock of the operating system, so that a process that died is known at once;
   * PostgreSQL takes one for dead that has not beaten for `deadAfterMs` by the clock of the database.
   */
  openOwner(deadAfterMs: number): Promise<Owner>
  /**
   * Ends, as `interrupted`, every run under way whose owner is dead, gives back what it holds, and says which those are.
   * `problem`: JSON that they get. Two callers at once never get the same run.
   */
  interruptOrphans(endedAt: number, problem: string): Promise<readonly RunRecord[]>

  /**
   * One transaction, so that of two runs that overlap only one is made, from whatever replica. A draft whose run is there already (an
   * answer was lost) is `created`. Throws OwnerLost when its owner was taken for dead.
   */
  createRun(draft: RunDraft): Promise<RunCreation>
  getRun(id: string): Promise<RunRecord | undefined>
  /** Newest first. Throws InvalidCursor. */
  listRuns(filter: RunFilter): Promise<Page<RunRecord>>
  /** Runs under way of this owner whose cancellation was asked for. */
  listCancelled(owner: string): Promise<readonly string[]>
  /** False, and nothing changes, when the run has ended or is not there. */
  changeRun(id: string, change: RunChange): Promise<boolean>
  /** Gives back its resources. False, and nothing changes, when the run has ended or is not there. */
  endRun(id: string, end: RunEnd): Promise<boolean>
  /** Asks for it; the owner sees it in listCancelled. The run as it is then; undefined when it is not there. */
  requestCancel(id: string): Promise<RunRecord | undefined>

  /** Puts the items in one transaction; one that is there already (same key) is replaced and gets a new `seq`. */
  putItems(runId: string, items: readonly RunItem[]): Promise<void>
  /** By key, sorted by UTF-16 code unit or as the database sorts bytes: the same order in every page. Throws InvalidCursor. */
  listItems(runId: string, filter: ItemFilter): Promise<Page<RunItem>>
  /** Items with a larger `seq`, by `seq`; at most `limit`. */
  readItemsAfter(runId: string, seq: number, limit: number): Promise<readonly StoredItem[]>

  /** What runs remember for the next ones, by key (1 to 512 characters): JSON text. */
  getValue(key: string): Promise<string | undefined>
  /** Undefined forgets it. */
  putValue(key: string, value: string | undefined): Promise<void>

  /**
   * Forgets ended runs, with their items and idempotency keys, beyond the newest `maxRuns` and those that ended before `endedBefore`;
   * says which.
   */
  prune(limits: { readonly maxRuns: number; readonly endedBefore: number }): Promise<readonly string[]>
}

// Runs: long work that can be watched, cancelled and found again. The service of runs knows nothing of what a run does: that is a Job.
import type { SavedEnd } from '../db/checkpoint.ts'
import type { DbProgress, Direction, Repair } from '../db/contract.ts'
import type { StoreKind } from '../db/store.ts'
import type {
  ItemFilter,
  Page,
  RunFilter,
  RunItem,
  RunKind,
  RunRecord,
  RunTrigger,
  StoredItem,
} from '../state/store.ts'

/** How far a run is. */
export interface Progress {
  readonly done: number
  /** Undefined before it is known. */
  readonly total?: number | undefined
  /** What is being done, in a few words. */
  readonly message?: string | undefined
  /** More figures, by name. */
  readonly figures?: Readonly<Record<string, number>>
  /** How far each table and direction of a sync of two databases is. */
  readonly tables?: readonly DbProgress[]
}

/** How a job ended by itself; a cancelled one ends by throwing the signal's reason. */
export interface JobOutcome {
  readonly failed: boolean
  /** JSON. */
  readonly summary: string
  readonly problem?: RunProblem
}

/** Why a run failed, as its field `problem` shows it: the last part of its type in PROBLEMS, and a sentence. */
export interface RunProblem {
  readonly kind: string
  readonly detail: string
}

export interface JobContext {
  readonly id: string
  /** Whether the run takes up one that was interrupted. */
  readonly takesUp: boolean
  /** Aborts when the run is cancelled, when its lock is lost, when the service stops. */
  readonly signal: AbortSignal
  /** Cheap: what is stored is the last one of every half second. */
  progress(progress: Progress): void
  /** Stored in batches; resolves when there is room again, so that a job never runs ahead of the store. */
  item(item: RunItem): Promise<void>
}

/** What one kind of run does. */
export interface Job {
  readonly kind: RunKind
  /** Names of the dsync locks that the run needs beside its resources, from its request; taken in sorted order. */
  locksOf(resources: readonly string[]): readonly string[]
  /** Whether a run of this request that was interrupted may be made again by a new one. */
  canBeTakenUp(request: unknown): boolean
  /** Throws what went wrong; an error named in RUN_PROBLEMS fails the run with that problem, any other with `internal-error`. */
  execute(request: unknown, context: JobContext): Promise<JobOutcome>
}

export interface StartRequest {
  readonly kind: RunKind
  readonly trigger: RunTrigger
  readonly resources: readonly string[]
  /** Kept with the run as JSON and handed to the job. */
  readonly request: unknown
  readonly dryRun: boolean
  readonly idempotencyKey?: string | undefined
  /** What the caller asked for, where that is not `request` as it stands: tells one request with this key from another. */
  readonly asked?: unknown
  readonly takesUp?: string | undefined
}

export type Started =
  | { readonly outcome: 'started' | 'repeated'; readonly run: RunRecord }
  | { readonly outcome: 'overlaps' | 'keyReused'; readonly run: RunRecord }

export interface ScheduleStatus {
  /** `tokens`, or `db:PAIR`. */
  readonly name: string
  readonly cron: string
  readonly timeZone: string
  /** Milliseconds since 1970; null when it never comes, or when this replica does not lead. */
  readonly nextAt: number | null
  readonly lastRunId: string | null
  /** Ticks without a run since the start, because the last one was still under way. */
  readonly missed: number
}

/** What follows a run: the items after `after`, the progress, the end. */
export type RunEvent =
  | { readonly type: 'item'; readonly item: StoredItem }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'end'; readonly run: RunRecord }

/** The service stops, and begins no run any more. */
export class RunsStopping extends Error {
  override readonly name = 'RunsStopping'
}

export interface Runs extends AsyncDisposable {
  /** Resolves when it is stored, before it runs. Throws RunsStopping, StateUnavailable. */
  start(request: StartRequest): Promise<Started>
  get(id: string): Promise<RunRecord | undefined>
  /** Newest first. Throws InvalidCursor. */
  list(filter: RunFilter): Promise<Page<RunRecord>>
  /** Undefined when the run is not there. Throws InvalidCursor. */
  items(id: string, filter: ItemFilter): Promise<Page<RunItem> | undefined>
  /** Resolves with the run when it has ended, or as it is after `timeoutMs`, or when `signal` aborts; undefined when it is not there. */
  wait(id: string, timeoutMs: number, signal: AbortSignal): Promise<RunRecord | undefined>
  /** Asks for it, whichever replica runs it; an ended run stays as it is. */
  cancel(id: string): Promise<RunRecord | undefined>
  /** Ends with the event `end`; works for runs of other replicas too. `after`: the `seq` that the listener has already. */
  follow(id: string, after: number, signal: AbortSignal): AsyncIterable<RunEvent>
  schedules(): readonly ScheduleStatus[]
}

/** The body of `POST /v1/tokens/sync`, found to be as the document has it; what is left out is as the configuration has it. */
export interface SyncTokensBody {
  readonly clusters?: readonly string[]
  readonly mode?: 'safe' | 'compat'
  readonly dryRun?: boolean
  readonly limit?: number
  readonly optOutMetadataName?: string
  readonly onUnreachable?: 'fail' | 'skip-writes'
  /** `newest`, `fail`, or `prefer:NAME`. */
  readonly onConflict?: string
  /** A number of tokens, or `"5%"`. */
  readonly maxDeletes?: number | string
  readonly allowEmpty?: readonly string[]
  readonly connectionTimeoutMs?: number
  readonly idleTimeoutMs?: number
  /** Id of a dry run whose plan is to be carried out. */
  readonly plan?: string
}

/** A request that is well-formed and cannot be carried out: `pointer` says which field of the body is wrong (RFC 6901). */
export class InvalidRunRequest extends Error {
  override readonly name = 'InvalidRunRequest'
  readonly pointer: string

  constructor(pointer: string, message: string) {
    super(message)
    this.pointer = pointer
  }
}

/** The capability `tokens`, as http and the schedule use it. */
export interface TokenRuns {
  readonly clusters: readonly { readonly name: string; readonly url: string }[]
  /** Throws InvalidRunRequest: an unknown cluster, fewer than two, a plan that is none. */
  start(body: SyncTokensBody, options: StartOptions): Promise<Started>
}

/** The body of `POST /v1/db/sync`, found to be as the document has it; what is left out is as the configuration has it. */
export interface SyncDbBody {
  readonly pair: string
  readonly tables?: readonly string[]
  readonly direction?: 'both' | Direction
  /** ISO 8601, epoch seconds (10 digits) or milliseconds (13 digits). */
  readonly begin?: string | number
  readonly end?: string | number
  readonly dryRun?: boolean
}

/** The body of `POST /v1/db/verify`. */
export interface VerifyDbBody {
  readonly pair: string
  readonly tables?: readonly string[]
  readonly begin?: string | number
  readonly end?: string | number
  readonly maxDifferences?: number
  readonly orphans?: boolean
  readonly repair?: Repair
}

/** A pair of the configuration, as it may be shown. */
export interface DescribedPair {
  readonly name: string
  readonly left: DescribedSide
  readonly right: DescribedSide
  readonly tables: 'all' | readonly string[]
  /** Where its syncs are carried out. */
  readonly execution: 'process' | 'kubernetes-job'
}

export interface DescribedSide {
  readonly kind: StoreKind
  /** Without credentials. */
  readonly address: string
}

/** What one run of a pair leaves for the next. */
export interface KeptOfPair {
  /** By table and direction. */
  readonly savedEnds: readonly SavedEnd[]
  /** Rows that wait to be tried again. */
  readonly deadLetters: number
  /** The newest run; undefined when there was none, or it is forgotten. */
  readonly lastRun: RunRecord | undefined
}

/** The capability `db`, as http, the command line and the schedule use it. */
export interface DbRuns {
  readonly pairs: readonly DescribedPair[]
  /** Throws InvalidRunRequest: an unknown pair, a table that is none of it, a time that is none. */
  sync(body: SyncDbBody, options: StartOptions): Promise<Started>
  verify(body: VerifyDbBody, options: StartOptions): Promise<Started>
  /** Throws StateUnavailable. */
  readKept(pair: string): Promise<KeptOfPair>
}

export interface StartOptions {
  readonly trigger: RunTrigger
  readonly idempotencyKey?: string | undefined
}

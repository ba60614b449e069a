// What a database sync is asked and what it answers; the parts of src/db meet here. Nothing in this file does anything.
import type { Clock } from '../lib/clock.ts'
import type { PairPolicy, Split, Store } from './store.ts'
import type { Window } from './window.ts'

export const DIRECTIONS = ['left-to-right', 'right-to-left'] as const
export type Direction = (typeof DIRECTIONS)[number]

/** Two stores whose tables are kept in step. */
export interface Pair {
  /** What keeps its saved ends and dead letters apart from those of others: name or addresses. At most 300 characters. */
  readonly key: string
  readonly left: Store
  readonly right: Store
  readonly tables: 'all' | readonly string[]
  readonly policy: PairPolicy
  /** The column that marks a row as deleted; every table has to have it. */
  readonly deletedField?: string | undefined
  /** A window without an explicit end ends so long ago, in milliseconds. */
  readonly lagMs: number
  /** A window without an explicit begin begins so long before the saved end, in milliseconds. */
  readonly overlapMs: number
}

export interface DbSyncRequest {
  /** Some of the pair's; all of them when left out. */
  readonly tables?: readonly string[] | undefined
  readonly direction: 'both' | Direction
  /** As users write them: see window.ts. */
  readonly begin?: string | undefined
  readonly end?: string | undefined
  readonly dryRun: boolean
  /** Which reads and moves no saved end; needs an explicit begin and end. */
  readonly shard?: Shard | undefined
}

/** One part of `of` (index from 0). */
export interface Shard {
  readonly index: number
  readonly of: number
  /** What it has of the tables that were cut by what they hold, by name: read in place of the store's own `shard`, also where it is empty. */
  readonly splits?: ReadonlyMap<string, readonly Split[]> | undefined
}

export const COUNTS = ['read', 'applied', 'older', 'equal', 'echoed', 'failed'] as const
/** read = applied + older + equal + echoed + failed. */
export type Counts = Readonly<Record<(typeof COUNTS)[number], number>>

/** What happened to one table in one direction. */
export interface DbItem extends Counts {
  readonly table: string
  readonly direction: Direction
  /** Milliseconds since 1970. */
  readonly window: Window
  /** How long it took, in milliseconds. */
  readonly ms: number
  /** What the reader has to know beyond the figures: why the saved end did not move, for one. */
  readonly note?: string | undefined
}

/** How far one table and direction is. */
export interface DbProgress extends Counts {
  readonly table: string
  readonly direction: Direction
  /** Splits finished, and all of them. */
  readonly done: number
  readonly total: number
  /** What is waited for, where nothing has moved for long. */
  readonly note?: string | undefined
}

export interface DbSummary {
  /** From the earliest begin of all items to the end. */
  readonly window: Window
  /** Tables by name, each left to right first where both were asked for. */
  readonly items: readonly DbItem[]
  readonly counts: Counts
  /** Rows that wait to be tried again with the next run, of this pair's tables. */
  readonly deadLetters: number
}

/** What runs remember for the next ones: of the state store. */
export interface Memory {
  getValue(key: string): Promise<string | undefined>
  putValue(key: string, value: string | undefined): Promise<void>
}

/** A row that could not be carried: tried again at the start of every next run of its pair. */
export interface DeadLetter {
  readonly table: string
  readonly direction: Direction
  readonly id: string
  readonly reason: string
  /** When it failed last, milliseconds since 1970. */
  readonly at: number
}

export interface DbSurroundings {
  readonly memory: Memory
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Called as it goes, at most a few times a second. */
  readonly onProgress: (progress: DbProgress) => void
  /** Called when a table and direction is done. */
  readonly onItem: (item: DbItem) => Promise<void>
  /** Called at the end of a run that the signal ends, for each table and direction that it stopped half way. */
  readonly onHalfDone?: (item: DbItem) => Promise<void>
  /**
   * Called at the end, also of a run that ends badly or is cancelled: all rows of the pair that wait to be tried again; of a shard,
   * those that it has met itself, which nobody has kept yet. A dry run does not call it.
   */
  readonly onDeadLetters: (letters: readonly DeadLetter[]) => Promise<void>
}

export const REPAIRS = ['none', 'copy', 'delete-left', 'delete-right'] as const
export type Repair = (typeof REPAIRS)[number]

export interface DbVerifyRequest {
  readonly tables?: readonly string[] | undefined
  /** Without them it covers 1970 to now. */
  readonly begin?: string | undefined
  readonly end?: string | undefined
  /** So many differences are told one by one. */
  readonly maxDifferences: number
  /**
   * Take ids that one side alone has for orphans: one whose row is marked as deleted (`deletedField`) is none then, and counts as equal.
   * `copy` brings the others to the other side, `delete-left` and `delete-right` delete those that only this side has.
   */
  readonly orphans?: { readonly repair: Repair } | undefined
}

/** How far the verify of one table is. */
export interface DbVerifyProgress {
  readonly table: string
  /** Rows read so far, of both sides; misfits among them. */
  readonly read: number
  /** Splits of both sides that are read, and all of them. */
  readonly done: number
  readonly total: number
  /** Ids compared so far: none before everything is read. */
  readonly compared: number
}

export interface DbVerifySurroundings {
  readonly memory: Memory
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Go on where an earlier verify of this request stopped, if one did, with its window: this one is in its place. */
  readonly resume: boolean
  /** Where what does not fit in memory goes; the system's folder for such things when left out. */
  readonly temporaryFolder?: string | undefined
  /** Called as it goes, at most a few times a second. */
  readonly onProgress: (progress: DbVerifyProgress) => void
  /** Called when a table is done. */
  readonly onItem: (item: VerifyItem) => Promise<void>
}

export const VERDICTS = ['equal', 'leftNewer', 'rightNewer', 'onlyLeft', 'onlyRight', 'differs'] as const
export type Verdict = (typeof VERDICTS)[number]
/** One count an id, by its newest version: see verdict.ts. */
export type VerdictCounts = Readonly<Record<Verdict, number>>

export interface Difference {
  readonly table: string
  readonly id: string
  readonly kind: Exclude<Verdict, 'equal'>
}

export interface VerifyItem {
  readonly table: string
  readonly counts: VerdictCounts
  readonly ms: number
}

export interface DbVerifySummary {
  readonly window: Window
  /** By name. */
  readonly items: readonly VerifyItem[]
  /** As the sides stand at the end: a row that was copied is equal, one that was deleted on one side counts no more. */
  readonly counts: VerdictCounts
  /** The first ones, by table and id. */
  readonly differences: readonly Difference[]
  /** Rows that `repair` has copied or deleted. */
  readonly repaired: number
}

/**
 * A sync that ended badly after it had begun; `cause` says why. What was done is saved as far as it is complete: the next run goes on
 * from there.
 */
export class DbSyncFailed extends Error {
  override readonly name = 'DbSyncFailed'
  /** What was done until then, with what is half done. */
  readonly summary: DbSummary

  /** `message` tells where it stands. */
  constructor(message: string, summary: DbSummary, options: ErrorOptions) {
    super(message, options)
    this.summary = summary
  }
}

/** The request cannot be carried out as it is: `field` says what of it (`tables`, `begin`, …). */
export class InvalidDbRequest extends Error {
  override readonly name = 'InvalidDbRequest'
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

// What a sync needs of a store. One contract, three implementations (cassandra, elasticsearch, sqlite), one conformance suite:
// test/conformance/db-store.ts. Any two stores can be a pair. A store knows nothing of the other side, of saved ends and of runs.
//
// Errors: TableRefusedError for what this table will never do; StoreFailed for a store that cannot be used (wrong address or
// credentials, no such keyspace, given up after retries); the reason of the signal when that aborts. What another try may mend (429,
// 503, overload, time-outs, a connection that breaks, a node that restarts) is tried again inside, slower each time, for as long as
// `retryForMs` of the options says: a write is one that may be repeated. One row that cannot be converted is a misfit, never an error.
import type { Row } from './document.ts'
import type { Column, Table, TableKind } from './table.ts'
import type { Version } from './timeuuid.ts'
import type { Window } from './window.ts'

export const STORE_KINDS = ['cassandra', 'elasticsearch', 'sqlite'] as const
export type StoreKind = (typeof STORE_KINDS)[number]

/** What all stores of a pair are opened with. */
export interface PairPolicy {
  /** The field of documents that holds the exact timeuuid; no column may have its name. */
  readonly versionField: string
  /** A field that the other side has no column for: its row is a misfit, or the field is left out. */
  readonly onUnknownField: 'fail' | 'ignore'
}

/** What a store says of one of its tables before it is agreed what is carried. */
export type TableFacts =
  | {
      readonly name: string
      /** True where the table takes fields that it does not list (an index): then its columns are those of the mapping, of type `json`. */
      readonly open: boolean
      readonly kind: TableKind
      /** All but id, tmstmp and the version field, sorted by name. */
      readonly columns: readonly Column[]
    }
  /** It is there and will not be synced; the error's message names it. */
  | { readonly name: string; readonly refused: Error }

/**
 * A part of a table that is read in one go, as the store wrote it: text without line ends that means the same to the same store in
 * another process, later. At most 512 characters.
 */
export type Split = string

/** A row that cannot be carried, and why; `id` as far as it has one that can be looked for again. */
export interface Misfit {
  readonly id: string
  readonly reason: string
}

export interface ScanBatch {
  /** The newest version within the window of each id; each id once in a scan. Empty batches are allowed. */
  readonly rows: readonly Row[]
  /** So many older versions of those ids were read beside them. */
  readonly history: number
  readonly misfits: readonly Misfit[]
}

/** What became of a row at the target: written (in a dry run: to be written), or what stood against it. */
export type Outcome = 'applied' | 'older' | 'equal' | 'failed'

/** Called once for every row of a writer, as soon as it is certain; `reason` with `failed` alone. Must not throw. */
export type Settle = (id: string, version: Version, outcome: Outcome, reason?: string) => void

export interface WriterOptions {
  /** Decides as ever and writes nothing. */
  readonly dryRun: boolean
  /** A guess, on which nothing but the cost depends: whether most ids are there already, in an older version or the same. */
  readonly mostlyHeld?: boolean | undefined
  readonly signal: AbortSignal
  readonly settle: Settle
}

/**
 * Writes rows that are newer than what the store holds of their id (decide() of compare.ts), under whatever users write meanwhile: a
 * version that is newer is never overwritten. Several writers of one table work side by side.
 * Disposing one that has not finished ends it soon; what it was about to write may or may not be there.
 */
export interface RowWriter extends AsyncDisposable {
  /**
   * Takes rows, of which the store may make what it likes from then on; an id comes once in a writer's life. Resolves when there is
   * room for more: that is the back pressure. What it holds is bounded in bytes, whatever comes.
   */
  write(rows: readonly Row[]): Promise<void>
  /** Resolves when every row is settled and safe in the store; then a checkpoint may say so. */
  finish(): Promise<void>
}

export interface StoreTable {
  readonly table: Table
  /**
   * Cuts what the window has into splits of at most a minute or so, by how much there is; together they hold every row of the window
   * that is there now, each once. None where it costs next to nothing to know that there is nothing. `atLeast`: rather more, smaller
   * ones, where there is enough to cut.
   */
  plan(window: Window, options: { readonly atLeast?: number; readonly signal: AbortSignal }): Promise<readonly Split[]>
  /**
   * Shard `index` (0 to of - 1) of `of`, without asking the store: the same in every process. The shards of one window together hold
   * every row of it, each once.
   */
  shard(window: Window, index: number, of: number): readonly Split[]
  /** Reads the rows of a split that are in the window, with memory bounded in bytes. Leaving the loop early frees what it holds. */
  scan(split: Split, window: Window, signal: AbortSignal): AsyncIterable<ScanBatch>
  openWriter(options: WriterOptions): RowWriter
  /** The newest version of each of these ids, whatever its time; ids that are not there are left out. Any number of ids. */
  find(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Row | Misfit>>
  /** Deletes the rows, with every version, unless they have become newer than `version`; gives the ids that are gone. */
  remove(
    rows: readonly { readonly id: string; readonly version: Version }[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>>
}

export interface Store extends AsyncDisposable {
  readonly kind: StoreKind
  /** Where it is, without credentials, for messages and as its identity: `cassandra 127.0.0.1:9042/app`. */
  readonly address: string
  /** The tables of these names that are there; all that this store would call tables of the pair for `all`. */
  describeTables(names: readonly string[] | 'all', signal: AbortSignal): Promise<ReadonlyMap<string, TableFacts>>
  /** Makes a table that is missing; one that is there by now is left as it is. Throws TableRefusedError where the store makes none. */
  createTable(table: Table, signal: AbortSignal): Promise<void>
  /**
   * A table of this store with the columns that both sides have agreed on; rows carry their values in that order. It need not be
   * there yet for a dry run: then it is empty.
   */
  openTable(table: Table): StoreTable
}

/** The store cannot be used, or not any more: says which, what was wanted of it, and what it answered. */
export class StoreFailed extends Error {
  override readonly name = 'StoreFailed'
}

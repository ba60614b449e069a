// What the suite of the stores of a pair works with: a server (or a file) with a client of its own, through which users write, tables
// that are made anew for each test, and what writes and reads rows.
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { CqlType } from '../../src/db/cql-types.ts'
import type { Row } from '../../src/db/document.ts'
import type { Misfit, Outcome, PairPolicy, ScanBatch, Split, Store, StoreTable } from '../../src/db/store.ts'
import type { Table, TableKind } from '../../src/db/table.ts'
import { formatTimeuuid, type Version, versionOfTicks } from '../../src/db/timeuuid.ts'
import type { CqlValue } from '../../src/db/values.ts'
import type { Window } from '../../src/db/window.ts'

/** A row as users see it, in a table with the column `note text`. */
export interface UserRow {
  readonly id: string
  /** A timeuuid. */
  readonly tmstmp: string
  readonly note: string | null
}

/** One server or file, and the client of a user. */
export interface DbBench extends AsyncDisposable {
  /** A store as another process has it. */
  open(policy: PairPolicy): Promise<Store>
  /** Makes a table as its users do, with all types of its columns. */
  makeTable(table: Table): Promise<void>
  hasTable(name: string): Promise<boolean>
  put(table: Table, row: UserRow): Promise<void>
  /** Every version that is there, in any order. */
  get(table: Table, id: string): Promise<readonly UserRow[]>
  delete(table: Table, id: string): Promise<void>
  /** Writes a row that cannot be carried: its note is no text, for one. Left out where users can write none (`canSpoil`). */
  readonly spoil?: (table: Table, id: string, tmstmp: string) => Promise<void>
  /** What readers hold open on the server at this moment. */
  readonly countOpen?: () => Promise<number>
}

export interface DbTraits {
  /** Of the tables that it can have. */
  readonly kinds: readonly TableKind[]
  /** The store makes tables that are missing. */
  readonly createsTables: boolean
  /** Users can write rows that cannot be carried: the bench has `spoil`. */
  readonly canSpoil: boolean
  /** Tables take any field: what describeTables says of them is JSON. */
  readonly isOpen: boolean
  /** How many windows by chance are read. */
  readonly windows: number
  /** Rows of 500 bytes that are worth cutting into four parts. */
  readonly enough: number
  /** How many tables of types by chance are tried, which types it can have, and what it makes of a value where that is another one. */
  readonly types: {
    readonly runs: number
    readonly canHave?: (type: CqlType) => boolean
    readonly held?: (type: CqlType, value: CqlValue) => CqlValue
  }
  readonly openBench: () => Promise<DbBench>
}

export const POLICY: PairPolicy = { versionField: 'tmstmp_uuid', onUnknownField: 'fail' }
export const NOTE = { name: 'note', type: { kind: 'text' } } as const
/** Some time in 2025: what users write now is written later than it says. */
export const T0 = Date.UTC(2025, 5, 1)
export const ALL: Window = { beginMs: 0, endMs: Date.UTC(2100, 0, 1) }
export const MB = 1_024 * 1_024
const EPOCH_MS = 12_219_292_800_000

export const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
export const newId = (): string => randomUUID()

/** The version of a tick (0 to 9999) of a millisecond; by chance in what is not given. */
export function versionAt(ms: number, tick?: number, tieHigh?: number, tieLow?: number): Version {
  const chance = randomBytes(10)
  const ticks = BigInt(ms + EPOCH_MS) * 10_000n + BigInt(tick ?? chance.readUInt16BE(8) % 10_000)
  return versionOfTicks(
    ticks,
    tieHigh ?? (chance.readInt32BE(0) & ~0x40000000) | 0x80000000,
    tieLow ?? chance.readInt32BE(4),
  )
}

export function rowAt(id: string, version: Version, note: string | null = 'note'): Row {
  return { id, version, values: [note] }
}

/** A text of some length that does not compress to nothing. */
export function longText(length: number): string {
  const part = randomBytes(48).toString('base64')
  return part.repeat(Math.ceil(length / part.length)).slice(0, length)
}

export const textOf = (version: Version): string => formatTimeuuid(version)

export interface Written {
  readonly outcome: Outcome
  readonly reason: string | undefined
}

export interface Scanned {
  readonly rows: Map<string, Row>
  readonly misfits: Misfit[]
  readonly history: number
  readonly batches: readonly ScanBatch[]
}

/** Writes the rows with a writer of their own; gives what became of each, which it was told once. */
export async function writeAll(
  table: StoreTable,
  rows: readonly Row[],
  { dryRun = false, at = 500, signal = new AbortController().signal } = {},
): Promise<Map<string, Written>> {
  const written = new Map<string, Written>()
  const versions = new Map(rows.map((row) => [row.id, row.version]))
  await using writer = table.openWriter({
    dryRun,
    signal,
    settle: (id, version, outcome, reason) => {
      expect(written.has(id), 'settled once').toBe(false)
      expect(version).toEqual(versions.get(id))
      written.set(id, { outcome, reason })
    },
  })
  for (let start = 0; start < rows.length; start += at) await writer.write(rows.slice(start, start + at))
  await writer.finish()
  expect(written.size).toBe(rows.length)
  return written
}

export async function outcomesOf(table: StoreTable, rows: readonly Row[], dryRun = false): Promise<readonly Outcome[]> {
  const written = await writeAll(table, rows, { dryRun })
  return rows.map((row) => written.get(row.id)?.outcome ?? expect.unreachable())
}

/** Everything in these splits; each id comes once. */
export async function scanSplits(
  table: StoreTable,
  splits: readonly Split[],
  window: Window,
  signal = new AbortController().signal,
): Promise<Scanned> {
  const rows = new Map<string, Row>()
  const misfits: Misfit[] = []
  const batches: ScanBatch[] = []
  let history = 0
  for (const split of splits) {
    expect(split).toMatch(/^[^\r\n]{0,512}$/)
    for await (const batch of table.scan(split, window, signal)) {
      for (const row of batch.rows) {
        expect(rows.has(row.id), `${row.id} once`).toBe(false)
        rows.set(row.id, row)
      }
      misfits.push(...batch.misfits)
      history += batch.history
      batches.push(batch)
    }
  }
  return { rows, misfits, history, batches }
}

export async function scanAll(table: StoreTable, window = ALL, atLeast = 1): Promise<Scanned> {
  return scanSplits(table, await table.plan(window, { atLeast, signal: new AbortController().signal }), window)
}

/** id and timeuuid of rows, sorted. */
export function namesOf(rows: Iterable<Row>): readonly string[] {
  return [...rows].map(({ id, version }) => `${id} ${textOf(version)}`).sort()
}

/** What each test finds: a store on the bench, and tables with names of their own. */
export class DbScene {
  readonly traits: DbTraits
  #bench: DbBench | undefined
  #stores: Store[] = []
  #names = 0

  constructor(traits: DbTraits) {
    this.traits = traits
  }

  async begin(): Promise<void> {
    this.#bench = await this.traits.openBench()
  }

  async end(): Promise<void> {
    await this.#bench?.[Symbol.asyncDispose]()
  }

  async setUp(): Promise<void> {
    await this.open()
  }

  async tearDown(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store[Symbol.asyncDispose]()
  }

  get bench(): DbBench {
    return this.#bench ?? expect.unreachable('only during tests')
  }

  get store(): Store {
    return this.#stores[0] ?? expect.unreachable('only during tests')
  }

  get signal(): AbortSignal {
    return new AbortController().signal
  }

  async open(policy: PairPolicy = POLICY): Promise<Store> {
    const store = await this.bench.open(policy)
    this.#stores.push(store)
    return store
  }

  newTable(kind: TableKind, columns: Table['columns'] = [NOTE]): Table {
    return { name: `t${process.pid}_${++this.#names}`, kind, columns }
  }

  /** A table that is there. */
  async makeTable(kind: TableKind, columns?: Table['columns']): Promise<StoreTable> {
    const table = this.newTable(kind, columns)
    await this.bench.makeTable(table)
    return this.store.openTable(table)
  }

  put(table: StoreTable, { id, version, values: [note = null] }: Row): Promise<void> {
    return this.bench.put(table.table, { id, tmstmp: textOf(version), note: note as string | null })
  }

  /** The timeuuids of every version that is there, sorted. */
  async get(table: StoreTable, id: string): Promise<readonly string[]> {
    return (await this.bench.get(table.table, id)).map((row) => row.tmstmp).sort()
  }
}

export function setUpScene(traits: DbTraits): DbScene {
  const scene = new DbScene(traits)
  beforeAll(() => scene.begin())
  afterAll(() => scene.end())
  beforeEach(() => scene.setUp())
  afterEach(() => scene.tearDown())
  return scene
}

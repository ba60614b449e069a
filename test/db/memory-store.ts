// A store that lives in the test: its tables are plain maps that a test looks into and writes to as a user would, and every step of it
// can be watched, delayed, failed, or be the last one before the process is killed.
import { createHash } from 'node:crypto'
import { decide } from '../../src/db/compare.ts'
import type { Memory } from '../../src/db/contract.ts'
import type { Row } from '../../src/db/document.ts'
import type {
  Misfit,
  RowWriter,
  ScanBatch,
  Split,
  Store,
  StoreKind,
  StoreTable,
  TableFacts,
  WriterOptions,
} from '../../src/db/store.ts'
import type { Column, Table, TableKind } from '../../src/db/table.ts'
import { compareVersions, deriveTimeuuid, msOf, type Version } from '../../src/db/timeuuid.ts'
import { isInWindow, type Window } from '../../src/db/window.ts'

/** Called, and waited for, before everything that a store or a memory does: `right write notes`. May throw. */
export type Step = (what: string) => Promise<void> | void

/** What the process dies of in the middle of a step: nothing more happens, whatever is tried. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** What a database holds: it outlives the stores that are opened on it. */
export class MemoryDatabase {
  readonly kind: StoreKind
  readonly address: string
  readonly tables = new Map<string, MemoryTable>()

  constructor(address: string, kind: StoreKind = 'sqlite') {
    this.address = address
    this.kind = kind
  }

  addTable(name: string, kind: TableKind = 'latest', columns = TEXT_ALONE): MemoryTable {
    const table = new MemoryTable(kind, columns)
    this.tables.set(name, table)
    return table
  }
}

const TEXT_ALONE: readonly Column[] = [{ name: 'text', type: { kind: 'text' } }]

/** One text column, `text`, unless it is given others. */
export class MemoryTable {
  readonly kind: TableKind
  readonly columns: readonly Column[]
  /** Every version of every id, the newest first. */
  readonly rows = new Map<string, Row[]>()
  /** Ids that cannot be read, with the reason. */
  readonly misfits = new Map<string, string>()
  /** Ids that cannot be written, with the reason. */
  readonly refused = new Map<string, string>()
  refusedAltogether: Error | undefined

  constructor(kind: TableKind, columns = TEXT_ALONE) {
    this.kind = kind
    this.columns = columns
  }

  /** As a user writes: whatever was there before. */
  put(id: string, version: Version, text = ''): void {
    this.putRow({ id, version, values: [text] })
  }

  putRow(row: Row): void {
    const others = this.kind === 'latest' ? [] : (this.rows.get(row.id) ?? [])
    const kept = others.filter((one) => compareVersions(one.version, row.version) !== 0)
    this.rows.set(
      row.id,
      [...kept, row].sort((a, b) => compareVersions(b.version, a.version)),
    )
  }

  newest(id: string): Row | undefined {
    return this.rows.get(id)?.[0]
  }

  text(id: string): unknown {
    return this.newest(id)?.values[0]
  }
}

export interface MemoryStoreOptions {
  readonly name: string
  readonly step?: Step
  /** Rows of a page of a scan. */
  readonly pageRows?: number
  /** Rows that a writer holds at most. */
  readonly writerRows?: number
  /** Rows of a split, about. */
  readonly splitRows?: number
}

/** A version of this millisecond, another one for every `nth`. */
export function versionAt(ms: number, nth = 0): Version {
  return deriveTimeuuid(ms, createHash('sha256').update(`${nth}`).digest())
}

export function idOf(nth: number): string {
  return `00000000-0000-4000-8000-${nth.toString(16).padStart(12, '0')}`
}

export function openMemoryStore(database: MemoryDatabase, options: MemoryStoreOptions): Store {
  const step = async (what: string) => await options.step?.(`${options.name} ${what}`)
  return {
    kind: database.kind,
    address: database.address,
    async describeTables(names, signal) {
      await step('describe')
      signal.throwIfAborted()
      const asked = names === 'all' ? [...database.tables.keys()] : names
      return new Map(asked.flatMap((name) => describe(name, database.tables.get(name))))
    },
    async createTable(table, signal) {
      await step(`create ${table.name}`)
      signal.throwIfAborted()
      if (!database.tables.has(table.name)) database.addTable(table.name, table.kind, table.columns)
    },
    openTable: (table) => openTable(table, database, step, options),
    [Symbol.asyncDispose]: async () => {},
  }
}

function describe(name: string, table: MemoryTable | undefined): [string, TableFacts][] {
  if (table === undefined) return []
  if (table.refusedAltogether !== undefined) return [[name, { name, refused: table.refusedAltogether }]]
  return [[name, { name, open: false, kind: table.kind, columns: table.columns }]]
}

type Do = (what: string) => Promise<void>

function openTable(table: Table, database: MemoryDatabase, step: Do, options: MemoryStoreOptions): StoreTable {
  const held = () => database.tables.get(table.name) ?? new MemoryTable(table.kind)
  const { splitRows = 10 } = options
  return {
    table,
    async plan(window, { signal }) {
      await step(`plan ${table.name}`)
      signal.throwIfAborted()
      const ids = [...held().rows].filter(([, rows]) => rows.some(({ version }) => isInWindow(window, msOf(version))))
      const count = Math.ceil(ids.length / splitRows)
      return Array.from({ length: count }, (_, at) => `${at}/${count}`)
    },
    shard: (_window, index, of) => [`${index}/${of}`],
    scan: (split, window, signal) => scan(held(), table.name, split, window, signal, step, options.pageRows ?? 4),
    openWriter: (writer) => new MemoryWriter(held, table.name, writer, step, options.writerRows ?? 4),
    async find(ids, signal) {
      await step(`find ${table.name}`)
      signal.throwIfAborted()
      const rows = held()
      return new Map(
        ids.flatMap((id): [string, Row | Misfit][] => {
          const reason = rows.misfits.get(id)
          const row = rows.newest(id)
          if (row === undefined) return []
          return [[id, reason === undefined ? row : { id, reason }]]
        }),
      )
    },
    async remove(rows, signal) {
      await step(`remove ${table.name}`)
      signal.throwIfAborted()
      const gone = new Set<string>()
      for (const { id, version } of rows) {
        const there = held().newest(id)
        if (there !== undefined && compareVersions(there.version, version) > 0) continue
        held().rows.delete(id)
        gone.add(id)
      }
      return gone
    },
  }
}

async function* scan(
  table: MemoryTable,
  name: string,
  split: Split,
  window: Window,
  signal: AbortSignal,
  step: Do,
  pageRows: number,
): AsyncGenerator<ScanBatch> {
  const [index = 0, of = 1] = split.split('/').map(Number)
  const ids = [...table.rows.keys()].filter((id) => partOf(id, of) === index)
  for (let at = 0; at < ids.length; at += pageRows) {
    await step(`scan ${name} ${split}`)
    signal.throwIfAborted()
    const page = ids.slice(at, at + pageRows).map((id) => {
      const inWindow = table.rows.get(id)?.filter(({ version }) => isInWindow(window, msOf(version))) ?? []
      return { id, inWindow, reason: table.misfits.get(id) }
    })
    const met = page.filter(({ inWindow }) => inWindow.length > 0)
    yield {
      rows: met.flatMap(({ inWindow: [newest], reason }) => (newest && reason === undefined ? [newest] : [])),
      history: met.reduce((sum, { inWindow }) => sum + inWindow.length - 1, 0),
      misfits: met.flatMap(({ id, reason }) => (reason === undefined ? [] : [{ id, reason }])),
    }
  }
}

/** Ids that are no uuids are in the first one. */
function partOf(id: string, of: number): number {
  return (Number.parseInt(id.slice(-6), 16) || 0) % of
}

class MemoryWriter implements RowWriter {
  readonly #held: () => MemoryTable
  readonly #name: string
  readonly #options: WriterOptions
  readonly #step: Do
  readonly #room: number
  #waiting: Row[] = []
  #isOver = false

  constructor(held: () => MemoryTable, name: string, options: WriterOptions, step: Do, room: number) {
    this.#held = held
    this.#name = name
    this.#options = options
    this.#step = step
    this.#room = room
  }

  async write(rows: readonly Row[]): Promise<void> {
    this.#refuseWhenOver()
    this.#waiting.push(...rows)
    while (this.#waiting.length > this.#room) await this.#put(this.#waiting.splice(0, 2))
  }

  async finish(): Promise<void> {
    this.#refuseWhenOver()
    while (this.#waiting.length > 0) await this.#put(this.#waiting.splice(0, 2))
    this.#isOver = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    this.#waiting = []
  }

  async #put(rows: readonly Row[]): Promise<void> {
    const { signal, settle, dryRun } = this.#options
    await this.#step(`write ${this.#name}`)
    signal.throwIfAborted()
    const table = this.#held()
    for (const row of rows) {
      const reason = table.refused.get(row.id)
      if (reason !== undefined) {
        settle(row.id, row.version, 'failed', reason)
        continue
      }
      const there = table.newest(row.id)
      const { outcome } = decide(row.version, there && { kind: 'version', version: there.version })
      if (outcome === 'applied' && !dryRun) table.putRow(row)
      if (outcome === 'applied' || outcome === 'older' || outcome === 'equal') settle(row.id, row.version, outcome)
    }
  }

  #refuseWhenOver(): void {
    if (this.#isOver) throw new Error('a writer that is over was used')
  }
}

/** What runs remember, over a map that outlives them. */
export function createMemory(values: Map<string, string>, step: Step = () => {}): Memory {
  return {
    async getValue(key) {
      await step('memory get')
      checkKey(key)
      return values.get(key)
    },
    async putValue(key, value) {
      await step('memory put')
      checkKey(key)
      if (value === undefined) values.delete(key)
      else values.set(key, value)
    },
  }
}

function checkKey(key: string): void {
  if (key.length === 0 || key.length > 512) throw new Error(`a key of ${key.length} characters`)
}

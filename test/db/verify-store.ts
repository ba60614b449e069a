// A store in memory for tests of the verify: two tables side by side need no more. Users write to it whenever it is asked for something.
import type { Row } from '../../src/db/document.ts'
import type { Misfit, ScanBatch, Store, StoreTable, TableFacts } from '../../src/db/store.ts'
import type { Column, Table, TableKind } from '../../src/db/table.ts'
import { compareVersions, msOf } from '../../src/db/timeuuid.ts'
import { isInWindow, type Window } from '../../src/db/window.ts'

export interface KeptTable {
  readonly kind: TableKind
  readonly columns: readonly Column[]
  /** Every version of an id that the store keeps, oldest first; a misfit is all there is of its id. */
  readonly ids: Map<string, readonly Row[] | Misfit>
}

export interface VerifyStore extends Store {
  readonly tables: Map<string, KeptTable>
  /** What it was asked for, by name. */
  readonly calls: string[]
  /** Called before every answer. */
  onCall: (call: string) => void
  onFind: (ids: readonly string[]) => void
  put(table: string, row: Row): void
}

const SPLITS = 3

export function createVerifyStore(kind: Store['kind'], address: string): VerifyStore {
  const tables = new Map<string, KeptTable>()
  const store: VerifyStore = {
    kind,
    address,
    tables,
    calls: [],
    onCall: () => {},
    onFind: () => {},
    put(name, row) {
      put(tableOf(name), row)
    },
    async describeTables(names) {
      const wanted = names === 'all' ? [...tables.keys()] : names.filter((name) => tables.has(name))
      return new Map(
        wanted.map((name): [string, TableFacts] => {
          const { kind: tableKind, columns } = tableOf(name)
          return [name, { name, open: kind === 'elasticsearch', kind: tableKind, columns }]
        }),
      )
    },
    async createTable({ name, kind: tableKind, columns }) {
      if (!tables.has(name)) tables.set(name, { kind: tableKind, columns, ids: new Map() })
    },
    openTable: (table) =>
      openTable(
        table,
        () => tables.get(table.name),
        call,
        (ids) => store.onFind(ids),
      ),
    async [Symbol.asyncDispose]() {},
  }
  function tableOf(name: string): KeptTable {
    const found = tables.get(name)
    if (found === undefined) throw new Error(`there is no table ${name}`)
    return found
  }
  function call(name: string, signal: AbortSignal): void {
    signal.throwIfAborted()
    store.calls.push(name)
    store.onCall(name)
  }
  return store
}

function put({ kind, ids }: KeptTable, row: Row): void {
  const held = ids.get(row.id)
  const versions = held === undefined || !Array.isArray(held) || kind === 'latest' ? [] : held
  const others = versions.filter((one: Row) => compareVersions(one.version, row.version) !== 0)
  ids.set(
    row.id,
    [...others, row].sort((a, b) => compareVersions(a.version, b.version)),
  )
}

function openTable(
  table: Table,
  find: () => KeptTable | undefined,
  call: (name: string, signal: AbortSignal) => void,
  onFind: VerifyStore['onFind'],
): StoreTable {
  const entries = () => [...(find()?.ids ?? [])]
  const newestOf = (id: string): Row | Misfit | undefined => {
    const held = find()?.ids.get(id)
    return isMisfit(held) ? held : held?.at(-1)
  }
  return {
    table,
    async plan(_, { signal }) {
      call('plan', signal)
      return Array.from({ length: SPLITS }, (_, at) => String(at))
    },
    shard: () => [],
    async *scan(split, window, signal) {
      call('scan', signal)
      const ids = entries().flatMap(([id]) => (partOf(id) === Number(split) ? [id] : []))
      for (const id of ids) {
        await Promise.resolve()
        call('row', signal)
        // As it is now, not as it was when the scan began.
        yield scanVersions(find()?.ids.get(id), window)
      }
    },
    openWriter({ signal, settle }) {
      return {
        async write(rows) {
          call('write', signal)
          for (const row of rows) {
            const kept = find()
            const held = newestOf(row.id)
            const isNewer = held === undefined || (!isMisfit(held) && compareVersions(row.version, held.version) > 0)
            if (isNewer && kept !== undefined) put(kept, row)
            settle(row.id, row.version, isNewer ? 'applied' : 'older')
          }
        },
        async finish() {
          call('finish', signal)
        },
        async [Symbol.asyncDispose]() {},
      }
    },
    async find(ids, signal) {
      call('find', signal)
      onFind(ids)
      const found = new Map<string, Row | Misfit>()
      for (const id of ids) {
        const newest = newestOf(id)
        if (newest !== undefined) found.set(id, newest)
      }
      return found
    },
    async remove(rows, signal) {
      call('remove', signal)
      const gone = new Set<string>()
      for (const { id, version } of rows) {
        const held = newestOf(id)
        if (held === undefined || isMisfit(held) || compareVersions(held.version, version) > 0) continue
        find()?.ids.delete(id)
        gone.add(id)
      }
      return gone
    },
  }
}

function scanVersions(held: readonly Row[] | Misfit | undefined, window: Window): ScanBatch {
  if (held === undefined) return { rows: [], history: 0, misfits: [] }
  if (isMisfit(held)) return { rows: [], history: 0, misfits: [held] }
  const inside = held.filter((row) => isInWindow(window, msOf(row.version)))
  const newest = inside.at(-1)
  if (newest === undefined) return { rows: [], history: 0, misfits: [] }
  return { rows: [newest], history: inside.length - 1, misfits: [] }
}

function isMisfit(held: readonly Row[] | Row | Misfit | undefined): held is Misfit {
  return held !== undefined && 'reason' in held
}

const partOf = (id: string): number => (Number.parseInt(id.slice(-2), 16) || 0) % SPLITS

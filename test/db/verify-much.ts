// A process that verifies a table whose rows are many times larger than its memory: `verify-much.ts ROWS`; prints the counts.
import type { Pair } from '../../src/db/contract.ts'
import type { Row } from '../../src/db/document.ts'
import type { Store, StoreTable } from '../../src/db/store.ts'
import type { Table } from '../../src/db/table.ts'
import { verifyTable } from '../../src/db/verify-table.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { idOf, versionAt } from './memory-store.ts'

const ROWS = Number(process.argv[2])
const PAGE_ROWS = 100
const TEXT = 'x'.repeat(4_000)
const TABLE: Table = { name: 't', kind: 'latest', columns: [{ name: 'text', type: { kind: 'text' } }] }

/** Every row of the left that is a multiple of a hundred has another text. */
function openMuch(side: 'left' | 'right'): Store {
  const rowOf = (nth: number): Row => ({
    ...{ id: idOf(nth), version: versionAt(1_500) },
    values: [`${nth}${TEXT}${side === 'left' && nth % 100 === 0 ? 'y' : ''}`],
  })
  const table: StoreTable = {
    table: TABLE,
    plan: async () => ['all'],
    shard: () => [],
    async *scan() {
      for (let at = 0; at < ROWS; at += PAGE_ROWS) {
        await new Promise(setImmediate)
        yield { rows: Array.from({ length: PAGE_ROWS }, (_, nth) => rowOf(at + nth)), history: 0, misfits: [] }
      }
    },
    find: async (ids) => new Map(ids.map((id) => [id, rowOf(Number.parseInt(id.slice(-8), 16))])),
    openWriter: () => fail(),
    remove: () => fail(),
  }
  return {
    ...{ kind: 'sqlite', address: side, openTable: () => table },
    describeTables: () => fail(),
    createTable: () => fail(),
    [Symbol.asyncDispose]: async () => {},
  }
}

function fail(): never {
  throw new Error('a verify of one table does not ask for that')
}

const pair: Pair = {
  ...{ key: 'p', left: openMuch('left'), right: openMuch('right'), tables: 'all', lagMs: 0, overlapMs: 0 },
  policy: { versionField: 'tmstmp_uuid', onUnknownField: 'fail' },
}
const { item } = await verifyTable({
  pair,
  table: { name: 't', left: TABLE, right: TABLE, create: undefined },
  window: { beginMs: 0, endMs: 2_000 },
  request: { maxDifferences: 10 },
  surroundings: {
    ...{ memory: { getValue: async () => undefined, putValue: async () => {} }, clock: systemClock },
    ...{ signal: new AbortController().signal, resume: false, onProgress: () => {}, onItem: async () => {} },
  },
  spillBytes: 1_024 * 1_024,
})
process.stdout.write(JSON.stringify(item.counts))

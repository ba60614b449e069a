// The verify of a pair over a real Cassandra and a real Elasticsearch, and what it mends there.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DbVerifyRequest, Pair, VerdictCounts } from '../../src/db/contract.ts'
import type { Store } from '../../src/db/store.ts'
import type { Table, TableKind } from '../../src/db/table.ts'
import { formatTimeuuid } from '../../src/db/timeuuid.ts'
import { verifyPair } from '../../src/db/verify.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type DbBench, NOTE, newId, POLICY, range, rowAt, T0, versionAt } from '../conformance/db-bench.ts'
import { createMemory } from '../db/memory-store.ts'
import { openCassandraBench } from './lib/cassandra-bench.ts'
import { openSearchBench } from './lib/search-bench.ts'

const ROWS = 5_000
const NO_COUNTS: VerdictCounts = { equal: 0, leftNewer: 0, rightNewer: 0, onlyLeft: 0, onlyRight: 0, differs: 0 }
const stack = new AsyncDisposableStack()
let users: { readonly left: DbBench; readonly right: DbBench }
let stores: { readonly left: Store; readonly right: Store }
let tables = 0

beforeAll(async () => {
  users = {
    left: stack.use(await openCassandraBench()),
    right: stack.use(await openSearchBench({ kind: 'elasticsearch', major: 8 })),
  }
  stores = { left: stack.use(await users.left.open(POLICY)), right: stack.use(await users.right.open(POLICY)) }
})
afterAll(() => stack.disposeAsync())

describe.each(['versions', 'latest'] as const)('a pair of a table with %s and an index', (kind) => {
  let table: Table
  const ids = range(ROWS).map(newId)
  const idOf = (nth: number): string => ids[nth] ?? ''

  /** Both sides have every row; then users write on one side or the other. */
  beforeEach(async () => {
    table = await makeTables(kind)
    const rows = ids.map((id) => rowAt(id, versionAt(T0)))
    for (const store of [stores.left, stores.right]) await fill(store, table, rows)
    await put('left', table, idOf(0), T0 + 2)
    await put('right', table, idOf(1), T0 + 2)
    await put('left', table, newId(), T0)
    await put('right', table, newId(), T0)
    await users.right.delete(table, idOf(2))
    const [kept] = await users.left.get(table, idOf(3))
    if (kept !== undefined) await users.right.put(table, { ...kept, note: 'another one' })
    await users.right.spoil?.(table, idOf(4), formatTimeuuid(versionAt(T0)))
  })

  test('counts what differs, and tells it', async () => {
    const { counts, differences } = await verify(table)
    const expected = { equal: ROWS - 5, leftNewer: 1, rightNewer: 1, onlyLeft: 2, onlyRight: 1, differs: 2 }
    expect(counts).toEqual(expected)
    const told = new Map(differences.map(({ id, kind: what }) => [id, what]))
    expect(told.size).toBe(7)
    expect([0, 1, 2, 3, 4].map((nth) => told.get(idOf(nth)))).toEqual([
      ...['leftNewer', 'rightNewer', 'onlyLeft', 'differs', 'differs'],
    ])
  })

  test('of an earlier window has no differences but what was there', async () => {
    const { counts } = await verify(table, { end: new Date(T0 - 1).toISOString() })
    expect(counts).toEqual(NO_COUNTS)
    const newest = await verify(table, { begin: new Date(T0).toISOString() })
    expect(newest.counts).toEqual({ ...NO_COUNTS, leftNewer: 1, rightNewer: 1 })
  })

  test('copies what one side alone has, and then it is there', async () => {
    const { counts, repaired } = await verify(table, { orphans: { repair: 'copy' } })
    expect(repaired).toBe(3)
    expect(counts).toEqual({ ...NO_COUNTS, equal: ROWS - 2, leftNewer: 1, rightNewer: 1, differs: 2 })
    expect(await users.right.get(table, idOf(2))).toHaveLength(1)
    expect((await verify(table)).counts).toEqual(counts)
  })

  test('deletes it where it is asked to, and it stays away', async () => {
    const onLeft = await verify(table, { orphans: { repair: 'delete-left' } })
    expect(onLeft).toMatchObject({ repaired: 2, counts: { onlyLeft: 0, onlyRight: 1 } })
    expect(await users.left.get(table, idOf(2))).toEqual([])
    const onRight = await verify(table, { orphans: { repair: 'delete-right' } })
    expect(onRight).toMatchObject({ repaired: 1, counts: { onlyLeft: 0, onlyRight: 0 } })
    expect((await verify(table)).counts.equal).toBe(ROWS - 5)
  })
})

async function makeTables(kind: TableKind): Promise<Table> {
  const table: Table = { name: `verify${tables++}`, kind, columns: [NOTE] }
  await users.left.makeTable(table)
  await users.right.makeTable({ ...table, kind: 'latest' })
  return table
}

async function fill(store: Store, table: Table, rows: readonly ReturnType<typeof rowAt>[]): Promise<void> {
  const opened = store.openTable(store.kind === 'cassandra' ? table : { ...table, kind: 'latest' })
  await using writer = opened.openWriter({ dryRun: false, signal: new AbortController().signal, settle: () => {} })
  await writer.write(rows.map((row) => ({ ...row })))
  await writer.finish()
}

async function put(side: 'left' | 'right', table: Table, id: string, ms: number): Promise<void> {
  await users[side].put(table, { id, tmstmp: formatTimeuuid(versionAt(ms)), note: side })
}

function verify({ name }: Table, request: Partial<DbVerifyRequest> = {}): ReturnType<typeof verifyPair> {
  const pair: Pair = { ...stores, key: 'verify', tables: [name], policy: POLICY, lagMs: 0, overlapMs: 0 }
  const surroundings = { memory: createMemory(new Map()), clock: systemClock, signal: new AbortController().signal }
  return verifyPair(
    pair,
    { maxDifferences: 100, ...request },
    { ...surroundings, resume: false, onProgress: () => {}, onItem: async () => {} },
  )
}

// What only a real node can say about the store in Cassandra: its indexes, its write times and tombstones, what it refuses, and what
// becomes of a sync when it restarts, is frozen, or sends an empty page in the middle. The suite of all stores is db-conformance.
import { Client } from 'cassandra-driver'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openCassandraStore } from '../../src/db/cassandra/cassandra.ts'
import { tokenOf } from '../../src/db/cassandra/murmur3.ts'
import { uuidBytes } from '../../src/db/cassandra/values.ts'
import type { Row } from '../../src/db/document.ts'
import type { Outcome, Store, StoreTable } from '../../src/db/store.ts'
import type { Table, TableKind } from '../../src/db/table.ts'
import { microsOf } from '../../src/db/timeuuid.ts'
import { systemClock } from '../../src/lib/clock.ts'
import {
  ALL,
  longText,
  newId,
  outcomesOf,
  POLICY,
  range,
  rowAt,
  scanAll,
  scanSplits,
  T0,
  textOf,
  versionAt,
  writeAll,
} from '../conformance/db-bench.ts'
import { type Cassandra, startCassandra } from './lib/cassandra.ts'
import { heldByCassandra } from './lib/cassandra-bench.ts'
import { type CqlFault, CqlProxy, type CqlRequest } from './lib/cql-proxy.ts'

const KEYSPACE = 'real'
const KINDS = ['latest', 'versions'] as const
const none = new AbortController().signal
const KEYS: Readonly<Record<TableKind, string>> = { latest: 'PRIMARY KEY (id)', versions: 'PRIMARY KEY (id, tmstmp)' }

let server: Cassandra
let client: Client
let proxy: CqlProxy
let store: Store
/** What the proxy does to a request. */
let decide: (request: CqlRequest) => CqlFault | undefined = () => undefined
let tables = 0

const open = (port: number) =>
  openCassandraStore({
    contactPoints: [`${server.host}:${port}`],
    keyspace: KEYSPACE,
    policy: POLICY,
    clock: systemClock,
    random: Math.random,
    requestTimeoutMs: 12_000,
    retryForMs: 120_000,
  })

const execute = (cql: string, values: readonly unknown[] = []) =>
  client.execute(cql, [...values], { prepare: values.length > 0 })

async function makeTable(
  kind: TableKind,
  { columns = 'note text', more = '' }: { readonly columns?: string; readonly more?: string } = {},
): Promise<StoreTable> {
  const name = `t${++tables}`
  await execute(`CREATE TABLE ${KEYSPACE}.${name} (id uuid, tmstmp timeuuid, ${columns}, ${KEYS[kind]}) ${more}`)
  const facts = (await store.describeTables([name], none)).get(name)
  if (facts === undefined || 'refused' in facts) return expect.unreachable()
  expect(facts.kind).toBe(kind)
  return store.openTable({ name, kind, columns: facts.columns })
}

const nameOf = ({ name }: Table) => `${KEYSPACE}.${name}`

async function put(table: StoreTable, { id, version, values: [note] }: Row, using = ''): Promise<void> {
  await execute(`INSERT INTO ${nameOf(table.table)} (id, tmstmp, note) VALUES (?, ?, ?) ${using}`, [
    ...[id, textOf(version), note],
  ])
}

async function notesOf(table: StoreTable, id: string): Promise<readonly (string | null)[]> {
  const { rows } = await execute(`SELECT note FROM ${nameOf(table.table)} WHERE id = ?`, [id])
  return rows.map((row) => row['note'])
}

beforeAll(async () => {
  server = await startCassandra()
  client = new Client({ contactPoints: [`${server.host}:${server.port}`], localDataCenter: server.dataCenter })
  await client.connect()
  await execute(`CREATE KEYSPACE ${KEYSPACE} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
  proxy = await CqlProxy.start(server.port, { decide: (request) => decide(request) })
  store = await open(proxy.port)
})
afterAll(async () => {
  await store?.[Symbol.asyncDispose]()
  await proxy?.[Symbol.asyncDispose]()
  await client?.shutdown()
  await server?.[Symbol.asyncDispose]()
})
afterEach(() => {
  decide = () => undefined
})

test('tokens are those of the server', async () => {
  const table = await makeTable('latest')
  const ids = range(300).map(newId)
  await writeAll(
    table,
    ids.map((id) => rowAt(id, versionAt(T0))),
  )
  const { rows } = await client.execute(`SELECT id, token(id) AS place FROM ${nameOf(table.table)}`)
  expect(rows).toHaveLength(300)
  for (const row of rows) expect(tokenOf(uuidBytes(`${row['id']}`))).toBe(BigInt(`${row['place']}`))
})

test('tables that cannot be synced are told, by name, with the others', async () => {
  await execute(`CREATE TABLE ${KEYSPACE}.counts (id uuid PRIMARY KEY, hits counter)`)
  await execute(`CREATE TABLE ${KEYSPACE}.plain (key text PRIMARY KEY)`)
  await execute(`CREATE TYPE ${KEYSPACE}.place (street text, "No" int)`)
  await execute(`CREATE TABLE ${KEYSPACE}."Mixed" (id uuid PRIMARY KEY, tmstmp timeuuid, "select" frozen<place>)`)
  const facts = await store.describeTables(['counts', 'plain', 'Mixed'], none)
  expect(facts.get('counts')).toMatchObject({ refused: { table: 'counts' } })
  expect(facts.get('plain')).toMatchObject({ refused: { message: expect.stringContaining('plain') } })
  const mixed = facts.get('Mixed')
  if (mixed === undefined || 'refused' in mixed) return expect.unreachable()
  const table = store.openTable(mixed)
  const row: Row = { id: newId(), version: versionAt(T0), values: [['Main', 7]] }
  expect(await outcomesOf(table, [row])).toEqual(['applied'])
  expect((await scanAll(table)).rows.get(row.id)).toEqual(row)
})

test('inside a collection the server makes an IPv4 address of one that is written as IPv6', async () => {
  const columns =
    'a inet, b list<inet>, c map<inet, inet>, d list<frozen<vector<inet, 1>>>, e vector<inet, 1>, f list<frozen<tuple<inet>>>'
  const table = await makeTable('latest', { columns })
  const mapped = '::ffff:1.2.3.4'
  const values = [mapped, [mapped, '::1'], [[mapped, mapped]], [[mapped]], [mapped], [[mapped]]]
  const row: Row = { id: newId(), version: versionAt(T0), values }
  expect(await outcomesOf(table, [row])).toEqual(['applied'])
  const plain = '1.2.3.4'
  const held = [mapped, [plain, '::1'], [[plain, plain]], [[plain]], [mapped], [[mapped]]]
  expect((await scanAll(table)).rows.get(row.id)?.values).toEqual(held)
  expect(table.table.columns.map(({ type }, at) => heldByCassandra(type, values[at] ?? ''))).toEqual(held)
})

describe.each(KINDS)('a table of the kind %s', (kind) => {
  test('with an index on tmstmp is asked for what is new alone, to the tick', async () => {
    const table = await makeTable(kind)
    await execute(`CREATE INDEX ON ${nameOf(table.table)} (tmstmp) USING 'sai'`)
    const edges = [T0 + 1_000, T0 + 1_100].flatMap((ms) =>
      [0, 9_999].flatMap((tick) =>
        [0x7f7f7f7f, 0x80808080 | 0, 0x80000000 | 0].map((tie) => rowAt(newId(), versionAt(ms, tick, tie, tie))),
      ),
    )
    // More than twice as many as are asked of the index without counting the table: how many there are is told by the first few.
    const rows = [...range(10_000).map((n) => rowAt(newId(), versionAt(T0 - n))), ...edges]
    await writeAll(table, rows)
    await using fresh = await open(proxy.port)
    const again = fresh.openTable(table.table)
    const window = { beginMs: T0 + 1_000, endMs: T0 + 1_100 }
    const splits = await again.plan(window, { signal: none })
    expect(splits).toEqual([expect.stringMatching(/^index /)])
    expect([...(await scanSplits(again, splits, window)).rows.keys()].sort()).toEqual(
      edges
        .slice(6)
        .map((row) => row.id)
        .sort(),
    )
    // All of it is read faster without the index.
    expect((await again.plan(ALL, { signal: none }))[0]).toMatch(/^all /)
    // Ten pages and more by the index: rows of one id are next to each other, those that come later too.
    const many = [`index ${-(2n ** 63n)} ${2n ** 63n - 1n}`]
    const scanned = await scanSplits(again, many, ALL)
    expect([...scanned.rows.keys()].sort()).toEqual(rows.map((row) => row.id).sort())
  })

  test('with an index costs at most five requests where nothing is new, with the connection and the schema', async () => {
    const table = await makeTable(kind)
    await execute(`CREATE INDEX ON ${nameOf(table.table)} (tmstmp) USING 'sai'`)
    await writeAll(
      table,
      range(100).map((n) => rowAt(newId(), versionAt(T0 + n))),
    )
    proxy.forget()
    await using fresh = await open(proxy.port)
    await fresh.describeTables([table.table.name], none)
    const again = fresh.openTable(table.table)
    expect(await again.plan({ beginMs: T0 + 1_000, endMs: T0 + 2_000 }, { signal: none })).toEqual([])
    expect(proxy.seen.length).toBeLessThanOrEqual(5)
  })

  test('is read to its end, whatever pages are empty', async () => {
    const table = await makeTable(kind)
    const rows = range(2_000).map((n) => rowAt(newId(), versionAt(T0 + n), `note ${n}`))
    await writeAll(table, rows)
    const before = proxy.emptyPages
    decide = ({ kind: what, statement }) =>
      (what === 'EXECUTE' || what === 'QUERY') && statement.includes(table.table.name)
        ? { kind: 'empty-page' }
        : undefined
    await using fresh = await open(proxy.port)
    const again = fresh.openTable(table.table)
    expect((await scanAll(again)).rows.size).toBe(2_000)
    expect(
      (
        await again.find(
          rows.map((row) => row.id),
          none,
        )
      ).size,
    ).toBe(2_000)
    expect(new Set(await outcomesOf(again, rows))).toEqual(new Set(['equal']))
    expect(proxy.emptyPages - before).toBeGreaterThan(20)
  })

  test('keeps what was deleted away from what is older than the delete', async () => {
    const table = await makeTable(kind)
    const row = rowAt(newId(), versionAt(T0))
    await writeAll(table, [row])
    await execute(`DELETE FROM ${nameOf(table.table)} WHERE id = ?`, [row.id])
    await writeAll(table, [row])
    expect(await notesOf(table, row.id)).toEqual([])
    const newer = rowAt(row.id, versionAt(Date.now() + 60_000), 'newer than the delete')
    expect(await outcomesOf(table, [newer])).toEqual(['applied'])
    expect(await notesOf(table, row.id)).toEqual(['newer than the delete'])
  })

  test('takes the other rows where one is more than the server takes', async () => {
    const table = await makeTable(kind)
    const rows = range(30).map((n) => rowAt(newId(), versionAt(T0 + n), n === 7 ? longText(9_000_000) : `note ${n}`))
    const longest = rowAt(newId(), versionAt(T0), longText(17_000_000))
    const written = await writeAll(table, [...rows, longest])
    for (const [n, row] of rows.entries()) expect(written.get(row.id)?.outcome).toBe(n === 7 ? 'failed' : 'applied')
    expect(written.get(rows[7]?.id ?? '')?.reason).toContain('the server says: ')
    expect(written.get(longest.id)).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('too big') })
    expect((await scanAll(table)).rows.size).toBe(29)
  })

  test('loses nothing when connections break and answers are lost', async () => {
    const table = await makeTable(kind)
    let asked = 0
    decide = ({ kind: what }) => {
      if (what !== 'BATCH' && what !== 'EXECUTE') return undefined
      const turn = ++asked % 13
      if (turn === 3) return { kind: 'lose-answer' }
      if (turn === 6) return { kind: 'reset' }
      if (turn === 9) return { kind: 'error', code: 0x1001 }
      return undefined
    }
    await using fresh = await open(proxy.port)
    const again = fresh.openTable(table.table)
    const rows = range(3_000).map((n) => rowAt(newId(), versionAt(T0 + n), longText(300)))
    expect(new Set(await outcomesOf(again, rows))).toEqual(new Set(['applied']))
    const { rows: scanned } = await scanAll(again)
    for (const row of rows) expect(scanned.get(row.id)).toEqual(row)
  })

  test('goes on when the node ends and comes back', async () => {
    const table = await makeTable(kind)
    await using fresh = await open(server.port)
    const again = fresh.openTable(table.table)
    const rows = range(20_000).map((n) => rowAt(newId(), versionAt(T0 + n), longText(300)))
    const outcomes = new Map<string, Outcome>()
    await using writer = again.openWriter({
      dryRun: false,
      signal: none,
      settle: (id, _, outcome) => outcomes.set(id, outcome),
    })
    const writing = (async () => {
      for (let at = 0; at < rows.length; at += 1_000) await writer.write(rows.slice(at, at + 1_000))
      await writer.finish()
    })()
    // An orderly stop: what was acknowledged is there.
    const [split = ''] = again.shard(ALL, 0, 1)
    while (outcomes.size < 2_000) await new Promise(setImmediate)
    await server.restart()
    await writing
    expect(outcomes.size).toBe(rows.length)
    expect(new Set(outcomes.values())).toEqual(new Set(['applied']))
    let read = 0
    let restarting: Promise<void> | undefined
    for await (const batch of again.scan(split, ALL, none)) {
      read += batch.rows.length
      if (read > 2_000) restarting ??= server.restart()
    }
    await restarting
    expect(read).toBe(rows.length)
    // The client of the test dials anew by itself.
    await expect.poll(() => notesOf(table, rows[0]?.id ?? ''), { timeout: 60_000 }).toHaveLength(1)
  }, 300_000)
})

describe('a table that lies from the newest version to the oldest', () => {
  test('is read, compared and looked up as any other', async () => {
    const table = await makeTable('versions', { more: 'WITH CLUSTERING ORDER BY (tmstmp DESC)' })
    const ids = range(300).map(newId)
    const versions = ids.flatMap((id, n) => range(1 + (n % 3)).map((m) => rowAt(id, versionAt(T0 + m), `${m}`)))
    for (const row of versions) await put(table, row)
    const scanned = await scanAll(table)
    expect([scanned.rows.size, scanned.history]).toEqual([300, versions.length - 300])
    const found = await table.find(ids, none)
    for (const [n, id] of ids.entries()) {
      expect(scanned.rows.get(id)?.values).toEqual([`${n % 3}`])
      expect(found.get(id)).toEqual(scanned.rows.get(id))
    }
    const outcomes = await outcomesOf(
      table,
      ids.map((id) => rowAt(id, versionAt(T0 + 1, 9_999), 'between')),
    )
    expect(outcomes).toEqual(ids.map((_, n) => (n % 3 === 2 ? 'older' : 'applied')))
  })
})

describe('a table of one row an id', () => {
  test('shows a newer version, though the older one was written later than both say', async () => {
    const table = await makeTable('latest')
    const rows = range(200).map((n) => rowAt(newId(), versionAt(T0 + n), 'user'))
    for (const row of rows) await put(table, row)
    const newer = rows.map((row) => rowAt(row.id, versionAt(T0 + 5_000), null))
    expect(new Set(await outcomesOf(table, newer))).toEqual(new Set(['applied']))
    for (const row of newer.slice(0, 20)) expect(await notesOf(table, row.id)).toEqual([null])
    expect(new Set(await outcomesOf(table, newer))).toEqual(new Set(['equal']))
  })

  test('does not mix two versions of ten ticks', async () => {
    const table = await makeTable('latest', { columns: 'note text, other text' })
    const id = newId()
    const first: Row = { id, version: versionAt(T0, 11, 0x80000000 | 0, 0), values: ['aaa', 'zzz'] }
    const second: Row = { id, version: versionAt(T0, 12, 0x80000000 | 0, 0), values: ['zzz', 'aaa'] }
    expect(microsOf(first.version)).toBe(microsOf(second.version))
    await writeAll(table, [first])
    await writeAll(table, [second])
    expect((await table.find([id], none)).get(id)).toEqual(second)
    expect(await outcomesOf(table, [first])).toEqual(['older'])
  })

  test('knows when single elements of collections and types were written last', async () => {
    await execute(`CREATE TYPE ${KEYSPACE}.pair (a int, b int)`)
    const table = await makeTable('latest', { columns: 'm map<text, int>, s set<int>, l list<int>, p pair' })
    const id = newId()
    const name = nameOf(table.table)
    const [old, newer] = [versionAt(T0), versionAt(T0 + 1)]
    const insert = `INSERT INTO ${name} (id, tmstmp, m, s, l, p) VALUES (${id}, ${textOf(old)}, {'a': 1}, {1}, [1], {a: 1, b: 1})`
    for (const change of [`m['b'] = 2`, 's = s + {2}', 'l = l + [2]', 'p.b = 2']) {
      await execute(insert)
      // Long after everything else.
      await execute(`UPDATE ${name} USING TIMESTAMP ${(Date.now() + 3_600_000) * 1_000} SET ${change} WHERE id = ${id}`)
      const row: Row = { id, version: newer, values: [[5], [['c', 5]], [5, 5], [5]] }
      expect(await outcomesOf(table, [row])).toEqual(['applied'])
      expect((await table.find([id], none)).get(id)).toMatchObject({ values: row.values })
      await execute(`TRUNCATE ${name}`)
    }
  })

  test('is written over where it has cells and no version', async () => {
    const table = await makeTable('latest')
    const id = newId()
    await execute(`UPDATE ${nameOf(table.table)} SET note = 'half' WHERE id = ${id}`)
    expect((await scanAll(table)).rows.size).toBe(0)
    const row = rowAt(id, versionAt(T0), 'whole')
    expect(await outcomesOf(table, [row])).toEqual(['applied'])
    expect((await table.find([id], none)).get(id)).toEqual(row)
  })

  test('keeps what is written after a removal began, and before it is carried out', async () => {
    const table = await makeTable('latest')
    const row = rowAt(newId(), versionAt(T0))
    await put(table, row)
    let written: Promise<void> | undefined
    const later = rowAt(row.id, versionAt(Date.now()), 'later')
    decide = ({ kind }) => {
      if (kind !== 'BATCH' || written !== undefined) return undefined
      written = put(table, later)
      return { kind: 'slow', ms: 200 }
    }
    const gone = await table.remove([row], none)
    await written
    expect(written).toBeDefined()
    expect(await notesOf(table, row.id)).toEqual(['later'])
    expect(gone.has(row.id)).toBe(false)
  })
})

test('a node that is frozen for a while is waited for', async () => {
  const table = await makeTable('latest')
  const rows = range(3_000).map((n) => rowAt(newId(), versionAt(T0 + n), longText(300)))
  await using hasty = await openCassandraStore({
    ...{ contactPoints: [`${server.host}:${server.port}`], keyspace: KEYSPACE, policy: POLICY, clock: systemClock },
    ...{ random: Math.random, requestTimeoutMs: 1_000, retryForMs: 120_000 },
  })
  const again = hasty.openTable(table.table)
  const writing = outcomesOf(again, rows)
  server.freeze()
  setTimeout(() => server.thaw(), 4_000)
  expect(new Set(await writing)).toEqual(new Set(['applied']))
  expect((await scanAll(again)).rows.size).toBe(3_000)
})

import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ERRORS } from '../../../src/db/cassandra/frames.ts'
import type { Row } from '../../../src/db/document.ts'
import { compareVersions } from '../../../src/db/timeuuid.ts'
import { formatUuid } from '../../../src/db/uuid-bytes.ts'
import { ALL, range, rowAt, scanAll, scanSplits, T0, versionAt } from '../../conformance/db-bench.ts'
import { eventually } from '../../lib/eventually.ts'
import { type FakeAnswer, type FakeHandler, int } from './fake-node.ts'
import { type FakeTable, TABLE } from './fake-table.ts'
import { bytesOf, fill, isData, KINDS, NOTE, newId, none, setUp, someRows } from './store-scene.ts'

describe('the schema', () => {
  test('is read in three requests, whatever the tables', async () => {
    const { store, node } = await setUp({ kind: 'versions' })
    const facts = await store.describeTables('all', none)
    expect(facts.get(TABLE)).toEqual({ name: TABLE, open: false, kind: 'versions', columns: [NOTE] })
    expect(node.requests.map(({ kind }) => kind)).toEqual(['STARTUP', 'QUERY', 'QUERY', 'QUERY'])
    expect(await store.describeTables(['nowhere'], none)).toEqual(new Map())
  })

  test('of a keyspace that there is not is a failure of the store', async () => {
    const { store } = await setUp({
      kind: 'latest',
      handle: ({ kind }) => (kind === 'QUERY' ? { rows: [], columns: 1 } : undefined),
    })
    await expect(store.describeTables('all', none)).rejects.toThrow(
      /^cassandra 127.0.0.1:\d+\/app: there is no keyspace/,
    )
  })

  test('takes no table, and says with which statement it is made', async () => {
    const { store } = await setUp({ kind: 'latest' })
    const columns = [
      { name: 'select', type: { kind: 'map', frozen: false, key: { kind: 'text' }, value: { kind: 'int' } } },
      { name: 'Two "words"', type: { kind: 'json' } },
    ] as const
    await expect(store.createTable({ name: 'Other', kind: 'versions', columns }, none)).rejects.toThrow(
      'CREATE TABLE "app"."Other" (id uuid, tmstmp timeuuid, "select" map<text, int>, "Two ""words""" text, PRIMARY KEY (id, tmstmp))',
    )
  })
})

describe('a window with nothing new', () => {
  test('costs one request where an index tells', async () => {
    const { store, node, table, fake } = await setUp({ kind: 'latest', hasTimeIndex: true })
    fill(fake, someRows(500))
    await store.describeTables([TABLE], none)
    expect(await table.plan({ beginMs: T0 + 1_000, endMs: T0 + 2_000 }, { signal: none })).toEqual([])
    // With the schema and the connection.
    expect(node.requests).toHaveLength(5)
  })

  test('costs nothing at all when it is empty', async () => {
    const { node, table } = await setUp({ kind: 'latest' })
    expect(await table.plan({ beginMs: 5, endMs: 5 }, { signal: none })).toEqual([])
    expect(node.requests).toHaveLength(1)
  })
})

describe('a plan', () => {
  test('asks the index where little has changed, and reads everything where much has', async () => {
    const { table, fake, node } = await setUp({ kind: 'latest', hasTimeIndex: true })
    const rows = someRows(6_000)
    fill(fake, rows)
    const few = { beginMs: T0 + 5_989, endMs: T0 + 10_000 }
    const splits = await table.plan(few, { signal: none })
    expect(splits).toHaveLength(1)
    node.requests.length = 0
    expect((await scanSplits(table, splits, few)).rows.size).toBe(10)
    expect(node.statementsOf('EXECUTE')).toEqual([expect.not.stringContaining('ALLOW FILTERING')])
    const most = await table.plan({ beginMs: T0 + 100, endMs: T0 + 10_000 }, { signal: none })
    expect(most.length).toBeGreaterThan(1)
    expect(most.every((split) => split.startsWith('all '))).toBe(true)
  })

  test('does not ask how many rows there are where the index has few to give', async () => {
    const { table, fake, node } = await setUp({ kind: 'latest', hasTimeIndex: true })
    fill(fake, someRows(1_000))
    const window = { beginMs: T0 + 199, endMs: T0 + 10_000 }
    const splits = await table.plan(window, { signal: none })
    expect(splits.map((split) => split.split(' ')[0])).toEqual(['index', 'index'])
    const probes = node.statementsOf('QUERY').filter((cql) => cql.includes('LIMIT'))
    expect(probes.length).toBeGreaterThan(1)
    expect(probes.every((cql) => cql.includes('tmstmp > ?'))).toBe(true)
    expect((await scanSplits(table, splits, window)).rows.size).toBe(800)
  })

  test('does without an index that cannot be asked', async () => {
    for (const error of [ERRORS.readFailure, ERRORS.invalid]) {
      const handle: FakeHandler = ({ statements: [statement], kind }) =>
        kind !== 'PREPARE' && /tmstmp > \?(?!.*FILTERING)/.test(statement?.cql ?? '') ? { error } : undefined
      const { table, fake } = await setUp({ kind: 'latest', hasTimeIndex: true, handle })
      const rows = someRows(50)
      fill(fake, rows)
      const window = { beginMs: T0 + 9, endMs: T0 + 100 }
      expect((await scanAll(table, window)).rows.size).toBe(40)
    }
  })

  test('reads everything by a split of an index that is gone', async () => {
    const handle: FakeHandler = ({ kind, statements: [statement] }) =>
      kind === 'PREPARE' && /tmstmp > \?(?!.*FILTERING)/.test(statement?.cql ?? '')
        ? { error: ERRORS.invalid, message: 'use ALLOW FILTERING' }
        : undefined
    const { table, fake } = await setUp({ kind: 'latest', handle })
    fill(fake, someRows(50))
    const window = { beginMs: T0 + 9, endMs: T0 + 100 }
    const splits = [`index ${-(2n ** 63n)} ${2n ** 63n - 1n}`]
    expect((await scanSplits(table, splits, window)).rows.size).toBe(40)
  })
})

describe.each(KINDS)('a scan of a table of the kind %s', (kind) => {
  /** Ids with some versions each where the table keeps them. */
  function fillSome(fake: FakeTable, ids: number): readonly Row[] {
    const rows = range(ids).flatMap((n) => {
      const id = formatUuid(newId())
      return range(kind === 'latest' ? 1 : 1 + (n % 3)).map((m) =>
        rowAt(id, versionAt(T0 + n + m * 1_000), `${n} ${m}`),
      )
    })
    fill(fake, rows)
    return rows
  }

  function newestOf(rows: readonly Row[]): Map<string, Row> {
    const newest = new Map<string, Row>()
    for (const row of rows) {
      const known = newest.get(row.id)
      if (known === undefined || compareVersions(row.version, known.version) > 0) newest.set(row.id, row)
    }
    return newest
  }

  const sorted = (rows: ReadonlyMap<string, Row>) => [...rows].sort(([a], [b]) => (a < b ? -1 : 1))

  test.each([1, 3])('goes on after %i empty pages in the middle, wherever they are', async (emptyPages) => {
    const { table, fake } = await setUp({ kind })
    const rows = fillSome(fake, 300)
    fake.emptyPages = emptyPages
    const scanned = await scanAll(table)
    expect(sorted(scanned.rows)).toEqual(sorted(newestOf(rows)))
    expect(scanned.history).toBe(rows.length - newestOf(rows).size)
    expect((await table.find([...scanned.rows.keys()], none)).size).toBe(300)
  })

  test.each([false, true])(
    'counts versions the same in whatever order they lie (newest first: %s)',
    async (newestFirst) => {
      const { table, fake } = await setUp({ kind, newestFirst })
      const rows = fillSome(fake, 100)
      const scanned = await scanAll(table)
      expect(sorted(scanned.rows)).toEqual(sorted(newestOf(rows)))
      expect(scanned.history).toBe(rows.length - newestOf(rows).size)
      const found = await table.find([...scanned.rows.keys()], none)
      expect(sorted(found as Map<string, Row>)).toEqual(sorted(newestOf(rows)))
    },
  )

  test('reads shorter pages, then halves of a range that the node does not manage, each row once', async () => {
    const timed: number[] = []
    const handle: FakeHandler = (request) => {
      if (request.kind !== 'EXECUTE') return undefined
      const [from = 0n, to = 0n] = request.statements[0]?.values.map((value) => value?.readBigInt64BE() ?? 0n) ?? []
      timed.push(request.pageSize ?? 0)
      // Nothing longer than a thirtieth of the ring, and once in a while in the middle of one.
      if (to - from > 2n ** 64n / 30n || timed.length % 11 === 0) return { error: ERRORS.readTimeout }
      return undefined
    }
    const { table, fake } = await setUp({ kind, handle })
    const rows = fillSome(fake, 300)
    const scanned = await scanSplits(table, table.shard(ALL, 0, 1), ALL)
    expect(sorted(scanned.rows)).toEqual(sorted(newestOf(rows)))
    expect(scanned.history).toBe(rows.length - newestOf(rows).size)
    expect(timed.slice(0, 3)).toEqual([10, 5, 2])
  })

  test('goes on behind the last id that was complete, where only the middle of a range is too much', async () => {
    const handle: FakeHandler = ({ kind: what, pagingState, statements: [statement] }) => {
      if (what !== 'EXECUTE' || pagingState === undefined) return undefined
      const [from = 0n, to = 0n] = statement?.values.map((value) => value?.readBigInt64BE() ?? 0n) ?? []
      return to - from > 2n ** 64n / 20n ? { error: ERRORS.readFailure } : undefined
    }
    const { table, fake } = await setUp({ kind, handle })
    const rows = fillSome(fake, 300)
    const scanned = await scanSplits(table, table.shard(ALL, 0, 1), ALL)
    expect(sorted(scanned.rows)).toEqual(sorted(newestOf(rows)))
    expect(scanned.history).toBe(rows.length - newestOf(rows).size)
  })

  test('survives what may happen on the way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(9)), async (chances) => {
        const handle: FakeHandler = (request): FakeAnswer | undefined => {
          if (!isData(request)) return undefined
          const chance = chances.next().value
          if (chance === 0) return 'break'
          if (chance === 1) return { error: ERRORS.overloaded }
          if (chance === 2) node.forgetStatements()
          return undefined
        }
        const { table, fake, node } = await setUp({ kind, handle })
        const rows = fillSome(fake, 200)
        const scanned = await scanAll(table)
        expect(sorted(scanned.rows)).toEqual(sorted(newestOf(rows)))
        expect(scanned.history).toBe(rows.length - newestOf(rows).size)
      }),
      { numRuns: 10 },
    )
  })
})

describe('a scan', () => {
  test('makes a misfit of a row with a cell that cannot be read, and of no other', async () => {
    const bad = newId()
    const handle: FakeHandler = (request) =>
      isData(request) && request.statements[0]?.cql.startsWith('SELECT id, tmstmp, "n"') === true
        ? {
            rows: [
              [newId(), bytesOf(versionAt(T0)), int(1)],
              [bad, bytesOf(versionAt(T0)), Buffer.from([1, 2])],
              [newId(), bytesOf(versionAt(T0)), null],
              // Without a time it is in no window.
              [newId(), null, int(1)],
            ],
          }
        : undefined
    const { store } = await setUp({ kind: 'latest', handle })
    const table = store.openTable({ name: TABLE, kind: 'latest', columns: [{ name: 'n', type: { kind: 'int' } }] })
    const scanned = await scanSplits(table, table.shard(ALL, 0, 1), ALL)
    expect([...scanned.rows.values()].map((row) => row.values)).toEqual([[1], [null]])
    expect(scanned.misfits).toEqual([
      { id: formatUuid(bad), reason: 'table t, column n: 2 bytes where 4 are expected' },
    ])
  })

  test('asks for the next page before this one is wanted, and for no more', async () => {
    const { table, fake, node } = await setUp({ kind: 'latest' })
    fill(fake, someRows(3_000))
    const [split = ''] = table.shard(ALL, 0, 1)
    const scan = table.scan(split, ALL, none)[Symbol.asyncIterator]()
    await scan.next()
    await eventually(() => node.statementsOf('EXECUTE').length === 2)
    for (const _ of range(50)) await turn()
    expect(node.statementsOf('EXECUTE')).toHaveLength(2)
    await scan.return?.()
  })
})

import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ERRORS } from '../../../src/db/cassandra/frames.ts'
import type { Row } from '../../../src/db/document.ts'
import { StoreFailed } from '../../../src/db/store.ts'
import type { TableKind } from '../../../src/db/table.ts'
import { compareVersions, microsOf, readTimeuuid } from '../../../src/db/timeuuid.ts'
import { formatUuid } from '../../../src/db/uuid-bytes.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { range, rowAt, T0, versionAt, writeAll } from '../../conformance/db-bench.ts'
import type { FakeAnswer, FakeHandler } from './fake-node.ts'
import { bytesOf, fill, isData, KINDS, newId, none, outcomes, setUp, someRows } from './store-scene.ts'

describe.each(KINDS)('a writer to a table of the kind %s', (kind) => {
  test('writes many rows in batches, and reads before it by ranges', async () => {
    const { table, fake, node } = await setUp({ kind })
    const rows = someRows(2_000)
    expect(new Set(await outcomes(table, rows))).toEqual(new Set(['applied']))
    expect(fake.rows).toHaveLength(2_000)
    const batches = node.requests.filter((request) => request.kind === 'BATCH')
    expect(batches.length).toBeLessThan(60)
    expect(node.statementsOf('EXECUTE').length).toBeLessThan(10)
    expect(new Set(await outcomes(table, rows))).toEqual(new Set(['equal']))
  })

  test('looks up few rows by their ids, and stops reading a range that has far more than it needs', async () => {
    const { table, fake, node } = await setUp({ kind })
    const rows = someRows(1_000)
    fill(fake, rows)
    await outcomes(table, rows.slice(0, 20))
    expect(node.statementsOf('EXECUTE')).toEqual([expect.stringContaining('id IN ?')])
    node.requests.length = 0
    const some = rows.slice(0, 200)
    expect(new Set(await outcomes(table, some))).toEqual(new Set(['equal']))
    const read = node.statementsOf('EXECUTE').filter((cql) => cql.includes('token(id)'))
    expect(read).toHaveLength(1)
    // By now it knows how dense the table is.
    node.requests.length = 0
    await outcomes(table, some)
    expect(node.statementsOf('EXECUTE').filter((cql) => cql.includes('token(id)'))).toEqual([])
  })

  test('reads no range of which the first rows of the table say that it has far more', async () => {
    const { table, fake, node } = await setUp({ kind })
    const rows = someRows(6_000)
    fill(fake, rows)
    node.requests.length = 0
    expect(new Set(await outcomes(table, rows.slice(0, 200)))).toEqual(new Set(['equal']))
    expect(node.statementsOf('QUERY').filter((cql) => cql.includes('LIMIT'))).toHaveLength(1)
    expect(node.statementsOf('EXECUTE').filter((cql) => cql.includes('token(id)'))).toEqual([])
  })

  test('does not go by what a writer wanted to know that was given up meanwhile', async () => {
    const controller = new AbortController()
    const handle: FakeHandler = ({ kind: what, statements: [statement] }) => {
      if (what === 'QUERY' && statement?.cql.includes('LIMIT')) controller.abort(new Error('enough'))
      return undefined
    }
    const { table, fake } = await setUp({ kind, handle })
    const rows = someRows(200)
    await expect(writeAll(table, rows, { signal: controller.signal })).rejects.toThrow('enough')
    expect(new Set(await outcomes(table, rows))).toEqual(new Set(['applied']))
    expect(fake.rows).toHaveLength(200)
  })

  test('a row that the servers refuse fails by itself, with what they say', async () => {
    const refused = 'note 17'
    const handle: FakeHandler = ({ kind: what, statements }) =>
      what === 'BATCH' && statements.some(({ values }) => values[2]?.toString() === refused)
        ? { error: ERRORS.invalid, message: 'not this one' }
        : undefined
    const { table, fake } = await setUp({ kind, handle })
    const rows = someRows(100)
    const written = await writeAll(table, rows)
    for (const row of rows)
      expect(written.get(row.id)).toEqual(
        row.values[0] === refused
          ? { outcome: 'failed', reason: 'table t: the server says: not this one' }
          : { outcome: 'applied', reason: undefined },
      )
    expect(fake.rows).toHaveLength(99)
  })

  test('learns how large a batch may be', async () => {
    const sizes: number[] = []
    const handle: FakeHandler = ({ kind: what, statements }) => {
      if (what !== 'BATCH') return undefined
      const bytes = statements.reduce((sum, { values }) => sum + (values[2]?.length ?? 0), 0)
      if (statements.length > 1 && bytes > 5_000) return { error: ERRORS.invalid, message: 'Batch too large' }
      sizes.push(bytes)
      return undefined
    }
    const { table, fake, node } = await setUp({ kind, handle })
    const rows = range(300).map((n) =>
      rowAt(formatUuid(newId()), versionAt(T0 + n), 'x'.repeat(n === 5 ? 40_000 : 500)),
    )
    expect(new Set(await outcomes(table, rows))).toEqual(new Set(['applied']))
    expect(fake.rows).toHaveLength(300)
    expect(Math.max(...sizes)).toBeGreaterThan(39_000)
    // A few were too large, and then no more.
    expect(node.requests.filter((request) => request.kind === 'BATCH').length - sizes.length).toBeLessThan(40)
  })

  test('ends with a failure of the store when the table goes away', async () => {
    const handle: FakeHandler = ({ kind: what }) =>
      what === 'BATCH' ? { error: ERRORS.invalid, message: 'unconfigured table t' } : undefined
    const { table } = await setUp({ kind, handle })
    const writing = writeAll(table, someRows(10))
    await expect(writing).rejects.toBeInstanceOf(StoreFailed)
    await expect(writing).rejects.toThrow('could not write to table t: the server says: unconfigured table t')
  })

  test('loses nothing and tells each outcome once, whatever happens on the way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(11)), fc.nat(3), async (chances, held) => {
        const handle: FakeHandler = async (request): Promise<FakeAnswer | undefined> => {
          if (!isData(request) && request.kind !== 'BATCH') return undefined
          const chance = chances.next().value
          if (chance === 0) return 'break'
          if (chance === 1) return { error: ERRORS.overloaded }
          if (chance === 2) return { error: ERRORS.writeTimeout }
          if (chance === 3) node.forgetStatements()
          // Carried out, and nobody hears of it.
          if (chance === 4 && request.kind === 'BATCH') {
            fake.handleQuietly(request)
            return 'break'
          }
          return undefined
        }
        const { table, fake, node } = await setUp({ kind, handle })
        const rows = someRows(400)
        fill(fake, held === 0 ? [] : rows.slice(0, held * 50).map((row) => ({ ...row, version: versionAt(T0 - 5) })))
        const written = await writeAll(table, rows)
        expect(new Set([...written.values()].map(({ outcome }) => outcome))).toEqual(new Set(['applied']))
        const newest = new Map<string, string>()
        for (const [id, tmstmp] of fake.rows) {
          const known = newest.get(id)
          const isNewer =
            known === undefined ||
            compareVersions(readTimeuuid(Buffer.from(tmstmp, 'hex')), readTimeuuid(Buffer.from(known, 'hex'))) > 0
          if (isNewer) newest.set(id, tmstmp)
        }
        expect(newest.size).toBe(400)
        for (const { id, version } of rows)
          expect(newest.get(id.replaceAll('-', ''))).toBe(bytesOf(version).toString('hex'))
      }),
      { numRuns: 10 },
    )
  })
})

describe('a writer to a table that keeps every version', () => {
  test('knows the newest one where it stops in the middle of an id', async () => {
    const { table, fake, node } = await setUp({ kind: 'versions' })
    // Always the same ids: how dense the table seems to be depends on the tokens of the first ones.
    const ids = range(100).map((n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`)
    fill(
      fake,
      ids.flatMap((id) => range(8).map((n) => rowAt(id, versionAt(T0 + n), `${n}`))),
    )
    const written = await writeAll(
      table,
      ids.map((id) => rowAt(id, versionAt(T0 + 6, 9_999, 0x7f7f7f7f, 0x7f7f7f7f), 'between')),
    )
    expect(new Set([...written.values()].map(({ outcome }) => outcome))).toEqual(new Set(['older']))
    expect(node.statementsOf('EXECUTE').some((cql) => cql.includes('token(id)'))).toBe(true)
    expect(node.statementsOf('EXECUTE').some((cql) => cql.includes('id IN ?'))).toBe(true)
  })
})

describe('a writer to a table of one row an id', () => {
  test('writes later than what it replaces was written, whenever that says it was', async () => {
    const { table, fake } = await setUp({ kind: 'latest' })
    const id = newId()
    const old = rowAt(formatUuid(id), versionAt(T0), 'user')
    // A user's write is later than its tmstmp.
    const writetime = microsOf(old.version) + 3_600_000_000n
    fill(fake, [old], writetime)
    const newer = rowAt(old.id, versionAt(T0 + 1), null)
    expect((await writeAll(table, [newer])).get(old.id)?.outcome).toBe('applied')
    expect(fake.rows).toEqual([[id.toString('hex'), bytesOf(newer.version).toString('hex'), null]])
    expect(fake.writetimeOf(id)).toBe(writetime + 1n)
  })

  test('does not mix two versions of the same microsecond', async () => {
    const { table, fake } = await setUp({ kind: 'latest' })
    const id = newId()
    const first = rowAt(formatUuid(id), versionAt(T0, 10, 0x80000000 | 0, 0), 'zzz')
    const second = rowAt(first.id, versionAt(T0, 11, 0x80000000 | 0, 0), 'aaa')
    expect(microsOf(first.version)).toBe(microsOf(second.version))
    await writeAll(table, [first])
    expect((await writeAll(table, [second])).get(first.id)?.outcome).toBe('applied')
    expect(fake.rows).toEqual([[id.toString('hex'), bytesOf(second.version).toString('hex'), 'aaa']])
  })

  test('writes over cells without a version, later than they were written', async () => {
    const { table, fake } = await setUp({ kind: 'latest' })
    const id = newId()
    fake.put(id, bytesOf(versionAt(T0)), 'half', 99_000_000_000_000_000n)
    fake.hideVersionOf(id)
    const row = rowAt(formatUuid(id), versionAt(T0 + 1), 'whole')
    expect((await writeAll(table, [row])).get(row.id)?.outcome).toBe('applied')
    expect(fake.rows).toEqual([[id.toString('hex'), bytesOf(row.version).toString('hex'), 'whole']])
  })

  test('fails a row that nothing can be written over', async () => {
    const { table, fake } = await setUp({ kind: 'latest' })
    const row = rowAt(formatUuid(newId()), versionAt(T0), 'x')
    fill(fake, [row], 2n ** 63n - 1n)
    const newer = rowAt(row.id, versionAt(T0 + 1), 'y')
    expect((await writeAll(table, [newer])).get(row.id)).toEqual({
      outcome: 'failed',
      reason: expect.stringContaining('greatest write timestamp'),
    })
  })
})

describe('a writer to a table that keeps versions and was empty', () => {
  const isRead = (cql: string) => cql.startsWith('SELECT id, tmstmp FROM')

  test('reads nothing of it for half a minute, but the ids that come again', async () => {
    let later = 0
    const clock = { ...systemClock, now: () => systemClock.now() + later }
    const { table, fake, node } = await setUp({ kind: 'versions' }, clock)
    const rows = someRows(3_000)
    const reads = () => node.statementsOf('EXECUTE').filter(isRead)
    expect(new Set(await outcomes(table, rows))).toEqual(new Set(['applied']))
    expect(reads()).toEqual([])
    const [again, ...others] = someRows(300).map((row, at) => (at === 0 ? { ...row, id: rows[0]?.id ?? '' } : row))
    if (again === undefined) return expect.unreachable()
    expect(new Set(await outcomes(table, others))).toEqual(new Set(['applied']))
    expect(await outcomes(table, [{ ...again, version: versionAt(T0 - 1) }])).toEqual(['older'])
    expect(reads()).toEqual([expect.stringContaining('id IN ?')])
    // What a user writes meanwhile is known from then on.
    const known = someRows(1)
    fill(fake, known)
    later = 30_000
    expect(await outcomes(table, [{ ...known[0], version: versionAt(T0 - 1) } as Row])).toEqual(['older'])
  })

  test.each([
    ['has one row an id', { kind: 'latest' }],
    ['has a row', { kind: 'versions', rows: 1 }],
    ['does not say whether it has one', { kind: 'versions', error: ERRORS.readFailure }],
  ] as const)('reads it first where it %s', async (_, { kind, ...given }) => {
    const handle: FakeHandler = ({ kind: what, statements: [statement] }) =>
      'error' in given && what === 'QUERY' && statement?.cql.includes('token(id) FROM') === true
        ? { error: given.error }
        : undefined
    const { table, fake, node } = await setUp({ kind, handle })
    fill(fake, someRows('rows' in given ? given.rows : 0))
    expect(new Set(await outcomes(table, someRows(200)))).toEqual(new Set(['applied']))
    expect(node.statementsOf('EXECUTE')).toEqual([expect.stringContaining('token(id) > ?')])
  })
})

describe('writers of one table', () => {
  test.each(KINDS)('read, compare and write one after the other where they meet (%s)', async (kind: TableKind) => {
    let writing = 0
    let most = 0
    const handle: FakeHandler = async ({ kind: what }) => {
      if (what !== 'BATCH') return undefined
      most = Math.max(most, ++writing)
      for (const _ of range(20)) await turn()
      writing--
      return undefined
    }
    const { table, fake } = await setUp({ kind, handle })
    const id = formatUuid(newId())
    const rows = range(6).map((n) => rowAt(id, versionAt(T0 + n), `${n}`))
    const written = await Promise.all(rows.toReversed().map((row) => writeAll(table, [row])))
    expect(written.map((one) => one.get(id)?.outcome)).toEqual(['applied', ...range(5).map(() => 'older')])
    expect(most).toBe(1)
    expect(fake.rows.map(([, , note]) => note)).toEqual(['5'])
  })
})

describe.each(KINDS)('removing from a table of the kind %s', (kind) => {
  test('leaves what has become newer, also what is on its way', async () => {
    const { table, fake } = await setUp({ kind })
    const [old, newer] = [
      rowAt(formatUuid(newId()), versionAt(T0), 'a'),
      rowAt(formatUuid(newId()), versionAt(T0 + 5), 'b'),
    ]
    fill(fake, [old, newer], microsOf(versionAt(T0 + 1_000)))
    const gone = await table.remove(
      [
        { id: old.id, version: versionAt(T0 + 1) },
        { id: newer.id, version: versionAt(T0 + 1) },
        { id: formatUuid(newId()), version: versionAt(T0) },
        { id: 'no uuid', version: versionAt(T0) },
      ],
      none,
    )
    expect(gone.has(old.id)).toBe(true)
    expect([gone.size, gone.has(newer.id), gone.has('no uuid')]).toEqual([2, false, false])
    expect(fake.rows.map(([, , note]) => note)).toEqual(['b'])
  })
})

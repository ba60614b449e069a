import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DbVerifyProgress, DbVerifyRequest, DbVerifySurroundings, Pair, Verdict } from '../../src/db/contract.ts'
import type { Row } from '../../src/db/document.ts'
import type { Store } from '../../src/db/store.ts'
import type { Column, TableKind } from '../../src/db/table.ts'
import { compareVersions, deriveTimeuuid, msOf, type Version } from '../../src/db/timeuuid.ts'
import { verifyPair } from '../../src/db/verify.ts'
import { verifyTable } from '../../src/db/verify-table.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { FakeClock } from '../lib/fake-clock.ts'
import { createMemory, idOf, MemoryDatabase, type MemoryTable, openMemoryStore } from './memory-store.ts'

/** The end of the window of the properties, which begins at 1000. */
const END = 2_000
const COLUMNS: readonly Column[] = [
  { name: 'deleted', type: { kind: 'boolean' } },
  { name: 'text', type: { kind: 'text' } },
]
const NO_COUNTS = { equal: 0, leftNewer: 0, rightNewer: 0, onlyLeft: 0, onlyRight: 0, differs: 0 }

const versionAt = (ms: number, tie = 0): Version => deriveTimeuuid(ms, Buffer.alloc(12, tie))
const rowOf = (number: number, ms: number, text = 'a', deleted: boolean | null = null): Row => ({
  ...{ id: idOf(number), version: versionAt(ms), values: [deleted, text] },
})

/** One of the two stores. */
interface Side {
  readonly database: MemoryDatabase
  /** Its table t. */
  readonly table: MemoryTable
  /** What it was asked for, in order: describe, plan, scan, find, write, remove. */
  readonly calls: string[]
  /** Called before every answer. */
  onCall: (call: string) => void
}

interface Scene {
  readonly left: Side
  readonly right: Side
  readonly pair: Pair
  readonly clock: FakeClock
  readonly values: Map<string, string>
  readonly items: string[]
  readonly around: DbVerifySurroundings
  verify(
    request?: Partial<DbVerifyRequest>,
    surroundings?: Partial<DbVerifySurroundings>,
  ): ReturnType<typeof verifyPair>
}

function openScene(leftKind: TableKind = 'latest', names: readonly string[] = ['t']): Scene {
  const [left, right] = [openSide('left', leftKind, names), openSide('right', 'latest', names)]
  const pair: Pair = {
    ...{ key: 'p', left: storeOf(left), right: storeOf(right), tables: 'all', deletedField: 'deleted' },
    ...{ lagMs: 0, overlapMs: 0, policy: { versionField: 'tmstmp_uuid', onUnknownField: 'fail' } },
  }
  const clock = new FakeClock(10_000)
  const values = new Map<string, string>()
  const items: string[] = []
  const around: DbVerifySurroundings = {
    ...{ memory: createMemory(values), clock, signal: new AbortController().signal, resume: false },
    onProgress: () => {},
    onItem: async ({ table }) => {
      items.push(table)
    },
  }
  const verify: Scene['verify'] = (request, surroundings) =>
    verifyPair(pair, { maxDifferences: 100, ...request }, { ...around, ...surroundings })
  return { left, right, pair, clock, values, items, around, verify }
}

function openSide(name: string, kind: TableKind, names: readonly string[]): Side {
  const database = new MemoryDatabase(name, name === 'left' ? 'cassandra' : 'elasticsearch')
  const [table] = names.map((one) => database.addTable(one, kind, COLUMNS))
  if (table === undefined) throw new Error('a scene has a table')
  return { database, table, calls: [], onCall: () => {} }
}

/** No row can be made of what it has of the id. */
function spoil({ table }: Side, id: string): void {
  table.putRow({ id, version: versionAt(1_500), values: [null, ''] })
  table.misfits.set(id, 'of no matter')
}

function storeOf(side: Side): Store {
  const step = (what: string) => {
    const [, call = ''] = what.split(' ')
    side.calls.push(call)
    side.onCall(call)
  }
  return openMemoryStore(side.database, { name: side.database.address, step, pageRows: 1, splitRows: 1_000 })
}

/** Both sides have 1 and 2; 3 is newer on the left, 4 on the right; 5 and 6 are on one side; 7 says two things. */
function fill({ left, right }: Scene): void {
  for (const number of [1, 2]) for (const side of [left, right]) side.table.putRow(rowOf(number, 1_500))
  for (const [number, leftMs, rightMs] of [
    [3, 1_600, 1_500],
    [4, 1_500, 1_600],
  ] as const) {
    left.table.putRow(rowOf(number, leftMs))
    right.table.putRow(rowOf(number, rightMs))
  }
  left.table.putRow(rowOf(5, 1_500))
  right.table.putRow(rowOf(6, 1_500))
  left.table.putRow(rowOf(7, 1_500, 'one'))
  right.table.putRow(rowOf(7, 1_500, 'other'))
}

describe('a verify', () => {
  test('counts every id once and tells the differences', async () => {
    const scene = openScene()
    fill(scene)
    const summary = await scene.verify()
    const counts = { equal: 2, leftNewer: 1, rightNewer: 1, onlyLeft: 1, onlyRight: 1, differs: 1 }
    expect(summary).toEqual({
      ...{ window: { beginMs: 0, endMs: 10_000 }, items: [{ table: 't', counts, ms: 0 }], counts, repaired: 0 },
      differences: [
        { table: 't', id: idOf(3), kind: 'leftNewer' },
        { table: 't', id: idOf(4), kind: 'rightNewer' },
        { table: 't', id: idOf(5), kind: 'onlyLeft' },
        { table: 't', id: idOf(6), kind: 'onlyRight' },
        { table: 't', id: idOf(7), kind: 'differs' },
      ],
    })
  })

  test('of sides in step has no differences, looks nothing up and leaves nothing behind', async () => {
    const scene = openScene('versions')
    for (const number of [1, 2, 3])
      for (const side of [scene.left, scene.right]) side.table.putRow(rowOf(number, 1_500))
    // History of one side alone.
    scene.left.table.putRow(rowOf(1, 1_400))
    const summary = await scene.verify()
    expect(summary.counts).toEqual({ ...NO_COUNTS, equal: 3 })
    expect([...scene.left.calls, ...scene.right.calls]).not.toContain('find')
    expect(scene.values.size).toBe(0)
  })

  test('tells the first differences by table and id, and counts them all', async () => {
    const scene = openScene('latest', ['a', 'b'])
    for (let number = 400; number > 0; number--) scene.left.database.tables.get('b')?.putRow(rowOf(number, 1_500))
    for (const number of [9, 3]) scene.right.database.tables.get('a')?.putRow(rowOf(number, 1_500))
    const { counts, differences, items } = await scene.verify({ maxDifferences: 4 })
    expect(counts).toEqual({ ...NO_COUNTS, onlyLeft: 400, onlyRight: 2 })
    expect(items.map(({ table }) => table)).toEqual(['a', 'b'])
    expect(differences.map(({ table, id }) => [table, id])).toEqual([
      ['a', idOf(3)],
      ['a', idOf(9)],
      ['b', idOf(1)],
      ['b', idOf(2)],
    ])
    expect((await scene.verify({ maxDifferences: 0 })).differences).toEqual([])
  })

  test('covers (begin, end]', async () => {
    const scene = openScene()
    for (const [number, ms] of [1_000, 1_001, 2_000, 2_001].entries()) scene.left.table.putRow(rowOf(number, ms))
    const { differences, window } = await scene.verify({ begin: '0000000001000', end: '1970-01-01T00:00:02Z' })
    expect(window).toEqual({ beginMs: 1_000, endMs: 2_000 })
    expect(differences.map(({ id }) => id)).toEqual([idOf(1), idOf(2)])
    expect((await scene.verify({ end: '1970-01-01T00:00:01Z' })).differences.map(({ id }) => id)).toEqual([idOf(0)])
  })

  test.each([
    ['begin', { begin: 'tomorrow' }],
    ['end', { end: '12' }],
    ['begin', { begin: '0000000002000', end: '0000000001000' }],
  ])('refuses a wrong %s', async (field, request) => {
    await expect(openScene().verify(request)).rejects.toMatchObject({ name: 'InvalidDbRequest', field })
  })

  test('takes the tables that it is asked for, of the pair alone', async () => {
    const scene = openScene('latest', ['a', 'b', 'c'])
    expect((await scene.verify({ tables: ['b'] })).items.map(({ table }) => table)).toEqual(['b'])
    await expect(scene.verify({ tables: ['x'] })).rejects.toThrow('table x cannot be synced')
    const pair = { ...scene.pair, tables: ['a', 'b'] }
    await expect(verifyPair(pair, { maxDifferences: 1, tables: ['c'] }, scene.around)).rejects.toMatchObject({
      field: 'tables',
    })
    expect((await verifyPair(pair, { maxDifferences: 1 }, scene.around)).items.map(({ table }) => table)).toEqual([
      'a',
      'b',
    ])
  })

  test('takes a table that one side lacks for an empty one, and does not make it', async () => {
    const scene = openScene()
    scene.left.table.putRow(rowOf(1, 1_500))
    scene.right.database.tables.clear()
    expect((await scene.verify()).counts).toEqual({ ...NO_COUNTS, onlyLeft: 1 })
    expect(scene.right.database.tables.size).toBe(0)
  })

  test('counts what no row can be made of as a difference', async () => {
    const scene = openScene()
    const { left, right } = scene
    left.table.putRow(rowOf(1, 1_500))
    for (const id of [idOf(1), idOf(2), 'x', '']) spoil(right, id)
    const { counts, differences } = await scene.verify()
    expect(counts).toEqual({ ...NO_COUNTS, differs: 1, onlyRight: 3 })
    expect(differences).toEqual([
      { table: 't', id: '', kind: 'onlyRight' },
      { table: 't', id: idOf(1), kind: 'differs' },
      { table: 't', id: idOf(2), kind: 'onlyRight' },
      { table: 't', id: 'x', kind: 'onlyRight' },
    ])
  })

  test('takes what no row can be made of for the same thing on both sides where it has the same name there', async () => {
    const scene = openScene()
    for (const id of ['x', 'y', ''])
      for (const side of [scene.left, scene.right]) if (id !== 'y' || side === scene.left) spoil(side, id)
    expect((await scene.verify()).counts).toEqual({ ...NO_COUNTS, differs: 1, onlyLeft: 2, onlyRight: 1 })
  })

  test('looks large rows up a few at a time', async () => {
    const scene = openScene()
    const text = 'x'.repeat(2_000_000)
    scene.left.table.putRow(rowOf(0, 1_500, text))
    for (let number = 0; number < 600; number++) scene.right.table.putRow(rowOf(number, 1_400))
    const found: number[] = []
    const { right } = scene.pair
    const openTable: Store['openTable'] = (table) => {
      const opened = right.openTable(table)
      const find: typeof opened.find = (ids, signal) => {
        found.push(ids.length)
        return opened.find(ids, signal)
      }
      return { ...opened, find }
    }
    await verifyPair({ ...scene.pair, right: { ...right, openTable } }, { maxDifferences: 1 }, scene.around)
    expect(Math.max(...found)).toBe(2)
  })

  test('says how far it is, at most four times a second and at the end', async () => {
    const scene = openScene()
    fill(scene)
    let nowMs = 0
    scene.left.onCall = () => {
      nowMs += 100
    }
    const told: (DbVerifyProgress & { readonly nowMs: number })[] = []
    await scene.verify(
      {},
      {
        clock: { ...systemClock, now: () => nowMs, wallNow: () => 10_000 },
        onProgress: (progress) => told.push({ ...progress, nowMs }),
      },
    )
    expect(told[0]).toMatchObject({ table: 't', read: 0, done: 0, total: 2, compared: 0 })
    expect(told.at(-1)).toMatchObject({ table: 't', read: 12, done: 2, total: 2, compared: 7 })
    expect(told.length).toBeGreaterThan(3)
    for (const [at, { nowMs: ms }] of told.slice(1, -1).entries())
      expect(ms - (told[at]?.nowMs ?? 0)).toBeGreaterThanOrEqual(250)
  })

  test.each(['plan', 'scan', 'find'])('ends with what a store fails with in %s, and reads on no more', async (at) => {
    const scene = openScene()
    fill(scene)
    for (let number = 100; number < 200; number++) scene.left.table.putRow(rowOf(number, 1_500))
    scene.right.onCall = (call) => {
      if (call === at) throw new Error('the store is away')
    }
    await expect(scene.verify()).rejects.toThrow('the store is away')
    expect(scene.left.calls.filter((call) => call === 'scan').length).toBeLessThan(at === 'find' ? 1_000 : 50)
  })

  test('ends with the reason when it is cancelled, in whatever it is doing', async () => {
    const scene = openScene()
    fill(scene)
    for (const at of ['plan', 'scan', 'find']) {
      const controller = new AbortController()
      scene.left.onCall = (call) => {
        if (call === at) controller.abort(new Error(`cancelled in ${at}`))
      }
      await expect(scene.verify({}, { signal: controller.signal })).rejects.toThrow(`cancelled in ${at}`)
    }
  })
})

describe('both sides live meanwhile', () => {
  test('what is carried while they are read is no difference', async () => {
    const scene = openScene()
    const { left, right } = scene
    for (let number = 0; number < 20; number++) left.table.putRow(rowOf(number, 1_500))
    right.onCall = (call) => {
      if (call === 'find') for (let number = 0; number < 20; number++) right.table.putRow(rowOf(number, 1_500))
    }
    expect((await scene.verify()).counts).toEqual({ ...NO_COUNTS, equal: 20 })
  })

  test('what is deleted on both sides meanwhile does not count', async () => {
    const scene = openScene()
    const { left, right } = scene
    left.table.putRow(rowOf(1, 1_500))
    left.onCall = (call) => {
      if (call === 'find') left.table.rows.clear()
    }
    expect(await scene.verify()).toMatchObject({ counts: NO_COUNTS, differences: [] })
    expect(right.calls).toContain('find')
  })
})

/** Every version of an id on one side. */
type History = readonly { readonly ms: number; readonly tie: number; readonly text: string }[]
interface Histories {
  readonly left: History
  readonly right: History
}

const anyHistory: fc.Arbitrary<History> = fc.uniqueArray(
  fc.record({
    ms: fc.constantFrom(900, 1_000, 1_001, 1_500, 2_000, 2_001, 3_000),
    tie: fc.constantFrom(0, 1),
    text: fc.constantFrom('a', 'a', 'b'),
  }),
  { maxLength: 3, selector: ({ ms, tie }) => `${ms}/${tie}` },
)
const anyHistories: fc.Arbitrary<Histories> = fc.oneof(
  fc.record({ left: anyHistory, right: anyHistory }),
  anyHistory.map((both) => ({ left: both, right: both })),
)

const toRows = (number: number, history: History): readonly Row[] =>
  history
    .map(({ ms, tie, text }) => ({ id: idOf(number), version: versionAt(ms, tie), values: [null, text] }))
    .sort((a, b) => compareVersions(a.version, b.version))

/** What a sync of (1000, 2000] would make of an id, told from all of its versions at once. */
function expectVerdict(left: readonly Row[], right: readonly Row[]): Verdict | undefined {
  const inWindow = (rows: readonly Row[]) =>
    rows.filter(({ version }) => msOf(version) > 1_000 && msOf(version) <= END).at(-1)
  const [l, r, fromLeft, fromRight] = [left.at(-1), right.at(-1), inWindow(left), inWindow(right)]
  if (fromLeft === undefined && fromRight === undefined) return undefined
  const isSame = (a: Row | undefined, b: Row | undefined) => a && b && compareVersions(a.version, b.version) === 0
  if (isSame(fromLeft, fromRight) && fromLeft?.values[1] === fromRight?.values[1]) return 'equal'
  if (isSame(l, r)) return l?.values[1] === r?.values[1] ? 'equal' : 'differs'
  if (fromLeft && (r === undefined || compareVersions(fromLeft.version, r.version) > 0))
    return r ? 'leftNewer' : 'onlyLeft'
  if (fromRight && (l === undefined || compareVersions(fromRight.version, l.version) > 0))
    return l ? 'rightNewer' : 'onlyRight'
  return 'equal'
}

describe('of any two tables', () => {
  const ids = fc.array(anyHistories, { maxLength: 40 })

  test.each(['versions', 'latest'] as const)(
    '(%s) it counts what a sync of the window would make of them',
    async (kind) => {
      await fc.assert(
        fc.asyncProperty(ids, fc.constantFrom(undefined, 1_000), async (all, spillBytes) => {
          const scene = openScene(kind)
          const expected = { ...NO_COUNTS }
          for (const [number, { left, right }] of all.entries()) {
            const [l, r] = [toRows(number, left), toRows(number, right)]
            for (const row of l) scene.left.table.putRow(row)
            for (const row of r) scene.right.table.putRow(row)
            const verdict = expectVerdict(kind === 'latest' ? l.slice(-1) : l, r.slice(-1))
            if (verdict !== undefined) expected[verdict]++
          }
          const table = { name: 't', kind, columns: COLUMNS }
          const { item, differences } = await verifyTable({
            pair: scene.pair,
            table: { name: 't', left: table, right: { ...table, kind: 'latest' }, create: undefined },
            window: { beginMs: 1_000, endMs: END },
            request: { maxDifferences: 100 },
            surroundings: scene.around,
            ...(spillBytes !== undefined && { spillBytes }),
          })
          expect(item.counts).toEqual(expected)
          expect(differences).toHaveLength(Object.values(expected).reduce((sum, count) => sum + count, -expected.equal))
          expect(differences.map(({ id }) => id)).toEqual(differences.map(({ id }) => id).sort())
        }),
        { numRuns: 200 },
      )
    },
  )

  test.each(['versions', 'latest'] as const)(
    '(%s) that are in step, users who write later change nothing',
    async (kind) => {
      const writes = fc.array(
        fc.record({
          after: fc.nat(150),
          onLeft: fc.boolean(),
          number: fc.nat(10),
          ms: fc.integer({ min: END + 1, max: END + 50 }),
        }),
        { maxLength: 30 },
      )
      await fc.assert(
        fc.asyncProperty(fc.array(anyHistory, { maxLength: 10 }), writes, async (all, later) => {
          const scene = openScene(kind)
          for (const [number, history] of all.entries()) {
            const rows = toRows(
              number,
              history.filter(({ ms }) => ms <= END),
            )
            for (const row of rows) for (const side of [scene.left, scene.right]) side.table.putRow(row)
          }
          let calls = 0
          const onCall = () => {
            calls++
            for (const { after, onLeft, number, ms } of later)
              if (after === calls) (onLeft ? scene.left : scene.right).table.putRow(rowOf(number, ms, 'later'))
          }
          Object.assign(scene.left, { onCall })
          Object.assign(scene.right, { onCall })
          const summary = await scene.verify({ begin: '1970-01-01T00:00:01Z', end: '1970-01-01T00:00:02Z' })
          expect(summary.differences).toEqual([])
        }),
        { numRuns: 200 },
      )
    },
  )
})

describe('orphans', () => {
  function openOrphans(): Scene {
    const scene = openScene()
    const { left, right } = scene
    for (const side of [left, right]) side.table.putRow(rowOf(1, 1_500))
    left.table.putRow(rowOf(2, 1_500))
    right.table.putRow(rowOf(3, 1_500))
    left.table.putRow(rowOf(4, 1_500, 'a', true))
    right.table.putRow(rowOf(5, 1_500, 'a', false))
    left.table.putRow(rowOf(6, 1_600))
    right.table.putRow(rowOf(6, 1_500))
    return scene
  }
  const idsOf = ({ database }: Side) => [...(database.tables.get('t')?.rows.keys() ?? [])].sort()

  test('are not those that are marked as deleted, and nothing is written unless it is asked for', async () => {
    const scene = openOrphans()
    const found = { equal: 1, leftNewer: 1, rightNewer: 0, onlyLeft: 2, onlyRight: 2, differs: 0 }
    expect((await scene.verify()).counts).toEqual(found)
    const summary = await scene.verify({ orphans: { repair: 'none' } })
    expect(summary.counts).toEqual({ ...found, equal: 2, onlyLeft: 1 })
    expect(summary.repaired).toBe(0)
    for (const { calls } of [scene.left, scene.right]) {
      expect(calls).not.toContain('write')
      expect(calls).not.toContain('remove')
    }
  })

  test('are copied to the other side', async () => {
    const scene = openOrphans()
    const { counts, repaired, differences } = await scene.verify({ orphans: { repair: 'copy' } })
    expect(repaired).toBe(3)
    expect(counts).toEqual({ ...NO_COUNTS, equal: 5, leftNewer: 1 })
    expect(differences.map(({ id }) => id)).toEqual([idOf(6)])
    expect(idsOf(scene.left)).toEqual([1, 2, 3, 4, 5, 6].map(idOf))
    expect(idsOf(scene.right)).toEqual([1, 2, 3, 5, 6].map(idOf))
  })

  test('are deleted on the side that is named', async () => {
    const scene = openOrphans()
    const onLeft = await scene.verify({ orphans: { repair: 'delete-left' } })
    expect(onLeft).toMatchObject({ repaired: 1, counts: { ...NO_COUNTS, equal: 2, leftNewer: 1, onlyRight: 2 } })
    expect(idsOf(scene.left)).toEqual([1, 4, 6].map(idOf))
    expect(idsOf(scene.right)).toEqual([1, 3, 5, 6].map(idOf))
    expect((await scene.verify({ orphans: { repair: 'delete-right' } })).repaired).toBe(2)
    expect(idsOf(scene.left)).toEqual([1, 4, 6].map(idOf))
    expect(idsOf(scene.right)).toEqual([1, 6].map(idOf))
  })

  test('are left alone when they are none any more by then', async () => {
    const scene = openOrphans()
    const { left, right } = scene
    left.onCall = (call) => {
      if (call === 'find') right.table.putRow(rowOf(2, 1_500))
    }
    expect((await scene.verify({ orphans: { repair: 'delete-left' } })).repaired).toBe(0)
    expect(idsOf(left)).toContain(idOf(2))
  })

  test('that become newer in that moment stay, and stay a difference', async () => {
    const scene = openOrphans()
    const { left } = scene
    left.onCall = (call) => {
      if (call === 'remove') left.table.putRow(rowOf(2, 1_700, 'newer'))
    }
    const { counts, repaired } = await scene.verify({ orphans: { repair: 'delete-left' } })
    expect(repaired).toBe(0)
    expect(counts.onlyLeft).toBe(1)
    expect(idsOf(left)).toContain(idOf(2))
  })

  test('that do not arrive, whatever the writer says, are not repaired', async () => {
    const scene = openOrphans()
    const { right } = scene
    right.onCall = (call) => {
      // As a delete that is newer hides them.
      if (call === 'find' && right.calls.includes('write')) right.table.rows.delete(idOf(2))
    }
    const { counts, repaired } = await scene.verify({ orphans: { repair: 'copy' } })
    expect(repaired).toBe(2)
    expect(counts.onlyLeft).toBe(1)
  })

  test('that no row can be made of stay as they are', async () => {
    const scene = openScene()
    spoil(scene.right, idOf(1))
    for (const repair of ['copy', 'delete-right'] as const)
      expect(await scene.verify({ orphans: { repair } })).toMatchObject({ repaired: 0, counts: { onlyRight: 1 } })
    expect(idsOf(scene.right)).toEqual([idOf(1)])
  })

  test('a copy makes the table that is missing, a delete refuses to empty the other side', async () => {
    const scene = openOrphans()
    scene.right.database.tables.clear()
    const request = scene.verify({ orphans: { repair: 'delete-left' } })
    await expect(request).rejects.toMatchObject({ name: 'InvalidDbRequest', field: 'orphans' })
    expect(idsOf(scene.left)).toHaveLength(4)
    expect(await scene.verify({ orphans: { repair: 'copy' } })).toMatchObject({ repaired: 3 })
    expect(idsOf(scene.right)).toEqual([1, 2, 6].map(idOf))
  })
})

describe('a verify that was interrupted', () => {
  const names = ['a', 'b', 'c']

  async function interruptIn(scene: Scene, table: string): Promise<void> {
    const controller = new AbortController()
    const onProgress = (progress: { readonly table: string }) => {
      if (progress.table === table) controller.abort(new Error('killed'))
    }
    await expect(scene.verify({}, { signal: controller.signal, onProgress })).rejects.toThrow('killed')
  }

  test('goes on with the table where it stopped, over the same window', async () => {
    const scene = openScene('latest', names)
    for (const table of scene.left.database.tables.values()) table.putRow(rowOf(1, 1_500))
    await interruptIn(scene, 'b')
    expect(scene.items).toEqual(['a'])
    scene.clock.jumpWall(5_000)
    scene.left.table.rows.clear()
    const { window, counts, differences } = await scene.verify({}, { resume: true })
    expect(window.endMs).toBe(10_000)
    expect(counts).toEqual({ ...NO_COUNTS, onlyLeft: 3 })
    expect(differences.map(({ table }) => table)).toEqual(names)
    expect(scene.items).toEqual(['a', ...names])
    expect(scene.values.size).toBe(0)
  })

  test('is not gone on with by one that somebody asks for anew, nor by one that asks for something else', async () => {
    const scene = openScene('latest', names)
    scene.left.table.putRow(rowOf(1, 1_500))
    for (const [request, resume] of [
      [{}, false],
      [{ tables: ['a', 'b'] }, true],
      [{ orphans: { repair: 'none' } }, true],
      [{ end: '0000000002000' }, true],
    ] as const) {
      await interruptIn(scene, 'c')
      scene.left.calls.length = 0
      await scene.verify(request, { resume })
      expect(scene.left.calls).toContain('scan')
    }
  })

  test('gives its window on even when it has finished no table', async () => {
    const scene = openScene('latest', names)
    await interruptIn(scene, 'b')
    scene.clock.jumpWall(1_000)
    await interruptIn(scene, 'a')
    scene.clock.jumpWall(1_000)
    expect((await scene.verify({}, { resume: true })).window.endMs).toBe(11_000)
  })

  test('begins anew where what it remembers cannot be read', async () => {
    const scene = openScene('latest', names)
    await interruptIn(scene, 'b')
    for (const text of ['', '{"v":99}', '{"v":1,"request":"x","window":null,"done":[]}']) {
      for (const key of scene.values.keys()) scene.values.set(key, text)
      await interruptIn(scene, 'b')
    }
    expect((await scene.verify({}, { resume: true })).items).toHaveLength(3)
  })
})

test('a table that is ten times as large as the memory is compared', async () => {
  const script = join(import.meta.dirname, 'verify-much.ts')
  // 40,000 rows of 4 KB a side.
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=32', script, '40000'])
  expect(JSON.parse(stdout)).toEqual({ ...NO_COUNTS, equal: 39_600, differs: 400 })
})

import { describe, expect, it } from 'vitest'
import { savedEnds } from '../../src/db/checkpoint.ts'
import { DbSyncFailed, InvalidDbRequest, type Pair } from '../../src/db/contract.ts'
import { NO_COUNTS } from '../../src/db/counts.ts'
import { readDeadLetters } from '../../src/db/dead-letters.ts'
import { StoreFailed } from '../../src/db/store.ts'
import { TableRefusedError } from '../../src/db/table.ts'
import { verifyPair } from '../../src/db/verify.ts'
import { formatTime } from '../../src/db/window.ts'
import { idOf, versionAt } from './memory-store.ts'
import { NOW, SyncBench } from './sync-bench.ts'

const MINUTE = 60_000
const AGO = NOW - MINUTE

function openBench(names: readonly string[] = ['notes']): SyncBench {
  const bench = new SyncBench()
  for (const name of names) {
    bench.left.addTable(name)
    bench.right.addTable(name)
  }
  return bench
}

const left = (bench: SyncBench, name = 'notes') => tableOf(bench.left, name)
const right = (bench: SyncBench, name = 'notes') => tableOf(bench.right, name)
function tableOf(database: SyncBench['left'], name: string) {
  const table = database.tables.get(name)
  if (table === undefined) throw new Error(`no table ${name}`)
  return table
}

/** Its left store reads in a scan what it does not find. */
function withReadableScan(bench: SyncBench): Partial<Pair> {
  const { left: store } = bench.pair()
  return {
    left: {
      ...store,
      openTable: (table) => {
        const opened = store.openTable(table)
        return {
          ...opened,
          async *scan(split, window, signal) {
            const misfits = new Map(tableOf(bench.left, table.name).misfits)
            tableOf(bench.left, table.name).misfits.clear()
            yield* opened.scan(split, window, signal)
            for (const [id, reason] of misfits) tableOf(bench.left, table.name).misfits.set(id, reason)
          },
        }
      },
    },
  }
}

async function rejection(run: Promise<unknown>): Promise<unknown> {
  return await run.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('a sync', () => {
  it('carries every row to the side that lacks it or has an older version', async () => {
    const bench = openBench()
    left(bench).put(idOf(1), versionAt(AGO), 'only left')
    right(bench).put(idOf(2), versionAt(AGO), 'only right')
    left(bench).put(idOf(3), versionAt(AGO), 'older')
    right(bench).put(idOf(3), versionAt(AGO + 1), 'newer')
    left(bench).put(idOf(4), versionAt(AGO), 'same')
    right(bench).put(idOf(4), versionAt(AGO), 'same')
    const { items, counts, window } = await bench.run()
    expect(items).toMatchObject([
      { table: 'notes', direction: 'left-to-right', read: 3, applied: 1, older: 1, equal: 1, echoed: 0, failed: 0 },
      // The first row comes back.
      { table: 'notes', direction: 'right-to-left', read: 4, applied: 2, older: 0, equal: 1, echoed: 1, failed: 0 },
    ])
    expect(counts).toEqual({ read: 7, applied: 3, older: 1, equal: 2, echoed: 1, failed: 0 })
    expect(window).toEqual({ beginMs: 0, endMs: NOW })
    for (const side of [left(bench), right(bench)])
      expect([1, 2, 3, 4].map((nth) => side.text(idOf(nth)))).toEqual(['only left', 'only right', 'newer', 'same'])
  })

  it('writes nothing when nothing has changed, and asks each side only what there is', async () => {
    const bench = openBench()
    for (let nth = 0; nth < 30; nth++) left(bench).put(idOf(nth), versionAt(AGO, nth))
    await bench.run()
    await bench.clock.advance(MINUTE)
    const { counts, window } = await bench.run()
    expect(counts).toEqual(NO_COUNTS)
    expect(window).toEqual({ beginMs: NOW, endMs: NOW + MINUTE })
    expect(bench.stepsOf('left')).toEqual(['left describe', 'left plan notes'])
    expect(bench.stepsOf('right')).toEqual(['right describe', 'right plan notes'])
  })

  it('counts the history of a table of versions as older', async () => {
    const bench = new SyncBench()
    const notes = bench.left.addTable('notes', 'versions')
    for (const ms of [1, 2, 3]) notes.put(idOf(1), versionAt(AGO + ms), `version ${ms}`)
    const { items } = await bench.run({ direction: 'left-to-right' })
    expect(items).toMatchObject([{ read: 3, applied: 1, older: 2 }])
    expect(right(bench).text(idOf(1))).toBe('version 3')
  })

  it('makes a table that one side lacks, and one that has gone again from the beginning', async () => {
    const bench = new SyncBench()
    bench.left.addTable('notes').put(idOf(1), versionAt(AGO), 'kept')
    await bench.run()
    expect(right(bench).text(idOf(1))).toBe('kept')
    bench.right.tables.delete('notes')
    await bench.clock.advance(MINUTE)
    await bench.run()
    expect(right(bench).text(idOf(1))).toBe('kept')
  })

  it('forgets what was saved of a table before it makes it again', async () => {
    const bench = openBench()
    left(bench).put(idOf(1), versionAt(AGO), 'kept')
    await bench.run()
    bench.right.tables.delete('notes')
    let isMade = false
    const step = (what: string) => {
      if (isMade) throw new Error('dies just then')
      isMade = what === 'right create notes'
    }
    await rejection(bench.run({}, { step }))
    expect(right(bench).text(idOf(1))).toBeUndefined()
    await bench.run()
    expect(right(bench).text(idOf(1))).toBe('kept')
  })

  it('takes the tables by name, left to right first for each', async () => {
    const bench = openBench(['b', 'a', 'c'])
    const { items } = await bench.run({ tables: ['c', 'a', 'c'] })
    expect(items.map(({ table, direction }) => `${table} ${direction}`)).toEqual([
      'a left-to-right',
      'a right-to-left',
      'c left-to-right',
      'c right-to-left',
    ])
  })

  it('does one direction alone, and keeps its own saved end', async () => {
    const bench = openBench()
    right(bench).put(idOf(1), versionAt(AGO), 'from the right')
    expect((await bench.run({ direction: 'left-to-right' })).counts).toEqual(NO_COUNTS)
    await bench.clock.advance(MINUTE)
    const { items } = await bench.run()
    expect(items.map(({ window }) => window.beginMs)).toEqual([NOW, 0])
    expect(left(bench).text(idOf(1))).toBe('from the right')
  })

  it('does not use saved ends of other stores', async () => {
    const bench = openBench()
    left(bench).put(idOf(1), versionAt(AGO), 'for both')
    await bench.run()
    const moved = new SyncBench()
    moved.right.addTable('notes')
    const other = { ...bench.pair().right, address: 'memory elsewhere' }
    expect((await bench.run({}, { pair: { right: other } })).window.beginMs).toBe(0)
  })

  it('has no items for a pair without tables, and a window all the same', async () => {
    const summary = await new SyncBench().run()
    expect(summary).toEqual({ window: { beginMs: 0, endMs: NOW }, items: [], counts: NO_COUNTS, deadLetters: 0 })
  })
})

describe('the window', () => {
  it('is (begin, end] to the millisecond where it is given, and moves no saved end', async () => {
    const bench = openBench()
    for (const [nth, ms] of [0, 1, 1000, 1001].entries()) left(bench).put(idOf(nth), versionAt(AGO + ms), `${ms}`)
    const { window } = await bench.run({ begin: formatTime(AGO), end: formatTime(AGO + 1000) })
    expect(window).toEqual({ beginMs: AGO, endMs: AGO + 1000 })
    expect([0, 1, 2, 3].map((nth) => right(bench).text(idOf(nth)))).toEqual([undefined, '1', '1000', undefined])
    expect(await savedEnds('app', bench.memory).list()).toMatchObject([{ endMs: undefined }, { endMs: undefined }])
  })

  it('ends by the lag before now and begins by the overlap before the saved end', async () => {
    const bench = openBench()
    const pair = { lagMs: 1_000, overlapMs: 5_000 }
    expect((await bench.run({}, { pair })).window).toEqual({ beginMs: 0, endMs: NOW - 1_000 })
    // Written late, into a window that is closed.
    left(bench).put(idOf(1), versionAt(NOW - 3_000), 'late')
    await bench.clock.advance(MINUTE)
    const { window } = await bench.run({}, { pair })
    expect(window).toEqual({ beginMs: NOW - 6_000, endMs: NOW + MINUTE - 1_000 })
    expect(right(bench).text(idOf(1))).toBe('late')
  })

  it('stays where it is when the clock was set back', async () => {
    const bench = openBench()
    await bench.run()
    bench.clock.jumpWall(-MINUTE)
    expect((await bench.run()).window).toEqual({ beginMs: NOW, endMs: NOW })
    expect(await savedEnds('app', bench.memory).list()).toMatchObject([{ endMs: NOW }, { endMs: NOW }])
    expect(bench.stepsOf('left')).toEqual(['left describe'])
  })

  it.each([
    ['begin', { begin: 'yesterday' }],
    ['end', { end: 'tomorrow' }],
    ['begin', { begin: '2026-01-02', end: '2026-01-01' }],
    ['tables', { tables: [] }],
    ['shard', { shard: { index: 0, of: 4 } }],
    ['shard', { shard: { index: 4, of: 4 }, begin: '2026-01-01', end: '2026-01-02' }],
  ])('is refused before anything is asked: %s %j', async (field, request) => {
    const bench = openBench()
    const error = await rejection(bench.run(request))
    expect(error).toBeInstanceOf(InvalidDbRequest)
    expect(error).toMatchObject({ field })
    expect(bench.stepsOf('left')).toEqual([])
  })

  it('is refused by name where it ends before the saved end of a table', async () => {
    const bench = openBench()
    await bench.run()
    const error = await rejection(bench.run({ end: formatTime(AGO) }))
    expect(error).toMatchObject({ field: 'end', message: expect.stringContaining('table notes, left-to-right') })
  })
})

describe('a refusal', () => {
  it('names the table and comes before anything is written', async () => {
    const bench = openBench(['good', 'bad'])
    left(bench, 'good').put(idOf(1), versionAt(AGO))
    left(bench, 'bad').refusedAltogether = new TableRefusedError('bad', 'it has no column id')
    await expect(bench.run()).rejects.toThrow('table bad cannot be synced: it has no column id')
    expect(bench.steps.filter((step) => /create|write|put/.test(step))).toEqual([])
    await expect(bench.run({ tables: ['good', 'unknown'] })).rejects.toThrow('table unknown cannot be synced')
    await expect(bench.run({ tables: ['good'] }, { pair: { tables: ['bad'] } })).rejects.toThrow(
      "table good is not one of the pair's: bad",
    )
  })
})

describe('a dry run', () => {
  it('says what it would write and touches nothing', async () => {
    const bench = new SyncBench()
    const notes = bench.left.addTable('notes')
    notes.put(idOf(1), versionAt(AGO))
    notes.put(idOf(2), versionAt(AGO))
    notes.misfits.set(idOf(2), 'cannot be read')
    const { counts, items } = await bench.run({ dryRun: true })
    expect(counts).toEqual({ ...NO_COUNTS, read: 2, applied: 1, failed: 1 })
    expect(items).toHaveLength(2)
    expect(bench.right.tables.size).toBe(0)
    expect(bench.remembered.size).toBe(0)
    expect(bench.letters).toBeUndefined()
  })

  it('leaves what failed before alone', async () => {
    const bench = openBench()
    left(bench).put(idOf(1), versionAt(AGO))
    left(bench).misfits.set(idOf(1), 'cannot be read')
    await bench.run()
    left(bench).misfits.clear()
    const before = [...bench.remembered]
    await bench.clock.advance(MINUTE)
    expect(await bench.run({ dryRun: true })).toMatchObject({ counts: NO_COUNTS, deadLetters: 1 })
    expect([...bench.remembered]).toEqual(before)
    expect(right(bench).rows.size).toBe(0)
  })
})

describe('a shard', () => {
  const window = { begin: '1970-01-01', end: formatTime(NOW) }

  it('does its part of the window and knows nothing of saved ends', async () => {
    const bench = openBench()
    for (let nth = 0; nth < 40; nth++) left(bench).put(idOf(nth), versionAt(AGO, nth))
    let applied = 0
    for (let index = 0; index < 3; index++) {
      const { counts } = await bench.run({ ...window, direction: 'left-to-right', shard: { index, of: 3 } })
      expect(counts.applied).toBeGreaterThan(10)
      applied += counts.applied
      expect(bench.stepsOf('memory')).toEqual([])
    }
    expect(applied).toBe(40)
    expect(right(bench).rows.size).toBe(40)
  })

  it('reads the splits that it was given, also where there are none', async () => {
    const bench = openBench(['a', 'b'])
    for (const name of ['a', 'b']) left(bench, name).put(idOf(0), versionAt(AGO))
    const splits = new Map([['a', []]])
    const shard = { index: 0, of: 1, splits }
    const { items } = await bench.run({ ...window, direction: 'left-to-right', shard })
    expect(items.map(({ read }) => read)).toEqual([0, 1])
    await expect(bench.run({ ...window, shard })).rejects.toThrow(InvalidDbRequest)
  })

  it('reports its own dead letters and keeps none', async () => {
    const bench = openBench()
    left(bench).put(idOf(0), versionAt(AGO))
    left(bench).misfits.set(idOf(0), 'cannot be read')
    const { deadLetters } = await bench.run({ ...window, direction: 'left-to-right', shard: { index: 0, of: 1 } })
    expect(deadLetters).toBe(1)
    expect(bench.letters).toMatchObject([{ id: idOf(0), reason: 'cannot be read' }])
    expect(bench.remembered.size).toBe(0)
  })
})

describe('a run that ends badly', () => {
  /** 80 rows in 8 splits, of which the store takes 60. */
  async function failHalfWay(): Promise<{ readonly bench: SyncBench; readonly error: unknown }> {
    const bench = openBench(['a', 'notes'])
    for (let nth = 0; nth < 80; nth++) left(bench).put(idOf(nth), versionAt(AGO, nth))
    let writes = 0
    const step = (what: string) => {
      if (what === 'right write notes' && ++writes > 30) throw new StoreFailed('memory right: gave up')
    }
    return { bench, error: await rejection(bench.run({}, { step })) }
  }

  it('says why, what was done until then and where it stands', async () => {
    const { error } = await failHalfWay()
    if (!(error instanceof DbSyncFailed)) throw error
    expect(error.cause).toBeInstanceOf(StoreFailed)
    expect(error.message).toMatch(/^memory right: gave up; 2 of 4 tables and directions are done; half done: notes/)
    expect(error.message).toMatch(/\d of 8 parts done; the next run goes on from there$/)
    expect(error.summary.items.map(({ table, direction }) => `${table} ${direction}`)).toEqual([
      'a left-to-right',
      'a right-to-left',
      'notes left-to-right',
    ])
    const { read, applied } = error.summary.counts
    expect([read, applied]).toEqual([60, 60])
  })

  it('is finished by the next one, split by split, and then goes on', async () => {
    const { bench } = await failHalfWay()
    const [, , notes] = await savedEnds('app', bench.memory).list()
    expect(notes).toMatchObject({ endMs: undefined, open: { window: { beginMs: 0, endMs: NOW }, total: 8 } })
    const done = notes?.open?.done ?? 0
    expect(done).toBeGreaterThan(0)
    left(bench).put(idOf(100), versionAt(NOW + 1, 100))
    await bench.clock.advance(MINUTE)
    const { items } = await bench.run({ direction: 'left-to-right', tables: ['notes'] })
    expect(items).toMatchObject([{ window: { beginMs: 0, endMs: NOW + MINUTE } }])
    expect(items[0]?.read).toBe(81 - done * 10)
    expect(right(bench).rows.size).toBe(81)
    expect(bench.progress.at(-1)).toMatchObject({ done: 9, total: 9 })
  })

  it('leaves a window that is open to later runs when one has its own bounds', async () => {
    const { bench } = await failHalfWay()
    const before = await savedEnds('app', bench.memory).list()
    await bench.run({ begin: '1970-01-01', direction: 'left-to-right' })
    expect(await savedEnds('app', bench.memory).list()).toEqual(before)
  })

  it('does not go on in the middle of a window of other stores', async () => {
    const { bench } = await failHalfWay()
    const other = { ...bench.pair().right, address: 'memory elsewhere' }
    const { items } = await bench.run({ tables: ['notes'], direction: 'left-to-right' }, { pair: { right: other } })
    expect(items[0]?.read).toBe(80)
  })

  it('lets other tables finish the split that they are at', async () => {
    const bench = openBench(['bad', 'good'])
    for (let nth = 0; nth < 200; nth++) left(bench, 'good').put(idOf(nth), versionAt(AGO, nth))
    let writes = 0
    const step = async (what: string) => {
      if (what === 'right write good') writes++
      while (what === 'left plan bad' && writes === 0) await Promise.resolve()
      if (what === 'left plan bad') throw new StoreFailed('memory left: gave up')
    }
    expect(await rejection(bench.run({}, { step }))).toMatchObject({ cause: { message: 'memory left: gave up' } })
    expect(right(bench, 'good').rows.size).toBe(20)
    expect((await savedEnds('app', bench.memory).list())[2]?.open).toMatchObject({ done: 2, total: 20 })
    expect((await bench.run()).counts.failed).toBe(0)
    expect(right(bench, 'good').rows.size).toBe(200)
  })

  it('tells of its dead letters all the same', async () => {
    const bench = openBench()
    for (let nth = 0; nth < 40; nth++) left(bench).put(idOf(nth), versionAt(AGO, nth))
    for (let nth = 0; nth < 4; nth++) left(bench).misfits.set(idOf(nth), 'cannot be read')
    const step = (what: string) => {
      if (what === 'right plan notes') throw new StoreFailed('memory right: gave up')
    }
    await rejection(bench.run({}, { step }))
    expect(bench.letters).toHaveLength(4)
  })

  it('is the first failure even when the memory fails as well', async () => {
    const bench = openBench()
    for (let nth = 0; nth < 40; nth++) left(bench).put(idOf(nth), versionAt(AGO, nth))
    let isAway = false
    const step = (what: string) => {
      if (what === 'right write notes') isAway = true
      if (isAway) throw new StoreFailed(what)
    }
    expect(await rejection(bench.run({}, { step }))).toMatchObject({ cause: { message: 'right write notes' } })
  })
})

describe('a cancelled run', () => {
  it('rejects with the reason, and the next one goes on where it was', async () => {
    const bench = openBench()
    for (let nth = 0; nth < 80; nth++) left(bench).put(idOf(nth), versionAt(AGO, nth))
    const controller = new AbortController()
    const reason = new Error('cancelled')
    let writes = 0
    const step = async (what: string) => {
      // The last split is slow: others are done, and not yet saved when it is stopped.
      if (what === 'left scan notes 7/8') for (let turn = 0; turn < 300; turn++) await Promise.resolve()
      if (what === 'right write notes' && ++writes === 37) controller.abort(reason)
    }
    expect(await rejection(bench.run({}, { step, signal: controller.signal }))).toBe(reason)
    const [mark] = await savedEnds('app', bench.memory).list()
    expect(mark?.open).toMatchObject({ done: bench.progress.at(-1)?.done, total: 8 })
    expect(mark?.open?.done).toBeGreaterThan(4)
    expect(bench.letters).toEqual([])
    const { read, applied, note } = bench.halfDone[0] ?? {}
    expect([read, applied]).toEqual([right(bench).rows.size, right(bench).rows.size])
    expect(note).toBe(`stopped half way, ${mark?.open?.done} of 8 parts done`)
    expect([bench.halfDone.length, bench.items]).toEqual([1, []])
    const { items } = await bench.run({ direction: 'left-to-right' })
    expect(items[0]?.read).toBe(80 - 10 * (mark?.open?.done ?? 0))
    expect(right(bench).rows.size).toBe(80)
  })

  it('writes nothing when it was cancelled before it began', async () => {
    const bench = openBench()
    left(bench).put(idOf(1), versionAt(AGO))
    const reason = new Error('cancelled')
    expect(await rejection(bench.run({}, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(bench.remembered.size).toBe(0)
  })
})

describe('saved ends', () => {
  it('are shown, set and forgotten for all tables and directions', async () => {
    const bench = openBench()
    const ends = savedEnds('app', bench.memory)
    left(bench).put(idOf(1), versionAt(AGO))
    right(bench).put(idOf(2), versionAt(AGO - 10))
    right(bench).misfits.set(idOf(2), 'cannot be read')
    await bench.run()
    right(bench).rows.clear()
    expect(await ends.list()).toEqual([
      { table: 'notes', direction: 'left-to-right', endMs: NOW },
      { table: 'notes', direction: 'right-to-left', endMs: NOW },
    ])
    await ends.set(AGO - 5)
    expect((await ends.list()).map(({ endMs }) => endMs)).toEqual([AGO - 5, AGO - 5])
    const { items } = await bench.run()
    expect(items).toMatchObject([
      { window: { beginMs: AGO - 5 }, applied: 1 },
      { window: { beginMs: AGO - 5 }, echoed: 1 },
    ])
    right(bench).put(idOf(2), versionAt(AGO - 10))
    await bench.run({ begin: formatTime(AGO - 20) })
    expect(await readDeadLetters('app', bench.memory)).toHaveLength(1)
    await ends.reset()
    expect(await ends.list()).toEqual([])
    expect(bench.remembered.size).toBe(0)
    expect((await bench.run()).window.beginMs).toBe(0)
  })

  it('can be set before the first run, also of tables that are made in it, and between any stores', async () => {
    const bench = new SyncBench()
    bench.left.addTable('notes')
    await savedEnds('app', bench.memory).set(AGO)
    expect(await savedEnds('app', bench.memory).others()).toBe(AGO)
    expect((await bench.run({ dryRun: true })).window.beginMs).toBe(AGO)
    expect((await bench.run({ direction: 'left-to-right' })).window.beginMs).toBe(AGO)
    expect((await bench.run({ direction: 'right-to-left' })).window.beginMs).toBe(AGO)
    // From then on what is made is made again from the beginning.
    bench.right.tables.delete('notes')
    expect((await bench.run()).window.beginMs).toBe(0)
  })

  it('of a table that a repair has made are forgotten', async () => {
    const bench = openBench()
    left(bench).put(idOf(1), versionAt(AGO), 'old')
    await bench.run()
    bench.right.tables.delete('notes')
    await verifyPair(
      bench.pair(),
      { begin: formatTime(NOW), maxDifferences: 1, orphans: { repair: 'copy' } },
      {
        ...{ memory: bench.memory, clock: bench.clock, signal: new AbortController().signal, resume: false },
        ...{ onProgress: () => {}, onItem: async () => {} },
      },
    )
    expect(right(bench).rows.size).toBe(0)
    await bench.run()
    expect(right(bench).text(idOf(1))).toBe('old')
  })

  it('of one pair are not those of another', async () => {
    const bench = openBench()
    await bench.run()
    expect((await bench.run({}, { pair: { key: 'other' } })).window.beginMs).toBe(0)
    expect(await savedEnds('app', bench.memory).list()).toHaveLength(2)
  })
})

describe('progress', () => {
  it('comes a few times a second for each table and direction, and once at the end', async () => {
    const bench = openBench()
    for (let nth = 0; nth < 400; nth++) left(bench).put(idOf(nth), versionAt(AGO, nth))
    const step = async () => await bench.clock.advance(5)
    await bench.run({ direction: 'left-to-right' }, { step })
    const ms = bench.items[0]?.ms ?? 0
    expect(ms).toBeGreaterThan(300)
    expect(bench.progress.length).toBeGreaterThan(1)
    expect(bench.progress.length).toBeLessThanOrEqual(ms / 250 + 2)
    expect(bench.progress.at(-1)).toMatchObject({ table: 'notes', read: 400, applied: 400, done: 40, total: 40 })
    for (const { read, applied, older, equal, echoed, failed } of bench.progress)
      expect(read).toBe(applied + older + equal + echoed + failed)
  })
})

describe('dead letters', () => {
  async function failOne(): Promise<SyncBench> {
    const bench = openBench()
    left(bench).put(idOf(1), versionAt(AGO), 'bad')
    left(bench).put(idOf(2), versionAt(AGO), 'good')
    left(bench).misfits.set(idOf(1), 'cannot be read')
    expect(await bench.run()).toMatchObject({ counts: { failed: 1, applied: 1 }, deadLetters: 1 })
    expect(bench.letters).toEqual([
      { table: 'notes', direction: 'left-to-right', id: idOf(1), reason: 'cannot be read', at: NOW },
    ])
    await bench.clock.advance(MINUTE)
    return bench
  }

  it('stop no other row and no saved end, and fail every run until they go through', async () => {
    const bench = await failOne()
    expect(right(bench).text(idOf(2))).toBe('good')
    left(bench).misfits.set(idOf(1), 'cannot be read yet')
    expect(await bench.run()).toMatchObject({
      window: { beginMs: NOW },
      counts: { read: 1, failed: 1 },
      deadLetters: 1,
    })
    expect(bench.letters).toMatchObject([{ reason: 'cannot be read yet', at: NOW + MINUTE }])
    left(bench).misfits.clear()
    expect(await bench.run()).toMatchObject({ counts: { failed: 0, applied: 1 }, deadLetters: 0 })
    expect(bench.letters).toEqual([])
    expect(right(bench).text(idOf(1))).toBe('bad')
    expect(await readDeadLetters('app', bench.memory)).toEqual([])
  })

  it('are forgotten when the row has gone', async () => {
    const bench = await failOne()
    left(bench).rows.delete(idOf(1))
    expect(await bench.run()).toMatchObject({ counts: NO_COUNTS, deadLetters: 0 })
  })

  it('are tried with explicit windows too, and only in the tables and directions of the run', async () => {
    const bench = await failOne()
    bench.left.addTable('other')
    bench.right.addTable('other')
    left(bench).misfits.clear()
    const window = { begin: formatTime(NOW), end: formatTime(NOW + 1) }
    expect(await bench.run({ ...window, direction: 'right-to-left' })).toMatchObject({ deadLetters: 1 })
    expect(await bench.run({ ...window, tables: ['other'] })).toMatchObject({ deadLetters: 1 })
    expect(bench.letters).toHaveLength(1)
    expect(await bench.run(window)).toMatchObject({ counts: { read: 1, applied: 1 }, deadLetters: 0 })
  })

  it('stay where an explicit window has an older version of the row, which goes through', async () => {
    const bench = new SyncBench()
    const notes = bench.left.addTable('notes', 'versions')
    bench.right.addTable('notes')
    notes.put(idOf(1), versionAt(AGO), 'old')
    notes.put(idOf(1), versionAt(AGO + 10), 'bad')
    notes.misfits.set(idOf(1), 'cannot be read')
    await bench.run()
    // Only the newest one cannot be read.
    const reads = { begin: formatTime(AGO - 1), end: formatTime(AGO) }
    const pair = withReadableScan(bench)
    const { items, deadLetters } = await bench.run({ ...reads, direction: 'left-to-right' }, { pair })
    expect(right(bench).text(idOf(1))).toBe('old')
    expect(items).toMatchObject([{ read: 1, failed: 1 }])
    expect(deadLetters).toBe(1)
    notes.misfits.clear()
    expect(await bench.run()).toMatchObject({ deadLetters: 0, counts: { applied: 1 } })
    expect(right(bench).text(idOf(1))).toBe('bad')
  })

  it('of rows that the target refuses are told with its reason', async () => {
    const bench = openBench()
    right(bench).put(idOf(1), versionAt(AGO))
    left(bench).refused.set(idOf(1), 'too large')
    await bench.run()
    expect(bench.letters).toMatchObject([{ direction: 'right-to-left', id: idOf(1), reason: 'too large' }])
    left(bench).refused.clear()
    expect((await bench.run()).counts).toMatchObject({ applied: 1, failed: 0 })
  })

  it('count once where the window has them as well', async () => {
    const bench = await failOne()
    left(bench).put(idOf(1), versionAt(NOW + 1), 'mended')
    left(bench).misfits.clear()
    expect((await bench.run()).items).toMatchObject([
      { read: 1, applied: 1, equal: 0 },
      { read: 1, echoed: 1 },
    ])
    left(bench).put(idOf(1), versionAt(NOW + MINUTE + 1), 'broken again')
    left(bench).misfits.set(idOf(1), 'cannot be read')
    await bench.clock.advance(MINUTE)
    await bench.run()
    await bench.clock.advance(MINUTE)
    left(bench).put(idOf(1), versionAt(NOW + 2 * MINUTE + 1), 'and again')
    const { counts, deadLetters } = await bench.run()
    expect(counts).toEqual({ ...NO_COUNTS, read: 1, failed: 1 })
    expect(deadLetters).toBe(1)
  })

  it('that find no room keep the saved end until they do', async () => {
    const bench = openBench()
    const count = 10_020
    for (let nth = 0; nth < count; nth++) {
      left(bench).put(idOf(nth), versionAt(AGO, nth))
      left(bench).misfits.set(idOf(nth), 'cannot be read')
    }
    const options = { left: { splitRows: 1_000, pageRows: 500 } }
    const { items, deadLetters } = await bench.run({}, options)
    expect(deadLetters).toBe(10_000)
    expect(items[0]).toMatchObject({ failed: count, note: expect.stringContaining('the saved end stays') })
    expect(items[1]).not.toHaveProperty('note')
    const [mark] = await savedEnds('app', bench.memory).list()
    expect(mark).toMatchObject({ endMs: undefined, open: { window: { beginMs: 0, endMs: NOW }, total: 11 } })
    left(bench).misfits.clear()
    left(bench).put(idOf(count), versionAt(NOW + 1, 0), 'later')
    await bench.clock.advance(MINUTE)
    expect(await bench.run({}, options)).toMatchObject({ deadLetters: 0, counts: { failed: 0 } })
    expect(right(bench).rows.size).toBe(count + 1)
    expect(await savedEnds('app', bench.memory).list()).toMatchObject([
      { endMs: NOW + MINUTE },
      { endMs: NOW + MINUTE },
    ])
  })
})

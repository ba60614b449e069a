// What a run of kind `db` does, over a sync and a verify that the test carries out itself.
import { describe, expect, test } from 'vitest'
import {
  type DbItem,
  type DbSummary,
  type DbSurroundings,
  DbSyncFailed,
  type DbVerifySummary,
  type DeadLetter,
  InvalidDbRequest,
} from '../../src/db/contract.ts'
import { JobsUnusable } from '../../src/db/jobs/api.ts'
import { StoreFailed } from '../../src/db/store.ts'
import { TableRefusedError } from '../../src/db/table.ts'
import type { JobContext, Progress } from '../../src/runs/contract.ts'
import { type ConfiguredPair, createDbJob, lastRunKey, type OpenPair } from '../../src/runs/db-job.ts'
import { findProblem } from '../../src/runs/problems.ts'
import type { RunItem } from '../../src/state/store.ts'
import { FakeStateStore } from '../fakes/state-store.ts'
import { FakeClock } from '../lib/fake-clock.ts'

const NONE = { read: 0, applied: 0, older: 0, equal: 0, echoed: 0, failed: 0 }
const WINDOW = { beginMs: 0, endMs: Date.UTC(2026, 0, 1) }
const ISO_WINDOW = { begin: '1970-01-01T00:00:00.000Z', end: '2026-01-01T00:00:00.000Z' }
const anItem = (over: Partial<DbItem> = {}): DbItem => ({
  ...{ table: 'users', direction: 'left-to-right', window: WINDOW, ...NONE, ms: 5 },
  ...over,
})
const aSummary = (over: Partial<DbSummary> = {}): DbSummary => ({
  ...{ window: WINDOW, items: [], counts: NONE, deadLetters: 0 },
  ...over,
})
const VERDICTS = { equal: 3, leftNewer: 0, rightNewer: 0, onlyLeft: 0, onlyRight: 0, differs: 0 }
const aVerify = (over: Partial<DbVerifySummary> = {}): DbVerifySummary => ({
  ...{ window: WINDOW, items: [], counts: VERDICTS, differences: [], repaired: 0 },
  ...over,
})
const LETTER: DeadLetter = { table: 'users', direction: 'left-to-right', id: 'x', reason: 'broken', at: 0 }
const SYNC = { operation: 'sync', pair: 'app', direction: 'both', dryRun: false }
const VERIFY = { operation: 'verify', pair: 'app', maxDifferences: 10 }

function stage(over: Partial<Pick<ConfiguredPair, 'sync' | 'verify'>> = {}) {
  const clock = new FakeClock()
  const store = new FakeStateStore(clock)
  const told = {
    items: [] as RunItem[],
    progress: [] as Progress[],
    letters: [] as (readonly DeadLetter[])[],
    metrics: [] as unknown[],
    closed: 0,
  }
  const abort = new AbortController()
  const job = createDbJob({
    ...{ store, clock },
    pairs: [
      {
        ...{ name: 'app', tables: 'all', lagMs: 0 },
        open: async () =>
          ({ key: 'app', [Symbol.asyncDispose]: async () => void told.closed++ }) as unknown as OpenPair,
        sync: async () => expect.unreachable('no sync'),
        verify: async () => expect.unreachable('no verify'),
        keepDeadLetters: async (letters) => void told.letters.push(letters),
        ...over,
      },
    ],
    onItem: (pair, item, isExplicit) => told.metrics.push([pair, item.applied, ...(isExplicit ? ['explicit'] : [])]),
    onDeadLetters: (pair, count) => told.metrics.push([pair, count]),
  })
  const context: JobContext = {
    ...{ id: 'run-1', takesUp: false, signal: abort.signal },
    progress: (progress) => void told.progress.push(progress),
    item: async (item) => void told.items.push(item),
  }
  return { clock, store, told, abort, job, run: (request: object) => job.execute(request, context), context }
}

describe('a sync', () => {
  test('has an item for each table and direction, and a summary without them', async () => {
    const { run, told } = stage({
      sync: async (_, __, { onItem, onDeadLetters }) => {
        await onItem(anItem({ read: 2, applied: 1, equal: 1 }))
        await onItem(anItem({ direction: 'right-to-left', read: 1, failed: 1, note: 'so it is' }))
        await onItem(anItem({ table: 'orders' }))
        await onDeadLetters([LETTER])
        return aSummary({ counts: { ...NONE, read: 3, applied: 1, equal: 1, failed: 1 }, deadLetters: 1 })
      },
    })
    const outcome = await run(SYNC)
    expect(told.items.map(({ key, status }) => [key, status])).toEqual([
      ['users left-to-right', 'updated'],
      ['users right-to-left', 'failed'],
      ['orders left-to-right', 'unmodified'],
    ])
    expect(JSON.parse(told.items[1]?.body ?? '')).toEqual({
      ...{ table: 'users', direction: 'right-to-left', window: ISO_WINDOW },
      ...{ ...NONE, read: 1, failed: 1, ms: 5, note: 'so it is', status: 'failed' },
    })
    expect([outcome.failed, outcome.problem]).toEqual([true, undefined])
    expect(JSON.parse(outcome.summary)).toEqual({
      ...{ window: ISO_WINDOW, deadLetters: 1 },
      counts: { ...NONE, read: 3, applied: 1, equal: 1, failed: 1 },
    })
    expect(told.letters).toEqual([[LETTER]])
    expect(told.metrics).toEqual([
      ['app', 1],
      ['app', 0],
      ['app', 0],
      ['app', 1],
    ])
    expect(told.closed).toBe(1)
  })

  test('is told of as explicit where the caller chose its window', async () => {
    const { run, told } = stage({
      sync: async (_, __, { onItem }) => {
        await onItem(anItem({ read: 2, applied: 1, equal: 1 }))
        return aSummary()
      },
    })
    await run({ ...SYNC, end: '2015-01-01' })
    expect(told.metrics).toEqual([['app', 1, 'explicit']])
  })

  test('that failed no row succeeds', async () => {
    expect((await stage({ sync: async () => aSummary() }).run(SYNC)).failed).toBe(false)
  })

  test('hands on what was asked, and the memory of the state', async () => {
    const { run, store } = stage({
      sync: async (_, request, { memory }) => {
        expect(request).toMatchObject({
          tables: ['users'],
          direction: 'left-to-right',
          begin: '2026-01-01',
          dryRun: true,
        })
        await memory.putValue('mark', '"kept"')
        return aSummary()
      },
    })
    await run({ ...SYNC, tables: ['users'], direction: 'left-to-right', begin: '2026-01-01', dryRun: true })
    expect(await store.getValue('mark')).toBe('"kept"')
    expect(await store.getValue(lastRunKey('app'))).toBe('"run-1"')
  })

  test('counts no rows of a dry run', async () => {
    const { run, told } = stage({
      sync: async (_, __, { onItem }) => {
        await onItem(anItem({ read: 1, applied: 1 }))
        return aSummary()
      },
    })
    await run({ ...SYNC, dryRun: true })
    expect([told.metrics, told.items.length]).toEqual([[], 1])
  })

  test('tells how far all its tables are together, and how fast', async () => {
    const { run, told, clock } = stage({
      sync: async (_, __, { onProgress }) => {
        const at = (table: string, done: number, read: number) =>
          onProgress({ ...{ table, direction: 'left-to-right', done, total: 4 }, ...NONE, read, applied: read })
        at('users', 1, 100)
        await clock.advance(2_000)
        at('orders', 2, 50)
        at('users', 2, 150)
        return aSummary()
      },
    })
    await run(SYNC)
    expect(told.progress.at(-1)).toEqual({
      ...{ done: 4, total: 8, message: 'users, left to right' },
      figures: { ...NONE, read: 200, applied: 200, rowsPerSecond: 100 },
      tables: [
        { ...NONE, table: 'users', direction: 'left-to-right', done: 2, total: 4, read: 150, applied: 150 },
        { ...NONE, table: 'orders', direction: 'left-to-right', done: 2, total: 4, read: 50, applied: 50 },
      ],
    })
  })

  test('tells what it waits for in place of where it is', async () => {
    const { run, told } = stage({
      sync: async (_, __, { onProgress }) => {
        const note = 'no progress for 10 min: none of its Pods is there'
        onProgress({ ...NONE, table: 'users', direction: 'left-to-right', done: 0, total: 4, note })
        return aSummary()
      },
    })
    await run(SYNC)
    expect(told.progress.at(-1)?.message).toBe('no progress for 10 min: none of its Pods is there')
    expect(told.progress.at(-1)?.tables).toEqual([
      { ...NONE, table: 'users', direction: 'left-to-right', done: 0, total: 4 },
    ])
  })

  test('whose workers fail has a problem of its own', async () => {
    const error = new DbSyncFailed('the Job a has failed', aSummary(), {
      cause: new JobsUnusable('the Job a has failed'),
    })
    const outcome = await stage({ sync: () => Promise.reject(error) }).run(SYNC)
    expect(outcome).toMatchObject({ failed: true, problem: { kind: 'workers-failed', detail: 'the Job a has failed' } })
  })

  test('that stopped half way fails with what stopped it, where it stands and what it had done', async () => {
    const items = [anItem({ read: 3, applied: 3 }), anItem({ table: 'orders', read: 4, applied: 4 })]
    const summary = aSummary({ items, counts: { ...NONE, read: 7, applied: 7 } })
    const error = new DbSyncFailed('users is done; cassandra a is away', summary, { cause: new StoreFailed('away') })
    const { run, told } = stage({
      sync: async (_, __, { onItem }: DbSurroundings) => {
        await onItem(anItem({ read: 3, applied: 3 }))
        throw error
      },
    })
    const outcome = await run(SYNC)
    expect(outcome).toMatchObject({
      failed: true,
      problem: { kind: 'store-failed', detail: 'users is done; cassandra a is away' },
    })
    expect(JSON.parse(outcome.summary).counts.applied).toBe(7)
    // The table that is half done is told of too: the figures of the items add up to those of the summary.
    expect(told.items.map(({ key, body }) => [key, JSON.parse(body).applied])).toEqual([
      ['users left-to-right', 3],
      ['orders left-to-right', 4],
    ])
    expect(told.closed).toBe(1)
  })

  test('that was cancelled ends with the reason of its signal, and tells what was half done', async () => {
    const { run, abort, told } = stage({
      sync: async (_, __, { signal, onHalfDone }: DbSurroundings) => {
        await onHalfDone?.(anItem({ table: 'orders', applied: 4, note: 'stopped half way, 1 of 2 parts done' }))
        abort.abort(new Error('enough'))
        throw signal.reason
      },
    })
    await expect(run(SYNC)).rejects.toThrow('enough')
    expect(told.items.map(({ key, body }) => [key, JSON.parse(body).applied, JSON.parse(body).note])).toEqual([
      ['orders left-to-right', 4, 'stopped half way, 1 of 2 parts done'],
    ])
    expect(told.metrics).toEqual([])
  })

  test('that met a defect throws it: its words are not for everybody', async () => {
    const error = new DbSyncFailed('stopped', aSummary(), { cause: new TypeError('undefined is not a function') })
    await expect(stage({ sync: () => Promise.reject(error) }).run(SYNC)).rejects.toThrow(TypeError)
  })

  test.each([
    [new StoreFailed('cassandra a: refused'), 'store-failed'],
    [new TableRefusedError('users', 'it has no column id'), 'table-refused'],
    [new InvalidDbRequest('begin', 'begin is after end'), 'not-possible'],
  ])('that could not begin says why: %s', async (error, kind) => {
    const { run } = stage({ sync: () => Promise.reject(error) })
    await expect(run(SYNC)).rejects.toBe(error)
    expect(findProblem(error)).toEqual({ kind, detail: error.message })
  })
})

describe('a verify', () => {
  test('fails when anything differs', async () => {
    const counts = { ...VERDICTS, differs: 1 }
    const differences = [{ table: 'users', id: 'x', kind: 'differs' }] as const
    const { run, told } = stage({
      verify: async (_, request, { onItem, onProgress, resume }) => {
        expect([request.maxDifferences, resume]).toEqual([10, false])
        onProgress({ table: 'users', read: 6, done: 2, total: 2, compared: 3 })
        await onItem({ table: 'users', counts, ms: 3 })
        await onItem({ table: 'orders', counts: VERDICTS, ms: 3 })
        return aVerify({ counts, differences })
      },
    })
    const outcome = await run(VERIFY)
    expect(outcome.failed).toBe(true)
    expect(JSON.parse(outcome.summary)).toEqual({ window: ISO_WINDOW, counts, differences, repaired: 0 })
    expect(told.items).toEqual([
      { key: 'users', status: 'failed', body: JSON.stringify({ table: 'users', counts, ms: 3, status: 'failed' }) },
      {
        ...{ key: 'orders', status: 'unmodified' },
        body: JSON.stringify({ table: 'orders', counts: VERDICTS, ms: 3, status: 'unmodified' }),
      },
    ])
    expect(told.progress).toMatchObject([{ done: 2, total: 2, message: 'users', figures: { read: 6, compared: 3 } }])
  })

  test('succeeds when all is equal', async () => {
    expect((await stage({ verify: async () => aVerify() }).run(VERIFY)).failed).toBe(false)
  })

  test('goes on with that of the run that it takes up', async () => {
    const { job, context } = stage({
      verify: async (_, __, { resume }) => {
        expect(resume).toBe(true)
        return aVerify()
      },
    })
    await job.execute(VERIFY, { ...context, takesUp: true })
    expect.assertions(1)
  })
})

test('works under the lock of its pair', () => {
  expect(stage().job.locksOf(['pair:app'])).toEqual(['db-app'])
})

test('is taken up as long as its pair is there, unless it deletes', async () => {
  const { job, run } = stage()
  expect(job.canBeTakenUp(SYNC)).toBe(true)
  expect(job.canBeTakenUp(VERIFY)).toBe(true)
  expect(job.canBeTakenUp({ ...VERIFY, orphans: true, repair: 'delete-right' })).toBe(false)
  expect(job.canBeTakenUp({ ...SYNC, pair: 'gone' })).toBe(false)
  await expect(run({ ...SYNC, pair: 'gone' })).rejects.toThrow('gone is no pair of the configuration any more.')
})

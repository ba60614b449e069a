import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { savedEnds } from '../../../src/db/checkpoint.ts'
import type { DbSyncRequest } from '../../../src/db/contract.ts'
import { encodeFailure, encodeReport } from '../../../src/db/jobs/report.ts'
import { eventually } from '../../lib/eventually.ts'
import { createMemory, idOf, openMemoryStore, versionAt } from '../memory-store.ts'
import { NOW } from '../sync-bench.ts'
import { CANCELLED, JOBS, JobsBench, PODS } from './jobs-bench.ts'

const THERE = { direction: 'left-to-right' } as const

let bench: JobsBench

beforeEach(async () => {
  bench = await JobsBench.open()
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  expect(bench.api.unexpected).toEqual([])
  expect(bench.sync.clock.pending).toBe(0)
})

/** `rows` rows on the left, in the second before now; the table is on both sides. */
function fill(table = 'carts', rows = 20): void {
  const [left] = [bench.sync.left.addTable(table), bench.sync.right.addTable(table)]
  for (let at = 0; at < rows; at++) left.put(idOf(at), versionAt(NOW - 1_000 + at, at), `row ${at}`)
}

const rightRows = (table = 'carts') => bench.sync.right.tables.get(table)?.rows.size

async function endsOf(): Promise<readonly (readonly [string, number | undefined])[]> {
  const ends = await savedEnds('app', bench.sync.memory).list()
  return ends.map(({ table, direction, endMs }) => [`${table} ${direction}`, endMs] as const)
}

const kept = () => [...bench.sync.remembered.keys()].filter((key) => key.startsWith('db jobs'))

/** Begins a run and lets it go on until its Job is followed. */
function begin(request: Partial<DbSyncRequest> = THERE, options: Parameters<JobsBench['run']>[1] = {}) {
  const stop = new AbortController()
  const run = bench.run(request, { signal: stop.signal, ...options }).catch((error: unknown) => error)
  return { run, stop, followed: () => watched(2) }
}

/** So many watches know what there is, and what they have brought is told and saved: only long timers are left. */
async function watched(count: number): Promise<void> {
  const { clock } = bench.sync
  await eventually(() => bench.api.openWatches === count)
  for (let second = 0; second < 8; second++) {
    for (let turns = 0; turns < 50; turns++) await turn()
    if ((clock.nextAt ?? 0) - clock.now() > 15_000) return
    await clock.advance(1_000)
  }
  throw new Error('it is not quiet')
}

describe('a sync by workers', () => {
  it('has one Job for each direction, left to right first, and saves the ends as a process does', async () => {
    fill('carts', 20)
    fill('users', 0)
    const summary = await bench.run()
    expect(bench.made.map(({ order }) => [order.direction, order.tables.map(({ name }) => name), order.of])).toEqual([
      ['left-to-right', ['carts', 'users'], 4],
      ['right-to-left', ['carts', 'users'], 4],
    ])
    expect(rightRows()).toBe(20)
    expect(summary.counts).toEqual({ read: 40, applied: 20, older: 0, equal: 20, echoed: 0, failed: 0 })
    expect(summary.items.map(({ table, direction }) => `${table} ${direction}`)).toEqual([
      ...['carts left-to-right', 'carts right-to-left', 'users left-to-right', 'users right-to-left'],
    ])
    expect(bench.sync.items.map(({ table, direction }) => `${table} ${direction}`)).toEqual([
      ...['carts left-to-right', 'users left-to-right', 'carts right-to-left', 'users right-to-left'],
    ])
    expect(await endsOf()).toEqual(summary.items.map(({ table, direction }) => [`${table} ${direction}`, NOW]))
    expect(bench.deleted).toEqual(bench.made.map(({ name }) => ({ name, propagation: 'Background' })))
    expect(kept()).toEqual([])
    expect(bench.sync.progress.at(-1)).toMatchObject({ table: 'users', direction: 'right-to-left', done: 4, total: 4 })
    expect(bench.sync.letters).toEqual([])
  })

  it('cuts an Elasticsearch by what it holds, and asks for nothing where it holds nothing', async () => {
    fill('carts', 25)
    fill('users', 0)
    Object.assign(bench.sync.left, { kind: 'elasticsearch' })
    await bench.run(THERE)
    expect(bench.made[0]?.order.tables.map(({ splits }) => splits)).toEqual([['0/3', '1/3', '2/3'], []])
    expect(bench.made[0]?.order.of).toBe(3)
    expect(rightRows()).toBe(25)
    await bench.sync.clock.advance(1_000)
    await bench.run(THERE)
    expect(bench.made).toHaveLength(1)
    expect((await endsOf()).at(0)).toEqual(['carts left-to-right', NOW + 1_000])
  })

  it('refuses a table before any Job is made', async () => {
    fill()
    await expect(bench.run({ tables: ['nothing'] })).rejects.toMatchObject({ name: 'TableRefusedError' })
    expect(bench.made).toEqual([])
  })

  it('moves no end with bounds of the caller, nor in a dry run, which writes nothing', async () => {
    fill()
    const dry = await bench.run({ dryRun: true })
    expect(dry.counts.applied).toBe(20)
    expect(rightRows()).toBe(0)
    expect(bench.sync.remembered.size).toBe(0)
    await bench.run({ begin: new Date(NOW - 1_001).toISOString(), end: new Date(NOW).toISOString() })
    expect(rightRows()).toBe(20)
    expect((await endsOf()).every(([, endMs]) => endMs === undefined)).toBe(true)
  })
})

describe('the API server', () => {
  it.each([
    [{ major: '1', minor: '28', gitVersion: 'v1.28.9' }, 'this API server is v1.28.9'],
    [{ major: '1', minor: '9+' }, 'this API server is 1.9+'],
    [{}, 'this API server is undefined.undefined'],
  ])('that is too old is told so, before anything is asked of the stores: %j', async (version, says) => {
    bench.version = version
    await expect(bench.run()).rejects.toMatchObject({ name: 'JobsUnusable', message: expect.stringContaining(says) })
    expect(bench.sync.steps).toEqual([])
  })

  it.each([
    { major: '1', minor: '29' },
    { major: '1', minor: '36', gitVersion: 'v1.36.3' },
    { major: '2', minor: '0' },
  ])('is new enough: %j', async (version) => {
    fill()
    bench.version = version
    await bench.run(THERE)
    expect(rightRows()).toBe(20)
  })

  it('that forgets what the Job needs is told so', async () => {
    fill()
    bench.store = ({ spec, ...job }) => {
      const { backoffLimitPerIndex: _, ...kept } = spec ?? {}
      return { ...job, spec: kept }
    }
    bench.hasRoom = false
    await expect(bench.run(THERE)).rejects.toThrow(
      /has dropped backoffLimitPerIndex of the Job .*: its feature gate is off/,
    )
  })

  it('that answers too late has made the Job all the same: it is adopted', async () => {
    fill()
    let isFirst = true
    bench.endOf = (_, round) => (round === 1 ? 'done' : 'silent')
    const { answer } = bench.api
    bench.api.answer = (request) => {
      const given = answer(request)
      if (request.method !== 'POST' || !isFirst) return given
      isFirst = false
      return { status: 503, body: '{}' }
    }
    const { run } = begin()
    await eventually(() => bench.sync.clock.pending > 0 && !isFirst)
    while (bench.api.seen.filter(({ method }) => method === 'POST').length < 2) {
      await turn()
      await bench.sync.clock.advance(100)
    }
    expect(await run).toMatchObject({ counts: { applied: 20 } })
    expect(bench.made).toHaveLength(1)
  })

  it('that does not let it is told the Role', async () => {
    fill()
    bench.api.fault = ({ method }) => (method === 'POST' ? { status: 403 } : undefined)
    await expect(bench.run(THERE)).rejects.toThrow(/roles\/db-jobs\.yaml/)
  })
})

describe('shards without a word', () => {
  it('are done once more, and those alone', async () => {
    fill()
    bench.endOf = (shard, round) => (round === 1 && shard % 2 === 1 ? 'silent' : 'done')
    const summary = await bench.run(THERE)
    expect(bench.made.map(({ order }) => order.shards)).toEqual([
      [0, 1, 2, 3],
      [1, 3],
    ])
    expect(bench.made[1]?.name).toMatch(/-0-2$/)
    expect(summary.counts.read).toBe(20)
    expect(summary.counts.applied + summary.counts.equal).toBe(20)
  })

  it('end the run when another Job does not help', async () => {
    fill()
    bench.endOf = (shard) => (shard === 2 ? 'silent' : 'done')
    const failure = await bench.run(THERE).catch((error: unknown) => error)
    expect(String(failure)).toMatch(/shards 2 have ended 3 times without a word/)
    expect(await endsOf()).toEqual([
      ['carts left-to-right', undefined],
      ['carts right-to-left', undefined],
    ])
  })
})

describe('a Job that fails', () => {
  beforeEach(() => fill())

  it('fails the run with what its worker said; the end stays, and the next run does the rest', async () => {
    const problem = { exitCode: 2, message: encodeFailure('table carts cannot be synced: it has a counter') }
    bench.endOf = (shard, round) => (round === 1 && shard === 3 ? problem : 'done')
    const failure = await bench.run(THERE).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'DbSyncFailed', cause: { name: 'JobsUnusable' } })
    expect(String(failure)).toMatch(/shard 3 failed; shard 3: table carts cannot be synced: it has a counter/)
    expect(bench.deleted).toEqual([])
    expect((await endsOf()).at(0)?.[1]).toBeUndefined()
    const summary = await bench.run(THERE)
    expect(bench.made.map(({ order }) => order.shards)).toEqual([[0, 1, 2, 3], [3]])
    expect(summary.counts).toMatchObject({ read: 20, applied: 20 })
    expect((await endsOf()).at(0)?.[1]).toBe(NOW)
  })

  it('was deleted by somebody: the run says so', async () => {
    bench.endOf = () => 'running'
    const { run, followed } = begin()
    await followed()
    bench.api.remove(JOBS, bench.made[0]?.name ?? '')
    expect(String(await run)).toMatch(/the Job syncer-db-app-.* was deleted by somebody else/)
  })
})

describe('a run that is cancelled', () => {
  beforeEach(() => fill())

  it('has its Job deleted with its Pods, and ends when none of those is left', async () => {
    bench.endOf = (shard) => (shard === 0 ? 'done' : 'running')
    bench.endsPods = false
    const { run, stop, followed } = begin()
    await followed()
    let isOver = false
    void run.then(() => {
      isOver = true
    })
    stop.abort(CANCELLED)
    await eventually(() => bench.deleted.length === 1)
    await watched(1)
    expect(bench.deleted[0]?.propagation).toBe('Background')
    expect(isOver).toBe(false)
    bench.removePods()
    expect(await run).toBe(CANCELLED)
    // What is done stays done.
    bench.endOf = () => 'done'
    await bench.run(THERE)
    expect(bench.made[1]?.order.shards).toEqual([1, 2, 3])
    expect(rightRows()).toBe(20)
  })

  it('says which Pods are left when they do not end', async () => {
    bench.endOf = (shard) => (shard === 1 ? 'running' : 'done')
    bench.endsPods = false
    const { run, stop, followed } = begin()
    await followed()
    stop.abort(CANCELLED)
    await eventually(() => bench.deleted.length === 1)
    await watched(1)
    await bench.sync.clock.advance(120_000)
    expect(String(await run)).toMatch(/was deleted, and 120 s later these Pods run on: syncer-db-app-\w+-0-1-1/)
  })

  it('before its Job was found again has that one deleted too', async () => {
    bench.endOf = () => 'running'
    const first = begin()
    await first.followed()
    first.stop.abort(new Error('the service stops'))
    await first.run
    const again = new AbortController()
    const step = (what: string) => {
      if (what.endsWith('describe')) again.abort(CANCELLED)
    }
    await expect(bench.run(THERE, { signal: again.signal, step })).rejects.toBe(CANCELLED)
    expect(bench.deleted.map(({ name }) => name)).toEqual([bench.made[0]?.name])
  })
})

describe('a service that was stopped', () => {
  beforeEach(() => fill())

  /** Stops a run whose Job runs on, with shard 0 done. */
  async function interrupt(request: Partial<DbSyncRequest> = THERE): Promise<void> {
    bench.endOf = (shard) => (shard === 0 ? 'done' : 'running')
    const { run, stop, followed } = begin(request)
    await followed()
    expect(bench.sync.progress.at(-1)?.done).toBe(1)
    const stopping = new Error('the service stops')
    stop.abort(stopping)
    expect(await run).toBe(stopping)
    bench.endOf = () => 'done'
  }

  it('finds its Job again, then does what is new since', async () => {
    await interrupt()
    expect(bench.deleted).toEqual([])
    bench.finish()
    await bench.settled()
    const now = bench.sync.clock.wallNow() + 5_000
    await bench.sync.clock.advance(5_000)
    bench.sync.left.tables.get('carts')?.put(idOf(99), versionAt(now - 1), 'late')
    const summary = await bench.run(THERE)
    expect(bench.made.map(({ order }) => order.shards?.length)).toEqual([4, 4])
    expect(rightRows()).toBe(21)
    expect(summary.items).toHaveLength(1)
    expect(summary.counts).toMatchObject({ read: 21, applied: 21 })
    expect(summary.items[0]?.window).toEqual({ beginMs: 0, endMs: now })
    expect((await endsOf()).at(0)?.[1]).toBe(now)
  })

  it('counts what was told before, though the Pods that told it are gone', async () => {
    await interrupt()
    bench.finish()
    await bench.settled()
    bench.api.remove(PODS, `${bench.made[0]?.name}-0`)
    const summary = await bench.run(THERE)
    expect(bench.made.map(({ order }) => order.shards)).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ])
    expect(summary.counts).toMatchObject({ read: 20, applied: 20 })
  })

  it('does the rest anew when the Job is gone', async () => {
    await interrupt()
    bench.api.remove(JOBS, bench.made[0]?.name ?? '')
    bench.removePods()
    await bench.run(THERE)
    expect(bench.made[1]?.order.shards).toEqual([1, 2, 3])
    expect(rightRows()).toBe(20)
  })

  it('has forgotten all of it when its windows were reset', async () => {
    await interrupt()
    await savedEnds('app', bench.sync.memory).reset()
    bench.sync.right.tables.get('carts')?.rows.clear()
    await bench.run(THERE)
    expect(bench.made[1]?.order.shards).toEqual([0, 1, 2, 3])
    expect(rightRows()).toBe(20)
  })

  it.each([
    ['another request', async () => bench.run({ direction: 'right-to-left' })],
    [
      'an end that the process itself has saved since',
      async () => {
        await bench.sync.run(THERE)
        await bench.sync.clock.advance(1_000)
        return bench.run(THERE)
      },
    ],
    [
      'other stores',
      async () => {
        const { left } = bench.sync
        const other = { ...openMemoryStore(left, { name: 'left' }), address: 'memory elsewhere' }
        return bench.run(THERE, { pair: { left: other } })
      },
    ],
  ])('lets go of it for %s', async (_, again) => {
    await interrupt()
    await again()
    expect(bench.deleted[0]).toEqual({ name: bench.made[0]?.name, propagation: 'Background' })
    expect(bench.made[1]?.order.shards).toEqual([0, 1, 2, 3])
    expect(kept()).toEqual([])
  })
})

describe('a state that fails', () => {
  it('ends the run, and what it holds is enough to go on', async () => {
    fill()
    for (let fails = 0; ; fails++) {
      let steps = 0
      const memory = createMemory(bench.sync.remembered, () => {
        if (steps++ === fails) throw new Error('the state is away')
      })
      const failure = await bench.run(THERE, { memory }).catch((error: unknown) => error)
      if (!(failure instanceof Error)) break
      expect(failure.message).toContain('the state is away')
    }
    expect(rightRows()).toBe(20)
    expect((await endsOf()).at(0)?.[1]).toBe(NOW)
    expect(kept()).toEqual([])
  })
})

describe('failed rows', () => {
  beforeEach(() => fill())

  it('are told, kept, and tried again by the service itself', async () => {
    bench.sync.left.tables.get('carts')?.misfits.set(idOf(7), 'column text is no text')
    const summary = await bench.run(THERE)
    expect(summary.counts).toMatchObject({ read: 20, applied: 19, failed: 1 })
    expect(summary.deadLetters).toBe(1)
    expect(bench.sync.letters).toMatchObject([{ table: 'carts', id: idOf(7), reason: 'column text is no text' }])
    expect((await endsOf()).at(0)?.[1]).toBe(NOW)
    const again = await bench.run(THERE)
    expect(again.counts).toMatchObject({ read: 1, failed: 1 })
    bench.sync.left.tables.get('carts')?.misfits.clear()
    const mended = await bench.run(THERE)
    expect(mended.counts).toMatchObject({ read: 1, applied: 1, failed: 0 })
    expect(bench.sync.letters).toEqual([])
    expect(rightRows()).toBe(20)
  })

  it('that are met again count once', async () => {
    bench.sync.left.tables.get('carts')?.misfits.set(idOf(7), 'column text is no text')
    await bench.run(THERE)
    await savedEnds('app', bench.sync.memory).set(0)
    const summary = await bench.run(THERE)
    expect(summary.counts).toMatchObject({ read: 20, equal: 19, failed: 1 })
  })

  it('that nobody can tell one by one leave the end where it is, and the run says so', async () => {
    bench.endOf = (shard) => {
      if (shard !== 2) return 'done'
      const counts = { read: 900, applied: 0, older: 0, equal: 0, echoed: 0, failed: 900 }
      const order = bench.made.at(-1)?.order
      if (order === undefined) throw new Error('there is a Job')
      const message = encodeReport(order, 2, [{ table: 'carts', counts, letters: [], untold: 900 }])
      return { exitCode: 0, message }
    }
    const summary = await bench.run(THERE)
    expect(summary.counts.failed).toBe(900)
    expect(summary.items[0]?.note).toMatch(/the saved end stays/)
    expect((await endsOf()).at(0)?.[1]).toBeUndefined()
  })
})

describe('a run that makes no progress', () => {
  beforeEach(() => {
    fill()
    bench.hasRoom = false
  })

  const lastNote = () => bench.sync.progress.at(-1)?.note

  it('says so, with what can be known, and takes it back when something moves', async () => {
    const { run, followed } = begin()
    await followed()
    await bench.sync.clock.advance(60_000)
    await eventually(() => lastNote() !== undefined)
    expect(lastNote()).toMatch(
      /^no progress for 1 min: none of its Pods is there: .* \(`kubectl -n syncer describe job syncer-db-app-\w+-0-1` tells more\)$/,
    )
    bench.finish()
    await run
    expect(lastNote()).toBeUndefined()
    expect(rightRows()).toBe(20)
  })

  it('tells the warning of Kubernetes where it may be read', async () => {
    bench.warning = 'pods "x" is forbidden: exceeded quota: none'
    const { run, followed } = begin()
    await followed()
    await bench.sync.clock.advance(60_000)
    await eventually(() => lastNote() !== undefined)
    expect(lastNote()).toMatch(/\(FailedCreate: pods "x" is forbidden: exceeded quota: none\)$/)
    bench.finish()
    await run
  })
})

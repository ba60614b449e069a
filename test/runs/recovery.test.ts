import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RunsStopping } from '../../src/runs/contract.ts'
import { StateUnavailable, StateUnusable } from '../../src/state/store.ts'
import { DEAD_AFTER_MS, problemOf, request, Stage } from './fixture.ts'

let stage: Stage
beforeEach(() => {
  stage = new Stage()
})
afterEach(async () => {
  await stage[Symbol.asyncDispose]()
  expect(stage.clock.pending).toBe(0)
})

const stateOf = (id: string) => stage.store.runs.get(id)?.state
/** A run of a process that is gone. */
const leaveBehind = async (over: Parameters<typeof request>[0] = {}, at = stage.clock.wallNow()): Promise<string> => {
  const gone = await stage.store.openOwner(DEAD_AFTER_MS)
  const { resources, kind, trigger, dryRun, takesUp = null, request: asked } = request(over)
  const id = `00000000-0000-7000-8000-${String(stage.store.runs.size).padStart(12, '0')}`
  const record = { id, resources, kind, trigger, dryRun, takesUp, createdAt: at, owner: gone.id }
  await stage.store.createRun({ ...record, request: JSON.stringify(asked) })
  stage.store.kill(gone.id)
  return id
}
const takersOf = (id: string) => [...stage.store.runs.values()].filter((run) => run.takesUp === id)

describe('what a process that is gone has left behind', () => {
  test('is interrupted when the service starts', async () => {
    const id = await leaveBehind()
    await stage.replica()
    expect(stateOf(id)).toBe('interrupted')
    expect(problemOf(stage.store.runs.get(id))).toBe('interrupted')
  })

  test('is interrupted by the leader while it runs, and by nobody else', async () => {
    const leadership = { isLeader: false, onChange: () => () => {} }
    await stage.replica({ leadership })
    const id = await leaveBehind()
    await stage.pass(2 * DEAD_AFTER_MS)
    expect(stateOf(id)).toBe('queued')
    leadership.isLeader = true
    await stage.pass(DEAD_AFTER_MS / 3)
    expect(stateOf(id)).toBe('interrupted')
  })

  test('is seen at once by a replica that begins to lead', async () => {
    let tell = () => {}
    const leadership = {
      isLeader: false,
      onChange: (listener: () => void) => {
        tell = listener
        return () => {}
      },
    }
    await stage.replica({ leadership })
    await stage.pass(10)
    const id = await leaveBehind()
    leadership.isLeader = true
    tell()
    await stage.pass(0)
    expect(stateOf(id)).toBe('interrupted')
  })

  test('does not touch what living replicas do', async () => {
    const [one] = [await stage.replica(), await stage.replica()]
    const { run } = await one.runs.start(request())
    await stage.pass(10 * DEAD_AFTER_MS)
    expect(stateOf(run.id)).toBe('running')
  })
})

describe('interrupted runs', () => {
  test('are made anew by the leader where there are several replicas, once', async () => {
    const id = await leaveBehind({ trigger: 'schedule', request: { limit: 7 } })
    const [one, two] = [await stage.replica({ takesUp: ['tokens'] }), await stage.replica({ takesUp: ['tokens'] })]
    await stage.pass(2 * DEAD_AFTER_MS)
    const [taker, ...more] = takersOf(id)
    expect(more).toEqual([])
    expect(taker).toMatchObject({ state: 'running', trigger: 'schedule', request: '{"limit":7}', takesUp: id })
    for (const job of [...one.working, ...two.working]) job.finish()
    await stage.pass(2 * DEAD_AFTER_MS)
    expect(takersOf(id)).toHaveLength(1)
  })

  test.each([
    ['a dry run', { dryRun: true }],
    ['a run of a plan', { request: { plan: 'id' } }],
    ['a run of a command line, which knows that it ended', { trigger: 'cli' as const }],
  ])('are left alone: %s', async (_, over) => {
    const id = await leaveBehind(over)
    await stage.replica({ takesUp: ['tokens'] })
    await stage.pass(DEAD_AFTER_MS)
    expect([stateOf(id), takersOf(id)]).toEqual(['interrupted', []])
  })

  test('are left alone when somebody wanted them to end', async () => {
    const id = await leaveBehind()
    await stage.store.requestCancel(id)
    await stage.replica({ takesUp: ['tokens'] })
    await stage.pass(DEAD_AFTER_MS)
    expect(takersOf(id)).toEqual([])
  })

  test('are left alone when nobody waits for them any more', async () => {
    const id = await leaveBehind()
    const early = await stage.replica()
    await stage.until(early.runs.stop(0))
    await stage.pass(601_000)
    await stage.replica({ takesUp: ['tokens'] })
    await stage.pass(DEAD_AFTER_MS)
    expect(takersOf(id)).toEqual([])
  })

  test('are left alone where runs of their kind are', async () => {
    const id = await leaveBehind()
    await stage.replica({ takesUp: ['db'] })
    await stage.pass(DEAD_AFTER_MS)
    expect(takersOf(id)).toEqual([])
  })

  test('are not passed on for ever', async () => {
    await leaveBehind()
    for (let round = 0; round < 8; round++) {
      const replica = await stage.replica({ takesUp: ['tokens'] })
      await stage.pass(10)
      await stage.until(replica.runs.stop(0))
    }
    expect(stage.store.runs.size).toBe(6)
  })

  test('wait until what overlaps them has ended', async () => {
    const id = await leaveBehind()
    const replica = await stage.replica({ leadership: { isLeader: false, onChange: () => () => {} } })
    await replica.runs.start(request())
    await stage.replica({ takesUp: ['tokens'] })
    await stage.pass(DEAD_AFTER_MS)
    expect(takersOf(id)).toEqual([])
    replica.working[0]?.finish()
    await stage.pass(DEAD_AFTER_MS)
    expect(takersOf(id)).toHaveLength(1)
  })
})

describe('a store that is away', () => {
  const AWAY = new StateUnavailable('connection refused')

  test('for a moment changes nothing', async () => {
    const replica = await stage.replica()
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    stage.store.away = AWAY
    void replica.working[0]?.item({ key: 'a', status: 'updated', body: '{}' })
    replica.working[0]?.progress({ done: 1 })
    await stage.pass(DEAD_AFTER_MS / 2)
    stage.store.away = undefined
    await stage.pass(DEAD_AFTER_MS)
    expect(replica.working[0]?.signal.aborted).toBe(false)
    replica.working[0]?.finish()
    await stage.pass(10)
    expect(stateOf(run.id)).toBe('succeeded')
    expect(stage.store.items.get(run.id)).toHaveLength(1)
    expect(replica.errors.length).toBeGreaterThan(0)
  })

  test('for long stops the run before others take it for dead, and its end and items are recorded later', async () => {
    const replica = await stage.replica()
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    stage.store.away = AWAY
    void replica.working[0]?.item({ key: 'a', status: 'updated', body: '{}' })
    await stage.pass(DEAD_AFTER_MS - 100)
    expect(replica.working[0]?.signal.aborted).toBe(true)
    expect(replica.runs.problem).toBe('connection refused')
    await stage.pass(10 * DEAD_AFTER_MS)
    stage.store.away = undefined
    await stage.pass(5_000)
    expect(stateOf(run.id)).toBe('interrupted')
    expect(problemOf(stage.store.runs.get(run.id))).toBe('interrupted')
    expect(stage.store.items.get(run.id)).toHaveLength(1)
    await stage.pass(DEAD_AFTER_MS)
    expect(replica.runs.problem).toBeUndefined()
  })

  test('fails a request, and the next one goes well', async () => {
    const replica = await stage.replica()
    stage.store.away = AWAY
    await expect(replica.runs.start(request())).rejects.toThrow(AWAY)
    stage.store.away = undefined
    expect((await replica.runs.start(request())).outcome).toBe('started')
  })

  test('is known from the first request that it fails, and its end within a second', async () => {
    const replica = await stage.replica()
    const unusable = new StateUnusable('is damaged')
    for (const away of [AWAY, unusable]) {
      for (const ask of [
        () => replica.runs.list({ limit: 1 }),
        () => replica.runs.get('a'),
        () => replica.runs.items('a', { limit: 1 }),
        () => replica.runs.cancel('a'),
        () => replica.runs.start(request()),
      ]) {
        expect(replica.runs.problem).toBeUndefined()
        stage.store.away = away
        await expect(ask()).rejects.toThrow(away)
        await stage.pass(0)
        expect(replica.runs.problem).toBe(away.message)
        stage.store.away = undefined
        await stage.pass(1_000)
      }
    }
  })

  test('when the service stops does not keep it from stopping', async () => {
    const replica = await stage.replica()
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    stage.store.away = AWAY
    const before = stage.clock.now()
    await stage.until(replica.runs.stop(1_000))
    expect(stage.clock.now() - before).toBeLessThan(4_100)
    stage.store.away = undefined
    await stage.replica()
    expect(stateOf(run.id)).toBe('interrupted')
  })
})

describe('a store that refuses what a run says', () => {
  const DEFECT = new TypeError('no such column')

  test('of an item ends the run as failed, and the cause is told', async () => {
    const replica = await stage.replica()
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    stage.store.putItems = () => Promise.reject(DEFECT)
    void replica.working[0]?.item({ key: 'a', status: 'updated', body: '{}' })
    await stage.pass(300)
    expect(stateOf(run.id)).toBe('failed')
    expect(problemOf(stage.store.runs.get(run.id))).toBe('internal-error')
    expect(replica.errors).toContainEqual({ error: DEFECT, what: `run ${run.id}` })
    expect(replica.ended).toEqual([`${run.id} failed`])
  })
})

describe('a process that others took for dead', () => {
  test('stops what it does, does not record it as its own, and works again under another name', async () => {
    const replica = await stage.replica()
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    stage.store.kill(run.owner)
    await stage.store.interruptOrphans(stage.clock.wallNow(), '{"kind":"by others"}')
    await stage.pass(DEAD_AFTER_MS / 3)
    expect(replica.working[0]?.signal.aborted).toBe(true)
    expect(problemOf(stage.store.runs.get(run.id))).toBe('by others')
    const again = await replica.runs.start(request())
    expect(again.outcome).toBe('started')
    expect(again.run.owner).not.toBe(run.owner)
    await stage.pass(1_000)
    expect(replica.working[1]?.signal.aborted).toBe(false)
  })

  test('learns it from the first write, too', async () => {
    const replica = await stage.replica()
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    stage.store.kill(run.owner)
    await stage.store.interruptOrphans(stage.clock.wallNow(), '{"kind":"by others"}')
    replica.working[0]?.progress({ done: 1 })
    await stage.pass(500)
    expect(replica.working[0]?.signal.aborted).toBe(true)
  })

  test('learns it from the next request, too, and registers at once', async () => {
    const replica = await stage.replica()
    stage.store.kill('owner-1')
    await expect(replica.runs.start(request())).rejects.toThrow(StateUnavailable)
    await stage.pass(0)
    expect((await replica.runs.start(request())).outcome).toBe('started')
  })

  test('begins no run while it cannot register again', async () => {
    const replica = await stage.replica()
    const { run } = await replica.runs.start(request())
    stage.store.kill(run.owner)
    const open = stage.store.openOwner.bind(stage.store)
    stage.store.openOwner = () => Promise.reject(new Error('refused'))
    await stage.pass(DEAD_AFTER_MS)
    await expect(replica.runs.start(request())).rejects.toThrow(StateUnavailable)
    stage.store.openOwner = open
    await stage.pass(DEAD_AFTER_MS)
    expect((await replica.runs.start(request({ resources: ['cluster:z'] }))).outcome).toBe('started')
  })
})

describe('stopping', () => {
  test('lets runs end within the grace, and begins none', async () => {
    const replica = await stage.replica()
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    const stopped = replica.runs.stop(5_000)
    await expect(replica.runs.start(request({ resources: ['cluster:z'] }))).rejects.toThrow(RunsStopping)
    await stage.pass(4_000)
    replica.working[0]?.finish()
    const at = stage.clock.now()
    await stage.until(stopped)
    expect(stage.clock.now() - at).toBeLessThan(100)
    expect(stateOf(run.id)).toBe('succeeded')
  })

  test('interrupts what does not end within the grace', async () => {
    const replica = await stage.replica()
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    const stopped = replica.runs.stop(5_000)
    await stage.pass(4_990)
    expect(stateOf(run.id)).toBe('running')
    await stage.until(stopped)
    expect(stateOf(run.id)).toBe('interrupted')
    expect(problemOf(stage.store.runs.get(run.id))).toBe('interrupted')
  })

  test('ends for a job that heeds nothing, too; its run is found to be interrupted at the next start', async () => {
    const replica = await stage.replica({ heeds: false })
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    const at = stage.clock.now()
    await stage.until(replica.runs.stop(1_000))
    expect(stage.clock.now() - at).toBeLessThan(4_100)
    expect(stateOf(run.id)).toBe('running')
    await stage.replica()
    expect(stateOf(run.id)).toBe('interrupted')
    replica.working[0]?.finish()
    await stage.pass(5_000)
    expect(stateOf(run.id)).toBe('interrupted')
  })

  test('does not begin what waits for its turn', async () => {
    const replica = await stage.replica({ maxConcurrent: 1 })
    await replica.runs.start(request())
    const { run } = await replica.runs.start(request({ resources: ['cluster:z'] }))
    await stage.pass(10)
    const stopped = replica.runs.stop(5_000)
    await stage.pass(10)
    expect(stage.store.runs.get(run.id)).toMatchObject({ state: 'interrupted', startedAt: null })
    replica.working[0]?.finish()
    await stage.until(stopped)
    expect(replica.working).toHaveLength(1)
  })

  test('interrupts a run that was being stored', async () => {
    const replica = await stage.replica()
    const starting = replica.runs.start(request())
    const stopped = replica.runs.stop(60_000)
    const { run } = await starting
    await stage.until(stopped)
    expect(stateOf(run.id)).toBe('interrupted')
    expect(stage.clock.now()).toBeLessThan(1_000)
  })

  test('is one stop, however often it is asked for', async () => {
    const { runs } = await stage.replica()
    expect(runs.stop(10)).toBe(runs.stop(20))
    await stage.until(runs.stop(0))
  })
})

describe('history', () => {
  test('is pruned after each run, by number, and what belongs to forgotten runs is let go', async () => {
    const replica = await stage.replica({ history: { maxRuns: 2, maxAgeMs: 86_400_000 } })
    const ids: string[] = []
    for (let n = 0; n < 4; n++) {
      ids.push((await replica.runs.start(request())).run.id)
      await stage.pass(1_000)
      replica.working[n]?.finish()
      await stage.pass(10)
    }
    expect([...stage.store.runs.keys()]).toEqual(ids.slice(2))
    expect(replica.forgotten).toEqual(ids.slice(0, 2))
  })

  test('is pruned every hour, by age', async () => {
    const replica = await stage.replica({ history: { maxRuns: 100, maxAgeMs: 1_800_000 } })
    const { run } = await replica.runs.start(request())
    await stage.pass(10)
    replica.working[0]?.finish()
    await stage.pass(1_000)
    expect(stage.store.runs.has(run.id)).toBe(true)
    await stage.pass(3_600_000)
    expect(replica.forgotten).toEqual([run.id])
  })
})

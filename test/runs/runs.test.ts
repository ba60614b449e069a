import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ClusterUnreachable, EmptyList, TooManyDeletes } from '../../src/tokens/contract.ts'
import { problemOf, type Replica, request, Stage } from './fixture.ts'

let stage: Stage
beforeEach(() => {
  stage = new Stage()
})
afterEach(async () => {
  await stage[Symbol.asyncDispose]()
  expect(stage.clock.pending).toBe(0)
})

const started = async ({ runs }: Replica, over: Parameters<typeof request>[0] = {}): Promise<string> => {
  const { outcome, run } = await runs.start(request(over))
  expect(outcome).toBe('started')
  return run.id
}

describe('a run', () => {
  test('is stored before it begins, and works with its locks, whose tokens are kept', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    expect(stage.store.runs.get(id)).toMatchObject({ state: 'queued', startedAt: null, request: '{"limit":10}' })
    await stage.pass(10)
    const run = stage.store.runs.get(id)
    expect(run).toMatchObject({ state: 'running', startedAt: expect.any(Number) })
    expect(run?.locks.map(({ name }) => name)).toEqual(['cluster-a', 'cluster-b'])
    for (const { token } of run?.locks ?? []) expect(token).toMatch(/^[1-9]\d*$/)
    expect(replica.working[0]?.request).toEqual({ limit: 10 })
  })

  test('that has done all succeeds with its summary', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(2_000)
    replica.working[0]?.finish()
    await stage.pass(10)
    expect(stage.store.runs.get(id)).toMatchObject({ state: 'succeeded', summary: '{"ok":true}', problem: null })
    expect(stage.store.runs.get(id)?.endedAt).toBeGreaterThan(stage.store.runs.get(id)?.startedAt ?? 0)
    expect(replica.ended).toEqual([`${id} succeeded`])
    expect(replica.errors).toEqual([])
  })

  test('whose job says so fails, with summary and problem', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(10)
    replica.working[0]?.finish({ failed: true, problem: { kind: 'cluster-unreachable', detail: 'c2 is away' } })
    await stage.pass(10)
    const run = stage.store.runs.get(id)
    expect(run).toMatchObject({ state: 'failed', summary: '{"ok":true}' })
    expect(JSON.parse(run?.problem ?? '')).toEqual({ kind: 'cluster-unreachable', detail: 'c2 is away' })
  })

  test.each([
    ['cluster-unreachable', new ClusterUnreachable('http://c1', 'refused')],
    ['too-many-deletes', new TooManyDeletes(10, 5)],
    ['empty-list', new EmptyList('http://c1', 4)],
  ])('fails with the problem %s', async (kind, error) => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(10)
    replica.working[0]?.fail(error)
    await stage.pass(10)
    const run = stage.store.runs.get(id)
    expect(run?.state).toBe('failed')
    expect(JSON.parse(run?.problem ?? '')).toEqual({ kind, detail: error.message })
    expect(replica.errors).toEqual([])
  })

  test('fails with an internal error for what nobody expected, and tells the cause only to the log', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(10)
    const error = new TypeError('secret is undefined')
    replica.working[0]?.fail(error)
    await stage.pass(10)
    expect(problemOf(stage.store.runs.get(id))).toBe('internal-error')
    expect(stage.store.runs.get(id)?.problem).not.toContain('secret')
    expect(replica.errors).toEqual([{ error, what: `run ${id}` }])
  })

  test('of a kind without a job is refused', async () => {
    const replica = await stage.replica()
    await expect(replica.runs.start(request({ kind: 'db' }))).rejects.toThrow('no job')
  })
})

describe('requests', () => {
  test('that come again with a key give the same run, and others with that key are told so', async () => {
    const replica = await stage.replica()
    const id = await started(replica, { idempotencyKey: 'k', asked: { a: 1 } })
    const again = await replica.runs.start(request({ idempotencyKey: 'k', asked: { a: 1 }, request: { limit: 11 } }))
    expect([again.outcome, again.run.id]).toEqual(['repeated', id])
    const other = await replica.runs.start(request({ idempotencyKey: 'k', asked: { a: 2 } }))
    expect([other.outcome, other.run.id]).toEqual(['keyReused', id])
  })

  test('differ by what they are when nothing else is said', async () => {
    const replica = await stage.replica()
    await started(replica, { idempotencyKey: 'k' })
    expect((await replica.runs.start(request({ idempotencyKey: 'k' }))).outcome).toBe('repeated')
    for (const over of [{ dryRun: true }, { resources: ['cluster:a'] }, { request: {} }]) {
      expect((await replica.runs.start(request({ idempotencyKey: 'k', ...over }))).outcome).toBe('keyReused')
    }
  })

  test('that overlap are told which run is in the way', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    const { outcome, run } = await replica.runs.start(request({ resources: ['cluster:b', 'cluster:c'] }))
    expect([outcome, run.id]).toEqual(['overlaps', id])
    await stage.pass(10)
    replica.working[0]?.finish()
    await stage.pass(10)
    await started(replica, { resources: ['cluster:b', 'cluster:c'] })
  })

  test('wait for their turn, in order', async () => {
    const replica = await stage.replica({ maxConcurrent: 1 })
    const ids = [await started(replica, { resources: ['cluster:a'] })]
    ids.push(await started(replica, { resources: ['cluster:b'] }), await started(replica, { resources: ['cluster:c'] }))
    await stage.pass(100)
    expect(replica.working.map(({ id }) => id)).toEqual(ids.slice(0, 1))
    replica.working[0]?.finish()
    await stage.pass(100)
    expect(replica.working.map(({ id }) => id)).toEqual(ids.slice(0, 2))
    await replica.runs.cancel(ids[2] ?? '')
    replica.working[1]?.finish()
    await stage.pass(100)
    expect(replica.working).toHaveLength(2)
    expect(stage.store.runs.get(ids[2] ?? '')).toMatchObject({ state: 'cancelled', startedAt: null })
    await started(replica, { resources: ['cluster:d'] })
    await stage.pass(100)
    expect(replica.working).toHaveLength(3)
  })
})

describe('items and progress', () => {
  const item = (n: number) => ({ key: `t${n}`, status: 'updated', body: `{"id":"t${n}"}` })

  test('are stored in batches, and what is left with the end', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(10)
    const job = replica.working[0]
    for (let n = 0; n < 250; n++) await job?.item(item(n))
    expect(stage.store.calls.filter((call) => call === 'putItems')).toHaveLength(2)
    await stage.pass(249)
    expect(stage.store.items.get(id)).toHaveLength(200)
    await stage.pass(1)
    expect(stage.store.items.get(id)).toHaveLength(250)
    void job?.item(item(250))
    job?.finish()
    await stage.pass(0)
    expect(stage.store.items.get(id)).toHaveLength(251)
    expect(stage.store.runs.get(id)?.state).toBe('succeeded')
    expect(stage.store.items.get(id)?.map(({ seq }) => seq)).toEqual(Array.from({ length: 251 }, (_, i) => i + 1))
  })

  test('are kept of a run that fails, too', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(10)
    void replica.working[0]?.item(item(1))
    replica.working[0]?.fail(new Error('a defect'))
    await stage.pass(10)
    expect(stage.store.items.get(id)).toMatchObject([item(1)])
  })

  test('never run ahead of the store', async () => {
    const replica = await stage.replica()
    await started(replica)
    await stage.pass(10)
    const gate = Promise.withResolvers<void>()
    stage.store.puts = gate.promise
    let added = 0
    const adding = (async () => {
      for (let n = 0; n < 1_000; n++) {
        await replica.working[0]?.item(item(n))
        added++
      }
    })()
    await stage.pass(1_000)
    expect(added).toBe(99)
    stage.store.puts = undefined
    gate.resolve()
    await adding
    expect(added).toBe(1_000)
  })

  test('progress is stored every half second, the last one, and with the end', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(10)
    const job = replica.working[0]
    const count = () => stage.store.calls.filter((call) => call === 'changeRun').length
    const before = count()
    for (let done = 0; done <= 100; done++) {
      job?.progress({ done, total: 200 })
      await stage.pass(10)
    }
    expect(count() - before).toBe(2)
    expect(JSON.parse(stage.store.runs.get(id)?.progress ?? '')).toEqual({ done: 99, total: 200 })
    job?.progress({ done: 200, total: 200 })
    job?.finish()
    await stage.pass(0)
    expect(JSON.parse(stage.store.runs.get(id)?.progress ?? '')).toEqual({ done: 200, total: 200 })
  })
})

describe('cancelling', () => {
  test('ends a run of this replica at once', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(10)
    expect(await replica.runs.cancel(id)).toMatchObject({ id, cancelRequested: true })
    await stage.pass(0)
    expect(stage.store.runs.get(id)).toMatchObject({ state: 'cancelled', problem: null })
  })

  test('ends a run of another replica within about a second', async () => {
    const [one, other] = [await stage.replica(), await stage.replica()]
    const id = await started(one)
    await stage.pass(10)
    expect(await other.runs.cancel(id)).toMatchObject({ state: 'running', cancelRequested: true })
    await stage.pass(1_000)
    expect(stage.store.runs.get(id)?.state).toBe('cancelled')
  })

  test('asks the store only while there is something to cancel', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(1_100)
    replica.working[0]?.finish()
    await stage.pass(1_000)
    const asked = () => stage.store.calls.filter((call) => call === 'listCancelled').length
    const before = asked()
    await stage.pass(10_000)
    expect(asked()).toBe(before)
    expect(stage.store.runs.get(id)?.state).toBe('succeeded')
  })

  test('does nothing to a run that has ended, and knows no run that is not there', async () => {
    const replica = await stage.replica()
    const id = await started(replica)
    await stage.pass(10)
    replica.working[0]?.finish()
    await stage.pass(10)
    expect(await replica.runs.cancel(id)).toMatchObject({ state: 'succeeded', cancelRequested: false })
    expect(await replica.runs.cancel('gone')).toBeUndefined()
  })

  test('comes too late for a job that is done', async () => {
    const replica = await stage.replica({ heeds: false })
    const id = await started(replica)
    await stage.pass(10)
    await replica.runs.cancel(id)
    replica.working[0]?.finish()
    await stage.pass(10)
    expect(stage.store.runs.get(id)?.state).toBe('succeeded')
  })
})

describe('locks', () => {
  test('that somebody else holds are waited for', async () => {
    const replica = await stage.replica()
    const held = await stage.until(stage.locks().hold(['cluster-b'], new AbortController().signal))
    const id = await started(replica)
    await stage.pass(5_000)
    expect(stage.store.runs.get(id)?.state).toBe('queued')
    await stage.until(Promise.resolve(held[Symbol.asyncDispose]()))
    await stage.pass(5_000)
    expect(stage.store.runs.get(id)?.state).toBe('running')
  })

  test('that cannot be had fail the run', async () => {
    const replica = await stage.replica()
    const held = await stage.until(stage.locks().hold(['cluster-b'], new AbortController().signal))
    const id = await started(replica)
    await stage.pass(21_000)
    expect(stage.store.runs.get(id)?.state).toBe('failed')
    expect(problemOf(stage.store.runs.get(id))).toBe('locked')
    expect(stage.store.runs.get(id)?.problem).toContain('cluster-b')
    expect(replica.errors).toEqual([])
    await stage.until(Promise.resolve(held[Symbol.asyncDispose]()))
  })

  test('are free again when the run has ended', async () => {
    const replica = await stage.replica()
    await started(replica)
    await stage.pass(10)
    replica.working[0]?.finish()
    await stage.pass(10)
    const held = await stage.until(stage.locks().hold(['cluster-a', 'cluster-b'], AbortSignal.timeout(60_000)))
    await stage.until(Promise.resolve(held[Symbol.asyncDispose]()))
  })

  test.each([true, false])('that are lost interrupt the run, whether its job heeds that: %s', async (heeds) => {
    const replica = await stage.replica({ heeds })
    const id = await started(replica)
    await stage.pass(10)
    stage.driver.edit({ name: 'unscoped.lock.cluster-b' }, { holder: 'somebody' })
    await stage.pass(1_500)
    expect(replica.working[0]?.signal.aborted).toBe(true)
    replica.working[0]?.finish()
    await stage.pass(3_000)
    expect(stage.store.runs.get(id)?.state).toBe('interrupted')
    expect(problemOf(stage.store.runs.get(id))).toBe('lock-lost')
    expect(stage.store.runs.get(id)?.summary).toBeNull()
  })
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunEvent } from '../../src/runs/contract.ts'
import { type Replica, request, Stage } from './fixture.ts'

let stage: Stage
let own: Replica
let other: Replica
beforeEach(async () => {
  stage = new Stage()
  own = await stage.replica()
  other = await stage.replica()
})
afterEach(async () => {
  await stage[Symbol.asyncDispose]()
  expect(stage.clock.pending).toBe(0)
})

const item = (key: string) => ({ key, status: 'updated', body: '{}' })
const never = new AbortController().signal

const begin = async (): Promise<string> => {
  const { run } = await own.runs.start(request())
  await stage.pass(10)
  return run.id
}

/** What was heard so far, in short. */
const listen = (replica: Replica, id: string, after = 0, signal = never) => {
  const heard: string[] = []
  const describeEvent = (event: RunEvent) => {
    if (event.type === 'item') return `${event.item.seq} ${event.item.key}`
    return event.type === 'progress' ? `at ${event.progress.done}` : event.run.state
  }
  const done = (async () => {
    for await (const event of replica.runs.follow(id, after, signal)) heard.push(describeEvent(event))
  })()
  return { heard, done }
}

describe.each(['own', 'other'])('following a run of the %s replica', (whose) => {
  const replica = () => (whose === 'own' ? own : other)
  /** When news is there. */
  const newsMs = whose === 'own' ? 0 : 500

  test('tells of items, progress and the end, each once', async () => {
    const id = await begin()
    const { heard, done } = listen(replica(), id)
    const job = own.working[0]
    void job?.item(item('a'))
    job?.progress({ done: 1 })
    await stage.pass(500 + newsMs)
    expect(heard).toEqual(['1 a', 'at 1'])
    void job?.item(item('b'))
    await stage.pass(250 + newsMs)
    expect(heard).toEqual(['1 a', 'at 1', '2 b'])
    void job?.item(item('c'))
    job?.progress({ done: 3 })
    job?.finish()
    await stage.pass(newsMs)
    expect(heard).toEqual(['1 a', 'at 1', '2 b', '3 c', 'at 3', 'succeeded'])
    await done
  })

  test('goes on after what was heard already, over many pages', async () => {
    const id = await begin()
    for (let n = 1; n <= 1_200; n++) await own.working[0]?.item(item(`k${n}`))
    own.working[0]?.finish()
    await stage.pass(10)
    const { heard, done } = listen(replica(), id, 7)
    await done
    expect(heard).toEqual([...Array.from({ length: 1_193 }, (_, i) => `${i + 8} k${i + 8}`), 'succeeded'])
  })

  test('ends when the listener leaves, and leaves nothing behind', async () => {
    const id = await begin()
    const leaving = new AbortController()
    const { heard, done } = listen(replica(), id, 0, leaving.signal)
    await stage.pass(1_000)
    leaving.abort()
    await done
    expect(heard).toEqual([])
  })

  test('ends when the service stops', async () => {
    const id = await begin()
    const { heard, done } = listen(replica(), id)
    await stage.pass(10)
    await stage.until(replica().runs.stop(0))
    await done
    expect(heard).toEqual(whose === 'own' ? ['interrupted'] : [])
  })

  test('is told at once when the run ends otherwise', async () => {
    const id = await begin()
    const waited = replica().runs.wait(id, 60_000, never)
    await stage.pass(10)
    own.working[0]?.finish()
    await stage.pass(newsMs)
    expect(await waited).toMatchObject({ id, state: 'succeeded' })
  })

  test('waits no longer than asked', async () => {
    const id = await begin()
    const waited = replica().runs.wait(id, 700, never)
    await stage.pass(699)
    let isThere = false
    void waited.then(() => {
      isThere = true
    })
    await stage.pass(0)
    expect(isThere).toBe(false)
    await stage.pass(1)
    expect(await waited).toMatchObject({ id, state: 'running' })
    expect(await replica().runs.wait(id, 0, never)).toMatchObject({ id, state: 'running' })
    expect(await replica().runs.wait(id, 60_000, AbortSignal.abort())).toMatchObject({ id, state: 'running' })
  })
})

test('a run that is not there has no events, no items and no end', async () => {
  const { heard, done } = listen(own, 'gone')
  await done
  expect(heard).toEqual([])
  expect(await own.runs.wait('gone', 1_000, never)).toBeUndefined()
  expect(await own.runs.items('gone', { limit: 10 })).toBeUndefined()
  expect(await own.runs.get('gone')).toBeUndefined()
})

test('runs and items are found in pages', async () => {
  const id = await begin()
  await own.working[0]?.item(item('a'))
  own.working[0]?.finish()
  await stage.pass(10)
  expect((await other.runs.list({ kind: 'tokens', limit: 10 })).items.map((run) => run.id)).toEqual([id])
  expect((await other.runs.items(id, { limit: 10 }))?.items.map(({ key }) => key)).toEqual(['a'])
})

test('news that comes while the store is being read is not missed', async () => {
  const id = await begin()
  const read = stage.store.getRun.bind(stage.store)
  const gate = Promise.withResolvers<void>()
  stage.store.getRun = async (asked) => {
    const run = await read(asked)
    await gate.promise
    return run
  }
  const { heard, done } = listen(own, id)
  await stage.pass(0)
  own.working[0]?.finish()
  await stage.pass(0)
  gate.resolve()
  await stage.pass(0)
  expect(heard).toEqual(['succeeded'])
  await done
})

import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import type { IndexRecord } from '../../src/tokens/answers.ts'
import { type FollowOptions, followTokens } from '../../src/tokens/follow.ts'
import { ObjectCutter, parseWatchEvent, WatchedIndex } from '../../src/tokens/watch-stream.ts'
import { type FakeWaiter, type FakeWaiterOptions, startFakeWaiter } from '../fakes/waiter.ts'
import { eventually } from '../lib/eventually.ts'
import { FakeClock } from '../lib/fake-clock.ts'

const record = (token: string, etag: string | null = 'E-1'): IndexRecord => ({
  token,
  deleted: etag === null,
  etag,
  owner: 'alice',
  lastUpdateMs: 1,
})

describe('cutting a stream', () => {
  it('finds every object, wherever the pieces end and whatever is in the strings', () => {
    const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 })
    fc.assert(
      fc.property(
        objects,
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
        fc.boolean(),
        (all, steps, spaced) => {
          const text = all.map((one) => JSON.stringify(one)).join(spaced ? '\r\n ' : '')
          const cutter = new ObjectCutter(1_000_000)
          const found: string[] = []
          for (let at = 0, turn = 0; at < text.length; turn++) {
            const step = steps[turn % steps.length] ?? 1
            found.push(...cutter.push(text.slice(at, at + step)))
            at += step
          }
          expect(found).toEqual(all.map((one) => JSON.stringify(one)))
        },
      ),
    )
  })

  it.each(['[]', 'x', '{}x', '{} 1', '"a"'])('refuses %s', (text) => {
    expect(() => new ObjectCutter(100).push(text)).toThrow('what is streamed is no JSON object')
  })

  it('refuses an object that grows and grows', () => {
    const cutter = new ObjectCutter(10)
    cutter.push('{"a":"1234')
    expect(() => cutter.push('5')).toThrow('an object of the stream is longer than 10 characters')
  })
})

describe('an event', () => {
  it('is the index, or what has changed', () => {
    const entry = {
      token: 'a',
      deleted: false,
      etag: 'E-1',
      owner: 'alice',
      'last-update-time': '2023-11-14T22:13:20.001Z',
    }
    expect(parseWatchEvent(JSON.stringify({ id: '1', type: 'INITIAL', object: [entry] }))).toEqual({
      type: 'index',
      records: [{ token: 'a', deleted: false, etag: 'E-1', owner: 'alice', lastUpdateMs: 1_700_000_000_001 }],
    })
    const object = [
      { type: 'UPDATE', object: { token: 'a' } },
      { type: 'DELETE', object: { token: 'b', owner: 'bob' } },
      { type: 'UPDATE', object: { owner: 'nobody' } },
      { type: 'OTHER', object: { token: 'c' } },
    ]
    expect(parseWatchEvent(JSON.stringify({ type: 'EVENTS', object }))).toEqual({
      type: 'changes',
      changed: [{ token: 'a', deleted: null, etag: null, owner: null, lastUpdateMs: null }],
      gone: ['b'],
    })
    expect(parseWatchEvent('{"type":"HEARTBEAT"}')).toBeUndefined()
    expect(() => parseWatchEvent('{"type":"EVENTS","object":{}}')).toThrow('an event EVENTS has no list of objects')
  })
})

describe('what is known of the index', () => {
  it('tells changes only: not the first index, not what is known already', () => {
    const index = new WatchedIndex()
    expect(index.apply({ type: 'index', records: [record('a'), record('b')] })).toEqual([])
    expect(index.apply({ type: 'changes', changed: [record('c'), record('a')], gone: ['nobody'] })).toEqual(['c'])
    expect(index.apply({ type: 'changes', changed: [record('b', null)], gone: ['a'] })).toEqual(['a', 'b'])
    expect(index.apply({ type: 'index', records: [record('b', null), record('c', 'E-2'), record('d')] })).toEqual([
      'c',
      'd',
    ])
    expect(index.apply({ type: 'index', records: [] })).toEqual(['b', 'c', 'd'])
  })
})

describe('following a cluster', () => {
  let open = new AsyncDisposableStack()
  afterEach(async () => {
    const opened = open
    open = new AsyncDisposableStack()
    await opened.disposeAsync()
  })

  async function follow(fakeOptions: FakeWaiterOptions = {}, options: Partial<FollowOptions> = {}) {
    const fake = open.use(await startFakeWaiter(fakeOptions))
    return { fake, ...followOn(fake, options) }
  }

  function followOn(fake: FakeWaiter, options: Partial<FollowOptions>) {
    const stop = new AbortController()
    const told: string[] = []
    const states: (string | undefined)[] = []
    const done = followTokens({
      url: fake.url,
      clock: systemClock,
      random: () => 0,
      signal: stop.signal,
      onChange: (tokens) => told.push(tokens.join(' ')),
      onState: (problem) => states.push(problem),
      ...options,
    })
    open.defer(async () => {
      stop.abort()
      await done.catch(() => undefined)
    })
    return { told, states, stop, done }
  }

  const edit = (fake: FakeWaiter, token: string, cmd: string) => fake.edit(token, { cmd, owner: 'alice' }, 'alice')

  it('tells of every change as it comes, and ends with its signal', async () => {
    const { fake, told, states, stop, done } = await follow({}, { authorization: () => 'Bearer x' })
    await eventually(() => states.length === 1)
    expect(told).toEqual([])
    edit(fake, 'aa', 'one')
    await eventually(() => told.length === 1)
    fake.softDelete('aa', 'alice')
    await eventually(() => told.length === 2)
    fake.hardDelete('aa')
    await eventually(() => told.length === 3)
    expect(told).toEqual(['aa', 'aa', 'aa'])
    expect(fake.seen[0]?.query).toBe('include=deleted&include=metadata&watch=true&streaming-timeout=60000')
    expect(fake.seen[0]?.headers['authorization']).toBe('Bearer x')
    stop.abort()
    await done
    await eventually(() => fake.openSockets === 0)
    expect(states).toEqual([undefined])
  })

  it('tells what it missed while the cluster was away', async () => {
    const { fake, told, states } = await follow()
    await eventually(() => states.length === 1)
    await fake[Symbol.asyncDispose]()
    await eventually(() => states.length > 1)
    expect(states[1]).toMatch(/the connection broke|connection refused/)
    const again = await startFakeWaiter({ port: fake.port })
    open.use(again)
    edit(again, 'late', 'one')
    await eventually(() => states.at(-1) === undefined && states.length > 2)
    // It knows of nothing that came before the first index, so what is new since is all there is.
    await eventually(() => told.length === 1)
    expect(told).toEqual(['late'])
  })

  it.each([
    ['an error', { status: 401 }, 'answered 401'],
    ['an error page', 'html', 'answered 502'],
    ['a list in place of a stream', { status: 200, body: '[]' }, 'the cluster streams no changes'],
    ['nothing', { status: 200, body: '' }, 'the cluster streams no changes'],
    ['a reset', 'reset', 'the connection broke'],
  ] as const)('says so and tries again after %s', async (_what, fault, problem) => {
    const { fake, told, states } = await follow({ fault: ({ n }) => (n < 3 ? fault : undefined) })
    await eventually(() => states.includes(undefined))
    expect(states).toEqual([problem, problem, undefined])
    edit(fake, 'aa', 'one')
    await eventually(() => told.length === 1)
  })

  it('opens a stream again that stays silent beyond its time', async () => {
    const clock = new FakeClock()
    const { fake, states, stop, done } = await follow(
      { fault: ({ n }) => (n === 1 ? 'hang' : undefined) },
      { clock, silentMs: 1_000 },
    )
    await eventually(() => fake.seen.length === 1)
    expect(clock.pending).toBe(1)
    await clock.advance(6_000)
    await eventually(() => states.length === 1)
    expect(states).toEqual(['nothing was heard for 6000 ms'])
    await clock.advance(0)
    await eventually(() => states.length === 2)
    expect(states[1]).toBeUndefined()
    stop.abort()
    await done
    expect(clock.pending).toBe(0)
  })

  it('does not besiege a cluster that ends every stream at once', async () => {
    const clock = new FakeClock()
    const { fake, states } = await follow({ streamingTimeoutMs: 1 }, { clock, silentMs: 1, random: () => 0.99 })
    for (const [at, pauseMs] of [495, 990, 1_980].entries()) {
      await eventually(() => states.length === at + 1 && clock.nextAt === clock.now() + pauseMs)
      expect(fake.seen).toHaveLength(at + 1)
      await clock.advance(pauseMs)
    }
  })

  it('throws what the listener throws', async () => {
    const onChange = () => {
      throw new Error('a bug')
    }
    const { fake, states, done } = await follow({}, { onChange })
    const failed = expect(done).rejects.toThrow('a bug')
    await eventually(() => states.length === 1)
    edit(fake, 'aa', 'one')
    await failed
    await eventually(() => fake.openSockets === 0)
  })
})

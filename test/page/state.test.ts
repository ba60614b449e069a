import { describe, expect, it } from 'vitest'
import { answered, CONNECTING, EVERY_MS, failed, refused } from '../../public/model/connection.js'
import { applyEvents, beginFollowing, createEventReader } from '../../public/model/events.js'
import { describeProgress } from '../../public/model/progress.js'
import { readRoute, writeRoute } from '../../public/model/route.js'
import { ID, RUN } from './lib/run.ts'

describe('the connection', () => {
  it('asks again after a while when it was answered', () => {
    expect(answered(CONNECTING, 1_000)).toMatchObject({ phase: 'live', heardAt: 1_000, nextAt: 1_000 + EVERY_MS })
  })

  it('pauses longer from failure to failure, up to 15 s, and remembers when it last heard', () => {
    let connection = answered(CONNECTING, 500)
    const pauses = Array.from({ length: 7 }, () => {
      connection = failed(connection, 1_000, 'away', 0.999_999)
      return Math.round((connection.nextAt - 1_000) / 1_000)
    })
    expect(pauses).toEqual([1, 2, 4, 8, 15, 15, 15])
    expect(connection).toMatchObject({ phase: 'blind', heardAt: 500, why: 'away' })
    expect(failed(answered(connection, 2_000), 2_000, 'away', 0).nextAt).toBe(2_500)
  })

  it('asks nothing while it wants other credentials', () => {
    expect(refused(CONNECTING, 'unknown').nextAt).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('the events of a stream', () => {
  it('are read from whatever pieces come', () => {
    const text =
      ': heartbeat\n\nretry: 1000\n\nid: 7\nevent: item\ndata: {"a":\ndata: 1}\n\nevent: end\r\ndata:x\r\n\r\nevent: cut'
    for (const size of [1, 2, 5, 1_000]) {
      const read = createEventReader()
      const events = (text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? []).flatMap(read)
      expect(events).toEqual([
        { event: 'item', id: '7', data: '{"a":\n1}' },
        { event: 'end', id: undefined, data: 'x' },
      ])
    }
  })

  it('make a run that goes on, item by item, to its end', () => {
    const item = (id: string, status: string) => JSON.stringify({ id, status, latest: { cluster: 'c1' }, results: {} })
    const begun = applyEvents(
      beginFollowing(RUN),
      [
        { event: 'progress', id: undefined, data: '{"done":1,"total":2}' },
        { event: 'item', id: '1', data: item('a', 'failed') },
        { event: 'item', id: '2', data: item('b', 'updated') },
      ],
      0,
    )
    expect(begun.run).toMatchObject({ state: 'running', progress: { done: 1, total: 2 } })
    expect([...begun.items.keys()]).toEqual(['a', 'b'])
    expect(begun.lastEventId).toBe('2')

    const ended = { ...RUN, state: 'succeeded' }
    const end = applyEvents(
      begun,
      [
        { event: 'item', id: '3', data: item('a', 'updated') },
        { event: 'end', id: undefined, data: JSON.stringify(ended) },
        { event: 'of a newer service', id: undefined, data: 'whatever' },
      ],
      1,
    )
    expect(end.run).toEqual(ended)
    expect(end.items.get('a')).toMatchObject({ status: 'updated' })
    expect([end.items.size, end.lastEventId]).toEqual([2, '3'])
    // What was known before stays as it was.
    expect(begun.items.get('a')).toMatchObject({ status: 'failed' })
  })

  it('tell tables and directions apart', () => {
    const items = ['left-to-right', 'right-to-left'].map((direction) => ({ table: 'users', direction }))
    const events = [...items, { table: 'users' }].map((one) => ({ event: 'item', id: '1', data: JSON.stringify(one) }))
    expect([...applyEvents(beginFollowing(RUN), events, 0).items.keys()]).toEqual([
      'users left-to-right',
      'users right-to-left',
      'users',
    ])
  })

  it('leave samples of the progress of half a minute', () => {
    let followed = beginFollowing(RUN)
    for (let at = 0; at <= 60_000; at += 1_000)
      followed = applyEvents(followed, [{ event: 'progress', id: undefined, data: `{"done":${at}}` }], at)
    expect(followed.samples[0]?.at).toBe(30_000)
    expect(followed.samples.length).toBeLessThanOrEqual(31)
  })
})

describe('progress', () => {
  it('tells share, rate and time left', () => {
    const samples = [
      { at: 0, done: 100 },
      { at: 2_000, done: 200 },
    ]
    expect(describeProgress({ done: 200, total: 400 }, samples)).toEqual({ share: 0.5, perSecond: 50, leftMs: 4_000 })
  })

  it('guesses nothing', () => {
    expect(describeProgress(null, [])).toEqual({ share: undefined, perSecond: undefined, leftMs: undefined })
    expect(describeProgress({ done: 5 }, [{ at: 0, done: 5 }])).toEqual({
      share: undefined,
      perSecond: undefined,
      leftMs: undefined,
    })
    const still = [
      { at: 0, done: 5 },
      { at: 5_000, done: 5 },
    ]
    expect(describeProgress({ done: 5, total: 9 }, still)).toMatchObject({ perSecond: 0, leftMs: undefined })
    expect(describeProgress({ done: 0, total: 0 }, []).share).toBeUndefined()
  })
})

describe('the address of a view', () => {
  it.each([
    ['', { view: 'overview', id: undefined, filter: {} }],
    ['#/gateway', { view: 'gateway', id: undefined, filter: {} }],
    [`#/runs/${ID}`, { view: 'runs', id: ID, filter: {} }],
    ['#/runs?kind=db&state=failed', { view: 'runs', id: undefined, filter: { kind: 'db', state: 'failed' } }],
    ['#/runs/../../v1', { view: 'runs', id: undefined, filter: {} }],
    ['#/constructor', { view: 'overview', id: undefined, filter: {} }],
  ])('%s', (hash, route) => {
    expect(readRoute(hash)).toEqual(route)
  })

  it('is read as it was written', () => {
    expect(readRoute(writeRoute('tokens', { id: ID }))).toEqual({ view: 'tokens', id: ID, filter: {} })
    expect(writeRoute('runs', { filter: { kind: 'db', state: '' } })).toBe('#/runs?kind=db')
    expect(writeRoute('runs', { filter: { kind: undefined } })).toBe('#/runs')
  })
})

// The events of a run: by injection where the stream ends, over a socket where somebody leaves, is slow, or the service stops.
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/runs/contract.ts'
import { eventually } from '../lib/eventually.ts'
import { readEvents } from './lib/conformance.ts'
import { ENDED, FakeRuns, Feed, RUN_ID, runRecord, SUMMARY, tokenItem } from './lib/fake-runs.ts'
import { acceptAll, createHarness, type Harness } from './lib/harness.ts'

const PATH = `/v1/runs/${RUN_ID}/events`
const item = (seq: number, body = tokenItem(`t${seq}`)): RunEvent => ({
  type: 'item',
  item: { seq, key: `t${seq}`, status: 'updated', body },
})
const PROGRESS: RunEvent = { type: 'progress', progress: { done: 1, total: undefined, figures: { writes: 2 } } }
const END: RunEvent = { type: 'end', run: ENDED }

let runs: FakeRuns
let feed: Feed
let h: Harness
beforeEach(async () => {
  runs = new FakeRuns()
  runs.records = [runRecord()]
  runs.onFollow = ({ signal }) => {
    feed = new Feed(signal)
    return feed
  }
  h = await createHarness({ authenticator: acceptAll({ name: 'reader', scopes: new Set(['read']) }), runs })
})
afterEach(() => h[Symbol.asyncDispose]())

async function* all(...events: readonly RunEvent[]) {
  yield* events
}

describe('the stream of a run', () => {
  it('has its items with their numbers, its progress and its end', async () => {
    runs.onFollow = () => all(PROGRESS, item(1), item(2), END)
    const answer = await h.ask({ url: PATH })
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const events = readEvents(answer.body).map(({ data, ...rest }) => ({ ...rest, data: JSON.parse(data) }))
    expect(events).toEqual([
      { event: 'progress', data: { done: 1, figures: { writes: 2 } } },
      { event: 'item', id: '1', data: JSON.parse(tokenItem('t1')) },
      { event: 'item', id: '2', data: JSON.parse(tokenItem('t2')) },
      { event: 'end', data: expect.objectContaining({ state: 'succeeded', summary: SUMMARY }) },
    ])
    expect(runs.followers).toMatchObject([{ id: RUN_ID, after: 0, returned: true }])
  })

  it('keeps numbers as they were written', async () => {
    const odd = tokenItem('t1', { results: {} }).replace(
      '{}',
      '{"http://c2:9091":{"code":"success/token-match","details":{"n":1.0}}}',
    )
    runs.onFollow = () => all(item(1, odd))
    expect((await h.ask({ url: PATH })).body).toContain(`data: ${odd}\n`)
  })

  it('goes on after the last event that has arrived', async () => {
    runs.onFollow = () => all(END)
    await h.ask({ url: PATH, headers: { 'last-event-id': '41' } })
    expect(runs.followers).toMatchObject([{ after: 41 }])
  })

  it.each(['-1', '1.5', 'one', '1234567890', ''])('refuses Last-Event-ID: %j', async (id) => {
    const answer = await h.ask({ url: PATH, headers: { 'last-event-id': id } })
    expect(answer.json()).toMatchObject({ status: 400, errors: [{ header: 'Last-Event-Id' }] })
    expect(runs.followers).toEqual([])
  })
})

/** A reader that sees bytes; what it does not read stays on the wire. */
async function follow(): Promise<{ readonly socket: Socket; text(): string; readonly closed: Promise<void> }> {
  const origin = await h.app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    text += chunk
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: syncer\r\n\r\n`)
  return { socket, text: () => text, closed }
}

describe('over a socket', () => {
  it('each event arrives as it comes, and a comment when none does', async () => {
    const { socket, text } = await follow()
    await eventually(() => text().includes('retry: 1000\n\n'))
    feed.push(item(1))
    await eventually(() => text().includes('id: 1\nevent: item\n'))
    await h.clock.advance(15_000)
    await eventually(() => text().includes(': heartbeat\n\n'))
    feed.push(END)
    await eventually(() => text().endsWith('0\r\n\r\n'))
    expect(text()).toContain('event: end\n')
    expect(h.clock.pending).toBe(0)
    socket.destroy()
  })

  it('nothing is left of a reader who has gone, and its request is no failure', async () => {
    const { socket, text } = await follow()
    await eventually(() => text().includes('retry: 1000\n\n'))
    await eventually(() => h.clock.pending === 1)
    socket.destroy()
    await eventually(() => runs.followers[0]?.returned === true && h.clock.pending === 0)
    expect(runs.followers[0]?.signal.aborted).toBe(true)
    await eventually(() => h.lines().length > 0)
    expect(h.lines()).toMatchObject([{ level: 'info', operation: 'streamRunEvents', status: 200 }])
    expect(h.lines()[0]).not.toHaveProperty('failure')
  })

  it('a slow reader holds up the source', async () => {
    const big = tokenItem('t', {
      results: { 'http://c2:9091': { code: 'error/token-sync', details: { message: 'x'.repeat(10_000) } } },
    })
    runs.onFollow = async function* () {
      for (let seq = 1; seq <= 5_000; seq++) yield item(seq, big)
      yield END
    }
    const { socket, text, closed } = await follow()
    socket.pause()
    let before = -1
    for (let still = 0; still < 1_000; still++) {
      const pulled = runs.followers[0]?.pulled ?? -1
      if (pulled < 1 || pulled !== before) still = 0
      before = pulled
      await turn()
    }
    // What fits into the buffers of two sockets, of 50 MB.
    expect(before).toBeLessThan(2_500)
    socket.resume()
    await eventually(() => text().endsWith('0\r\n\r\n'), 20_000)
    expect(readEvents(text())).toHaveLength(5_001)
    socket.destroy()
    await closed
  })

  it('the stream ends when the service stops, and nothing waits for the run', async () => {
    const { text, closed } = await follow()
    await eventually(() => text().includes('retry: 1000\n\n'))
    h.lifecycle.stopping = true
    await h.app.close()
    await closed
    expect(text()).toMatch(/0\r\n\r\n$/)
    expect(text()).not.toContain('event: end')
    expect(runs.followers[0]?.returned).toBe(true)
    expect(h.clock.pending).toBe(0)
  })

  it('the stream breaks off when the source fails, and the log has the reason', async () => {
    const failing = Promise.withResolvers<never>()
    runs.onFollow = async function* () {
      yield item(1)
      await failing.promise
    }
    const { text, closed } = await follow()
    await eventually(() => text().includes('id: 1\n'))
    failing.reject(new Error('the state is gone'))
    await closed
    expect(text()).not.toMatch(/0\r\n\r\n$/)
    await eventually(() => h.lines().length > 0)
    expect(h.lines().at(-1)).toMatchObject({
      operation: 'streamRunEvents',
      failure: expect.stringContaining('the state is gone'),
    })
    expect(text()).not.toContain('the state is gone')
  })
})

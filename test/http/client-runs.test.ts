// The generated client and runs, over a real port: streams that break off, services that stop, and what stands between.
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import { createSyncerClient, type Run, type RunProgress, SyncerProblem } from '../../generated/client.ts'
import { SCOPES } from '../../src/config/schema.ts'
import type { RunEvent } from '../../src/runs/contract.ts'
import { eventually } from '../lib/eventually.ts'
import { ENDED, FakeRuns, FakeTokenRuns, Feed, RUN_ID, runRecord, SUMMARY, tokenItem } from './lib/fake-runs.ts'
import { acceptAll, createHarness, type Harness } from './lib/harness.ts'

const progress = (done: number): RunEvent => ({ type: 'progress', progress: { done, total: 3 } })
const item = (seq: number): RunEvent => ({
  type: 'item',
  item: { seq, key: `t${seq}`, status: 'updated', body: tokenItem(`t${seq}`) },
})
const END: RunEvent = { type: 'end', run: ENDED }

let runs: FakeRuns
let tokens: FakeTokenRuns
let h: Harness
let baseUrl: string
beforeEach(async () => {
  runs = new FakeRuns()
  runs.records = [runRecord()]
  tokens = new FakeTokenRuns()
  tokens.onStart = async () => ({ outcome: 'started', run: runRecord() })
  h = await createHarness({ authenticator: acceptAll({ name: 'all', scopes: new Set(SCOPES) }), runs, tokens })
  baseUrl = await h.app.listen({ port: 0, host: '127.0.0.1' })
})
afterEach(() => h[Symbol.asyncDispose]())

async function* all(...events: readonly RunEvent[]) {
  yield* events
}
const client = (fetch?: (request: Request) => Promise<Response>) => createSyncerClient({ baseUrl, fetch })

describe('the client', () => {
  it('starts a token sync with its body first, then header and query', async () => {
    const run = await client().syncTokens({ dryRun: true, maxDeletes: '5%' }, { header: { 'Idempotency-Key': 'k-1' } })
    expect(run).toMatchObject({ id: RUN_ID, state: 'running' })
    expectTypeOf(run).toEqualTypeOf<Run>()
    expect(tokens.started).toEqual([
      { body: { dryRun: true, maxDeletes: '5%' }, options: { trigger: 'api', idempotencyKey: 'k-1' } },
    ])
    await client().syncTokens()
    expect(tokens.started[1]?.body).toEqual({})
  })

  it('waits as the service waits', async () => {
    runs.records = [ENDED]
    const run = await client().syncTokens({}, { header: { Prefer: 'wait=5' } })
    expect(run.summary).toEqual(SUMMARY)
    expect(runs.waits).toMatchObject([{ timeoutMs: 5_000 }])
  })

  it('throws which run is in the way', async () => {
    tokens.onStart = async () => ({ outcome: 'overlaps', run: runRecord() })
    await expect(client().syncTokens()).rejects.toMatchObject({
      type: '/problems/run-overlaps',
      problem: { run: { id: RUN_ID, href: `/v1/runs/${RUN_ID}` } },
    })
  })

  it('finds runs and their items again, and cancels', async () => {
    runs.stored = [{ key: 't1', status: 'updated', body: tokenItem('t1') }]
    const path = { id: RUN_ID }
    expect((await client().listRuns({ query: { kind: 'tokens' } })).items).toHaveLength(1)
    expect((await client().getRun({ path })).id).toBe(RUN_ID)
    expect((await client().listRunItems({ path, query: { limit: 5 } })).items).toMatchObject([{ id: 't1' }])
    expect((await client().cancelRun({ path })).cancelRequested).toBe(true)
  })
})

describe('streamRunEvents', () => {
  it('is one connection whose events have types', async () => {
    runs.onFollow = () => all(progress(1), item(4), progress(2), END)
    const seen = await Array.fromAsync(
      client().streamRunEvents({ path: { id: RUN_ID }, header: { 'Last-Event-ID': '3' } }),
    )
    expect(seen).toMatchObject([
      { event: 'progress', id: undefined, data: { done: 1 } },
      { event: 'item', id: '4', data: { id: 't4' } },
      { event: 'progress', id: '4', data: { done: 2 } },
      { event: 'end', id: '4', data: { state: 'succeeded' } },
    ])
    expect(runs.followers).toMatchObject([{ after: 3 }])
    for (const event of seen) if (event.event === 'end') expectTypeOf(event.data).toEqualTypeOf<Run>()
  })

  it('asks for nothing before it is read, and lets go when nobody reads on', async () => {
    runs.onFollow = ({ signal }) => {
      const feed = new Feed(signal)
      feed.push(item(1), item(2))
      return feed
    }
    const events = client().streamRunEvents({ path: { id: RUN_ID } })
    expect(runs.followers).toEqual([])
    for await (const { event } of events) {
      expect(event).toBe('item')
      break
    }
    await eventually(() => runs.followers[0]?.returned === true)
  })

  it('throws the problem where there is no such run, and the reason where it is called off', async () => {
    runs.records = []
    await expect(
      client()
        .streamRunEvents({ path: { id: RUN_ID } })
        .next(),
    ).rejects.toMatchObject({ status: 404 })
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(
      client()
        .streamRunEvents({ path: { id: RUN_ID } }, { signal })
        .next(),
    ).rejects.toThrow('enough')
  })

  it('reads characters that arrive in pieces, and lets unknown events pass', async () => {
    const bytes = new TextEncoder().encode(
      `: hello\n\nevent: news\ndata: 1\n\nid: 7\nevent: progress\ndata: {"done":1,\ndata: "message":"grüße"}\n\nevent: progress\ndata: {"do`,
    )
    const body = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]))
        controller.close()
      },
    })
    const fetch = async () => new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
    expect(await Array.fromAsync(client(fetch).streamRunEvents({ path: { id: RUN_ID } }))).toEqual([
      { event: 'progress', id: '7', data: { done: 1, message: 'grüße' } },
    ])
  })
})

describe('waitForRun', () => {
  const seen: RunProgress[] = []
  const onProgress = (progress: RunProgress) => void seen.push(progress)
  beforeEach(() => void seen.splice(0))

  it('resolves with the ended run, tells how far it is, and does without the items', async () => {
    runs.onFollow = () => all(progress(1), progress(3), END)
    const run = await client().waitForRun(RUN_ID, { onProgress })
    expect(run).toMatchObject({ id: RUN_ID, state: 'succeeded', summary: SUMMARY })
    expect(seen.map(({ done }) => done)).toEqual([1, 3])
    expect(runs.followers).toMatchObject([{ after: 999_999_999 }])
  })

  it('resolves with a run however it ended', async () => {
    runs.onFollow = () => all({ type: 'end', run: { ...ENDED, state: 'cancelled' } })
    expect(await client().waitForRun(RUN_ID)).toMatchObject({ state: 'cancelled' })
  })

  it('comes back when the stream breaks off or ends too early', async () => {
    const streams = [
      async function* () {
        yield progress(1)
        throw new Error('torn')
      },
      () => all(progress(2)),
      () => all(END),
    ]
    runs.onFollow = () => streams.shift()?.() ?? all()
    const quick = client(async (request) => withoutRetryAfter(await fetch(request)))
    expect(await quick.waitForRun(RUN_ID, { onProgress, pollMs: 1 })).toMatchObject({ state: 'succeeded' })
    expect(runs.followers).toHaveLength(3)
    expect(seen.map(({ done }) => done)).toEqual([1, 2, 1])
  })

  it('sees that the run has ended while no stream was there', async () => {
    runs.onFollow = () => {
      runs.records = [ENDED]
      return all()
    }
    expect(await client().waitForRun(RUN_ID)).toMatchObject({ state: 'succeeded' })
    expect(runs.followers).toHaveLength(1)
  })

  it('asks again and again where no streams come through', async () => {
    let asked = 0
    const behindProxy = client(async (request) => {
      if (request.url.endsWith('/events'))
        return new Response('{}', { headers: { 'content-type': 'application/json' } })
      if (++asked === 3) runs.records = [ENDED]
      return withoutRetryAfter(await fetch(request))
    })
    expect(await behindProxy.waitForRun(RUN_ID, { onProgress, pollMs: 1 })).toMatchObject({ state: 'succeeded' })
    expect([asked, runs.followers.length]).toEqual([3, 0])
    expect(seen.map(({ done }) => done)).toEqual([1, 1, 3])
  })

  it('asks again where a stream is held back on its way', async () => {
    const stuck = client(async (request) => {
      if (!request.url.endsWith('/events')) return fetch(request)
      runs.records = [ENDED]
      const body = new ReadableStream({
        start: (controller) => request.signal.addEventListener('abort', () => controller.error(request.signal.reason)),
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    })
    expect(await stuck.waitForRun(RUN_ID, { silenceMs: 20 })).toMatchObject({ state: 'succeeded' })
  })

  it('stays with a stream as long as it says anything', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      let say: (text: string) => void = () => {}
      const asked: string[] = []
      const quiet = client(async (request) => {
        asked.push(request.url)
        const body = new ReadableStream({
          start(controller) {
            request.signal.addEventListener('abort', () => controller.error(request.signal.reason))
            say = (text) => controller.enqueue(new TextEncoder().encode(text))
          },
        })
        return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
      })
      const waiting = quiet.waitForRun(RUN_ID)
      await eventually(() => asked.length === 1)
      for (let i = 0; i < 5; i++) {
        await vi.advanceTimersByTimeAsync(40_000)
        say(': heartbeat\n\n')
        await new Promise(setImmediate)
      }
      say('event: end\ndata: {"state":"succeeded"}\n\n')
      expect(await waiting).toEqual({ state: 'succeeded' })
      expect([asked.length, vi.getTimerCount()]).toEqual([1, 0])
    } finally {
      vi.useRealTimers()
    }
  })

  it('waits as long as the service says before it asks again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const asked: number[] = []
      const polling = client(async (request) => {
        if (request.url.endsWith('/events')) return new Response('', { headers: { 'content-type': 'text/plain' } })
        asked.push(Date.now())
        const run = { id: RUN_ID, progress: null, endedAt: asked.length > 1 ? 'now' : null }
        return Response.json(run, { headers: { 'Retry-After': '7' } })
      })
      const waiting = polling.waitForRun(RUN_ID, { pollMs: 1 })
      await eventually(() => asked.length === 1 && vi.getTimerCount() === 1)
      await vi.advanceTimersByTimeAsync(6_999)
      expect(asked).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(1)
      await waiting
      expect([asked.length, vi.getTimerCount()]).toEqual([2, 0])
    } finally {
      vi.useRealTimers()
    }
  })

  it('throws the problem of a run that is not there', async () => {
    runs.records = []
    const error = await client()
      .waitForRun(RUN_ID)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SyncerProblem)
    expect(error).toMatchObject({ type: '/problems/not-found', status: 404 })
  })

  it('bears with a service that is away for a while, and not for ever', async () => {
    let calls = 0
    const away = client(async () => {
      calls++
      throw new TypeError('fetch failed')
    })
    await expect(away.waitForRun(RUN_ID, { pollMs: 1, retries: 3 })).rejects.toThrow('fetch failed')
    expect(calls).toBe(4)
    runs.onFollow = () => all(END)
    const answers = [() => Promise.reject(new TypeError('fetch failed')), async () => new Response('', { status: 502 })]
    const back = client(async (request) => answers.shift()?.() ?? fetch(request))
    expect(await back.waitForRun(RUN_ID, { pollMs: 1, retries: 2 })).toMatchObject({ state: 'succeeded' })
  })

  it('throws the reason when it is called off, wherever it is', async () => {
    const reason = new Error('no more')
    runs.onFollow = ({ signal }) => new Feed(signal)
    const streaming = new AbortController()
    const waiting = client().waitForRun(RUN_ID, { signal: streaming.signal })
    await eventually(() => runs.followers.length === 1)
    streaming.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await eventually(() => runs.followers[0]?.returned === true)

    runs.onFollow = () => all()
    const pausing = new AbortController()
    const paused = client().waitForRun(RUN_ID, { signal: pausing.signal, pollMs: 60_000 })
    await eventually(() => runs.followers.length === 2)
    pausing.abort(reason)
    await expect(paused).rejects.toBe(reason)
    await expect(client().waitForRun(RUN_ID, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(runs.followers).toHaveLength(2)
  })

  it('lets an error of the callback out', async () => {
    runs.onFollow = () => all(progress(1), END)
    const broken = () => {
      throw new TypeError('in the callback')
    }
    await expect(client().waitForRun(RUN_ID, { onProgress: broken })).rejects.toThrow('in the callback')
    expect(runs.followers).toHaveLength(1)
  })
})

/** As if the service had no wish of its own, so that the test need not wait. */
function withoutRetryAfter(response: Response): Response {
  const headers = new Headers(response.headers)
  headers.delete('Retry-After')
  return new Response(response.body, { status: response.status, headers })
}

import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createApi, describeError, ProblemAnswer } from '../../public/io/api.js'
import { followRun } from '../../public/io/follow.js'
import { createStore } from '../../public/io/store.js'
import type { Run } from '../../public/types.ts'
import { ID, RUN as QUEUED } from './lib/run.ts'

const TOKEN = 'tok-5ec2e7'
const RUN: Run = { ...QUEUED, state: 'running' }

interface Asked {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Answers in order what a test says; a question that it does not expect fails. */
function fakeFetch(...answers: (() => Response)[]) {
  const asked: Asked[] = []
  const fetch = async (url: unknown, { method = 'GET', headers, body }: RequestInit = {}) => {
    asked.push({
      url: String(url),
      method,
      headers: headers as Asked['headers'],
      body: body && JSON.parse(String(body)),
    })
    const answer = answers.shift()
    if (answer === undefined) throw new TypeError('nobody answers')
    return answer()
  }
  return { asked, fetch: fetch as typeof globalThis.fetch }
}

const json =
  (body: unknown, status = 200) =>
  () =>
    Response.json(body, { status })
const stream = (text: string) => () => new Response(text)

describe('the service is asked', () => {
  it('with the token in a header, never in an address', async () => {
    const { asked, fetch } = fakeFetch(json({}), json({}))
    const api = createApi({ fetch, token: () => 'bearer-1' })
    await api.status()
    await api.check({ token: TOKEN, origin: 'gw-0', expect: 'absent' })
    expect(asked[0]).toMatchObject({ url: '../v1/status', headers: { Authorization: 'Bearer bearer-1' } })
    expect(asked[1]).toMatchObject({
      url: '../v1/synced?expect=absent',
      headers: { 'X-Auth-Token': TOKEN, 'X-Nginx-Origin': 'gw-0' },
    })
  })

  it('without a header where there is no token', async () => {
    const { asked, fetch } = fakeFetch(json({}))
    await createApi({ fetch, token: () => undefined }).status()
    expect(asked[0]?.headers).toEqual({})
  })

  it('to start something once, each time under another key', async () => {
    const { asked, fetch } = fakeFetch(json(RUN), json(RUN))
    const api = createApi({ fetch, token: () => undefined })
    await api.syncTokens({ dryRun: true })
    await api.syncTokens({ dryRun: true })
    expect(asked[0]).toMatchObject({ url: '../v1/tokens/sync', method: 'POST', body: { dryRun: true } })
    expect(asked[0]?.headers['Idempotency-Key']).toMatch(/^[0-9a-f]{32}$/)
    expect(asked[0]?.headers['Idempotency-Key']).not.toBe(asked[1]?.headers['Idempotency-Key'])
  })

  it('and what it refuses is told in its words', async () => {
    const problem = {
      type: '/problems/bad-request',
      detail: 'The request is malformed.',
      errors: [{ pointer: '/pair', detail: 'is no pair' }],
    }
    const { fetch } = fakeFetch(json(problem, 400), () => new Response('<html>', { status: 502 }))
    const api = createApi({ fetch, token: () => undefined })
    const told = async () => describeError(await api.syncDb({ pair: 'x' }).catch((error: unknown) => error))
    expect(await told()).toBe('The request is malformed. /pair is no pair')
    expect(await told()).toBe('the service answered 502')
    expect(await told()).toBe('the service cannot be reached')
  })
})

describe('a run is followed', () => {
  const item = (id: number) =>
    `id: ${id}\nevent: item\ndata: {"id":"t${id}","status":"updated","latest":{"cluster":"c"},"results":{}}\n\n`

  it('to its end, taken up where the stream broke off', async () => {
    const end = `event: end\ndata: ${JSON.stringify({ ...RUN, state: 'succeeded' })}\n\n`
    const { asked, fetch } = fakeFetch(json(RUN), stream(item(1) + item(2)), stream(item(3) + end))
    const seen: number[] = []
    let last: Run | undefined
    await followRun(createApi({ fetch, token: () => 'b' }), ID, {
      ...{ signal: new AbortController().signal, now: () => performance.now() },
      onChange: ({ items, run }) => {
        seen.push(items.size)
        last = run
      },
    })
    expect(seen.at(-1)).toBe(3)
    expect(last?.state).toBe('succeeded')
    expect(asked.map(({ url }) => url)).toEqual([
      `../v1/runs/${ID}`,
      `../v1/runs/${ID}/events`,
      `../v1/runs/${ID}/events`,
    ])
    expect(asked[1]?.headers['Last-Event-ID']).toBeUndefined()
    expect(asked[2]?.headers).toMatchObject({ 'Last-Event-ID': '2', Authorization: 'Bearer b' })
  })

  it('no further when there is no such run', async () => {
    const { fetch } = fakeFetch(json({ detail: 'There is no run with this id.' }, 404))
    const following = followRun(createApi({ fetch, token: () => undefined }), ID, {
      ...{ signal: new AbortController().signal, now: () => 0, onChange: () => undefined },
    })
    await expect(following).rejects.toThrow(ProblemAnswer)
  })

  it('no longer than somebody looks', async () => {
    const leaving = new AbortController()
    const { asked, fetch } = fakeFetch(json(RUN), stream(''))
    const following = followRun(createApi({ fetch, token: () => undefined }), ID, {
      ...{ signal: leaving.signal, now: () => performance.now() },
      onChange: () => setImmediate(() => leaving.abort()),
    })
    await following
    expect(asked).toHaveLength(2)
  })
})

describe('what is known', () => {
  const settle = async () => {
    for (let turns = 0; turns < 20; turns++) await turn()
  }
  const storeOver = (...answers: (() => Response)[]) => {
    const { asked, fetch } = fakeFetch(...answers)
    const clock = { ms: 0 }
    const store = createStore(createApi({ fetch, token: () => undefined }), {
      now: () => clock.ms,
      random: () => 0,
      onChange: () => undefined,
    })
    const tickAt = async (ms: number) => {
      clock.ms = ms
      store.tick()
      await settle()
      return asked.length
    }
    return { store, asked, tickAt }
  }

  it('is asked for every two seconds, and stays when nobody answers', async () => {
    const { store, tickAt } = storeOver(json({ service: 1 }), json({ service: 2 }))
    expect(await tickAt(0)).toBe(1)
    expect(await tickAt(1_999)).toBe(1)
    expect(await tickAt(2_000)).toBe(2)
    await tickAt(4_000)
    expect(store.known()).toMatchObject({ status: { service: 2 }, connection: { phase: 'blind', heardAt: 2_000 } })
    expect(await tickAt(4_499)).toBe(3)
    expect(await tickAt(4_500)).toBe(4)
  })

  it('is not asked for any more once other credentials are wanted, and forgotten with the old ones', async () => {
    const { store, asked, tickAt } = storeOver(
      json({ service: 1 }),
      json({ detail: 'unknown' }, 401),
      json({ service: 3 }),
    )
    await tickAt(0)
    await tickAt(2_000)
    expect(store.known().connection).toMatchObject({ phase: 'locked', why: 'unknown' })
    expect(await tickAt(900_000)).toBe(2)
    store.askNow({ forget: true })
    expect(store.known().status).toBeUndefined()
    await settle()
    expect(store.known()).toMatchObject({ status: { service: 3 }, connection: { phase: 'live' } })
    expect(asked).toHaveLength(3)
  })

  it('has the history where there is a gateway, every five seconds', async () => {
    const { asked, tickAt } = storeOver(...Array.from({ length: 9 }, () => json({ gateway: {} })))
    for (const ms of [0, 2_000, 4_000, 6_000]) await tickAt(ms)
    expect(asked.map(({ url }) => url.split('/').at(-1))).toEqual([
      'status',
      'history',
      'status',
      'status',
      'status',
      'history',
    ])
  })
})

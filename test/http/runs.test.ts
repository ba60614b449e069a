import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SCOPES } from '../../src/config/schema.ts'
import type { ScheduleStatus } from '../../src/runs/contract.ts'
import { StateUnavailable } from '../../src/state/store.ts'
import { ENDED, FakeRuns, FakeTokenRuns, RUN_ID, runRecord, SUMMARY, tokenItem } from './lib/fake-runs.ts'
import { acceptAll, createHarness, type Harness } from './lib/harness.ts'

const authenticator = acceptAll({ name: 'all', scopes: new Set(SCOPES) })
const OTHER_ID = '019b76da-a800-7b3c-9d51-0f7c3f6d2e11'

let runs: FakeRuns
let h: Harness
beforeEach(async () => {
  runs = new FakeRuns()
  h = await createHarness({ authenticator, runs })
})
afterEach(() => h[Symbol.asyncDispose]())

const get = (path = '') => h.ask({ url: `/v1/runs${path}` })

describe('GET /v1/runs', () => {
  it('lists runs in pages', async () => {
    runs.records = [runRecord(), { ...ENDED, id: OTHER_ID }]
    const first = (await get('?limit=1')).json()
    expect(first).toMatchObject({ items: [{ id: RUN_ID }], nextCursor: 'from-1' })
    const second = (await get('?limit=1&cursor=from-1')).json()
    expect(second).toMatchObject({ items: [{ id: OTHER_ID, summary: SUMMARY }], nextCursor: null })
    expect((await get()).json()).toEqual({
      items: [...(first['items'] as []), ...(second['items'] as [])],
      nextCursor: null,
    })
  })

  it('lists those of a kind and in a state', async () => {
    runs.records = [runRecord(), { ...ENDED, id: OTHER_ID }, runRecord({ kind: 'db' })]
    const idsOf = async (query: string) => ((await get(query)).json()['items'] as { id: string }[]).map(({ id }) => id)
    expect(await idsOf('?kind=tokens&state=succeeded')).toEqual([OTHER_ID])
    expect(await idsOf('?kind=db')).toEqual([RUN_ID])
    expect(await idsOf('?state=interrupted')).toEqual([])
  })

  it.each([
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?limit=ten', 'limit'],
    ['?kind=mail', 'kind'],
    ['?state=done', 'state'],
    ['?cursor=', 'cursor'],
    ['?cursor=none-of-yours', 'cursor'],
  ])('refuses %s', async (query, name) => {
    expect((await get(query)).json()).toMatchObject({ status: 400, errors: [{ query: name }] })
    runs.records = [runRecord()]
    expect((await get(`/${RUN_ID}/items${query.replace('kind', 'status')}`)).json()).toMatchObject({ status: 400 })
  })
})

describe('GET /v1/runs/{id}', () => {
  it('shows a run under way, and when to look again', async () => {
    runs.records = [
      runRecord({ locks: [{ name: 'tokens-c1', token: '42' }], takesUp: OTHER_ID, cancelRequested: true }),
    ]
    const answer = await get(`/${RUN_ID}`)
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.json()).toEqual({
      id: RUN_ID,
      kind: 'tokens',
      state: 'running',
      trigger: 'api',
      request: { clusters: ['c1', 'c2'] },
      dryRun: false,
      progress: { done: 1, total: 3 },
      summary: null,
      cancelRequested: true,
      locks: [{ name: 'tokens-c1', token: '42' }],
      takesUp: OTHER_ID,
      createdAt: '2026-01-01T00:00:00.000Z',
      startedAt: '2026-01-01T00:00:00.004Z',
      endedAt: null,
    })
  })

  it('shows a run that has ended', async () => {
    runs.records = [{ ...ENDED, cancelRequested: true }]
    const answer = await get(`/${RUN_ID}`)
    expect(answer.headers).not.toHaveProperty('retry-after')
    expect(answer.json()).toMatchObject({ state: 'succeeded', summary: SUMMARY })
    expect(answer.json()).not.toHaveProperty('cancelRequested')
  })

  it('shows a run that has not begun', async () => {
    runs.records = [runRecord({ state: 'queued', progress: null, startedAt: null })]
    expect((await get(`/${RUN_ID}`)).json()).toMatchObject({ state: 'queued', progress: null, startedAt: null })
  })

  it.each([
    ['cluster-unreachable', 'Cluster unreachable'],
    ['interrupted', 'Interrupted'],
    ['internal-error', 'Internal error'],
    ['of-another-version', 'of-another-version'],
    ['to-string', 'to-string'],
  ])('says why it failed: %s', async (kind, title) => {
    runs.records = [{ ...ENDED, state: 'failed', problem: JSON.stringify({ kind, detail: 'http://c2:9091: refused' }) }]
    expect((await get(`/${RUN_ID}`)).json()['problem']).toEqual({
      type: `/problems/${kind}`,
      title,
      detail: 'http://c2:9091: refused',
    })
  })

  it('cuts what is too long, and fills in what is empty', async () => {
    const problem = (detail: string) => JSON.stringify({ kind: 'locked', detail })
    runs.records = [{ ...ENDED, problem: problem('x'.repeat(5_000)) }]
    expect((await get(`/${RUN_ID}`)).json()).toMatchObject({ problem: { detail: 'x'.repeat(2048) } })
    runs.records = [{ ...ENDED, problem: problem('') }]
    expect((await get(`/${RUN_ID}`)).json()).toMatchObject({ problem: { detail: 'Locked' } })
  })
})

describe('a run that is not there', () => {
  const ids = [OTHER_ID, 'last', RUN_ID.toUpperCase(), `${RUN_ID}0`, '%00', '1%27%3B--']

  it.each(ids)('is 404: %s', async (id) => {
    runs.records = [runRecord()]
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/cancel'],
      ['GET', '/items'],
      ['GET', '/events'],
    ] as const) {
      const answer = await h.ask({ method, url: `/v1/runs/${id}${path}` })
      expect(answer.json()).toMatchObject({ type: '/problems/not-found', detail: expect.stringContaining('no run') })
    }
    expect(runs.followers).toEqual([])
  })

  it('is not asked for where its id is none', async () => {
    const asked: string[] = []
    runs.get = async (id) => void asked.push(id)
    for (const id of ids) await get(`/${id}`)
    expect(asked).toEqual([OTHER_ID])
  })

  it('is 400 where its id is longer than any', async () => {
    expect((await get(`/${'a'.repeat(200)}`)).json()).toMatchObject({ status: 400 })
  })
})

describe('POST /v1/runs/{id}/cancel', () => {
  const cancel = () => h.ask({ method: 'POST', url: `/v1/runs/${RUN_ID}/cancel` })

  it('is accepted while the run is under way', async () => {
    runs.records = [runRecord()]
    const answer = await cancel()
    expect([answer.status, answer.headers['location'], answer.headers['retry-after']]).toEqual([
      202,
      `/v1/runs/${RUN_ID}`,
      '1',
    ])
    expect(answer.json()).toMatchObject({ state: 'running', cancelRequested: true })
  })

  it('changes nothing about a run that has ended', async () => {
    runs.records = [ENDED]
    expect(await cancel()).toMatchObject({ status: 200 })
    expect(runs.records).toEqual([ENDED])
  })

  it('is 404 when the run is forgotten in the middle', async () => {
    runs.records = [runRecord()]
    runs.cancel = async () => {
      runs.records = []
      return undefined
    }
    expect((await cancel()).status).toBe(404)
  })
})

describe('GET /v1/runs/{id}/items', () => {
  const item = (key: string, status: string, body = tokenItem(key, { status })) => ({ key, status, body })

  it('lists items in pages, as they are written', async () => {
    runs.records = [runRecord()]
    const odd = tokenItem('c').replace('"effect":"update"', '"details":{"2":1.0,"1":12345678901234567890}')
    runs.stored = [item('a', 'updated'), item('b', 'failed'), item('c', 'updated', odd)]
    const first = await get(`/${RUN_ID}/items?limit=2`)
    expect(first.json()).toMatchObject({ items: [{ id: 'a' }, { id: 'b', status: 'failed' }], nextCursor: 'from-2' })
    const second = await get(`/${RUN_ID}/items?limit=2&cursor=from-2`)
    expect(second.body).toBe(`{"items":[${odd}],"nextCursor":null}`)
    expect(second.headers['content-type']).toBe('application/json; charset=utf-8')
  })

  it('lists those that came out so', async () => {
    runs.records = [runRecord()]
    runs.stored = [item('a', 'updated'), item('b', 'failed')]
    expect((await get(`/${RUN_ID}/items?status=failed`)).json()).toMatchObject({ items: [{ id: 'b' }] })
    expect((await get(`/${RUN_ID}/items?status=unmodified`)).json()).toEqual({ items: [], nextCursor: null })
  })

  it('is 404 when the run is forgotten in the middle', async () => {
    runs.records = [runRecord()]
    runs.items = async () => undefined
    expect((await get(`/${RUN_ID}/items`)).status).toBe(404)
  })
})

describe('what belongs to runs', () => {
  it.each([
    ['GET', ''],
    ['GET', `/${RUN_ID}`],
    ['POST', `/${RUN_ID}/cancel`],
    ['GET', `/${RUN_ID}/items`],
    ['GET', `/${RUN_ID}/events`],
  ])('is not configured where neither tokens nor db is: %s /v1/runs%s', async (method, path) => {
    await using one = await createHarness({ authenticator })
    expect((await one.ask({ method, url: `/v1/runs${path}` })).json()).toMatchObject({
      type: '/problems/not-configured',
      detail: 'This service has neither a section "tokens" nor a section "db" in its configuration.',
    })
  })

  it('is 503 while the state cannot be reached', async () => {
    runs.list = () => Promise.reject(new StateUnavailable('connect ECONNREFUSED'))
    const answer = await get()
    expect(answer.json()).toMatchObject({ type: '/problems/state-unavailable', status: 503 })
    expect(h.lines().at(-1)).toMatchObject({ problem: 'state-unavailable', failure: expect.stringContaining('ECONN') })
  })
})

describe('GET /v1/status', () => {
  const LAST = {
    id: RUN_ID,
    kind: 'tokens',
    state: 'succeeded',
    trigger: 'api',
    dryRun: false,
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:00.004Z',
    endedAt: '2026-01-01T00:00:00.612Z',
  }
  const clusters = [
    { name: 'c1', url: 'http://c1:9091' },
    { name: 'c2', url: 'http://c2:9091' },
  ]
  const schedule: ScheduleStatus = {
    name: 'tokens',
    cron: '*/5 * * * *',
    timeZone: 'Europe/Berlin',
    nextAt: Date.UTC(2026, 0, 1, 0, 5),
    lastRunId: RUN_ID,
    missed: 2,
  }

  it('shows the clusters, the last run and the schedules', async () => {
    runs.records = [runRecord({ kind: 'db', id: OTHER_ID }), ENDED]
    runs.scheduled = [schedule, { ...schedule, name: 'db:app', nextAt: null, lastRunId: 'gone' }]
    await using one = await createHarness({ authenticator, runs, tokens: new FakeTokenRuns() })
    const { lastRunId: _, ...rest } = schedule
    expect((await one.ask({ url: '/v1/status' })).json()).toMatchObject({
      tokens: { clusters, lastRun: LAST },
      schedules: [
        { ...rest, nextAt: '2026-01-01T00:05:00.000Z', lastRun: LAST },
        { ...rest, name: 'db:app', nextAt: null, lastRun: null },
      ],
    })
  })

  it('has no last run before the first', async () => {
    await using one = await createHarness({ authenticator, runs, tokens: new FakeTokenRuns() })
    expect((await one.ask({ url: '/v1/status' })).json()).toMatchObject({
      tokens: { clusters, lastRun: null },
      schedules: [],
    })
  })

  it('has runs without tokens', async () => {
    expect((await h.ask({ url: '/v1/status' })).json()).not.toHaveProperty('tokens')
  })

  it('shows the rest while the state cannot be reached', async () => {
    runs.scheduled = [schedule]
    runs.list = () => Promise.reject(new StateUnavailable('refused'))
    runs.get = () => Promise.reject(new StateUnavailable('refused'))
    await using one = await createHarness({ authenticator, runs, tokens: new FakeTokenRuns() })
    expect((await one.ask({ url: '/v1/status' })).json()).toMatchObject({
      gateway: {},
      tokens: { clusters, lastRun: null, problem: 'The state of the service cannot be reached right now.' },
      schedules: [{ name: 'tokens', lastRun: null }],
    })
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InvalidRunRequest, type SyncDbBody, type VerifyDbBody } from '../../src/runs/contract.ts'
import { StateUnavailable } from '../../src/state/store.ts'
import { FakeDbRuns, FakeRuns, RUN_ID, runRecord } from './lib/fake-runs.ts'
import { acceptAll, createHarness, type Harness } from './lib/harness.ts'

const WINDOW = { begin: '1970-01-01T00:00:00.000Z', end: '2026-01-01T00:00:00.000Z' }
const COUNTS = { read: 900, applied: 12, older: 1, equal: 875, echoed: 12, failed: 0 }
const VERDICTS = { equal: 899, leftNewer: 0, rightNewer: 0, onlyLeft: 1, onlyRight: 0, differs: 0 }
const DIFFERENCES = [{ table: 'users', id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8', kind: 'onlyLeft' }]
const dbRun = (over: Parameters<typeof runRecord>[0] = {}) =>
  runRecord({
    ...{ kind: 'db', resources: ['pair:app'], request: '{"operation":"sync","pair":"app","direction":"both"}' },
    progress: JSON.stringify({
      ...{ done: 1, total: 2, message: 'users, left to right', figures: { ...COUNTS, rowsPerSecond: 10 } },
      tables: [{ table: 'users', direction: 'left-to-right', done: 1, total: 2, ...COUNTS }],
    }),
    ...over,
  })
const ENDED_AT = Date.UTC(2026, 0, 1) + 612

let runs: FakeRuns
let db: FakeDbRuns
let h: Harness
beforeEach(async () => {
  runs = new FakeRuns()
  db = new FakeDbRuns()
  db.onStart = async () => ({ outcome: 'started', run: dbRun() })
  const authenticator = acceptAll({ name: 'syncer', scopes: new Set(['db', 'read']) })
  h = await createHarness({ authenticator, runs, db })
})
afterEach(() => h[Symbol.asyncDispose]())

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  h.ask({
    ...{ method: 'POST', url, payload: JSON.stringify(body) },
    headers: { 'content-type': 'application/json', ...headers },
  })

describe.each([
  ['/v1/db/sync', 'sync'],
  ['/v1/db/verify', 'verify'],
])('POST %s', (url, operation) => {
  it('is accepted, says where the run is and when to look', async () => {
    const answer = await post(url, { pair: 'app' }, { 'idempotency-key': 'nightly' })
    expect([answer.status, answer.headers['location'], answer.headers['retry-after']]).toEqual([
      202,
      `/v1/runs/${RUN_ID}`,
      '1',
    ])
    expect(answer.json()).toMatchObject({ id: RUN_ID, kind: 'db', state: 'running', progress: { done: 1 } })
    expect(db.started).toEqual([
      { operation, body: { pair: 'app' }, options: { trigger: 'api', idempotencyKey: 'nightly' } },
    ])
  })

  it('needs to know which pair', async () => {
    expect((await post(url, {})).json()).toMatchObject({ status: 400, errors: [{ pointer: '/pair' }] })
    expect((await h.ask({ method: 'POST', url })).json()).toMatchObject({ status: 400, errors: [{ pointer: '/pair' }] })
  })

  it.each<[object, string]>([
    [{ pair: '' }, '/pair'],
    [{ pair: 'app', left: 'http://evil.example' }, '/left'],
    [{ pair: 'app', url: 'http://evil.example' }, '/url'],
    [{ pair: 'app', tables: [] }, '/tables'],
    [{ pair: 'app', tables: ['a', 'a'] }, '/tables'],
    [{ pair: 'app', tables: [''] }, '/tables/0'],
    [{ pair: 'app', begin: 'now' }, '/begin'],
    [{ pair: 'app', begin: 5 }, '/begin'],
    [{ pair: 'app', end: null }, '/end'],
  ])('refuses %j', async (body, pointer) => {
    expect((await post(url, body)).json()).toMatchObject({ status: 400, errors: [{ pointer }] })
    expect(db.started).toEqual([])
  })

  it('says of an unknown field what is allowed, and what was meant perhaps', async () => {
    const answer = await post(url, { pair: 'app', table: ['users'] })
    const allowed = /^is not known here; allowed are pair, tables, .*; did you mean tables\?$/
    expect(answer.json()).toMatchObject({ errors: [{ pointer: '/table', detail: expect.stringMatching(allowed) }] })
  })

  it.each(['/pair', '/tables/0', '/begin', '/end'])('says what cannot be carried out: %s', async (pointer) => {
    db.onStart = () => Promise.reject(new InvalidRunRequest(pointer, 'is wrong'))
    const answer = await post(url, { pair: 'other' })
    expect(answer.json()).toMatchObject({
      ...{ type: '/problems/bad-request', status: 400 },
      errors: [{ pointer, detail: 'is wrong' }],
    })
  })

  it('says which run is in the way', async () => {
    db.onStart = async () => ({ outcome: 'overlaps', run: dbRun({ state: 'queued' }) })
    const answer = await post(url, { pair: 'app' })
    expect([answer.status, answer.headers['location']]).toEqual([409, `/v1/runs/${RUN_ID}`])
    expect(answer.json()).toMatchObject({ type: '/problems/run-overlaps', run: { id: RUN_ID, state: 'queued' } })
  })

  it('waits for the end of the run as long as it may', async () => {
    const summary = { window: WINDOW, counts: COUNTS, deadLetters: 2 }
    runs.records = [dbRun({ state: 'succeeded', summary: JSON.stringify(summary), endedAt: ENDED_AT })]
    const answer = await post(url, { pair: 'app' }, { prefer: 'wait=10' })
    expect([answer.status, answer.headers['preference-applied']]).toEqual([200, 'wait=10'])
    expect(answer.json()).toMatchObject({ state: 'succeeded', summary })
    expect(runs.waits).toMatchObject([{ timeoutMs: 10_000 }])
  })

  it('is not configured without a section "db"', async () => {
    const authenticator = acceptAll({ name: 'syncer', scopes: new Set(['db']) })
    await using one = await createHarness({ authenticator, runs })
    expect((await one.ask({ method: 'POST', url })).json()).toMatchObject({
      ...{ type: '/problems/not-configured', status: 404 },
      detail: 'This service has no section "db" in its configuration.',
    })
  })
})

it('hands on all that was asked of a sync, and adds nothing', async () => {
  const body: SyncDbBody = {
    ...{ pair: 'app', tables: ['users'], direction: 'right-to-left', dryRun: true },
    ...{ begin: '2026-01-01', end: 1_767_225_600 },
  }
  expect((await post('/v1/db/sync', body)).status).toBe(202)
  expect(db.started[0]?.body).toEqual(body)
  expect((await post('/v1/db/sync', { pair: 'app', direction: 'up' })).status).toBe(400)
  expect((await post('/v1/db/sync', { pair: 'app', orphans: true })).status).toBe(400)
})

it('hands on all that was asked of a verify, and adds nothing', async () => {
  const body: VerifyDbBody = {
    ...{ pair: 'app', tables: ['users'], begin: '2026-01-01', end: '2026-01-02T00:00:00.000Z' },
    ...{ maxDifferences: 0, orphans: true, repair: 'delete-left' },
  }
  expect((await post('/v1/db/verify', body)).status).toBe(202)
  expect(db.started[0]?.body).toEqual(body)
  expect((await post('/v1/db/verify', { pair: 'app', repair: 'delete' })).status).toBe(400)
  expect((await post('/v1/db/verify', { pair: 'app', dryRun: true })).status).toBe(400)
})

describe('what is shown of a run of kind db', () => {
  it('is what a verify has found', async () => {
    const summary = { window: WINDOW, counts: VERDICTS, differences: DIFFERENCES, repaired: 0 }
    runs.records = [dbRun({ state: 'failed', summary: JSON.stringify(summary), endedAt: ENDED_AT })]
    expect((await h.ask({ url: `/v1/runs/${RUN_ID}` })).json()).toMatchObject({ state: 'failed', summary })
  })

  it('are its items, a table and direction each, or a table', async () => {
    const direction = 'left-to-right'
    const synced = { table: 'users', direction, window: WINDOW, ...COUNTS, ms: 1.5, note: 'so', status: 'updated' }
    const verified = { table: 'users', counts: VERDICTS, ms: 2, status: 'failed' }
    runs.records = [dbRun()]
    runs.stored = [
      { key: 'users left-to-right', status: 'updated', body: JSON.stringify(synced) },
      { key: 'users', status: 'failed', body: JSON.stringify(verified) },
    ]
    const { items } = (await h.ask({ url: `/v1/runs/${RUN_ID}/items` })).json()
    expect(items).toEqual([synced, verified])
  })
})

describe('GET /v1/status', () => {
  it('shows the pairs, where they stand and their last run', async () => {
    db.kept = {
      savedEnds: [
        { table: 'users', direction: 'left-to-right', endMs: Date.UTC(2026, 0, 1) },
        {
          ...{ table: 'users', direction: 'right-to-left', endMs: undefined },
          open: { window: { beginMs: 0, endMs: 1_000 }, done: 1, total: 3 },
        },
      ],
      deadLetters: 3,
      lastRun: dbRun(),
    }
    expect((await h.ask({ url: '/v1/status' })).json()).toMatchObject({
      db: {
        pairs: [
          {
            ...db.pairs[0],
            savedEnds: [
              { table: 'users', direction: 'left-to-right', end: '2026-01-01T00:00:00.000Z' },
              {
                ...{ table: 'users', direction: 'right-to-left', end: null },
                open: {
                  window: { begin: '1970-01-01T00:00:00.000Z', end: '1970-01-01T00:00:01.000Z' },
                  ...{ done: 1, total: 3 },
                },
              },
            ],
            deadLetters: 3,
            lastRun: { id: RUN_ID, kind: 'db' },
          },
        ],
      },
      schedules: [],
    })
  })

  it('shows the pairs while the state cannot be reached', async () => {
    db.onRead = () => Promise.reject(new StateUnavailable('refused'))
    expect((await h.ask({ url: '/v1/status' })).json()).toMatchObject({
      db: {
        pairs: [
          {
            ...{ name: 'app', savedEnds: [], deadLetters: null, lastRun: null },
            problem: 'The state of the service cannot be reached right now.',
          },
        ],
      },
    })
  })
})

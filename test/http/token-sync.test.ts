import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { InvalidRunRequest, RunsStopping, type Started, type SyncTokensBody } from '../../src/runs/contract.ts'
import { StateUnavailable } from '../../src/state/store.ts'
import { ENDED, FakeRuns, FakeTokenRuns, RUN_ID, runRecord, SUMMARY } from './lib/fake-runs.ts'
import { acceptAll, createHarness, type Harness } from './lib/harness.ts'

const RUN = {
  id: RUN_ID,
  kind: 'tokens',
  state: 'running',
  trigger: 'api',
  request: { clusters: ['c1', 'c2'] },
  dryRun: false,
  progress: { done: 1, total: 3 },
  summary: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: '2026-01-01T00:00:00.004Z',
  endedAt: null,
}
const authenticator = acceptAll({ name: 'syncer', scopes: new Set(['tokens']) })
const started: Started = { outcome: 'started', run: runRecord() }

let runs: FakeRuns
let tokens: FakeTokenRuns
let h: Harness
beforeAll(async () => {
  await using one = await createHarness()
  expect((await one.ask({ method: 'POST', url: '/v1/tokens/sync' })).status).toBe(403)
})
beforeEach(async () => {
  runs = new FakeRuns()
  tokens = new FakeTokenRuns()
  tokens.onStart = async () => started
  h = await createHarness({ authenticator, runs, tokens })
})
afterEach(() => h[Symbol.asyncDispose]())

const sync = (body?: unknown, headers: Record<string, string> = {}) =>
  h.ask({
    method: 'POST',
    url: '/v1/tokens/sync',
    ...(body === undefined
      ? { headers }
      : { headers: { 'content-type': 'application/json', ...headers }, payload: JSON.stringify(body) }),
  })

describe('POST /v1/tokens/sync', () => {
  it('is accepted, says where the run is and when to look', async () => {
    const answer = await sync({})
    expect([answer.status, answer.headers['location'], answer.headers['retry-after']]).toEqual([
      202,
      `/v1/runs/${RUN_ID}`,
      '1',
    ])
    expect(answer.headers).not.toHaveProperty('preference-applied')
    expect(answer.json()).toEqual(RUN)
    expect(runs.waits).toEqual([])
    expect(tokens.started).toEqual([{ body: {}, options: { trigger: 'api', idempotencyKey: undefined } }])
  })

  it('takes no body for an empty one', async () => {
    expect((await sync()).status).toBe(202)
    expect(tokens.started[0]?.body).toEqual({})
  })

  it('is accepted when the run of a repeated request has ended long ago', async () => {
    tokens.onStart = async () => ({ outcome: 'repeated', run: ENDED })
    const answer = await sync({}, { 'idempotency-key': 'nightly-1' })
    expect([answer.status, answer.json()['state']]).toEqual([202, 'succeeded'])
    expect(tokens.started[0]?.options.idempotencyKey).toBe('nightly-1')
  })

  const full: SyncTokensBody = {
    clusters: ['c2', 'c1'],
    mode: 'compat',
    dryRun: true,
    limit: 10_000,
    optOutMetadataName: 'no-sync',
    onUnreachable: 'skip-writes',
    onConflict: 'prefer:c1',
    maxDeletes: '12.5%',
    allowEmpty: ['c2'],
    connectionTimeoutMs: 1,
    idleTimeoutMs: 250,
    plan: RUN_ID,
  }

  it('hands on all that was asked, and adds nothing', async () => {
    expect((await sync(full)).status).toBe(202)
    expect(tokens.started[0]?.body).toEqual(full)
  })

  it.each<SyncTokensBody>([
    { maxDeletes: 0 },
    { maxDeletes: 10 },
    { maxDeletes: '0%' },
    { maxDeletes: '100%' },
    { maxDeletes: '100.0000%' },
    { maxDeletes: '0.0001%' },
    { limit: 1 },
    { optOutMetadataName: `a${'-'.repeat(98)}` },
    { onConflict: 'newest' },
    { onConflict: 'fail' },
    { allowEmpty: [] },
  ])('takes %j', async (body) => expect((await sync(body)).status).toBe(202))

  it.each<[unknown, string]>([
    [[], ''],
    ['text', ''],
    [null, ''],
    [{ cluster: ['c1', 'c2'] }, '/cluster'],
    [{ url: 'http://evil.example' }, '/url'],
    [{ clusters: [] }, '/clusters'],
    [{ clusters: ['c1'] }, '/clusters'],
    [{ clusters: ['c1', 'c1'] }, '/clusters'],
    [{ clusters: ['c1', ''] }, '/clusters/1'],
    [{ clusters: ['c1', 2] }, '/clusters/1'],
    [{ clusters: 'c1' }, '/clusters'],
    [{ mode: 'fast' }, '/mode'],
    [{ dryRun: 'true' }, '/dryRun'],
    [{ limit: 0 }, '/limit'],
    [{ limit: 10_001 }, '/limit'],
    [{ limit: 1.5 }, '/limit'],
    [{ limit: '5' }, '/limit'],
    [{ optOutMetadataName: '' }, '/optOutMetadataName'],
    [{ optOutMetadataName: 'A' }, '/optOutMetadataName'],
    [{ optOutMetadataName: '1a' }, '/optOutMetadataName'],
    [{ optOutMetadataName: `a${'-'.repeat(99)}` }, '/optOutMetadataName'],
    [{ onUnreachable: 'skip' }, '/onUnreachable'],
    [{ onConflict: 'prefer:' }, '/onConflict'],
    [{ onConflict: 'oldest' }, '/onConflict'],
    [{ maxDeletes: -1 }, '/maxDeletes'],
    [{ maxDeletes: 1.5 }, '/maxDeletes'],
    [{ maxDeletes: '5' }, '/maxDeletes'],
    [{ maxDeletes: '101%' }, '/maxDeletes'],
    [{ maxDeletes: '100.1%' }, '/maxDeletes'],
    [{ maxDeletes: '1.00001%' }, '/maxDeletes'],
    [{ maxDeletes: null }, '/maxDeletes'],
    [{ connectionTimeoutMs: 0 }, '/connectionTimeoutMs'],
    [{ idleTimeoutMs: 249 }, '/idleTimeoutMs'],
    [{ plan: 'last' }, '/plan'],
  ])('refuses %j', async (body, pointer) => {
    const answer = await sync(body)
    expect(answer.json()).toMatchObject({ type: '/problems/bad-request', status: 400, errors: [{ pointer }] })
    expect(tokens.started).toEqual([])
  })

  it('says in words what a percentage may be', async () => {
    const answer = await sync({ maxDeletes: '500%' })
    expect(answer.json()['errors']).toEqual([
      {
        pointer: '/maxDeletes',
        detail: 'must be a whole number of tokens, or a percentage from "0%" to "100%" with four decimals at most',
      },
    ])
  })

  it.each(['', 'a b', 'ä', 'x'.repeat(256)])('refuses an Idempotency-Key like %j', async (key) => {
    const answer = await h.app.inject({
      method: 'POST',
      url: '/v1/tokens/sync',
      headers: { 'idempotency-key': key },
    })
    expect(answer.json()).toMatchObject({ status: 400, errors: [{ header: 'Idempotency-Key' }] })
    expect(tokens.started).toEqual([])
  })

  it('takes an Idempotency-Key of 255 characters', async () => {
    expect((await sync({}, { 'idempotency-key': '~'.repeat(255) })).status).toBe(202)
  })

  it('says which run is in the way', async () => {
    tokens.onStart = async () => ({ outcome: 'overlaps', run: runRecord({ state: 'queued' }) })
    const answer = await sync({}, { prefer: 'wait=5' })
    const href = `/v1/runs/${RUN_ID}`
    expect([answer.status, answer.headers['location']]).toEqual([409, href])
    expect(answer.json()).toMatchObject({ type: '/problems/run-overlaps', run: { id: RUN_ID, state: 'queued', href } })
    expect(runs.waits).toEqual([])
  })

  it('refuses a key that came with another request', async () => {
    tokens.onStart = async () => ({ outcome: 'keyReused', run: ENDED })
    const answer = await sync({}, { 'idempotency-key': 'k' })
    expect(answer.json()).toMatchObject({
      type: '/problems/idempotency-key-reused',
      status: 422,
      errors: [{ header: 'Idempotency-Key' }],
      run: { id: RUN_ID },
    })
  })

  it.each([
    ['/clusters/1', 400, 'bad-request'],
    ['/clusters', 400, 'bad-request'],
    ['/plan', 422, 'unusable-plan'],
  ])('answers what cannot be carried out: %s', async (pointer, status, kind) => {
    tokens.onStart = () => Promise.reject(new InvalidRunRequest(pointer, 'is not there'))
    const answer = await sync({})
    expect(answer.json()).toMatchObject({
      type: `/problems/${kind}`,
      status,
      errors: [{ pointer, detail: 'is not there' }],
    })
  })

  it.each([
    [new RunsStopping('out of reach'), 'stopping', []],
    [new StateUnavailable('out of reach'), 'state-unavailable', [expect.stringContaining('out of reach')]],
  ])('answers 503 with when to try again: %s', async (error, kind, failures) => {
    tokens.onStart = () => Promise.reject(error)
    const answer = await sync({})
    expect(answer.json()).toMatchObject({ type: `/problems/${kind}`, status: 503 })
    expect(answer.json()['detail']).not.toContain('out of reach')
    expect(answer.headers['retry-after']).toBe('1')
    expect([h.lines().at(-1)?.['failure']].filter((one) => one !== undefined)).toEqual(failures)
  })
})

describe('Prefer: wait', () => {
  it.each([
    ['wait=10', 10],
    ['respond-async, wait=10', 10],
    ['wait=0', 0],
    ['wait=600', 60],
  ])('waits for the end of the run: %s', async (prefer, seconds) => {
    runs.records = [ENDED]
    const answer = await sync({}, { prefer })
    expect([answer.status, answer.headers['preference-applied'], answer.headers['location']]).toEqual([
      200,
      `wait=${seconds}`,
      `/v1/runs/${RUN_ID}`,
    ])
    expect(answer.headers).not.toHaveProperty('retry-after')
    expect(answer.json()).toMatchObject({ state: 'succeeded', summary: SUMMARY, endedAt: '2026-01-01T00:00:00.612Z' })
    expect(runs.waits).toMatchObject([{ id: RUN_ID, timeoutMs: seconds * 1000 }])
  })

  it('is 202 when that was too short', async () => {
    runs.records = [runRecord({ progress: '{"done":2}' })]
    const answer = await sync({}, { prefer: 'wait=1' })
    expect([answer.status, answer.headers['preference-applied'], answer.headers['retry-after']]).toEqual([
      202,
      'wait=1',
      '1',
    ])
    expect(answer.json()['progress']).toEqual({ done: 2 })
  })

  it('is 202 with the run as it was when it has been forgotten meanwhile', async () => {
    expect(await sync({}, { prefer: 'wait=1' })).toMatchObject({ status: 202 })
  })

  it.each(['wait=soon', 'return=minimal', 'wait', ''])('does not wait for %j', async (prefer) => {
    expect((await sync({}, { prefer })).status).toBe(202)
    expect(runs.waits).toEqual([])
  })

  it('gives up when the application closes', async () => {
    runs.onWait = (_, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(runRecord({ state: 'queued' }))))
    const answer = sync({}, { prefer: 'wait=60' })
    while (runs.waits.length === 0) await new Promise(setImmediate)
    await h.app.close()
    expect(await answer).toMatchObject({ status: 202 })
  })
})

it('is not configured without a section "tokens"', async () => {
  await using one = await createHarness({ authenticator, runs })
  const answer = await one.ask({ method: 'POST', url: '/v1/tokens/sync' })
  expect(answer.json()).toMatchObject({
    type: '/problems/not-configured',
    detail: 'This service has no section "tokens" in its configuration.',
  })
})

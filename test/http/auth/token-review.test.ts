import { describe, expect, test } from 'vitest'
import type { AuthOutcome } from '../../../src/http/auth/authenticator.ts'
import {
  createTokenReviewAuthenticator,
  judge,
  type TokenReviewConfig,
  type TokenReviewRequest,
} from '../../../src/http/auth/token-review.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

const USER = 'system:serviceaccount:gw:gateway'
const CONFIG: TokenReviewConfig = {
  mode: 'tokenReview',
  open: [],
  audiences: [],
  cacheMs: 10_000,
  grants: [
    { users: [USER], scopes: ['synced'] },
    { groups: ['ops'], scopes: ['read'] },
  ],
}
const GATEWAY: AuthOutcome = { ok: true, caller: { name: USER, scopes: new Set(['synced']) } }
const AWAY = { ok: false, reason: 'unavailable', detail: 'the API server cannot be asked about the token right now' }

/** An API server that knows the token `good`, and counts. */
function setUp(config: Partial<TokenReviewConfig> = {}) {
  const clock = new FakeClock()
  const asked: TokenReviewRequest[] = []
  const server = {
    answer: async (body: TokenReviewRequest, _: AbortSignal): Promise<unknown> => ({
      status:
        body.spec.token === 'good'
          ? { authenticated: true, user: { username: USER } }
          : { error: 'invalid bearer token' },
    }),
  }
  const review = (body: TokenReviewRequest, signal: AbortSignal) => {
    asked.push(body)
    return server.answer(body, signal)
  }
  const authenticator = createTokenReviewAuthenticator({ ...CONFIG, ...config }, { clock, review })
  return { clock, asked, server, authenticator }
}

describe('what the API server’s answer means', () => {
  const user = { username: USER }
  test.each<[string, unknown, readonly string[], unknown]>([
    ['a user with a grant', { status: { authenticated: true, user } }, [], GATEWAY],
    [
      'a user of a group with a grant',
      { status: { authenticated: true, user: { username: 'x', groups: ['ops', 3] } } },
      [],
      { ok: true, caller: { name: 'x', scopes: new Set(['read']) } },
    ],
    [
      'a user without any grant is known, and may do nothing',
      { status: { authenticated: true, user: { username: 'x' } } },
      [],
      { ok: true, caller: { name: 'x', scopes: new Set() } },
    ],
    ['not authenticated', { status: { authenticated: false, user } }, [], { reason: 'unknown' }],
    [
      'expired',
      { status: { error: '[invalid bearer token, service account token has expired]' } },
      [],
      { reason: 'expired' },
    ],
    ['authenticated as a word', { status: { authenticated: 'true', user } }, [], { reason: 'unknown' }],
    ['no user name', { status: { authenticated: true, user: {} } }, [], { reason: 'unknown' }],
    ['one of the audiences', { status: { authenticated: true, user, audiences: ['b'] } }, ['a', 'b'], GATEWAY],
    ['another audience', { status: { authenticated: true, user, audiences: ['c'] } }, ['a'], { reason: 'unknown' }],
    ['a server that knows no audiences', { status: { authenticated: true, user } }, ['a'], { reason: 'unknown' }],
    ['no status', {}, [], { reason: 'unknown' }],
    ['nothing', null, [], { reason: 'unknown' }],
    ['text', 'hello', [], { reason: 'unknown' }],
  ])('%s', (_, answer, audiences, outcome) => {
    expect(judge({ ...CONFIG, audiences }, answer)).toMatchObject(outcome as object)
  })
})

describe('mode tokenReview', () => {
  test('asks the API server about the token', async () => {
    const { authenticator, asked } = setUp()
    expect(await authenticator.authenticate('Bearer good')).toEqual(GATEWAY)
    expect(asked).toEqual([{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'good' } }])
  })

  test('names the audiences when there are some', async () => {
    const { authenticator, asked } = setUp({ audiences: ['syncer'] })
    await authenticator.authenticate('Bearer good')
    expect(asked[0]?.spec).toEqual({ token: 'good', audiences: ['syncer'] })
  })

  test.each([
    [undefined, 'missing'],
    ['Basic x', 'malformed'],
  ])('asks nobody about %j', (header, reason) => {
    const { authenticator, asked } = setUp()
    expect(authenticator.authenticate(header)).toMatchObject({ reason })
    expect(asked).toEqual([])
  })

  test('keeps an answer for `cacheMs`, and then gives it without a promise', async () => {
    const { authenticator, asked, clock } = setUp()
    await authenticator.authenticate('Bearer good')
    await clock.advance(9_999)
    expect(authenticator.authenticate('Bearer good')).toEqual(GATEWAY)
    await clock.advance(1)
    expect(await authenticator.authenticate('Bearer good')).toEqual(GATEWAY)
    expect(asked).toHaveLength(2)
  })

  test('keeps a refusal for a second', async () => {
    const { authenticator, asked, clock } = setUp()
    await authenticator.authenticate('Bearer bad')
    await clock.advance(999)
    expect(authenticator.authenticate('Bearer bad')).toMatchObject({ reason: 'unknown' })
    await clock.advance(1)
    await authenticator.authenticate('Bearer bad')
    expect(asked).toHaveLength(2)
  })

  test('keeps nothing with `cacheMs` 0', async () => {
    const { authenticator, asked } = setUp({ cacheMs: 0 })
    for (const token of ['good', 'good', 'bad', 'bad']) await authenticator.authenticate(`Bearer ${token}`)
    expect(asked).toHaveLength(4)
  })

  test('asks once for all that send the same token at the same time', async () => {
    const { authenticator, asked } = setUp()
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => authenticator.authenticate('Bearer good')))
    expect(outcomes).toEqual(Array(50).fill(GATEWAY))
    expect(asked).toHaveLength(1)
  })

  test('a flood of bad tokens pushes no good one out', async () => {
    const { authenticator, asked } = setUp()
    await authenticator.authenticate('Bearer good')
    for (let i = 0; i < 10_001; i++) await authenticator.authenticate(`Bearer bad-${i}`)
    const before = asked.length
    expect(authenticator.authenticate('Bearer good')).toEqual(GATEWAY)
    expect(asked).toHaveLength(before)
  })

  test('an API server that is away makes `unavailable`, at once and never kept', async () => {
    const { authenticator, server } = setUp()
    const { answer } = server
    server.answer = () => Promise.reject(new Error('POST {"token":"good"}: connect ECONNREFUSED'))
    expect(await authenticator.authenticate('Bearer good')).toEqual(AWAY)
    server.answer = answer
    expect(await authenticator.authenticate('Bearer good')).toEqual(GATEWAY)
  })

  test('an API server that is silent makes `unavailable` after five seconds', async () => {
    const { authenticator, server, clock } = setUp()
    let given: AbortSignal | undefined
    server.answer = (_, signal) => {
      given = signal
      return new Promise(() => {})
    }
    const asked = authenticator.authenticate('Bearer good')
    await clock.advance(5_000)
    expect(await asked).toEqual(AWAY)
    expect(given?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  test('an answer that was kept holds while the API server is away', async () => {
    const { authenticator, server } = setUp()
    await authenticator.authenticate('Bearer good')
    server.answer = () => Promise.reject(new Error('away'))
    expect(authenticator.authenticate('Bearer good')).toEqual(GATEWAY)
  })

  test('no more than 64 tokens are reviewed at the same time', async () => {
    const { authenticator, server, asked } = setUp()
    const { answer } = server
    const gate = Promise.withResolvers<void>()
    server.answer = async (body, signal) => {
      await gate.promise
      return answer(body, signal)
    }
    const waiting = Array.from({ length: 64 }, (_, i) => authenticator.authenticate(`Bearer t${i}`))
    expect(authenticator.authenticate('Bearer one-more')).toMatchObject({ reason: 'unavailable' })
    expect(authenticator.authenticate('Bearer t0')).toBeInstanceOf(Promise)
    gate.resolve()
    await Promise.all(waiting)
    expect(asked).toHaveLength(64)
    expect(await authenticator.authenticate('Bearer good')).toEqual(GATEWAY)
  })

  test('disposing ends what is under way', async () => {
    const { authenticator, server, clock } = setUp()
    server.answer = () => new Promise(() => {})
    const asked = authenticator.authenticate('Bearer good')
    await authenticator[Symbol.asyncDispose]()
    expect(await asked).toEqual(AWAY)
    expect(clock.pending).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { ClusterUnreachable, type TokenRead, type WaiterCluster } from '../../src/tokens/contract.ts'
import { ListRefused } from '../../src/tokens/waiter.ts'
import { type RetryOptions, withReadRetries } from '../../src/tokens/waiter-retry.ts'
import { FakeClock } from '../lib/fake-clock.ts'

const never = new AbortController().signal
const URL = 'http://c1'
const answered = (status: number, more: object = {}): TokenRead => ({
  kind: 'answered',
  status,
  description: new Map(),
  ...more,
})
const broken = (more: object = {}): TokenRead => ({ kind: 'broken', message: 'the connection broke', ...more })

/** A cluster that answers with these, one after the other, and what it was asked. */
function scripted(
  reads: readonly TokenRead[],
  lists: readonly (Error | [])[] = [],
  options: Partial<RetryOptions> = {},
) {
  const clock = new FakeClock()
  const asked: { what: string; at: number }[] = []
  const note = (what: string) => asked.push({ what, at: clock.now() })
  const cluster: WaiterCluster = {
    url: URL,
    skewMs: 7,
    list: async () => {
      note('list')
      const next = lists[asked.length - 1]
      if (next === undefined || next instanceof Error) throw next ?? new Error('unexpected')
      return next
    },
    read: async () => {
      note('read')
      return reads[asked.length - 1] ?? Promise.reject(new Error('unexpected'))
    },
    store: async () => {
      note('store')
      return { kind: 'unknown', message: 'no answer', sent: true }
    },
    hardDelete: async () => {
      note('hardDelete')
      return { kind: 'answered', status: 503 }
    },
  }
  return { clock, asked, cluster: withReadRetries(cluster, { clock, random: () => 0.5, ...options }) }
}

/** What a promise comes to while time passes. */
async function settle<T>(clock: FakeClock, promise: Promise<T>, ms = 60_000): Promise<T> {
  const settled = promise.catch(() => undefined)
  await clock.advance(ms)
  await settled
  return promise
}

describe('a read', () => {
  it.each([
    ['a broken answer', broken()],
    ['429', answered(429)],
    ['502', answered(502)],
    ['503', answered(503)],
    ['504', answered(504)],
    ['an error page with 500', broken({ status: 500 })],
  ])('is tried again after %s, with growing pauses', async (_what, failure) => {
    const { clock, asked, cluster } = scripted([failure, failure, answered(200)])
    expect(await settle(clock, cluster.read('t', never))).toEqual(answered(200))
    expect(asked.map(({ at }) => at)).toEqual([0, 50, 150])
    expect(clock.pending).toBe(0)
  })

  it.each([
    ['200', answered(200)],
    ['401', answered(401)],
    ['403', answered(403)],
    ['404', answered(404)],
    ['500', answered(500)],
    ['a page with 403', broken({ status: 403 })],
  ])('is final after %s', async (_what, answer) => {
    const { clock, asked, cluster } = scripted([answer])
    expect(await settle(clock, cluster.read('t', never))).toEqual(answer)
    expect(asked).toHaveLength(1)
  })

  it('gives what the last of three tries gave', async () => {
    const last = broken({ message: 'the third' })
    const { clock, asked, cluster } = scripted([broken(), answered(503), last])
    expect(await settle(clock, cluster.read('t', never))).toBe(last)
    expect(asked).toHaveLength(3)
  })

  it('never comes back before the cluster wants it', async () => {
    const { clock, asked, cluster } = scripted([answered(503, { retryAfterMs: 4_000 }), answered(200)])
    expect(await settle(clock, cluster.read('t', never))).toEqual(answered(200))
    expect(asked[1]?.at).toBe(4_050)
  })

  it('gives up at once where the cluster wants to be left alone for long', async () => {
    const answer = answered(503, { retryAfterMs: 11_000 })
    const { clock, asked, cluster } = scripted([answer])
    expect(await settle(clock, cluster.read('t', never))).toBe(answer)
    expect(asked).toHaveLength(1)
  })

  it('stops waiting when its signal aborts', async () => {
    const stop = new AbortController()
    const { clock, asked, cluster } = scripted([broken()])
    const reading = cluster.read('t', stop.signal)
    await clock.advance(10)
    stop.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    expect(asked).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})

describe('a list', () => {
  it('is tried again when there was no answer, or a passing one', async () => {
    const failures = [
      new ClusterUnreachable(URL, 'connection refused'),
      new ListRefused(URL, 'answered 503', 503, 2_000),
    ]
    const { clock, asked, cluster } = scripted([], [...failures, []])
    expect(await settle(clock, cluster.list(never))).toEqual([])
    expect(asked.map(({ at }) => at)).toEqual([0, 50, 2_150])
  })

  it('is tried again when a page came in its place', async () => {
    const { clock, cluster } = scripted([], [new ListRefused(URL, 'what is no list', 200, undefined), []])
    expect(await settle(clock, cluster.list(never))).toEqual([])
  })

  it.each([302, 400, 401, 403, 404, 500])('is final after %i', async (status) => {
    const refusal = new ListRefused(URL, `answered ${status}`, status, undefined)
    const { clock, asked, cluster } = scripted([], [refusal])
    await expect(settle(clock, cluster.list(never))).rejects.toBe(refusal)
    expect(asked).toHaveLength(1)
  })

  it('throws on what is no failure of a cluster', async () => {
    const { clock, asked, cluster } = scripted([], [new TypeError('a bug')])
    await expect(settle(clock, cluster.list(never))).rejects.toThrow('a bug')
    expect(asked).toHaveLength(1)
  })
})

it('never repeats a write', async () => {
  const { clock, asked, cluster } = scripted([])
  await settle(clock, cluster.store('t', new Map(), undefined, never))
  await settle(clock, cluster.hardDelete('t', undefined, never))
  expect(asked.map(({ what }) => what)).toEqual(['store', 'hardDelete'])
  expect(cluster.url).toBe(URL)
  expect(cluster.skewMs).toBe(7)
})

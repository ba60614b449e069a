import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { close, listen } from '../../src/playground/listen.ts'
import { Exchanges, type ExchangesOptions } from '../../src/tokens/exchange.ts'
import { type FakeWaiter, type FakeWaiterOptions, startFakeWaiter } from '../fakes/waiter.ts'
import { eventually } from '../lib/eventually.ts'
import { FakeClock } from '../lib/fake-clock.ts'

let open: AsyncDisposableStack
let clock: FakeClock
let stop: AbortController
beforeEach(() => {
  open = new AsyncDisposableStack()
  clock = new FakeClock()
  stop = new AbortController()
})
afterEach(() => open.disposeAsync())

function exchangesWith(origin: string, options: Partial<ExchangesOptions> = {}): Exchanges {
  return open.use(
    new Exchanges({
      origin,
      clock,
      connectionTimeoutMs: 100,
      idleTimeoutMs: 1_000,
      maxConcurrentRequests: 2,
      ...options,
    }),
  )
}

async function start(fakeOptions: FakeWaiterOptions = {}, options: Partial<ExchangesOptions> = {}) {
  const fake: FakeWaiter = open.use(await startFakeWaiter(fakeOptions))
  const exchanges = exchangesWith(fake.url, options)
  const get = (token: string, maxBytes = 1_000) =>
    exchanges.send({ method: 'GET', path: '/token', headers: { 'x-waiter-token': token }, maxBytes }, stop.signal)
  return { fake, exchanges, get }
}

describe('requests to a host', () => {
  it('leave no timer and no listener behind', async () => {
    const { get } = await start()
    await Promise.all(['a', 'b', 'c', 'd'].map((token) => get(token)))
    expect(clock.pending).toBe(0)
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
  })

  it('share one timer and one listener', async () => {
    const { fake, get } = await start({ fault: () => 'hang' })
    const asked = Promise.allSettled(['a', 'b', 'c', 'd'].map((token) => get(token)))
    await eventually(() => fake.seen.length === 2)
    expect(clock.pending).toBe(1)
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1)
    await clock.advance(1_000)
    await eventually(() => fake.seen.length === 4)
    expect(clock.pending).toBe(1)
    await clock.advance(1_000)
    const settled = await asked
    expect(settled.map((one) => one.status === 'rejected' && one.reason.message)).toEqual(
      Array(4).fill('no answer in 1000 ms'),
    )
    expect(clock.pending).toBe(0)
  })

  it('are looked at in time, whoever else has more of it', async () => {
    const { fake, exchanges, get } = await start({ fault: () => 'hang' })
    const request = {
      method: 'GET',
      path: '/token?token=long',
      headers: {},
      maxBytes: 1_000,
      idleTimeoutMs: 60_000,
    } as const
    const long = expect(exchanges.send(request, stop.signal)).rejects.toThrow('no answer in 60000 ms')
    await eventually(() => fake.seen.length === 1)
    await clock.advance(5_000)
    const short = expect(get('short')).rejects.toThrow('no answer in 1000 ms')
    await eventually(() => fake.seen.length === 2)
    await clock.advance(1_000)
    await short
    await clock.advance(54_000)
    await long
  })

  it('have all their time when their turn comes', async () => {
    const fault: FakeWaiterOptions['fault'] = ({ token }) => (token === 'slow' ? 'hang' : undefined)
    const { fake, get } = await start({ fault }, { maxConcurrentRequests: 1, idleTimeoutMs: 60_000 })
    const slow = get('slow')
    const failed = expect(slow).rejects.toThrow('no answer in 60000 ms')
    const next = get('next')
    await eventually(() => fake.seen.length === 1)
    await clock.advance(60_000)
    await failed
    expect(await next).toMatchObject({ status: 404 })
  })

  it('are not written when they are given up before there is a connection', async () => {
    const { fake, exchanges, get } = await start()
    const given = get('given-up')
    stop.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    const other = new AbortController().signal
    await exchanges.send({ method: 'GET', path: '/token?token=other', headers: {}, maxBytes: 1_000 }, other)
    expect(fake.seen.map(({ token }) => token)).toEqual(['other'])
  })

  it.each(['𝒳', 'a\nb', '日本'])('leave the connections to the others when they cannot be sent: %j', async (token) => {
    const { exchanges, get } = await start()
    const path = `/token?token=${token}`
    const unsent = { message: 'the request cannot be sent', sent: false }
    for (let again = 0; again < 5; again++) {
      await expect(get(token)).rejects.toMatchObject(unsent)
      const other = exchanges.send({ method: 'GET', path, headers: {}, maxBytes: 1_000 }, stop.signal)
      await expect(other).rejects.toMatchObject(unsent)
    }
    expect(await get('other')).toMatchObject({ status: 404 })
    expect(clock.pending).toBe(0)
  })

  it('fail when the answer is too long', async () => {
    const { fake, get } = await start()
    await expect(get('a', 10)).rejects.toThrow('the answer is longer than 10 bytes')
    expect(await get('b')).toMatchObject({ status: 404 })
    expect(fake.seen).toHaveLength(2)
  })

  it('end though something comes all the time, when that never ends', async () => {
    const responses: ServerResponse[] = []
    const server = createServer((_request, response) => {
      response.writeHead(200).flushHeaders()
      responses.push(response)
    })
    open.defer(() => close(server))
    let received = 0
    const onPiece = () => received++
    subscribe('undici:request:bodyChunkReceived', onPiece)
    open.defer(() => void unsubscribe('undici:request:bodyChunkReceived', onPiece))
    const exchanges = exchangesWith(`http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}`)
    let failure: unknown
    const sent = exchanges
      .send({ method: 'GET', path: '/', headers: {}, maxBytes: 1_000 }, stop.signal)
      .catch((error: unknown) => {
        failure = error
      })
    await eventually(() => responses.length === 1)
    const say = async () => {
      const before = received
      responses[0]?.write('x')
      await eventually(() => received > before)
    }
    for (let ms = 0; ms < 19_500; ms += 750) {
      await say()
      expect(failure).toBeUndefined()
      await clock.advance(750)
    }
    await say()
    await clock.advance(750)
    await sent
    expect(failure).toMatchObject({ name: 'ExchangeFailed', sent: true })
  })
})

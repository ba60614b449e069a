import { describe, expect, it } from 'vitest'
import { HEARTBEAT_MS, type ServerSentEvent, writeEvent, writeEvents } from '../../src/http/server-sent-events.ts'
import { FakeClock } from '../lib/fake-clock.ts'

describe('an event', () => {
  it.each<[ServerSentEvent, string]>([
    [{ event: 'item', id: '7', data: '{}' }, 'id: 7\nevent: item\ndata: {}\n\n'],
    [{ event: 'progress', data: '' }, 'event: progress\ndata: \n\n'],
    [{ event: 'a', data: 'x\ny\r\nz\rw' }, 'event: a\ndata: x\ndata: y\ndata: z\ndata: w\n\n'],
  ])('is written: %j', (event, text) => expect(writeEvent(event)).toBe(text))
})

/** A source that pays no heed to any signal, and counts what was asked of it. */
class Source implements AsyncIterableIterator<ServerSentEvent> {
  asked = 0
  returned = 0
  readonly answers: Promise<IteratorResult<ServerSentEvent>>[]

  constructor(...answers: Promise<IteratorResult<ServerSentEvent>>[]) {
    this.answers = answers
  }
  next() {
    return this.answers[this.asked++] ?? new Promise<never>(() => {})
  }
  async return() {
    this.returned++
    return { done: true as const, value: undefined }
  }
  [Symbol.asyncIterator]() {
    return this
  }
}

const given = (name: string) => Promise.resolve({ done: false as const, value: { event: name, data: '1' } })
const END = Promise.resolve({ done: true as const, value: undefined })
const start = (source: Source) => {
  const clock = new FakeClock()
  const over = new AbortController()
  return { clock, over, stream: writeEvents(source, clock, over.signal) }
}

describe('a stream', () => {
  it('says first when to come back, then what its source says, and ends with it', async () => {
    const source = new Source(given('a'), given('b'), END)
    const { clock, stream } = start(source)
    expect(await Array.fromAsync(stream)).toEqual(['retry: 1000\n\n', 'event: a\ndata: 1\n\n', 'event: b\ndata: 1\n\n'])
    expect([source.returned, clock.pending]).toEqual([1, 0])
  })

  it('makes nothing that nobody has asked for', async () => {
    const source = new Source(given('a'), given('b'), END)
    const { stream } = start(source)
    await stream.next()
    expect(source.asked).toBe(0)
    await stream.next()
    expect(source.asked).toBe(1)
    await stream.return()
    expect([source.asked, source.returned]).toEqual([1, 1])
  })

  it('comments every 15 seconds in which nothing else comes, and loses nothing by it', async () => {
    const late = Promise.withResolvers<IteratorResult<ServerSentEvent>>()
    const { clock, stream } = start(new Source(late.promise, END))
    await stream.next()
    for (let i = 0; i < 3; i++) {
      const comment = stream.next()
      let came = false
      comment.then(() => {
        came = true
      })
      await clock.advance(HEARTBEAT_MS - 1)
      expect(came).toBe(false)
      await clock.advance(1)
      expect(await comment).toEqual({ done: false, value: ': heartbeat\n\n' })
    }
    const event = stream.next()
    late.resolve(await given('late'))
    expect(await event).toMatchObject({ value: 'event: late\ndata: 1\n\n' })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(clock.pending).toBe(0)
  })

  it('ends at once when it is over, though its source pays no heed', async () => {
    const source = new Source()
    const { clock, over, stream } = start(source)
    await stream.next()
    const waiting = stream.next()
    over.abort()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect([source.returned, clock.pending]).toEqual([1, 0])
  })

  it('ends when it was over before it began', async () => {
    const { over, stream } = start(new Source())
    over.abort()
    expect(await Array.fromAsync(stream)).toEqual(['retry: 1000\n\n'])
  })

  it('ends without an error when the source fails because it is over', async () => {
    const failing = Promise.withResolvers<never>()
    const { over, stream } = start(new Source(failing.promise))
    await stream.next()
    const waiting = stream.next()
    failing.reject(new Error('aborted'))
    over.abort()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })

  it('fails as its source does', async () => {
    const source = new Source(given('a'), Promise.reject(new Error('the state is gone')))
    const { clock, stream } = start(source)
    await expect(Array.fromAsync(stream)).rejects.toThrow('the state is gone')
    expect(clock.pending).toBe(0)
  })
})

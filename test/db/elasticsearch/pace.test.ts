import { describe, expect, it } from 'vitest'
import { Pace } from '../../../src/db/elasticsearch/pace.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

const { signal } = new AbortController()
const many = (times: number, fn: () => void) => Array.from({ length: times }, fn)

describe('the pace of a store', () => {
  it('lets as many batches begin as it allows, the others in their order', async () => {
    const pace = new Pace(new FakeClock())
    const turns: Disposable[] = []
    for (let at = 0; at < pace.concurrency; at++) turns.push(await pace.take(signal))
    const begun: number[] = []
    const waiting = [1, 2].map(async (at) => {
      await pace.take(signal)
      begun.push(at)
    })
    await Promise.resolve()
    expect(begun).toEqual([])
    turns[0]?.[Symbol.dispose]()
    turns[0]?.[Symbol.dispose]()
    await waiting[0]
    await Promise.resolve()
    expect(begun).toEqual([1])
    turns[1]?.[Symbol.dispose]()
    await waiting[1]
    expect(begun).toEqual([1, 2])
  })

  it('forgets who has given up waiting', async () => {
    const pace = new Pace(new FakeClock())
    const turns: Disposable[] = []
    for (let at = 0; at < pace.concurrency; at++) turns.push(await pace.take(signal))
    const controller = new AbortController()
    const waiting = pace.take(controller.signal)
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(pace.take(controller.signal)).rejects.toThrow('enough')
    for (const turn of turns) turn[Symbol.dispose]()
    for (const _ of turns) await pace.take(signal)
  })

  it('slows down once for one trouble, however many tell of it', async () => {
    const clock = new FakeClock()
    const pace = new Pace(clock)
    const before = pace.concurrency
    many(10, () => pace.noteTrouble('busy'))
    expect(pace.concurrency).toBe(before / 2)
    await clock.advance(1_000)
    pace.noteTrouble('busy')
    expect(pace.concurrency).toBe(before / 4)
  })

  it('makes batches smaller when it is too much at one at a time, or too late', async () => {
    const clock = new FakeClock()
    const pace = new Pace(clock)
    const { rows, bytes } = pace
    pace.noteTrouble('late')
    expect(pace.rows).toBe(rows / 2)
    expect(pace.bytes).toBe(bytes / 2)
    for (let at = 0; at < 30; at++) {
      await clock.advance(1_000)
      pace.noteTrouble('busy')
    }
    expect(pace.concurrency).toBe(1)
    expect(pace.rows).toBeGreaterThanOrEqual(1)
    expect(pace.rows).toBeLessThan(100)
  })

  it('comes back slowly, and goes a little beyond where it began', async () => {
    const pace = new Pace(new FakeClock())
    const before = { rows: pace.rows, concurrency: pace.concurrency }
    pace.noteTrouble('late')
    many(1_000, () => pace.noteGood())
    expect(pace.rows).toBe(before.rows)
    expect(pace.concurrency).toBeGreaterThanOrEqual(before.concurrency)
    expect(pace.concurrency).toBeLessThanOrEqual(16)
  })
})

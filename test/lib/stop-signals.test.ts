import { EventEmitter } from 'node:events'
import { beforeEach, describe, expect, it } from 'vitest'
import { watchStopSignals } from '../../src/lib/stop-signals.ts'
import { FakeClock } from './fake-clock.ts'

let clock: FakeClock
let source: EventEmitter
let seen: string[]
let watch: Disposable

beforeEach(() => {
  clock = new FakeClock()
  source = new EventEmitter()
  seen = []
  watch = watchStopSignals({
    source,
    clock,
    onStop: (signal) => seen.push(`stop by ${signal}`),
    onForce: () => seen.push('force'),
  })
})

describe('stop signals', () => {
  it.each(['SIGINT', 'SIGTERM'])('%s asks to stop', (signal) => {
    source.emit(signal)
    expect(seen).toEqual([`stop by ${signal}`])
  })

  it('a second SIGINT is an order, after whichever came first', async () => {
    source.emit('SIGTERM')
    await clock.advance(50)
    source.emit('SIGINT')
    expect(seen).toEqual(['stop by SIGTERM', 'force'])
  })

  it('a second SIGTERM changes nothing', async () => {
    source.emit('SIGTERM')
    await clock.advance(1_000)
    source.emit('SIGTERM')
    expect(seen).toEqual(['stop by SIGTERM'])
  })

  it('one press that arrives twice is one press', async () => {
    source.emit('SIGINT')
    await clock.advance(49)
    source.emit('SIGINT')
    expect(seen).toEqual(['stop by SIGINT'])
  })

  it('mean what they always did once nobody watches', () => {
    watch[Symbol.dispose]()
    expect(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM')).toBe(0)
  })
})

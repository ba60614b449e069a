import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createProgressBar, progressLine } from '../../src/cli/progress-bar.ts'
import { FakeClock } from '../lib/fake-clock.ts'

describe('a line of progress', () => {
  it.each([
    [0, 4, 60, 'sync [                              ] 0/4'],
    [1, 4, 60, 'sync [========                      ] 1/4'],
    [4, 4, 60, 'sync [==============================] 4/4'],
    [0, 0, 60, 'sync [==============================] 0/0'],
    [1, 2, 20, 'sync [====    ] 1/2'],
    [1, 2, 12, 'sync 1/2'],
    [0, undefined, 60, 'sync …'],
  ])('of %s out of %s fits into %s columns', (done, total, columns, line) => {
    expect(progressLine('sync', done, total, columns)).toBe(line)
  })

  it('never breaks', () => {
    const total = fc.option(fc.nat(20_000), { nil: undefined })
    fc.assert(
      fc.property(fc.nat(20_000), total, fc.integer({ min: 1, max: 300 }), (done, total, columns) => {
        expect(progressLine('syncing', done, total, columns).length).toBeLessThan(columns)
      }),
    )
  })
})

describe('a progress bar', () => {
  it('draws ten times a second at most, the end always, and wipes itself away', async () => {
    const clock = new FakeClock()
    const drawn: string[] = []
    const bar = createProgressBar({ err: (text) => void drawn.push(text), columns: 20, clock }, 'a')
    bar.show(0, undefined)
    bar.show(1, 9)
    await clock.advance(99)
    bar.show(2, 9)
    await clock.advance(1)
    bar.show(3, 9)
    bar.show(9, 9)
    bar[Symbol.dispose]()
    expect(drawn).toEqual(['a …', 'a [====       ] 3/9', 'a [===========] 9/9', ''].map((line) => `\r\u001b[K${line}`))
  })

  it('draws nothing where there is no terminal', () => {
    const bar = createProgressBar({ err: () => expect.unreachable(), columns: undefined, clock: new FakeClock() }, 'a')
    bar.show(1, 1)
    bar[Symbol.dispose]()
  })

  it('has nothing to wipe when it was never drawn', () => {
    createProgressBar({ err: () => expect.unreachable(), columns: 80, clock: new FakeClock() }, 'a')[Symbol.dispose]()
  })
})

import { describe, expect, it } from 'vitest'
import type { Mark } from '../../src/db/checkpoint.ts'
import { openLetterBoxes } from '../../src/db/dead-letters.ts'
import { Ledger } from '../../src/db/ledger.ts'
import { FakeClock } from '../lib/fake-clock.ts'
import { createMemory } from './memory-store.ts'

const WINDOW = { beginMs: 0, endMs: 1_000 }
const LATER = { beginMs: 1_000, endMs: 2_000 }

interface Options {
  readonly fails?: () => boolean
  /** How long a write takes, in milliseconds. */
  readonly takesMs?: number
}

async function openLedger(mark: Mark = { sides: 'these' }, options: Options = {}) {
  const written: Mark[] = []
  const clock = new FakeClock()
  const boxes = await openLetterBoxes('app', createMemory(new Map()), [])
  const ledger = new Ledger({
    clock,
    mark,
    letters: boxes.of('notes', 'left-to-right'),
    write: async (next) => {
      if (options.fails?.()) throw new Error('the memory is away')
      await clock.advance(options.takesMs ?? 0)
      written.push(next)
    },
  })
  return { ledger, written, clock }
}

describe('a ledger', () => {
  it('crosses out splits as they finish, a few times a second, and moves the end with the last', async () => {
    const { ledger, written, clock } = await openLedger()
    ledger.open({ window: WINDOW, saveEndMs: 1_000 }, ['a', 'b', 'c', 'd', 'e'], 5)
    await ledger.finishSplit(1, true)
    expect(written).toEqual([{ sides: 'these', open: { window: WINDOW, todo: ['a', 'c', 'd', 'e'], total: 5 } }])
    await ledger.finishSplit(0, true)
    expect(written).toHaveLength(1)
    await clock.advance(250)
    await ledger.finishSplit(4, true)
    expect(written[1]?.open?.todo).toEqual(['c', 'd'])
    await ledger.finishSplit(2, true)
    await ledger.finishSplit(3, true)
    expect(written).toHaveLength(2)
    await ledger.close()
    expect(written.slice(2)).toEqual([{ endMs: 1_000, sides: 'these', open: undefined }])
  })

  it('saves what is done when it ends half way, and nothing when nothing is', async () => {
    const { ledger, written } = await openLedger({ endMs: 5, sides: 'these' })
    ledger.open({ window: WINDOW, saveEndMs: 1_000 }, ['a', 'b', 'c'], 3)
    await ledger.save()
    expect(written).toEqual([])
    await ledger.finishSplit(0, true)
    await ledger.finishSplit(1, true)
    await ledger.save()
    expect(written.at(-1)).toEqual({ endMs: 5, sides: 'these', open: { window: WINDOW, todo: ['c'], total: 3 } })
  })

  it('keeps the window that is open until it is taken up', async () => {
    const mark = { endMs: 5, sides: 'these', open: { window: WINDOW, todo: ['c'], total: 3 } }
    const { ledger, written } = await openLedger(mark)
    await ledger.save()
    expect(written).toEqual([])
    ledger.open({ window: WINDOW, saveEndMs: 1_000 }, ['c'], 3)
    await ledger.save()
    expect(written).toEqual([])
    await ledger.finishSplit(0, true)
    await ledger.close()
    expect(written).toEqual([{ endMs: 1_000, sides: 'these', open: undefined }])
  })

  it('leaves the end for good where a split could not be accounted for, and that split to be done', async () => {
    const { ledger, written } = await openLedger({ endMs: 5, sides: 'these' })
    const stuck = { endMs: 5, sides: 'these', open: { window: WINDOW, todo: ['b'], total: 2 } }
    ledger.open({ window: WINDOW, saveEndMs: 1_000 }, ['a', 'b'], 2)
    await ledger.finishSplit(1, false)
    await ledger.finishSplit(0, true)
    await ledger.close()
    expect(written.at(-1)).toEqual(stuck)
    ledger.open({ window: LATER, saveEndMs: 2_000 }, ['x', 'y'], 2)
    await ledger.finishSplit(0, true)
    await ledger.finishSplit(1, true)
    await ledger.close()
    expect(written.at(-1)).toEqual(stuck)
  })

  it('spends most of its time on other things than a slow memory', async () => {
    const { ledger, written, clock } = await openLedger({ sides: 'these' }, { takesMs: 100 })
    ledger.open({ window: WINDOW, saveEndMs: 1_000 }, ['a', 'b', 'c', 'd'], 4)
    await ledger.finishSplit(0, true)
    await clock.advance(999)
    await ledger.finishSplit(1, true)
    expect(written).toHaveLength(1)
    await clock.advance(1)
    await ledger.finishSplit(2, true)
    expect(written).toHaveLength(2)
  })

  it('goes on after a save that failed', async () => {
    let isAway = true
    const { ledger, written } = await openLedger({ sides: 'these' }, { fails: () => isAway })
    ledger.open({ window: WINDOW, saveEndMs: 1_000 }, ['a', 'b'], 2)
    await expect(ledger.finishSplit(0, true)).rejects.toThrow('away')
    isAway = false
    await ledger.save()
    expect(written).toMatchObject([{ open: { todo: ['b'] } }])
  })
})

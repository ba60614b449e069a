import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  cutByCounts,
  formatSlice,
  intersect,
  MAX_PER_SLICE,
  parseSlice,
  shardWindow,
} from '../../../src/db/elasticsearch/slices.ts'
import type { Window } from '../../../src/db/window.ts'

const { signal } = new AbortController()
const anyWindow = fc
  .tuple(fc.integer({ min: -(2 ** 42), max: 2 ** 42 }), fc.integer({ min: 1, max: 2 ** 41 }))
  .map(([beginMs, length]): Window => ({ beginMs, endMs: beginMs + length }))

/** Documents by their time; counts as the server would. */
function countIn(times: readonly number[]) {
  let asked = 0
  return {
    count: async ({ beginMs, endMs }: Window) => {
      asked++
      return times.filter((ms) => ms > beginMs && ms <= endMs).length
    },
    get asked() {
      return asked
    },
  }
}

describe('a window cut by counts', () => {
  it('covers all of the window, each millisecond once', async () => {
    const anyTimes = anyWindow.chain((window) =>
      fc.record({
        window: fc.constant(window),
        times: fc.array(fc.integer({ min: window.beginMs + 1, max: window.endMs }), { minLength: 1, maxLength: 40 }),
        copies: fc.integer({ min: 1, max: 2_000 }),
        atLeast: fc.integer({ min: 1, max: 64 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(anyTimes, async ({ window, times, copies, atLeast }) => {
        const scaled = async (part: Window) => (await countIn(times).count(part)) * copies
        const slices = await cutByCounts(window, times.length * copies, scaled, atLeast, signal)
        expect(slices[0]?.beginMs).toBe(window.beginMs)
        expect(slices.at(-1)?.endMs).toBe(window.endMs)
        for (const [at, slice] of slices.entries()) {
          if (at > 0) expect(slice.beginMs).toBe(slices[at - 1]?.endMs)
          expect(slice.endMs).toBeGreaterThan(slice.beginMs)
        }
        expect(slices.reduce((sum, { count }) => sum + (count ?? 0), 0)).toBe(times.length * copies)
      }),
      { numRuns: 200 },
    )
  })

  it('has slices of some size, many of them or few', async () => {
    const times = Array.from({ length: 3_000 }, (_, at) => 1_700_000_000_000 + at * 7)
    const count = async (part: Window) => (await countIn(times).count(part)) * 1_000
    const slices = await cutByCounts({ beginMs: 0, endMs: 1_800_000_000_000 }, 3_000_000, count, 1, signal)
    for (const { count: size } of slices) expect(size).toBeLessThanOrEqual(MAX_PER_SLICE * 1.2)
    expect(slices.length).toBeGreaterThanOrEqual(3_000_000 / MAX_PER_SLICE)
    expect(slices.length).toBeLessThan((3 * 3_000_000) / MAX_PER_SLICE)
  })

  it('asks for no further count where there is little, and is cut for the sake of more splits where there is enough', async () => {
    const few = countIn([5])
    expect(await cutByCounts({ beginMs: 0, endMs: 10 }, 4_000, few.count, 4, signal)).toEqual([
      { beginMs: 0, endMs: 10, count: 4_000 },
    ])
    expect(few.asked).toBe(0)
    const times = Array.from({ length: 100 }, (_, at) => at + 1)
    const count = async (part: Window) => (await countIn(times).count(part)) * 400
    const slices = await cutByCounts({ beginMs: 0, endMs: 100 }, 40_000, count, 4, signal)
    expect(slices.length).toBeGreaterThanOrEqual(4)
    expect(slices.length).toBeLessThanOrEqual(8)
  })

  it('leaves a millisecond whole, however many it has', async () => {
    const million = async ({ beginMs, endMs }: Window) => (beginMs < 7 && endMs >= 7 ? 1_000_000 : 0)
    const slices = await cutByCounts({ beginMs: 0, endMs: 1_000 }, 1_000_000, million, 1, signal)
    expect(slices).toHaveLength(1)
    expect(slices[0]).toEqual({ beginMs: 0, endMs: 1_000, count: 1_000_000 })
  })

  it('has no slices where there is nothing', async () => {
    expect(await cutByCounts({ beginMs: 0, endMs: 10 }, 0, async () => 0, 4, signal)).toEqual([])
  })
})

describe('the shards of a window', () => {
  it('cover it together, each millisecond once', () => {
    fc.assert(
      fc.property(anyWindow, fc.integer({ min: 1, max: 300 }), (window, of) => {
        const all = Array.from({ length: of }, (_, index) => shardWindow(window, index, of)).flat()
        const inOrder = all.toSorted((a, b) => a.beginMs - b.beginMs)
        expect(inOrder[0]?.beginMs).toBe(window.beginMs)
        expect(inOrder.at(-1)?.endMs).toBe(window.endMs)
        for (const [at, slice] of inOrder.entries()) if (at > 0) expect(slice.beginMs).toBe(inOrder[at - 1]?.endMs)
      }),
      { numRuns: 50 },
    )
  })

  it('share out a busy time', () => {
    const year = 366 * 86_400_000
    const window = { beginMs: 0, endMs: 56 * year }
    const busy = Array.from({ length: 16 }, (_, index) =>
      shardWindow(window, index, 16).some((slice) => slice.endMs > 55 * year),
    )
    expect(busy.every(Boolean)).toBe(true)
  })
})

describe('a slice as text', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(anyWindow, fc.option(fc.nat(), { nil: undefined }), (window, count) => {
        expect(parseSlice(formatSlice({ ...window, count }))).toEqual({ ...window, count })
      }),
    )
  })

  it.each(['', '1', '1..', '1..2 ', '1..2 x', '1.5..2', 'a..b', '1..2\n3'])('is not %j', (text) => {
    expect(() => parseSlice(text)).toThrow(RangeError)
  })

  it('is cut to a window, and forgets a count that is no longer its own', () => {
    const slice = { beginMs: 10, endMs: 20, count: 5 }
    expect(intersect(slice, { beginMs: 0, endMs: 30 })).toEqual(slice)
    expect(intersect(slice, { beginMs: 15, endMs: 30 })).toEqual({ beginMs: 15, endMs: 20, count: undefined })
    expect(intersect(slice, { beginMs: 20, endMs: 30 })).toBeUndefined()
  })
})

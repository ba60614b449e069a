import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffAtLeastMs, backoffMs, parseRetryAfterMs } from '../../src/lib/backoff.ts'

const LIMITS = { baseMs: 100, capMs: 10_000 }
const LAST = 1 - Number.EPSILON

describe('a pause', () => {
  it.each([
    [0, 100],
    [1, 200],
    [2, 400],
    [6, 6_400],
    [7, 10_000],
    [40, 10_000],
    [1e9, 10_000],
    [-1, 100],
  ])('after try %i is anything from 0 to %i ms', (attempt, mostMs) => {
    expect(backoffMs(attempt, LIMITS, () => 0)).toBe(0)
    expect(backoffMs(attempt, LIMITS, () => LAST)).toBe(mostMs)
    expect(backoffMs(attempt, LIMITS, () => 0.5)).toBeCloseTo(mostMs / 2, -1)
  })

  it('is a whole number of milliseconds within the limits, whatever they are', () => {
    const limits = fc.record({ baseMs: fc.integer({ min: 1, max: 1e6 }), capMs: fc.integer({ min: 1, max: 1e7 }) })
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        limits,
        fc.double({ min: 0, max: LAST, noNaN: true }),
        (attempt, some, random) => {
          const pause = backoffMs(attempt, some, () => random)
          expect(Number.isInteger(pause)).toBe(true)
          expect(pause).toBeGreaterThanOrEqual(0)
          expect(pause).toBeLessThanOrEqual(some.capMs)
        },
      ),
    )
  })

  it('is never shorter than what the other side asked for', () => {
    expect(backoffAtLeastMs(7_000, 0, LIMITS, () => 0)).toBe(7_000)
    expect(backoffAtLeastMs(7_000, 0, LIMITS, () => LAST)).toBe(7_100)
    expect(backoffAtLeastMs(-5, 0, LIMITS, () => 0)).toBe(0)
  })
})

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0)
  it.each([
    ['7', 7_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 12:00:05 GMT', 5_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['2026-01-01', undefined],
    ['99999999999', undefined],
    [undefined, undefined],
  ])('%j is %s ms', (value, ms) => {
    expect(parseRetryAfterMs(value, now)).toBe(ms)
  })
})

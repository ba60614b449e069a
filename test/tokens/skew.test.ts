import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { narrowSkew, type Skew } from '../../src/tokens/skew.ts'

const DAY = Date.UTC(2026, 0, 1)

/** What a clock that is `skewMs` ahead makes of these moments of ours, each answered after `roundTripMs`. */
function measure(skewMs: number, sentAt: readonly number[], roundTripMs: number): Skew | undefined {
  return sentAt.reduce<Skew | undefined>((known, sent) => {
    const date = new Date(Math.floor(sent + roundTripMs / 2 + skewMs)).toUTCString()
    return narrowSkew(known, date, sent, sent + roundTripMs)
  }, undefined)
}

describe('the difference of two clocks', () => {
  it('is always between the bounds, which answers only narrow', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(
        fc.integer({ min: -1e7, max: 1e7 }),
        steps,
        fc.integer({ min: 0, max: 50 }),
        (skewMs, waits, roundTripMs) => {
          let at = DAY
          const moments = waits.map((wait) => (at += wait))
          const skew = measure(skewMs, moments, roundTripMs)
          expect(skew?.low).toBeLessThanOrEqual(skewMs + 1)
          expect(skew?.high).toBeGreaterThanOrEqual(skewMs - 1)
          expect((skew?.high ?? 0) - (skew?.low ?? 0)).toBeLessThanOrEqual(1_000 + roundTripMs)
        },
      ),
    )
  })

  it('is known to a few milliseconds after some answers', () => {
    const skew = measure(
      4_321,
      Array.from({ length: 300 }, (_, i) => DAY + i * 37),
      10,
    )
    expect((skew?.high ?? 0) - (skew?.low ?? 0)).toBeLessThan(80)
    expect(Math.abs(((skew?.high ?? 0) + (skew?.low ?? 0)) / 2 - 4_321)).toBeLessThan(40)
  })

  it('is measured anew when a clock was set', () => {
    const before = measure(0, [DAY], 0)
    const after = narrowSkew(before, new Date(DAY + 90_000).toUTCString(), DAY, DAY)
    expect(after).toMatchObject({ low: 90_000, high: 91_000 })
  })

  it('is not touched by what is no date', () => {
    const known = measure(0, [DAY], 0)
    expect(narrowSkew(known, 'soon', DAY, DAY)).toBe(known)
    expect(narrowSkew(undefined, 'soon', DAY, DAY)).toBeUndefined()
  })
})

import { describe, expect, it } from 'vitest'
import { elapsedMs, PassedTime } from '../../src/dsync/elapsed.ts'

/** Time that has passed from the first of these readings to the last: [monotonic, wall] each. */
function passed(...readings: readonly (readonly [monotonicMs: number, wallMs: number])[]): number {
  const time = new PassedTime()
  const instants = readings.map(([monotonicMs, wallMs]) => time.at({ monotonicMs, wallMs }))
  const [first] = instants
  const last = instants.at(-1)
  if (first === undefined || last === undefined) throw new Error('no readings')
  return elapsedMs(first, last)
}

describe('the time that has passed', () => {
  it('is that of both clocks when they agree', () => {
    expect(passed([0, 5_000], [100, 5_100], [1_000, 6_000])).toBe(1_000)
  })

  it('counts what the monotonic clock did not see of a suspension', () => {
    expect(passed([0, 0], [100, 100], [200, 20_200])).toBe(20_200)
  })

  it('counts a wall clock that was set forward', () => {
    expect(passed([0, 0], [100, 3_600_100])).toBe(3_600_100)
  })

  it('does not go back with the wall clock', () => {
    expect(passed([0, 0], [100, -3_600_000], [200, -3_599_900])).toBe(200)
  })

  it('sees a suspension though the wall clock was set back before', () => {
    expect(passed([0, 0], [100, -3_600_000], [200, -3_580_000])).toBe(100 + 20_000)
  })

  it('keeps what was counted when the wall clock is set forward and back', () => {
    expect(passed([0, 0], [100, 60_100], [200, 200])).toBeGreaterThanOrEqual(60_100)
  })

  it('does not add up the coarseness of the wall clock, however often it is read', () => {
    const readings = Array.from({ length: 20_000 }, (_, n) => [n * 0.4, Math.floor(n * 0.4)] as const)
    expect(passed(...readings)).toBeCloseTo(19_999 * 0.4, 0)
  })
})

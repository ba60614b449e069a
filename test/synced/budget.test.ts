import { describe, expect, test } from 'vitest'
import { createProbeBudget, unlimited } from '../../src/synced/budget.ts'

describe('the budget of probes', () => {
  test('never gives more than a second’s probes a second, after the burst', () => {
    const budget = createProbeBudget(100, 0)
    let taken = 0
    for (let now = 0; now < 10_000; now++) while (budget.take(now, true)) taken++
    expect(taken).toBeGreaterThanOrEqual(1000)
    expect(taken).toBeLessThanOrEqual(1000 + 10)
  })

  test('asking again leaves room for first questions', () => {
    const budget = createProbeBudget(1000, 0)
    while (budget.take(0, false));
    expect(budget.take(0, true)).toBe(true)
  })

  test('says how long a first question has to wait', () => {
    const budget = createProbeBudget(10, 0)
    expect(budget.pauseMs(0)).toBe(0)
    expect(budget.take(0, true)).toBe(true)
    const pause = budget.pauseMs(0)
    expect(budget.take(pause - 1, true)).toBe(false)
    expect(budget.take(pause, true)).toBe(true)
  })

  test('without a limit everything is given', () => {
    expect(unlimited.take(0, false)).toBe(true)
    expect(unlimited.pauseMs(0)).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { createMemoryDriver, Dsync, deriveTimings, InvalidTimings } from '../../src/dsync/index.ts'

describe('timings', () => {
  it.each([
    [{}, 15_000, 10_000, 5_000],
    [{ leaseDurationMs: 15_000, renewDeadlineMs: 10_000 }, 15_000, 10_000, 5_000],
    [{ leaseDurationMs: 3_000, renewDeadlineMs: 2_000 }, 3_000, 2_000, 1_000],
    [{ renewDeadlineMs: 2_000 }, 3_000, 2_000, 1_000],
  ])('%j are derived', (given, leaseDurationMs, renewDeadlineMs, third) => {
    expect(deriveTimings(given)).toMatchObject({
      leaseDurationMs,
      renewDeadlineMs,
      renewIntervalMs: third,
      requestTimeoutMs: third,
      retryCapMs: third,
    })
  })

  it.each([
    [{ leaseDurationMs: 3_000, renewDeadlineMs: 3_000 }, 'must be less than leaseDurationMs'],
    [{ leaseDurationMs: 3_000, renewDeadlineMs: 4_000 }, 'must be less than leaseDurationMs'],
    [{ leaseDurationMs: 15_000, renewDeadlineMs: 14_000 }, 'must be at least 17750'],
    [{ leaseDurationMs: 3_000, renewDeadlineMs: 2_000, clockRateError: 0.4 }, 'clockRateError 0.4'],
    [{ leaseDurationMs: 3_000, renewDeadlineMs: 2_000, abortBudgetMs: 600 }, 'abortBudgetMs 600'],
    [{ leaseDurationMs: 0 }, 'leaseDurationMs is 0'],
    [{ leaseDurationMs: Number.NaN }, 'leaseDurationMs is NaN'],
    [{ leaseDurationMs: -1, renewDeadlineMs: 1 }, 'leaseDurationMs is -1'],
    [{ renewIntervalMs: 6_000 }, 'at most a third'],
    [{ leaseDurationMs: 15_000, renewDeadlineMs: 4_000, renewIntervalMs: 4_500 }, 'renewIntervalMs 4500 must be less'],
    [{ requestTimeoutMs: 6_000 }, 'at most a third'],
    [{ retryCapMs: 6_000 }, 'at most a third'],
    [{ jitterMs: 300 }, 'at most 250'],
    [{ tickMs: 200 }, 'at most 125'],
  ])('%j are refused', (given, why) => {
    expect(() => new Dsync(createMemoryDriver(), 'a', given)).toThrow(InvalidTimings)
    expect(() => deriveTimings(given)).toThrow(why)
  })
})

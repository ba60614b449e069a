import { describe, expect, test } from 'vitest'
import { LagWindow } from '../../src/synced/lag.ts'

describe('the lag of a replica', () => {
  test('is null before the first arrival', () => {
    expect(new LagWindow().summary(0)).toBeNull()
  })

  test('gives quantiles by nearest rank', () => {
    const lag = new LagWindow()
    for (let ms = 1; ms <= 100; ms++) lag.add(ms, 0)
    expect(lag.summary(0)).toEqual({ p50Ms: 50, p99Ms: 99, samples: 100 })
  })

  test('keeps the newest arrivals only, and none older than a quarter of an hour', () => {
    const lag = new LagWindow()
    for (let i = 0; i < 1024; i++) lag.add(1000, 0)
    for (let i = 0; i < 1024; i++) lag.add(10, 60_000)
    expect(lag.summary(60_000)).toEqual({ p50Ms: 10, p99Ms: 10, samples: 1024 })
    expect(lag.summary(60_000 + 15 * 60_000 + 1)).toBeNull()
  })
})

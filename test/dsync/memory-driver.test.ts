import { describe, expect, it } from 'vitest'
import { createMemoryDriver, DriverError } from '../../src/dsync/index.ts'
import { describeDriver } from '../conformance/dsync-driver.ts'
import { FakeClock } from '../lib/fake-clock.ts'

describeDriver('the memory driver', async () => {
  const driver = createMemoryDriver()
  const clock = new FakeClock()
  return {
    driver,
    clock,
    pass: (ms) => clock.advance(ms),
    remove: async (place) => driver.remove(place),
    label: async (place) => {
      const kept = driver.read(place)?.record.kept
      driver.edit(place, { kept: { ...kept, metadata: { ...kept?.metadata, labels: { team: 'blue' } } } })
    },
    [Symbol.asyncDispose]: async () => expect(clock.pending).toBe(0),
  }
})

describe('a memory driver that is away', () => {
  const limits = { timeoutMs: 1_000, signal: new AbortController().signal }
  const place = { name: 'x' }

  it('fails as an API server does that cannot be reached, and tells when it is back', async () => {
    const driver = createMemoryDriver()
    driver.edit(place, { holder: 'a' })
    const told: unknown[] = []
    const watch = new AbortController()
    driver.watch(
      place,
      { sight: (sight) => told.push(sight?.record.holder), failed: () => told.push('failed') },
      { pauseMs: 1_000, signal: watch.signal },
    )
    await Promise.resolve()
    driver.isAway = true
    await Promise.resolve()
    await expect(driver.get(place, limits)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(driver.get(place, limits)).rejects.toBeInstanceOf(DriverError)
    driver.isAway = false
    await Promise.resolve()
    expect(told).toEqual(['a', 'failed', 'a'])
    watch.abort()
  })
})

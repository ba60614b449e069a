import { describe, expect, it } from 'vitest'
import { playHistory } from './histories/history.ts'

const HISTORIES = 600

describe('the sync among people who edit, requests that fail and runs that die', () => {
  it('loses no work, brings back none that was deleted, and comes to rest', async () => {
    let faults = 0
    for (let seed = 1; seed <= HISTORIES; seed++) {
      try {
        faults += (await playHistory(seed, 'safe')).faults
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}; replay it with: npm run histories -- --seed ${seed}`, {
          cause: error,
        })
      }
    }
    expect(faults).toBeGreaterThan(HISTORIES)
  }, 60_000)

  it('sees that the original’s algorithm loses some', async () => {
    let wrong = 0
    for (let seed = 1; seed <= 100; seed++) await playHistory(seed, 'compat').catch(() => wrong++)
    expect(wrong).toBeGreaterThan(10)
  }, 60_000)

  it('plays the same history again from the same seed', async () => {
    expect(await playHistory(4711, 'safe')).toEqual(await playHistory(4711, 'safe'))
  })
})

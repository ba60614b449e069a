import { describe, expect, it } from 'vitest'
import { simulate } from './simulator/simulate.ts'

const SCHEDULES = 4_000

describe('the engine of dsync, on machines and networks that misbehave', () => {
  it('never has two valid holders at once, nor nobody for longer than promised', () => {
    let terms = 0
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      try {
        terms += simulate(seed).terms
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}; replay it with: npm run simulate -- --seed ${seed}`)
      }
    }
    expect(terms).toBeGreaterThan(SCHEDULES)
  }, 60_000)

  it('plays the same schedule again from the same seed', () => {
    expect(simulate(4711)).toEqual(simulate(4711))
  })
})

import { describe, expect, it } from 'vitest'
import { History, STEP_MS, STEPS } from '../../src/synced/history.ts'
import { FakeClock } from '../lib/fake-clock.ts'
import { others, setUp } from './scene.ts'

const BEGAN = Date.UTC(2026, 0, 1)
const NONE = { Synced: 0, Partialy: 0, NotSynced: 0, Timeout: 0 }

describe('the history of the gateway', () => {
  it('begins with one empty step', () => {
    expect(new History(new FakeClock()).read()).toEqual({
      stepMs: STEP_MS,
      steps: [{ startedAt: BEGAN, checks: NONE, lag: null }],
    })
  })

  it('counts verdicts in the step in which they fell, and has no gaps', async () => {
    const clock = new FakeClock()
    const history = new History(clock)
    history.judged('Synced')
    history.judged('Synced')
    await clock.advance(2 * STEP_MS)
    history.judged('Timeout')
    expect(history.read().steps).toEqual([
      { startedAt: BEGAN, checks: { ...NONE, Synced: 2 }, lag: null },
      { startedAt: BEGAN + STEP_MS, checks: NONE, lag: null },
      { startedAt: BEGAN + 2 * STEP_MS, checks: { ...NONE, Timeout: 1 }, lag: null },
    ])
  })

  it.each([0.2, 1, 3.7, 250, 999, 1_004.8, 59_000])('tells a lag of %d ms by 5 % too much at most', (ms) => {
    const history = new History(new FakeClock())
    history.arrived(ms)
    const lag = history.read().steps[0]?.lag
    expect(lag?.p50Ms).toBeGreaterThanOrEqual(ms)
    expect(lag?.p50Ms).toBeLessThanOrEqual(Math.max(1, ms * 1.0501))
  })

  it('gives quantiles by nearest rank', () => {
    const history = new History(new FakeClock())
    for (let i = 0; i < 98; i++) history.arrived(100)
    history.arrived(1_000)
    history.arrived(1_000)
    const lag = history.read().steps[0]?.lag
    expect(lag?.samples).toBe(100)
    expect(lag?.p50Ms).toBeLessThan(106)
    expect(lag?.p99Ms).toBeGreaterThanOrEqual(1_000)
  })

  it('takes more than a minute for a minute', () => {
    const history = new History(new FakeClock())
    history.arrived(3_600_000)
    expect(history.read().steps[0]?.lag?.p99Ms).toBeLessThan(66_000)
  })

  it('keeps a quarter of an hour and no more', async () => {
    const clock = new FakeClock()
    const history = new History(clock)
    history.judged('Partialy')
    await clock.advance((STEPS - 1) * STEP_MS)
    expect(history.read().steps[0]?.checks.Partialy).toBe(1)
    await clock.advance(STEP_MS)
    const { steps } = history.read()
    expect(steps).toHaveLength(STEPS)
    expect(steps[0]?.startedAt).toBe(BEGAN + STEP_MS)
    // The place in the ring is the old step's still, and not told for the new one's.
    expect(steps.every(({ checks }) => checks.Partialy === 0)).toBe(true)
    history.judged('Synced')
    expect(history.read().steps.at(-1)?.checks).toEqual({ ...NONE, Synced: 1 })
  })
})

describe('a gateway', () => {
  it('keeps a history of its checks and of what arrived', async () => {
    const { clock, zone, gateway, begin } = setUp()
    for (const name of others) zone.arrive(name, 'tok', 400)
    begin()
    await clock.advance(1_100)
    begin({ token: 'nowhere' })
    await clock.advance(STEP_MS)
    const { steps } = gateway.history()
    expect(steps.map(({ checks }) => checks)).toEqual([{ ...NONE, Synced: 1, NotSynced: 1 }, NONE])
    expect(steps[0]?.lag?.samples).toBe(3)
    expect(steps[0]?.lag?.p50Ms).toBeGreaterThanOrEqual(400)
    expect(steps[0]?.lag?.p50Ms).toBeLessThan(445)
  })
})

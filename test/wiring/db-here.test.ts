// A run in the way: is its process gone, or at work?
import { beforeEach, describe, expect, it } from 'vitest'
import type { Started } from '../../src/runs/contract.ts'
import type { RunRecord, StateStore } from '../../src/state/store.ts'
import { startHere } from '../../src/wiring/db-here.ts'
import { runRecord } from '../http/lib/fake-runs.ts'
import { FakeClock } from '../lib/fake-clock.ts'

let clock: FakeClock
let looked: number
beforeEach(() => {
  clock = new FakeClock()
  looked = 0
})

const STARTED: Started = { outcome: 'started', run: runRecord({ id: 'mine' }) }
const overlaps = (over: Partial<RunRecord> = {}): Started => ({
  outcome: 'overlaps',
  run: runRecord({ id: 'theirs', ...over }),
})

/** Asks again and again; gives how it ended and after how many milliseconds. */
async function starting(
  kind: StateStore['kind'],
  answer: (asked: number) => Started,
  signal = new AbortController().signal,
) {
  let asked = 0
  const beganAt = clock.now()
  const interruptOrphans = async () => {
    looked++
    return []
  }
  const store = { kind, interruptOrphans } as unknown as StateStore
  let outcome: Started | undefined
  const started = startHere({ store }, async () => answer(asked++), { clock }, signal).then((one) => {
    outcome = one
  })
  for (let step = 0; outcome === undefined && step < 100; step++) await clock.advance(1_000)
  await started
  return { outcome: outcome?.outcome, run: outcome?.run.id, asked, ms: clock.now() - beganAt }
}

describe('a run in the way', () => {
  it('is told at once where a process that died is known at once', async () => {
    expect(await starting('sqlite', () => overlaps())).toMatchObject({ outcome: 'overlaps', asked: 1 })
    expect(looked).toBe(0)
  })

  it('is told as soon as something is heard of it', async () => {
    const answer = (asked: number) => overlaps({ progress: asked < 3 ? '{"done":1}' : '{"done":2}' })
    expect(await starting('postgres', answer)).toMatchObject({ outcome: 'overlaps', asked: 4 })
  })

  it('is waited out when its process is gone', async () => {
    const answer = (asked: number) => (asked < 20 ? overlaps() : STARTED)
    expect(await starting('postgres', answer)).toMatchObject({ outcome: 'started', run: 'mine' })
    expect(looked).toBe(20)
  })

  it('is told after a while when nothing is heard of it and it is not gone', async () => {
    const { outcome, ms } = await starting('postgres', () => overlaps())
    expect(outcome).toBe('overlaps')
    expect(ms).toBeGreaterThanOrEqual(32_000)
    expect(ms).toBeLessThan(40_000)
  })

  it('is waited for no longer than somebody wants to', async () => {
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    await expect(starting('postgres', () => overlaps(), stop.signal)).rejects.toThrow('enough')
  })
})

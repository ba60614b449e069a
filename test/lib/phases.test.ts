import { describe, expect, it } from 'vitest'
import { type Phase, PhasesFailed, runPhases } from '../../src/lib/phases.ts'
import { FakeClock } from './fake-clock.ts'

const never = () => new Promise<void>(() => undefined)

describe('phases', () => {
  it('run one after the other', async () => {
    const clock = new FakeClock()
    const seen: string[] = []
    const phase = (name: string, takesMs: number): Phase => ({
      name,
      timeoutMs: 100,
      run: () =>
        new Promise((resolve) => {
          seen.push(`${name} begins at ${clock.now()}`)
          clock.setTimer(takesMs, resolve)
        }),
    })
    const done = runPhases([phase('first', 30), phase('second', 20)], clock)
    await clock.advance(50)
    await done
    expect(seen).toEqual(['first begins at 0', 'second begins at 30'])
    expect(clock.pending).toBe(0)
  })

  it('go on after one that hangs, which is told to end by force at its time-out', async () => {
    const clock = new FakeClock()
    const seen: string[] = []
    const done = runPhases(
      [
        {
          name: 'connections',
          timeoutMs: 100,
          run: (signal) => {
            signal.addEventListener('abort', () => seen.push(`forced at ${clock.now()}`))
            return never()
          },
        },
        { name: 'gateway', timeoutMs: 100, run: () => void seen.push(`gateway at ${clock.now()}`) },
      ],
      clock,
    )
    const failed = expect(done).rejects.toThrow('connections: did not end within 100 ms')
    await clock.advance(100)
    await failed
    expect(seen).toEqual(['forced at 100', 'gateway at 100'])
  })

  it('go on after one that fails, and tell of all that failed', async () => {
    const clock = new FakeClock()
    const broken = (name: string): Phase => ({
      name,
      timeoutMs: 100,
      run: () => {
        throw new Error('broken')
      },
    })
    const error = await runPhases(
      [broken('first'), { name: 'good', timeoutMs: 1, run: () => {} }, broken('third')],
      clock,
    ).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(PhasesFailed)
    expect(error).toMatchObject({ message: 'first: broken; third: broken' })
    expect(clock.pending).toBe(0)
  })
})

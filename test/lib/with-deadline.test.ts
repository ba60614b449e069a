import { describe, expect, test } from 'vitest'
import { DeadlineExceeded, withDeadline } from '../../src/lib/with-deadline.ts'
import { FakeClock } from './fake-clock.ts'

const never = () => new Promise<never>(() => {})

describe('a call with a deadline', () => {
  test('passes on what the call gives, and leaves no timer', async () => {
    const clock = new FakeClock()
    await expect(withDeadline(clock, 100, async () => 'answer')).resolves.toBe('answer')
    await expect(withDeadline(clock, 100, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(clock.pending).toBe(0)
  })

  test('ends at the deadline, even when the call pays no heed', async () => {
    const clock = new FakeClock()
    let given: AbortSignal | undefined
    const call = withDeadline(clock, 100, (signal) => {
      given = signal
      return never()
    })
    const settled = expect(call).rejects.toThrow(new DeadlineExceeded('no answer in 100 ms'))
    await clock.advance(99)
    expect(given?.aborted).toBe(false)
    await clock.advance(1)
    expect(given?.aborted).toBe(true)
    await settled
  })

  test('ends when its caller gives up, for that reason', async () => {
    const clock = new FakeClock()
    const caller = new AbortController()
    const call = withDeadline(clock, 100, never, caller.signal)
    const settled = expect(call).rejects.toThrow('gone')
    caller.abort(new Error('gone'))
    await settled
    expect(clock.pending).toBe(0)
  })

  test('does not begin for a caller who has given up', async () => {
    const call = withDeadline(new FakeClock(), 100, () => expect.unreachable(), AbortSignal.abort(new Error('gone')))
    await expect(call).rejects.toThrow('gone')
  })
})

import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryDriver, Dsync, type MemoryDriver } from '../../src/dsync/index.ts'
import { createRunLocks, type HeldLocks, type RunLocks } from '../../src/runs/locks.ts'
import { FakeClock } from '../lib/fake-clock.ts'

const never = new AbortController().signal

let clock: FakeClock
let driver: MemoryDriver
beforeEach(() => {
  clock = new FakeClock()
  driver = createMemoryDriver()
})

const replica = (name: string): RunLocks => {
  const dsync = new Dsync(driver, name, { clock, random: () => 0.5, leaseDurationMs: 3_000, scope: 'test' })
  return createRunLocks((lock) => dsync.lock(lock))
}
const holderOf = (name: string) => driver.read({ name: `test.lock.${name}` })?.record.holder.split('_')[0]

/** What becomes of a promise within a while. */
const within = async <T>(ms: number, promise: Promise<T>): Promise<T | 'pending'> => {
  let result: T | 'pending' = 'pending'
  let error: unknown
  promise.then(
    (value) => {
      result = value
    },
    (reason) => {
      error = reason
    },
  )
  await clock.advance(ms)
  await clock.advance(0)
  if (error !== undefined) throw error
  return result
}
const held = async (locks: RunLocks, names: readonly string[]): Promise<HeldLocks> => {
  const one = await within(1_000, locks.hold(names, never))
  if (one === 'pending') throw new Error('it is not had')
  return one
}
const giveBack = async (one: HeldLocks) => {
  await within(1_000, Promise.resolve(one[Symbol.asyncDispose]()))
}

describe('the locks of a run', () => {
  test('are held together, each with its fencing token, and given back together', async () => {
    const one = await held(replica('a'), ['y', 'x', 'x'])
    expect(one.locks.map(({ name }) => name)).toEqual(['x', 'y'])
    for (const { token } of one.locks) expect(BigInt(token)).toBeGreaterThan(0n)
    expect([holderOf('x'), holderOf('y')]).toEqual(['a', 'a'])
    await giveBack(one)
    expect([holderOf('x'), holderOf('y')]).toEqual(['', ''])
    expect(one.lost.aborted).toBe(false)
    expect(clock.pending).toBe(0)
  })

  test('are had at once again, with larger tokens', async () => {
    const locks = replica('a')
    const first = await held(locks, ['x'])
    await giveBack(first)
    const second = await within(0, locks.hold(['x'], never))
    if (second === 'pending') throw new Error('it is not had')
    expect(BigInt(second.locks[0]?.token ?? 0)).toBeGreaterThan(BigInt(first.locks[0]?.token ?? 0))
    await giveBack(second)
  })

  test('of sets that overlap exclude each other, in whatever order they are named', async () => {
    const one = await held(replica('a'), ['x', 'y'])
    const waiting = replica('b').hold(['z', 'y'], never)
    expect(await within(5_000, waiting)).toBe('pending')
    // `y` comes before `z`: what is waited for behind a lock stays free.
    expect(holderOf('z') ?? '').toBe('')
    await giveBack(one)
    const other = await within(2_000, waiting)
    if (other === 'pending') throw new Error('it is not had')
    expect([holderOf('y'), holderOf('z')]).toEqual(['b', 'b'])
    await giveBack(other)
  })

  test('are not held by somebody who gave up waiting', async () => {
    const one = await held(replica('a'), ['y'])
    const leaving = new AbortController()
    const waiting = replica('b').hold(['x', 'y'], leaving.signal)
    await within(1_000, waiting)
    expect(holderOf('x')).toBe('b')
    leaving.abort(new Error('no longer wanted'))
    await expect(within(1_000, waiting)).rejects.toThrow('no longer wanted')
    expect(holderOf('x')).toBe('')
    await giveBack(one)
    expect(clock.pending).toBe(0)
  })

  test('of a process that died are had a lease later, however many they are', async () => {
    const names = ['v', 'w', 'x', 'y', 'z']
    for (const name of names) driver.edit({ name: `test.lock.${name}` }, { holder: 'dead', durationMs: 3_000 })
    const waiting = replica('a').hold(names, never)
    expect(await within(2_900, waiting)).toBe('pending')
    const one = await within(2_000, waiting)
    if (one === 'pending') throw new Error('it is not had')
    expect(one.locks.map(({ name }) => name)).toEqual(names)
    await giveBack(one)
    expect(clock.pending).toBe(0)
  })

  test('are not asked for by somebody who has left already', async () => {
    await expect(replica('a').hold(['x'], AbortSignal.abort(new Error('left')))).rejects.toThrow('left')
    expect(holderOf('x')).toBeUndefined()
  })

  test('tell when one of them is lost', async () => {
    const one = await held(replica('a'), ['x', 'y'])
    driver.edit({ name: 'test.lock.y' }, { holder: 'somebody' })
    await within(2_000, Promise.resolve())
    expect(one.lost.reason).toMatchObject({ name: 'LockLost', message: expect.stringContaining('test/y') })
    await giveBack(one)
    expect(holderOf('x')).toBe('')
  })

  test('are waited for while nobody can say who has them', async () => {
    driver.isAway = true
    const waiting = replica('a').hold(['x'], never)
    expect(await within(5_000, waiting)).toBe('pending')
    driver.isAway = false
    const one = await within(5_000, waiting)
    if (one === 'pending') throw new Error('it is not had')
    await giveBack(one)
  })

  test('refuse a name that no Lease may have', async () => {
    await expect(within(10, replica('a').hold(['-'], never))).rejects.toThrow('must begin and end with a letter')
  })
})

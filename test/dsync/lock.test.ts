import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DriverError } from '../../src/dsync/driver.ts'
import { Aborted, type HeldLock, type Lock, LockLost, NotHeld } from '../../src/dsync/index.ts'
import { DEADLINE_MS, LEASE_MS, type Process, Stage } from './fixture.ts'

const PLACE = { name: 'test.lock.job' }

let stage: Stage
let a: Process
let b: Process

beforeEach(() => {
  stage = new Stage()
  a = stage.process('a')
  b = stage.process('b')
})
afterEach(() => expect(stage.clock.pending).toBe(0))

/** Lets time pass until the promise is settled. */
async function within<T>(ms: number, promise: PromiseLike<T>): Promise<T> {
  const outcome: { settled: boolean } = { settled: false }
  const done = promise.then(
    (value) => {
      outcome.settled = true
      return { value }
    },
    (error: unknown) => {
      outcome.settled = true
      return { error }
    },
  )
  for (let passed = 0; !outcome.settled; passed += 10) {
    if (passed > ms) throw new Error(`not settled within ${ms} ms`)
    await stage.pass(10)
  }
  const result = await done
  if ('error' in result) throw result.error
  return result.value
}

const take = (lock: Lock): Promise<HeldLock> => within(1_000, lock.lock())
const free = (lock: Lock): Promise<void> => within(1_000, lock.unlock())

describe('a lock', () => {
  it('is had by one at a time, with tokens that grow', async () => {
    const first = a.dsync.lock('job')
    const second = b.dsync.lock('job')
    const held = await take(first)
    expect(first.token).toBe(held.token)
    expect(await within(100, second.tryLock())).toBeUndefined()
    await free(first)
    const other = await take(second)
    expect(other.token).toBeGreaterThan(held.token)
    await free(second)
  })

  it('has a duration on record, and is renewed while it is held', async () => {
    const lock = a.dsync.lock('job')
    await take(lock)
    await stage.pass(LEASE_MS * 5)
    expect(stage.store.read(PLACE)?.record.durationMs).toBe(LEASE_MS)
    expect(a.puts.length).toBeGreaterThanOrEqual(15)
    expect(() => lock.check()).not.toThrow()
    await free(lock)
  })

  it('is another one for each handle, in one process too: only the acquisition unlocks', async () => {
    const lock = a.dsync.lock('job')
    await take(lock)
    const handle = a.dsync.lock('job')
    expect(await within(100, handle.tryLock())).toBeUndefined()
    await expect(handle.unlock()).rejects.toBeInstanceOf(NotHeld)
    await expect(b.dsync.lock('job').unlock()).rejects.toMatchObject({ code: 'NotHeld' })
    expect(() => lock.check()).not.toThrow()
    await free(lock)
    await expect(lock.unlock()).rejects.toBeInstanceOf(NotHeld)
  })

  it('throws in check() after it was unlocked', async () => {
    const lock = a.dsync.lock('job')
    const held = await take(lock)
    await free(lock)
    expect(() => lock.check()).toThrow(NotHeld)
    expect(() => held.check()).toThrow(NotHeld)
    expect(held.signal.aborted).toBe(true)
    await held[Symbol.asyncDispose]()
  })

  it('wakes a waiter at once, which has sent one request until then', async () => {
    const holder = a.dsync.lock('job')
    await take(holder)
    const waiting = b.dsync.lock('job').lock()
    await stage.pass(60_000)
    expect(b.requests.map(({ what }) => what)).toEqual(['watch'])
    await free(holder)
    const held = await within(50, waiting)
    await within(100, held[Symbol.asyncDispose]())
  })

  it('lets those go first who waited: its own process comes after them', async () => {
    const first = a.dsync.lock('job')
    await take(first)
    const order: string[] = []
    const note = (name: string) => async (held: HeldLock) => {
      order.push(name)
      await held[Symbol.asyncDispose]()
    }
    const theirs = b.dsync.lock('job')
    const waiting = theirs.lock().then(note('b'))
    await stage.pass(100)
    const unlocking = first.unlock()
    const again = unlocking.then(() => first.lock()).then(note('a'))
    await within(2_000, Promise.all([waiting, again]))
    expect(order).toEqual(['b', 'a'])
  })

  it('lets the calls of one handle come one after the other', async () => {
    const lock = a.dsync.lock('job')
    const order: number[] = []
    const all = [1, 2, 3].map((n) =>
      lock.withLock(async () => {
        order.push(n)
      }),
    )
    await within(5_000, Promise.all(all))
    expect(order).toEqual([1, 2, 3])
  })

  it('is taken from a holder that is gone after its lease, by a handle that was made later too', async () => {
    const gone = a.dsync.lock('job')
    await take(gone)
    a.fate = () => 'hang'
    expect(await within(100, b.dsync.lock('job').tryLock())).toBeUndefined()
    await stage.pass(LEASE_MS)
    const held = await within(100, b.dsync.lock('job').tryLock())
    expect(held?.token).toBeGreaterThan(0n)
    expect(() => gone.check()).toThrow(LockLost)
    await within(100, held?.[Symbol.asyncDispose]() ?? Promise.resolve())
  })

  it.each([
    ['deleted', () => stage.store.remove(PLACE)],
    ['taken', () => stage.store.edit(PLACE, { holder: 'thief', renewTime: 't' })],
  ])('tells its loss when the Lease is %s, and does not make it again', async (_, rob) => {
    const lock = a.dsync.lock('job')
    const held = await take(lock)
    rob()
    const left = stage.store.read(PLACE)
    await stage.pass(LEASE_MS / 3 + 500)
    expect(held.signal.reason).toBeInstanceOf(LockLost)
    expect(() => lock.check()).toThrow(LockLost)
    await expect(lock.unlock()).rejects.toBeInstanceOf(NotHeld)
    await stage.pass(LEASE_MS * 2)
    expect(stage.store.read(PLACE)).toEqual(left)
  })

  it('tells its loss in time when it cannot be renewed', async () => {
    const held = await take(a.dsync.lock('job'))
    a.fate = () => new DriverError('unavailable', 'away')
    await stage.pass(DEADLINE_MS + 250)
    expect(held.signal.reason).toBeInstanceOf(LockLost)
    expect(() => held.check()).toThrow(LockLost)
  })
})

describe('waiting for a lock', () => {
  it('ends with the signal, sends nothing afterwards, and leaves the lock as it is', async () => {
    const holder = a.dsync.lock('job')
    await take(holder)
    const waiting = new AbortController()
    const lock = b.dsync.lock('job')
    const promise = lock.lock({ signal: waiting.signal })
    await stage.pass(100)
    waiting.abort(new Error('enough'))
    await expect(promise).rejects.toMatchObject({ code: 'Aborted', cause: new Error('enough') })
    const sent = b.requests.length
    await stage.pass(LEASE_MS * 2)
    expect(b.requests.length).toBe(sent)
    await free(holder)
    await within(1_000, lock.lock())
    await free(lock)
  })

  it('does not begin when the signal has aborted', async () => {
    const lock = a.dsync.lock('job')
    await expect(lock.lock({ signal: AbortSignal.abort() })).rejects.toBeInstanceOf(Aborted)
    expect(a.requests).toEqual([])
  })

  it('is over when the lock is had: the signal then changes nothing, and does not keep it from being unlocked', async () => {
    const waiting = new AbortController()
    const lock = a.dsync.lock('job')
    const held = await within(100, lock.lock({ signal: waiting.signal }))
    waiting.abort()
    await stage.pass(LEASE_MS * 2)
    expect(held.signal.aborted).toBe(false)
    await free(lock)
    expect(stage.store.read(PLACE)?.record.holder).toBe('')
  })

  it('ends with the signal in the queue of the handle too', async () => {
    const lock = a.dsync.lock('job')
    await take(lock)
    const waiting = new AbortController()
    const second = lock.lock({ signal: waiting.signal })
    waiting.abort()
    await expect(second).rejects.toBeInstanceOf(Aborted)
    await free(lock)
  })

  it('gives back what was granted after it had ended', async () => {
    let isFirst = true
    a.fate = ({ what }) => {
      if (what !== 'put' || !isFirst) return undefined
      isFirst = false
      return 'written-but-hangs'
    }
    const waiting = new AbortController()
    const promise = a.dsync.lock('job').lock({ signal: waiting.signal })
    await stage.pass(10)
    waiting.abort()
    await expect(promise).rejects.toBeInstanceOf(Aborted)
    await stage.pass(LEASE_MS)
    expect(stage.store.read(PLACE)?.record.holder).toBe('')
  })

  it('goes on through an outage, and a conflict is no error', async () => {
    stage.store.isAway = true
    const promise = a.dsync.lock('job').lock()
    await stage.pass(LEASE_MS * 3)
    stage.store.isAway = false
    let conflicts = 2
    a.fate = ({ what }) => (what === 'put' && conflicts-- > 0 ? new DriverError('conflict', '409') : undefined)
    const held = await within(LEASE_MS, promise)
    await within(100, held[Symbol.asyncDispose]())
  })

  it('is not what tryLock does: it fails when nobody can say who holds it', async () => {
    stage.store.isAway = true
    const lock = a.dsync.lock('job')
    await expect(within(LEASE_MS, lock.tryLock())).rejects.toMatchObject({ code: 'unavailable' })
    stage.store.isAway = false
    expect(await within(100, lock.tryLock())).toBeDefined()
    await free(lock)
  })

  it('lets several first users of a name have it in turn', async () => {
    const locks = ['x', 'y', 'z'].map((instance) => stage.process(instance).dsync.lock('job'))
    const tokens: bigint[] = []
    await within(
      5_000,
      Promise.all(
        locks.map((lock) =>
          lock.withLock((_, held) => {
            tokens.push(held.token)
          }),
        ),
      ),
    )
    expect(new Set(tokens).size).toBe(3)
  })
})

describe('withLock', () => {
  it('gives what the function gives, and unlocks', async () => {
    const lock = a.dsync.lock('job')
    expect(
      await within(
        100,
        lock.withLock((_, held) => held.token > 0n),
      ),
    ).toBe(true)
    expect(lock.isHeld).toBe(false)
    expect(stage.store.read(PLACE)?.record.holder).toBe('')
  })

  it('passes on what the function throws, and unlocks', async () => {
    const mistake = new Error('mistake')
    const lock = a.dsync.lock('job')
    const promise = lock.withLock(async () => {
      throw mistake
    })
    await expect(within(100, promise)).rejects.toBe(mistake)
    expect(stage.store.read(PLACE)?.record.holder).toBe('')
  })

  it('rejects when the lock was lost before the function returned', async () => {
    const lock = a.dsync.lock('job')
    const promise = lock.withLock(async (signal) => {
      stage.store.remove(PLACE)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return 'done'
    })
    await expect(within(LEASE_MS, promise)).rejects.toBeInstanceOf(LockLost)
  })

  it('does not wait as withTryLock', async () => {
    const holder = a.dsync.lock('job')
    await take(holder)
    const lock = b.dsync.lock('job')
    expect(
      await within(
        100,
        lock.withTryLock(() => 'had'),
      ),
    ).toBeUndefined()
    await free(holder)
    expect(
      await within(
        100,
        lock.withTryLock(() => 'had'),
      ),
    ).toBe('had')
  })

  it('lets the function unlock by itself', async () => {
    const lock = a.dsync.lock('job')
    const promise = lock.withLock(async () => {
      await lock.unlock()
      return 'done'
    })
    expect(await within(100, promise)).toBe('done')
  })
})

describe('a lock with an invalid name', () => {
  it('says so in its error, rejects lock with it, and does nothing else', async () => {
    const lock = a.dsync.lock('-')
    expect(lock.error).toMatchObject({ code: 'InvalidResource' })
    await expect(lock.lock()).rejects.toBe(lock.error)
    await expect(lock.withLock(() => 1)).rejects.toBe(lock.error)
    expect(await lock.tryLock()).toBeUndefined()
    expect(await lock.withTryLock(() => 1)).toBeUndefined()
    await lock.unlock()
    expect(a.requests).toEqual([])
  })
})

// Locks that runs hold while they work: taken one after the other in the order of their names, so that two runs never wait for
// each other in a circle, and given back together. Each gives a fencing token, which is kept with the run.
import { DriverError } from '../dsync/driver.ts'
import type { HeldLock, Lock } from '../dsync/lock.ts'
import type { RunLock } from '../state/store.ts'

export interface HeldLocks extends AsyncDisposable {
  /** Sorted by name. */
  readonly locks: readonly RunLock[]
  /** Aborts when one of them is lost, with LockLost as its reason; never because they were given back. */
  readonly lost: AbortSignal
}

export interface RunLocks {
  /** Waits until all are had. Rejects with the reason of `signal` when it aborts first; then none is held. */
  hold(names: readonly string[], signal: AbortSignal): Promise<HeldLocks>
}

/** Locks of dsync; `openLock` gives a handle of its own at every call. */
export function createRunLocks(openLock: (name: string) => Lock): RunLocks {
  return {
    async hold(names, signal) {
      const stack = new AsyncDisposableStack()
      try {
        const locks: RunLock[] = []
        const held: HeldLock[] = []
        const sorted = [...new Set(names)].sort()
        for (const [index, name] of sorted.entries()) {
          const lookAhead = () => look(sorted.slice(index + 1).map(openLock))
          const one = await takeLock(openLock(name), signal, lookAhead)
          stack.use(one)
          held.push(one)
          locks.push({ name, token: String(one.token) })
        }
        return joinLocks(locks, held, stack)
      } catch (error) {
        await stack.disposeAsync()
        throw error
      }
    },
  }
}

/**
 * At once when nobody has it, which is nearly always: the store of runs has kept overlapping runs apart already. A wait would first
 * stay back for others, as is fair among those who compete.
 */
async function takeLock(lock: Lock, signal: AbortSignal, onWait: () => void): Promise<HeldLock> {
  signal.throwIfAborted()
  const held = await lock.tryLock().catch(whenUnknown)
  if (held !== undefined && !signal.aborted) return held
  await held?.[Symbol.asyncDispose]()
  try {
    onWait()
    return await lock.lock({ signal })
  } catch (error) {
    // What ended the wait says more than that it was ended.
    signal.throwIfAborted()
    throw error
  }
}

/**
 * A holder that died is waited out from the moment at which its silence was first seen: looked at together, the locks that it left
 * are all had when the first is. One that is free stays so.
 */
function look(locks: readonly Lock[]): void {
  for (const lock of locks) {
    lock
      .tryLock()
      .then((held) => held?.[Symbol.asyncDispose]())
      // Whatever it is, it is met again when the lock's turn has come.
      .catch(() => {})
  }
}

/** Whoever waits asks again. */
function whenUnknown(error: unknown): undefined {
  if (!(error instanceof DriverError)) throw error
}

function joinLocks(locks: readonly RunLock[], held: readonly HeldLock[], stack: AsyncDisposableStack): HeldLocks {
  const controller = new AbortController()
  for (const { signal } of held) {
    const onAbort = () => controller.abort(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    // Disposed of before the locks, whose signals abort when they are given back.
    stack.defer(() => signal.removeEventListener('abort', onAbort))
  }
  return { locks, lost: controller.signal, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

// One signal out of two reasons to give up: the caller's, and a time of our own. Timers are the Clock's, not those of a library.
import type { Clock } from '../clock.ts'

/** Work that is limited in time; dispose of it, or timer and listener stay behind. */
export interface Deadline extends Disposable {
  /** Aborts with the caller's reason, or with `expired()` when the time is up. */
  readonly signal: AbortSignal
  /** No longer limits the time; the caller's signal still counts. */
  lift(): void
}

/** Limits what follows to `timeoutMs` from now, and to the life of `signal`. */
export function createDeadline(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  expired: () => unknown,
): Deadline {
  const controller = new AbortController()
  const onAbort = () => {
    timer.cancel()
    controller.abort(signal?.reason)
  }
  const timer = clock.setTimer(timeoutMs, () => {
    signal?.removeEventListener('abort', onAbort)
    controller.abort(expired())
  })
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    lift: () => timer.cancel(),
    [Symbol.dispose]: () => {
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

/** `promise`, but not beyond `signal`: rejects with its reason when it aborts first. What it waited for goes on unseen. */
export function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

// A deadline for one call: an AbortSignal that a clock sets off, and that leaves no timer behind.
import type { Clock } from './clock.ts'

/** What is thrown, and the signal's reason, when the time is over. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded'
}

/**
 * Calls `fn` with a signal that aborts after `timeoutMs`, or with `signal`.
 * Rejects at that moment with DeadlineExceeded or the reason of `signal`, even when `fn` pays no heed.
 */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  fn: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const stopped = Promise.withResolvers<never>()
  controller.signal.addEventListener('abort', () => stopped.reject(controller.signal.reason), { once: true })
  const timer = clock.setTimer(timeoutMs, () => controller.abort(new DeadlineExceeded(`no answer in ${timeoutMs} ms`)))
  const onAbort = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([fn(controller.signal), stopped.promise])
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}

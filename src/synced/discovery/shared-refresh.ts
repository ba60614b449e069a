// One look at the source for all who ask at the same time, and not one after the other without a pause: whoever sends requests with
// made-up origins must not reach the source through us.
import type { Clock } from '../../lib/clock.ts'

/**
 * Wraps `look`, which has to end by itself. The result resolves when a look that was under way, or began now, has ended, also if it
 * failed; at once when the last one began less than `pauseMs` ago; and when the caller's signal aborts. It never rejects.
 */
export function createSharedRefresh(
  clock: Clock,
  pauseMs: number,
  look: () => Promise<void>,
): (signal: AbortSignal) => Promise<void> {
  let underWay: Promise<void> | undefined
  let beganAt = Number.NEGATIVE_INFINITY
  const begin = () => {
    beganAt = clock.now()
    underWay = look()
      .catch(() => undefined)
      .finally(() => {
        underWay = undefined
      })
    return underWay
  }
  return (signal) => {
    if (signal.aborted) return Promise.resolve()
    if (underWay === undefined && clock.now() - beganAt < pauseMs) return Promise.resolve()
    const shared = underWay ?? begin()
    return new Promise((resolve) => {
      const onAbort = () => resolve()
      signal.addEventListener('abort', onAbort, { once: true })
      void shared.then(() => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
    })
  }
}

// Server-sent events (HTML standard, section 9.2), made one by one as they are asked for: what is not read is not made, so
// that a slow reader holds up the source and nothing piles up here.
import type { Clock } from '../lib/clock.ts'

export interface ServerSentEvent {
  readonly event: string
  /** What `Last-Event-ID` says when the reader comes back; left out where it stays as it was. */
  readonly id?: string
  /** Text, JSON for instance; it may have several lines. */
  readonly data: string
}

/** A comment that often, so that nobody on the way takes the connection for dead. */
export const HEARTBEAT_MS = 15_000
/** After which a reader connects again. */
const RETRY_MS = 1_000

/**
 * The text of a stream: how long to wait before the next connection, then the events, and a comment wherever nothing was said for 15 s.
 * It ends with its source, and when `signal` aborts, at once then, whether the source heeds it or not. Throws what the source throws.
 */
export async function* writeEvents(
  source: AsyncIterable<ServerSentEvent>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const events = source[Symbol.asyncIterator]()
  try {
    yield `retry: ${RETRY_MS}\n\n`
    let next = events.next()
    for (;;) {
      const result = await orHeartbeat(next, clock, signal)
      if (result === 'over') return
      if (result === 'heartbeat') yield ': heartbeat\n\n'
      else if (result.done === true) return
      else {
        yield writeEvent(result.value)
        next = events.next()
      }
    }
  } finally {
    // Not awaited: a source that pays no heed would keep what has ended.
    events.return?.().catch(() => {})
  }
}

/** One event with its empty line. */
export function writeEvent({ event, id, data }: ServerSentEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\n${lines.join('')}\n`
}

/** What comes first: the promise, 15 s, or the end by `signal`. Leaves neither timer nor listener behind. */
async function orHeartbeat<T>(next: Promise<T>, clock: Clock, signal: AbortSignal): Promise<T | 'heartbeat' | 'over'> {
  const { promise, resolve } = Promise.withResolvers<'heartbeat' | 'over'>()
  const timer = clock.setTimer(HEARTBEAT_MS, () => resolve('heartbeat'))
  const onAbort = () => resolve('over')
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, next])
  } catch (error) {
    if (signal.aborted) return 'over'
    throw error
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', onAbort)
  }
}

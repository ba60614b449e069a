// Doing something to many things, so many at a time.

/**
 * Calls `fn` for each item in order, at most `limit` (1 or more) at a time. Once one call has thrown, or `signal` has aborted,
 * no further one begins; those under way are waited for. Then throws what was thrown first, else the signal's reason.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  limit: number,
  signal: AbortSignal,
  fn: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const failures: unknown[] = []
  const work = async (): Promise<void> => {
    while (failures.length === 0 && !signal.aborted) {
      const next = iterator.next()
      if (next.done === true) return
      try {
        await fn(next.value)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, work))
  if (failures.length > 0) throw failures[0]
  signal.throwIfAborted()
}

// Waits for what real sockets bring about, without sleeping: the event loop turns until it is so.
import { setImmediate as turn } from 'node:timers/promises'

/** Resolves when `isSo` is true; throws after `withinMs` of real time. */
export async function eventually(isSo: () => boolean, withinMs = 3_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms: ${isSo}`)
    await turn()
  }
}

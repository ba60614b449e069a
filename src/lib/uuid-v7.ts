// UUIDs of version 7 (RFC 9562): they sort by the moment of their making, those of one process also within a millisecond.
import { randomBytes } from 'node:crypto'
import type { Clock } from './clock.ts'

/** The counter has 12 bits; it begins in the lower half, so that at least 2,048 ids fit into a millisecond. */
const COUNTERS = 0x1000

/** Gives a function that makes ids, each greater than the one before, also when the wall clock steps back. */
export function createUuidV7(clock: Pick<Clock, 'wallNow'>): () => string {
  let lastMs = -1
  let counter = 0
  return () => {
    const random = randomBytes(10)
    const nowMs = Math.trunc(clock.wallNow())
    if (nowMs > lastMs) {
      lastMs = nowMs
      counter = random.readUInt16BE(0) % (COUNTERS / 2)
    } else if (++counter === COUNTERS) {
      lastMs++
      counter = 0
    }
    const time = lastMs.toString(16).padStart(12, '0')
    const low = random.subarray(2)
    low[0] = ((low[0] ?? 0) % 0x40) | 0x80
    const tail = low.toString('hex')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${tail.slice(0, 4)}-${tail.slice(4)}`
  }
}

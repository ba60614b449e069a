// How much memory V8 takes for objects that have just been made. It lets that grow to 64 MiB where many are made, and three times as much
// in all with the buffers that hang on them; beyond 16 MiB that gains nothing where rows pass through.
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** It doubles, from about one: more than this is about 16 MiB. */
const ENOUGH_BYTES = 12 * 1_024 * 1_024

let observer: PerformanceObserver | undefined

/**
 * Stops the growth of the young generation of this process at 16 MiB, as `node --max-semi-space-size=8` does from the start. A process
 * that has more already keeps it. To say it again changes nothing.
 */
export function limitYoungGeneration(): void {
  if (observer !== undefined) return
  observer = new PerformanceObserver(() => {
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
    if (space === undefined || space.space_size < ENOUGH_BYTES) return
    // The greatest size cannot be changed any more by now, how it grows towards it can.
    setFlagsFromString('--semi-space-growth-factor=1')
    observer?.disconnect()
  })
  // Growth follows a collection of garbage, and nothing else.
  observer.observe({ entryTypes: ['gc'] })
}

// How far V8 lets garbage pile up before it collects it. Where rows pass through by the million that is most of what the process takes,
// with the buffers that hang on them: 350 MiB where 240 do the same work in hardly more time.
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** What the heap may grow by after a collection, in percent of what was in use then: V8's own measure is up to 300. */
const GROWTH_PERCENT = 160
/** The young generation doubles until it has 64 MiB: more than this is about 16. */
const ENOUGH_YOUNG_BYTES = 12 * 1_024 * 1_024

let observer: PerformanceObserver | undefined

/** Bounds the garbage of this process from now on. To say it again changes nothing. */
export function limitHeapGrowth(): void {
  if (observer !== undefined) return
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
  observer = new PerformanceObserver(() => {
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
    if (space === undefined || space.space_size < ENOUGH_YOUNG_BYTES) return
    // Its greatest size cannot be changed any more by now, how it grows towards it can.
    setFlagsFromString('--semi-space-growth-factor=1')
    observer?.disconnect()
  })
  // Growth follows a collection, and nothing else.
  observer.observe({ entryTypes: ['gc'] })
}

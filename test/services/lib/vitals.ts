// Loaded into the service (`node --import`) by the tests for leaks: on SIGUSR2 it collects garbage and writes down what the
// process holds. Nothing of it is part of the service.
import { writeFileSync } from 'node:fs'

/** What the process holds after a full collection. */
export interface Vitals {
  readonly heapBytes: number
  readonly externalBytes: number
  /** Handles and requests that keep the event loop alive, counted by kind. */
  readonly resources: Readonly<Record<string, number>>
}

const path = process.env['SYNCER_TEST_VITALS']
if (path !== undefined) {
  process.on('SIGUSR2', () => {
    // Twice: what finalizers let go of is collected by the second.
    globalThis.gc?.()
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    const resources: Record<string, number> = {}
    for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
    const vitals: Vitals = { heapBytes: heapUsed, externalBytes: external, resources }
    writeFileSync(path, JSON.stringify(vitals))
  })
}

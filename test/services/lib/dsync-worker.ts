// A process that campaigns and, while it leads, writes down its token and the time, over and over: what a term guards.
// Its settings come as JSON in its argument; SIGTERM stops it as a service is stopped.
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createKubernetesDriver, Dsync } from '../../../src/dsync/index.ts'

export interface WorkerSettings {
  readonly instance: string
  readonly name: string
  readonly namespace: string
  readonly server: string
  readonly ca: string
  readonly token: string
  /** Lines of `token instance nanoseconds`. */
  readonly journal: string
  readonly leaseDurationMs: number
  readonly renewDeadlineMs: number
}

const EVERY_MS = 10

const settings: WorkerSettings = JSON.parse(process.argv[2] ?? '{}')
const { instance, namespace, server, ca, leaseDurationMs, renewDeadlineMs } = settings
const driver = await createKubernetesDriver({ namespace, server, ca, token: () => settings.token })
const dsync = new Dsync(driver, instance, { scope: 'chaos', leaseDurationMs, renewDeadlineMs })
const election = dsync.election(settings.name)

election.whenElected(async (signal, term) => {
  while (!signal.aborted) {
    // The same clock in all processes. Read before the check: a process that is frozen after it has not lied.
    const at = process.hrtime.bigint()
    try {
      term.check()
    } catch {
      return
    }
    appendFileSync(settings.journal, `${term.token} ${instance} ${at}\n`)
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
})
process.once('SIGTERM', async () => {
  await election.stop({ graceMs: 1_000 })
  await driver[Symbol.asyncDispose]()
  process.exit(0)
})
process.stdout.write('ready\n')

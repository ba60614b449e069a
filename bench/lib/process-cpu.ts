// Processor time of another process, from the scheduler's own account (Linux).
import { readdirSync, readFileSync } from 'node:fs'

/** Microseconds that all threads of the process have run so far. */
export function cpuMicroseconds(pid: number): number {
  let nanoseconds = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
  }
  return nanoseconds / 1000
}

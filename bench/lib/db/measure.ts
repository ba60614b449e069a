// One measurement in the process that does the work: the clock, and the processor time of all who take part.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Parties {
  /** First process of each server's group. */
  readonly cassandra: number
  readonly search: number
}

export interface Figures {
  readonly rows: number
  readonly wallMs: number
  /** Processor time, in milliseconds. */
  readonly cpuMs: { readonly node: number; readonly cassandra: number; readonly search: number }
  /** Most that this process ever had in memory, in MiB. */
  readonly peakMiB: number
}

const LOOK_EVERY_MS = 250
/** Processor time of both servers in between, in milliseconds, that is no work. */
const IDLE_MS = 20
const MOST_REST_MS = 30_000

/** Waits until the servers have done what the step before left them to do: merges, flushes, compilation. */
export async function waitForRest({ cassandra, search }: Parties): Promise<void> {
  const startedAt = performance.now()
  let before = Number.NEGATIVE_INFINITY
  while (performance.now() - startedAt < MOST_REST_MS) {
    const now = groupCpuMs(cassandra) + groupCpuMs(search)
    if (now - before <= IDLE_MS) return
    before = now
    await sleep(LOOK_EVERY_MS)
  }
}

/** `work` gives how many rows it was about. */
export async function measure(parties: Parties, work: () => Promise<number>): Promise<Figures> {
  const before = {
    node: process.cpuUsage(),
    cassandra: groupCpuMs(parties.cassandra),
    search: groupCpuMs(parties.search),
  }
  const startedAt = performance.now()
  const rows = await work()
  const wallMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(before.node)
  return {
    ...{ rows, wallMs, peakMiB: process.resourceUsage().maxRSS / 1_024 },
    cpuMs: {
      node: (user + system) / 1_000,
      cassandra: groupCpuMs(parties.cassandra) - before.cassandra,
      search: groupCpuMs(parties.search) - before.search,
    },
  }
}

/** What all processes of a group have run so far, threads that have ended among them, in milliseconds. */
export function groupCpuMs(group: number): number {
  let ticks = 0
  for (const pid of readdirSync('/proc')) if (/^\d+$/.test(pid)) ticks += ticksOf(pid, group)
  return ticks * 10
}

function ticksOf(pid: string, group: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of a process may have spaces and parentheses in it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(fields[2]) === group ? Number(fields[11]) + Number(fields[12]) : 0
  } catch {
    return 0 // it ended in between
  }
}

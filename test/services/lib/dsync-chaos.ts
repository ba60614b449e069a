// Several real processes that campaign for one Lease of a real API server, while they are killed, frozen, cut off and stopped at random.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Chance } from '../../lib/chance.ts'
import { CutProxy } from './cut-proxy.ts'
import type { WorkerSettings } from './dsync-worker.ts'
import type { KubeCluster } from './kube-cluster.ts'
import { createRunFolder, type RunFolder } from './run-folder.ts'
import { type ServerProcess, startProcess, waitUntil } from './server-process.ts'

export const LEASE_MS = 3_000
const RENEW_DEADLINE_MS = 2_000
/** All faults over, a leader exists after this. */
export const BOUND_MS = LEASE_MS + 600 + (LEASE_MS * 2) / 3
const WORKER = join(import.meta.dirname, 'dsync-worker.ts')

export interface ChaosOptions {
  readonly cluster: KubeCluster
  readonly namespace: string
  readonly token: string
  /** Of the election. */
  readonly name: string
  readonly processes: number
  readonly durationMs: number
  readonly seed: number
  readonly log?: (line: string) => void
}

export interface ChaosReport {
  readonly terms: number
  readonly writes: number
  /** How often each fault struck. */
  readonly faults: Readonly<Record<string, number>>
  /** What must not have happened; empty when all is well. */
  readonly violations: readonly string[]
  /** From the end of all faults to the next write of a leader, in milliseconds. */
  readonly leaderAfterMs: number
}

interface Entry {
  readonly token: bigint
  readonly instance: string
  readonly at: bigint
}

/** Plays for `durationMs`, then lets all be well, and judges. Leaves no process behind. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const folder = createRunFolder('dsync-chaos')
  const chaos = new Chaos(options, folder)
  try {
    return await chaos.play()
  } finally {
    await chaos.end()
    folder.remove()
  }
}

class Seat {
  readonly proxy: CutProxy
  readonly #start: (port: number) => Promise<ServerProcess>
  #process: ServerProcess | undefined
  /** What is being done to it. */
  isBusy = false
  instance = ''

  constructor(proxy: CutProxy, start: (port: number) => Promise<ServerProcess>) {
    this.proxy = proxy
    this.#start = start
  }

  async start(): Promise<void> {
    this.#process ??= await this.#start(this.proxy.port)
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal)
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const running = this.#process
    this.#process = undefined
    running?.signal(signal)
    await running?.exited
    await running?.stop()
  }
}

class Chaos {
  readonly #options: ChaosOptions
  readonly #chance: Chance
  readonly #folder: RunFolder
  readonly #journal: string
  readonly #seats: Seat[] = []
  readonly #faults: Record<string, number> = {}
  readonly #underWay = new Set<Promise<void>>()
  #starts = 0

  constructor(options: ChaosOptions, folder: RunFolder) {
    this.#options = options
    this.#chance = new Chance(options.seed)
    this.#folder = folder
    this.#journal = join(folder.path, 'journal')
    writeFileSync(this.#journal, '')
  }

  async play(): Promise<ChaosReport> {
    const { processes, durationMs, cluster } = this.#options
    for (let i = 0; i < processes; i++) {
      const proxy = await CutProxy.start(Number(new URL(cluster.server).port))
      const seat: Seat = new Seat(proxy, (port) => this.#startWorker(seat, port))
      this.#seats.push(seat)
    }
    await Promise.all(this.#seats.map((seat) => seat.start()))
    await waitUntil(() => this.#read().length > 0, 5_000)
    const endAt = performance.now() + durationMs
    while (performance.now() < endAt) {
      await sleep(this.#chance.between(200, 900))
      this.#strike()
    }
    await Promise.all(this.#underWay)
    const healedAt = process.hrtime.bigint()
    await waitUntil(() => (this.#read().at(-1)?.at ?? 0n) > healedAt, BOUND_MS + 5_000)
    const first = this.#read().find(({ at }) => at > healedAt)
    // A while longer: nothing may go wrong in peace.
    await sleep(LEASE_MS)
    return this.#judge(Number((first?.at ?? healedAt) - healedAt) / 1e6)
  }

  async end(): Promise<void> {
    for (const seat of this.#seats) {
      seat.signal('SIGCONT')
      await seat.end('SIGKILL')
      await seat.proxy[Symbol.asyncDispose]()
    }
  }

  #startWorker(seat: Seat, port: number): Promise<ServerProcess> {
    const { cluster, namespace, token, name } = this.#options
    seat.instance = `p${this.#starts++}`
    const stdoutFile = join(this.#folder.path, `${seat.instance}.log`)
    const settings: WorkerSettings = {
      instance: seat.instance,
      name,
      namespace,
      token,
      server: `https://127.0.0.1:${port}`,
      ca: cluster.ca,
      journal: this.#journal,
      leaseDurationMs: LEASE_MS,
      renewDeadlineMs: RENEW_DEADLINE_MS,
    }
    return startProcess({
      name: seat.instance,
      command: process.execPath,
      args: [WORKER, JSON.stringify(settings)],
      stdoutFile,
      ready: async () => readFileSync(stdoutFile, 'utf8').includes('ready'),
    })
  }

  /** Mostly the leader. */
  #strike(): void {
    const free = this.#seats.filter((seat) => !seat.isBusy)
    if (free.length === 0) return
    const leader = free.find(({ instance }) => instance === this.#read().at(-1)?.instance)
    const seat = leader !== undefined && this.#chance.is(0.6) ? leader : this.#chance.pick(free)
    const fault = this.#chance.pick(['kill', 'freeze', 'cut', 'stop'] as const)
    const ms = this.#chance.between(100, 1.8 * LEASE_MS)
    const isReset = this.#chance.is(0.5)
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1
    this.#options.log?.(`${fault} ${seat.instance}${seat === leader ? ' (leader)' : ''} for ${Math.round(ms)} ms`)
    seat.isBusy = true
    const done = this.#carryOut(seat, fault, ms, isReset).finally(() => {
      seat.isBusy = false
      this.#underWay.delete(done)
    })
    this.#underWay.add(done)
  }

  async #carryOut(seat: Seat, fault: 'kill' | 'freeze' | 'cut' | 'stop', ms: number, isReset: boolean): Promise<void> {
    if (fault === 'freeze') {
      seat.signal('SIGSTOP')
      await sleep(ms)
      seat.signal('SIGCONT')
    } else if (fault === 'cut') {
      seat.proxy.cut()
      await sleep(ms)
      seat.proxy.heal(isReset)
    } else {
      await seat.end(fault === 'kill' ? 'SIGKILL' : 'SIGTERM')
      await sleep(ms / 2)
      await seat.start()
    }
  }

  #read(): readonly Entry[] {
    const text = readFileSync(this.#journal, 'utf8')
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return lines
      .filter((line) => line !== '')
      .map((line) => {
        const [token = '', instance = '', at = ''] = line.split(' ')
        return { token: BigInt(token), instance, at: BigInt(at) }
      })
  }

  #judge(leaderAfterMs: number): ChaosReport {
    const entries = [...this.#read()].sort((a, b) => (a.at < b.at ? -1 : 1))
    const violations: string[] = []
    let last: Entry | undefined
    const owners = new Map<bigint, string>()
    for (const entry of entries) {
      if (last !== undefined && entry.token < last.token)
        violations.push(`${entry.instance} wrote with ${entry.token} after ${last.instance} did with ${last.token}`)
      const owner = owners.get(entry.token) ?? entry.instance
      if (owner !== entry.instance) violations.push(`${owner} and ${entry.instance} share the token ${entry.token}`)
      owners.set(entry.token, owner)
      last = entry
    }
    if (leaderAfterMs > BOUND_MS) violations.push(`a leader was there only after ${Math.round(leaderAfterMs)} ms`)
    return { terms: owners.size, writes: entries.length, faults: this.#faults, violations, leaderAfterMs }
  }
}

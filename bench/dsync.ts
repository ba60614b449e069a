// Leader election over a real API server: how long nobody leads after a stop and after a kill, and what it asks of the server.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createKubernetesDriver, type Driver, Dsync, type DsyncOptions, type Election } from '../src/dsync/index.ts'
import { type KubeCluster, startCluster } from '../test/services/lib/kube-cluster.ts'
import { leasePath, leaseRequests, readLease } from '../test/services/lib/kube-leases.ts'
import { createRunFolder } from '../test/services/lib/run-folder.ts'
import { startProcess } from '../test/services/lib/server-process.ts'
import type { LeaderSettings } from './lib/dsync-leader.ts'
import { markdownTable, mean, median, quantile } from './lib/figures.ts'

const NAMESPACE = 'bench'
const OPTIONS: DsyncOptions = { scope: 'bench', leaseDurationMs: 15_000, renewDeadlineMs: 10_000 }
const STOPS = 200
const KILLS = 3
const ELECTIONS_A_KILL = 8
const OBSERVED_MS = 120_000

interface Bench {
  readonly cluster: KubeCluster
  readonly token: string
  readonly driver: Driver & AsyncDisposable
  readonly log: (line: string) => void
}

/** The page's part on dsync, in Markdown. */
export async function benchDsync(log: (line: string) => void): Promise<string> {
  await using cluster = await startCluster()
  const token = await cluster.serviceAccountToken(NAMESPACE, 'bench', {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    verbs: ['get', 'update', 'watch', 'create'],
  })
  const driver = await createKubernetesDriver({
    namespace: NAMESPACE,
    server: cluster.server,
    ca: cluster.ca,
    token: () => token,
  })
  const bench = { cluster, token, driver, log }
  try {
    const stops = await measureStops(bench)
    const kills = await measureKills(bench)
    const { leader, follower, waiter } = await measureRequests(bench)
    const rows = [
      ['takeover after a graceful stop, ms', `${figures(stops)} (n = ${stops.length})`, 'p99 ≤ 250'],
      ['takeover after SIGKILL, s from the last renewal', `${figures(kills, 1_000)} (n = ${kills.length})`, '≤ 15.6'],
      ['requests a minute of a leader', leader.toFixed(1), '≤ 12'],
      ['requests a minute of a follower', follower.toFixed(1), '≤ 0.5'],
      ['requests a minute of one who waits for a lock', waiter.toFixed(1), '–'],
    ]
    const intro = `Lease 15 s, renew deadline 10 s; a real API server and etcd, under RBAC; requests from its audit log over ${OBSERVED_MS / 1_000} s.`
    return ['## dsync', '', intro, '', markdownTable(['measure', 'ours', 'goal'], rows)].join('\n')
  } finally {
    await driver[Symbol.asyncDispose]()
  }
}

function figures(samples: readonly number[], unitMs = 1): string {
  const show = (ms: number) => (ms / unitMs).toFixed(unitMs === 1 ? 0 : 2)
  return `median ${show(median(samples))}, mean ${show(mean(samples))}, p99 ${show(quantile(samples, 0.99))}, max ${show(Math.max(...samples))}`
}

const leads = (election: Election) =>
  new Promise<number>((resolve) => {
    election.whenElected(() => resolve(performance.timeOrigin + performance.now()))
  })

const knows = async (election: Election) => {
  while (election.leader === undefined) await sleep(5)
}

/** From `stop()` to the other's leadership. */
async function measureStops({ driver, log }: Bench): Promise<readonly number[]> {
  const samples: number[] = []
  let leader = new Dsync(driver, 'pod-0', OPTIONS).election('stops')
  await leads(leader)
  for (let n = 1; n <= STOPS; n++) {
    const next = new Dsync(driver, `pod-${n}`, OPTIONS).election('stops')
    await knows(next)
    const elected = leads(next)
    const stoppedAt = performance.timeOrigin + performance.now()
    await leader.stop()
    samples.push((await elected) - stoppedAt)
    leader = next
  }
  await leader.stop()
  log(`takeover after a stop: ${figures(samples)} ms`)
  return samples
}

/** From the last renewal, by its renewTime, to the other's leadership: all clocks are one machine's. */
async function measureKills(bench: Bench): Promise<readonly number[]> {
  const samples: number[] = []
  for (let round = 0; round < KILLS; round++) {
    samples.push(...(await killOnce(bench, round)))
    bench.log(`takeover after a kill, round ${round + 1}: ${figures(samples, 1_000)} s`)
  }
  return samples
}

async function killOnce({ cluster, token, driver }: Bench, round: number): Promise<readonly number[]> {
  const folder = createRunFolder('bench-dsync')
  const names = Array.from({ length: ELECTIONS_A_KILL }, (_, n) => `kill-${round}-${n}`)
  const settings: LeaderSettings = {
    server: cluster.server,
    ca: cluster.ca,
    token,
    namespace: NAMESPACE,
    names,
    options: OPTIONS,
    apartMs: 700,
  }
  const log = join(folder.path, 'leader.log')
  const leader = await startProcess({
    name: 'leader',
    command: process.execPath,
    args: [join(import.meta.dirname, 'lib/dsync-leader.ts'), JSON.stringify(settings)],
    stdoutFile: log,
    ready: async () => readFileSync(log, 'utf8').includes('leading'),
    readyTimeoutMs: 30_000,
  })
  const dsync = new Dsync(driver, 'follower', OPTIONS)
  const followers = names.map((name) => dsync.election(name))
  await Promise.all(followers.map(knows))
  await sleep(6_000)
  leader.signal('SIGKILL')
  await leader.exited
  const renewed = await Promise.all(
    names.map(async (name) =>
      Date.parse((await readLease(cluster, NAMESPACE, `bench.election.${name}`))?.spec.renewTime ?? ''),
    ),
  )
  const elected = await Promise.all(followers.map(leads))
  await Promise.all(followers.map((one) => one.stop()))
  await leader.stop()
  folder.remove()
  return elected.map((at, n) => at - (renewed[n] ?? Number.NaN))
}

async function measureRequests({ cluster, driver, log }: Bench) {
  const minutes = OBSERVED_MS / 60_000
  const leader = new Dsync(driver, 'leader', OPTIONS).election('requests')
  await leads(leader)
  const lock = new Dsync(driver, 'holder', OPTIONS).lock('requests')
  await lock.lock()
  const follower = new Dsync(driver, 'follower', OPTIONS).election('requests')
  await knows(follower)
  const waiting = new AbortController()
  const waiter = new Dsync(driver, 'waiter', OPTIONS).lock('requests')
  const refused = waiter.lock({ signal: waiting.signal }).catch(() => undefined)
  await sleep(1_000)
  const count = () => ({
    election: leaseRequests(cluster, 'bench.election.requests'),
    lock: leaseRequests(cluster, 'bench.lock.requests'),
  })
  const before = count()
  await sleep(OBSERVED_MS)
  const after = count()
  const election = after.election.slice(before.election.length)
  const locked = after.lock.slice(before.lock.length)
  const renewals = election.filter((verb) => verb === 'update').length
  const figuresOf = {
    leader: renewals / minutes,
    follower: (election.length - renewals) / minutes,
    waiter: locked.filter((verb) => verb !== 'update').length / minutes,
  }
  log(`requests a minute: ${JSON.stringify(figuresOf)}, of ${leasePath(NAMESPACE, 'bench.election.requests')}`)
  waiting.abort()
  await refused
  await Promise.all([leader.stop(), follower.stop(), lock.unlock()])
  return figuresOf
}

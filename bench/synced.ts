// `GET /v1/synced` against nine real nginx replicas over TLS: what a check costs beside the naive way, and how late verdicts are.
import { type NginxGateway, startGateway } from '../test/services/lib/nginx-gateway.ts'
import { markdownTable, mean, median, quantile } from './lib/figures.ts'
import { askMany, Caller } from './lib/load.ts'
import { cpuMicroseconds } from './lib/process-cpu.ts'
import { type MeasuredService, startNaive, startSyncer } from './lib/service-process.ts'

const REPLICAS = 10
const ROUNDS = 5
const LOGINS = 400
const LANES = 4

interface Cost {
  readonly cpuMicroseconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly perSecond: number
}

/** The page's part on synced, in Markdown. */
export async function benchSynced(log: (line: string) => void): Promise<string> {
  await using gateway = await startGateway({ replicas: REPLICAS, tickMs: 1_000 })
  await using ours = await startSyncer('ours', { gateway })
  const costs = await measureCosts(gateway, ours, log)
  await using fixed = await startSyncer('fixed', {
    gateway,
    options: { retry: { mode: 'fixed', intervalMs: 150, retries: 5 } },
  })
  const lateness = await measureLateness(gateway, [ours, fixed], log)
  return ['## `GET /v1/synced`', '', costs, '', lateness].join('\n')
}

async function measureCosts(
  gateway: NginxGateway,
  ours: MeasuredService,
  log: (line: string) => void,
): Promise<string> {
  await using naive = await startNaive('naive', { gateway })
  const tokens = Array.from({ length: 32 }, (_, i) => `bench-${i}`)
  const names = gateway.replicas.map((replica) => replica.name)
  for (const token of tokens) await gateway.plant(token, names)
  const rows: string[][] = []
  for (const [atOnce, count] of [
    [1, 2_000],
    [8, 6_000],
    [32, 8_000],
  ] as const) {
    const results = { ours: [] as Cost[], naive: [] as Cost[] }
    for (let round = 0; round <= ROUNDS; round++) {
      const pair = {
        ours: await measure(ours, atOnce, count, tokens, names[0] ?? ''),
        naive: await measure(naive, atOnce, count, tokens, names[0] ?? ''),
      }
      // The first round warms up.
      if (round === 0) continue
      results.ours.push(pair.ours)
      results.naive.push(pair.naive)
      log(
        `${atOnce} at once, round ${round}: ours ${pair.ours.cpuMicroseconds.toFixed(0)} µs, naive ${pair.naive.cpuMicroseconds.toFixed(0)} µs`,
      )
    }
    const of = (which: 'ours' | 'naive', figure: keyof Cost) => median(results[which].map((cost) => cost[figure]))
    const ratio = median(
      results.ours.map((cost, i) => cost.cpuMicroseconds / (results.naive[i]?.cpuMicroseconds ?? Number.NaN)),
    )
    rows.push([
      String(atOnce),
      of('ours', 'cpuMicroseconds').toFixed(0),
      of('naive', 'cpuMicroseconds').toFixed(0),
      `**${ratio.toFixed(2)}**`,
      (1e6 / of('ours', 'cpuMicroseconds')).toFixed(0),
      `${of('ours', 'perSecond').toFixed(0)} / ${of('naive', 'perSecond').toFixed(0)}`,
      `${of('ours', 'p50Ms').toFixed(2)} / ${of('ours', 'p99Ms').toFixed(2)}`,
      `${of('naive', 'p50Ms').toFixed(2)} / ${of('naive', 'p99Ms').toFixed(2)}`,
    ])
  }
  const table = markdownTable(
    [
      'checks at once',
      'ours, CPU µs a check',
      'naive, CPU µs a check',
      'ratio',
      'checks a second that one core pays for',
      'checks a second seen, ours / naive',
      'ours, ms p50 / p99',
      'naive, ms p50 / p99',
    ],
    rows,
  )
  return `### What a check costs

Nine probes a check over TLS, all replicas have the token. Whole service against whole service (process time of the
whole process, log lines at level info included), ${ROUNDS} interleaved rounds after one to warm up, medians; the ratio is the median of the
rounds' ratios. nginx and the callers share the machine with the service.

${table}`
}

async function measure(
  service: MeasuredService,
  atOnce: number,
  count: number,
  tokens: readonly string[],
  origin: string,
): Promise<Cost> {
  const callers = Array.from({ length: atOnce }, () => new Caller(service.url))
  await askMany(callers, atOnce * 10, tokens, origin)
  const cpuBefore = cpuMicroseconds(service.pid)
  const begun = performance.now()
  const answers = await askMany(callers, count, tokens, origin)
  const seconds = (performance.now() - begun) / 1000
  const cpu = cpuMicroseconds(service.pid) - cpuBefore
  for (const caller of callers) await caller[Symbol.asyncDispose]()
  const wrong = answers.filter((answer) => answer.status !== 'Synced')
  if (wrong.length > 0)
    throw new Error(
      `${service.name}: ${wrong.length} of ${answers.length} checks were not Synced but ${wrong[0]?.status}`,
    )
  const times = answers.map((answer) => answer.ms)
  return {
    cpuMicroseconds: cpu / answers.length,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    perSecond: answers.length / seconds,
  }
}

async function measureLateness(
  gateway: NginxGateway,
  services: readonly MeasuredService[],
  log: (line: string) => void,
): Promise<string> {
  const seen = services.map((service) => ({ service, late: [] as number[], right: 0, asked: 0 }))
  const names = gateway.replicas.map((replica) => replica.name)
  const lane = async (number: number) => {
    const callers = services.map((service) => new Caller(service.url))
    for (let i = number; i < LOGINS; i += LANES) {
      const origin = names[i % names.length] ?? ''
      const token = `login-${i}`
      const change = await gateway.login(token, origin)
      // Logins take turns: one service's probes must not make the other one late.
      const which = Math.floor(i / LANES) % services.length
      const [caller, one] = [callers[which], seen[which]]
      if (caller === undefined || one === undefined) throw new RangeError('a login without a service')
      const answer = await caller.ask({ token, origin })
      const arrivedAt = await change.everywhere
      one.asked++
      // A verdict that is not Synced is a login refused although the token came within the deadline.
      if (answer.status === 'Synced') {
        one.right++
        one.late.push(answer.at - arrivedAt)
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 200))
    }
    for (const caller of callers) await caller[Symbol.asyncDispose]()
  }
  await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i)))
  const titles = ['adaptive (the default)', 'fixed, 150 ms × 5 (the original’s settings)']
  const rows = seen.map(({ late, right, asked }, i) => [
    titles[i] ?? '',
    mean(late).toFixed(1),
    quantile(late, 0.5).toFixed(1),
    quantile(late, 0.99).toFixed(1),
    Math.max(...late).toFixed(1),
    `${((100 * right) / asked).toFixed(1)} %`,
  ])
  for (const row of rows) log(row.join(', '))
  return `### How late a verdict is

${LOGINS} logins at real nginx replicas that hear of tokens on their origin's one-second tick, ${LANES} at a time. Lateness is from the moment the last replica
has the token to the caller's last byte of the answer; the two services take turns, a login each. *Right* is \`Synced\` within the
deadline of one second.

${markdownTable(['retries', 'mean ms', 'p50 ms', 'p99 ms', 'max ms', 'right'], rows)}`
}

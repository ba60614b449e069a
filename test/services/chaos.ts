// `npm run chaos [-- --minutes N --seed S --processes P]`: the processes of dsync-processes.test.ts for longer, and what was done to them.
// `npm run chaos -- --db [--runs N --seed S | --case SEED]`: syncs of databases; see db-chaos.ts.
import { parseArgs } from 'node:util'
import { runDbChaos } from './db-chaos.ts'
import { runChaos } from './lib/dsync-chaos.ts'
import { startCluster } from './lib/kube-cluster.ts'
import { dsyncRule } from './lib/kube-leases.ts'

const options = {
  minutes: { type: 'string' },
  seed: { type: 'string' },
  processes: { type: 'string' },
  db: { type: 'boolean' },
  runs: { type: 'string' },
  case: { type: 'string' },
} as const
const { values } = parseArgs({ options })
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const log = (line: string) => console.log(line)

if (values.db) {
  const only = values.case === undefined ? undefined : Number(values.case)
  const isWell = await runDbChaos({ runs: Number(values.runs ?? 200), seed, only, log })
  // The driver of the users' clients keeps an interval going for each node that was started again, even after it was shut down.
  process.exit(isWell ? 0 : 1)
} else await runElections()

async function runElections(): Promise<void> {
  const minutes = Number(values.minutes ?? 3)
  const processes = Number(values.processes ?? 5)
  await using cluster = await startCluster()
  const token = await cluster.serviceAccountToken('syncer', 'chaos', dsyncRule(['chaos.election.chaos']))
  log(`${processes} processes, ${minutes} minutes, seed ${seed}`)
  const report = await runChaos({
    cluster,
    namespace: 'syncer',
    token,
    name: 'chaos',
    processes,
    durationMs: minutes * 60_000,
    seed,
    log,
  })
  log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.violations.length === 0 ? 0 : 1
}

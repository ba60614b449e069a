// `npm run chaos [-- --minutes N --seed S --processes P]`: the processes of dsync-processes.test.ts for longer, and what was done to them.
import { parseArgs } from 'node:util'
import { runChaos } from './lib/dsync-chaos.ts'
import { startCluster } from './lib/kube-cluster.ts'
import { dsyncRule } from './lib/kube-leases.ts'

const options = { minutes: { type: 'string' }, seed: { type: 'string' }, processes: { type: 'string' } } as const
const { values } = parseArgs({ options })
const minutes = Number(values.minutes ?? 3)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const processes = Number(values.processes ?? 5)

const cluster = await startCluster()
try {
  const token = await cluster.serviceAccountToken('syncer', 'chaos', dsyncRule(['chaos.election.chaos']))
  console.log(`${processes} processes, ${minutes} minutes, seed ${seed}`)
  const report = await runChaos({
    cluster,
    namespace: 'syncer',
    token,
    name: 'chaos',
    processes,
    durationMs: minutes * 60_000,
    seed,
    log: (line) => console.log(line),
  })
  console.log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.violations.length === 0 ? 0 : 1
} finally {
  await cluster.stop()
}

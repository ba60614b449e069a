// `npm run chaos -- --db [--runs N] [--seed S]`: syncs of a pair on real servers that are killed, cancelled, cut off and lied to while users
// write to both sides; then the checker says what was lost, what was overwritten, and what did not add up. A case that fails is played
// again by its own seed: `--db --case SEED`.
import { installCassandra } from './lib/cassandra.ts'
import { type CaseReport, playCase } from './lib/db-case.ts'
import { startDbServers } from './lib/db-scene.ts'
import { installSearch } from './lib/search-releases.ts'

const RUNS_A_CASE = 5
/** Violations of a case that are shown. */
const SHOWN = 10

export interface DbChaosOptions {
  /** How many syncs things happen to. */
  readonly runs: number
  readonly seed: number
  /** Only this case. */
  readonly only?: number | undefined
  readonly log: (line: string) => void
}

/** Plays until so many runs were played. True when nobody has anything against them. */
export async function runDbChaos({ runs, seed, only, log }: DbChaosOptions): Promise<boolean> {
  await installCassandra(log)
  await installSearch({ kind: 'elasticsearch', major: 8 }, log)
  const cases =
    only === undefined ? Array.from({ length: Math.ceil(runs / RUNS_A_CASE) }, (_, at) => seed + at) : [only]
  log(`${cases.length} cases of ${RUNS_A_CASE} runs, seeds ${cases[0]} to ${cases.at(-1)}`)
  await using servers = await startDbServers()
  const reports: CaseReport[] = []
  for (const one of cases) {
    log(`case ${one}`)
    const report = await playCase({ servers, seed: one, runs: RUNS_A_CASE, log })
    reports.push(report)
    for (const violation of report.violations.slice(0, SHOWN)) log(`  VIOLATION ${violation}`)
    if (report.violations.length > 0) log(`  ${report.violations.length} violations; again: --db --case ${one}`)
  }
  const sum = (pick: (report: CaseReport) => Readonly<Record<string, number>>) => {
    const all: Record<string, number> = {}
    for (const report of reports)
      for (const [name, count] of Object.entries(pick(report))) all[name] = (all[name] ?? 0) + count
    return all
  }
  const violated = reports.filter(({ violations }) => violations.length > 0)
  const figures = {
    runs: reports.reduce((all, report) => all + report.runs, 0),
    writes: reports.reduce((all, report) => all + report.writes, 0),
    faults: sum(({ faults }) => faults),
    exits: sum(({ exits }) => exits),
    violations: reports.reduce((all, { violations }) => all + violations.length, 0),
    violatedSeeds: violated.map((report) => report.seed),
  }
  log(JSON.stringify(figures, undefined, 2))
  return violated.length === 0
}

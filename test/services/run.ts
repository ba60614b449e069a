// `npm run test:services [-- FILE… or options of vitest]`: prepares what real servers need, runs the tests against them one file
// at a time, then those with real-time contracts with nothing else running. `SYNCER_TEST_ONLY=PATTERN` narrows it as an argument does.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countTests, type TestReport } from '../../scripts/count-tests.ts'
import { PREPARATIONS, type Preparation } from './lib/preparations.ts'
import { cacheFolder } from './lib/run-folder.ts'

const ROOT = join(import.meta.dirname, '../..')
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs')
const PHASES = [
  { project: 'services', title: 'against real servers, one file at a time' },
  { project: 'kubernetes', title: 'against a Kubernetes API server, one file at a time' },
  { project: 'realtime', title: 'real-time contracts, with nothing else running' },
] as const

const log = (line: string) => process.stdout.write(`${line}\n`)

/** Resolves when all is there but what one project needs: of that, what went wrong is known when the project's turn comes. */
async function prepare(): Promise<ReadonlyMap<string, Promise<unknown>>> {
  log(`== preparing (cache: ${cacheFolder()})`)
  const pending = new Map<string, Promise<unknown>>()
  for (const preparation of PREPARATIONS) {
    if (preparation.neededBy === undefined) continue
    pending.set(
      preparation.neededBy,
      prepareOne(preparation).catch((error: unknown) => error),
    )
  }
  for (const preparation of PREPARATIONS) if (preparation.neededBy === undefined) await prepareOne(preparation)
  return pending
}

async function prepareOne({ name, run }: Preparation): Promise<void> {
  const startedAt = performance.now()
  await run((line) => log(`${name}: ${line}`))
  log(`${name}: ready (${Math.round(performance.now() - startedAt)} ms)`)
}

/** Resolves with the exit code of one run of vitest; 1 when a signal ended it. */
function runPhase(project: string, args: readonly string[], reports: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = ['run', '--project', project, '--no-file-parallelism', '--passWithNoTests', ...args]
    const child = spawn(process.execPath, [VITEST, ...options], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, SYNCER_TEST_REPORTS: reports },
    })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

/** Tests that were neither run nor failed: a full run may not have any. */
function countSkipped(reports: readonly TestReport[]): number {
  const tests = reports.flatMap(({ testResults }) => testResults).flatMap(({ assertionResults }) => assertionResults)
  return tests.filter(({ status }) => status !== 'passed' && status !== 'failed').length
}

async function main(): Promise<number> {
  const pending = await prepare()
  const only = process.env['SYNCER_TEST_ONLY']
  const args = [...process.argv.slice(2), ...(only === undefined || only === '' ? [] : [only])]
  const given = process.env['SYNCER_TEST_REPORTS']
  const reports = given ?? mkdtempSync(join(tmpdir(), 'syncer-test-reports-'))
  mkdirSync(reports, { recursive: true })
  const before = new Set(readdirSync(reports))
  try {
    let exitCode = 0
    for (const { project, title } of PHASES) {
      log(`\n== ${title}`)
      const problem = await pending.get(project)
      if (problem !== undefined) {
        log(problem instanceof Error ? problem.message : String(problem))
        exitCode = 1
        continue
      }
      exitCode = Math.max(exitCode, await runPhase(project, args, reports))
    }
    const files = readdirSync(reports).filter((name) => !before.has(name))
    const results = files.map((name): TestReport => JSON.parse(readFileSync(join(reports, name), 'utf8')))
    const { passed, failed } = countTests(results, exitCode)
    const skipped = countSkipped(results)
    const isNarrowed = args.length > 0
    log(`\nservices: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
    if (skipped > 0 && !isNarrowed) log('a full run skips nothing: this counts as a failure')
    return failed > 0 || (skipped > 0 && !isNarrowed) ? 1 : 0
  } finally {
    if (given === undefined) rmSync(reports, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

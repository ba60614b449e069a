// Adds up the JSON reports that runs of vitest left in a folder: `node scripts/count-tests.ts FOLDER EXIT_CODE`
// prints `PASSED FAILED`. A run that ended badly without a failed test, or left no report, counts as one failure:
// nothing that crashed may look as if it passed.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is read of a report of vitest's `json` reporter. */
export interface TestReport {
  readonly success: boolean
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

export interface Counts {
  readonly passed: number
  readonly failed: number
}

/** Tests that passed and failed; a file that could not be run is a failed one, a run that cannot be trusted too. */
export function countTests(reports: readonly TestReport[], exitCode: number): Counts {
  let passed = 0
  let failed = 0
  for (const { testResults } of reports) {
    for (const { status, assertionResults } of testResults) {
      const here = assertionResults.filter((one) => one.status === 'failed').length
      passed += assertionResults.filter((one) => one.status === 'passed').length
      failed += status === 'failed' && here === 0 ? 1 : here
    }
  }
  const isSound = exitCode === 0 && passed > 0 && reports.every((report) => report.success)
  return { passed, failed: failed === 0 && !isSound ? 1 : failed }
}

if (import.meta.main) {
  const [folder, exitCode] = process.argv.slice(2)
  if (folder === undefined || exitCode === undefined || !/^\d+$/.test(exitCode)) {
    process.stderr.write('usage: node scripts/count-tests.ts FOLDER EXIT_CODE\n')
    process.exit(2)
  }
  const reports = readdirSync(folder).map((name): TestReport => JSON.parse(readFileSync(join(folder, name), 'utf8')))
  const { passed, failed } = countTests(reports, Number(exitCode))
  process.stdout.write(`${passed} ${failed}\n`)
}

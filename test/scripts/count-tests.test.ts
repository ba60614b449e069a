import { describe, expect, it } from 'vitest'
import { countTests, type TestReport } from '../../scripts/count-tests.ts'

const report = (statuses: readonly string[], { success = true, status = 'passed' } = {}): TestReport => ({
  success,
  testResults: [{ status, assertionResults: statuses.map((one) => ({ status: one })) }],
})

describe('the count of tests', () => {
  it.each<[string, TestReport[], number, { passed: number; failed: number }]>([
    [
      'adds up passed tests of all reports',
      [report(['passed', 'passed']), report(['passed'])],
      0,
      { passed: 3, failed: 0 },
    ],
    [
      'counts failed tests once',
      [report(['passed', 'failed'], { success: false, status: 'failed' })],
      1,
      { passed: 1, failed: 1 },
    ],
    [
      'counts a file that could not be run',
      [report(['passed']), report([], { success: false, status: 'failed' })],
      1,
      { passed: 1, failed: 1 },
    ],
    ['counts an error outside of any test', [report(['passed'], { success: false })], 1, { passed: 1, failed: 1 }],
    ['counts a bad exit code after good tests', [report(['passed'])], 139, { passed: 1, failed: 1 }],
    ['counts a run that left no report', [], 0, { passed: 0, failed: 1 }],
    ['counts a run in which no test ran', [report(['skipped'])], 0, { passed: 0, failed: 1 }],
    ['leaves skipped tests out', [report(['passed', 'skipped', 'todo'])], 0, { passed: 1, failed: 0 }],
  ])('%s', (_, reports, exitCode, expected) => {
    expect(countTests(reports, exitCode)).toEqual(expected)
  })
})

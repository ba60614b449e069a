import { describe, expect, it } from 'vitest'
import { verdictText } from '../../src/cli/verdict-text.ts'
import type { CheckResult } from '../../src/synced/contract.ts'

const result: CheckResult = {
  status: 'Timeout',
  origin: 'gw-0',
  expect: 'present',
  ms: 1000.04,
  replicas: [
    { name: 'gw-1', state: 'present', counted: true, attempts: 12, ms: 412.26 },
    { name: 'gateway-2', state: 'unknown', reason: 'refused', counted: true, attempts: 1, ms: null },
    { name: 'gw-3', state: 'absent', counted: false, attempts: 0, ms: 3 },
  ],
}

describe('a verdict in words', () => {
  it('names the replica that is behind, and why', () => {
    expect(verdictText(result, false)).toBe(
      `Timeout: 1 of 2 replicas beside gw-0 have the token after 1000 ms
  gw-1       present              12 probes  412.3 ms
  gateway-2  unknown (refused)    1 probe    -
  gw-3       absent, not counted  0 probes   3 ms
`,
    )
  })

  it('tells of a token that should be gone', () => {
    expect(verdictText({ ...result, expect: 'absent' }, false)).toMatch(
      /^Timeout: 0 of 2 replicas beside gw-0 have forgotten the token/,
    )
  })

  it('tells of a gateway of one replica', () => {
    expect(verdictText({ ...result, status: 'Synced', replicas: [] }, false)).toBe('Synced: no replica but gw-0\n')
  })

  it.each([
    ['Synced', 32],
    ['Timeout', 33],
    ['Partialy', 31],
    ['NotSynced', 31],
  ] as const)('colours %s on a terminal only', (status, colour) => {
    expect(verdictText({ ...result, status }, true)).toContain(`\u001b[${colour}m${status}\u001b[39m:`)
    expect(verdictText({ ...result, status }, false)).not.toContain('\u001b')
  })
})

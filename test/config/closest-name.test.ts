import { expect, test } from 'vitest'
import { closestName } from '../../src/config/closest-name.ts'

const NAMES = ['host', 'port', 'path', 'deadlineMs', 'connectTimeoutMs', 'tls', 'ui']

test.each([
  ['prot', 'port'],
  ['Port', 'port'],
  ['deadline_ms', 'deadlineMs'],
  ['connect-timeout-ms', 'connectTimeoutMs'],
  ['conectTimeout', 'connectTimeoutMs'],
  ['tsl', 'tls'],
  ['tl', 'tls'],
  ['uo', 'ui'],
  ['x', undefined],
  ['replicas', undefined],
  ['', undefined],
  ['p'.repeat(100_000), undefined],
])('%.20s is meant as %s', (name, meant) => {
  expect(closestName(name, NAMES)).toBe(meant)
})

test('a tie goes to the first by name, whatever the order', () => {
  expect(closestName('rost', ['post', 'host'])).toBe('host')
  expect(closestName('rost', ['host', 'post'])).toBe('host')
})

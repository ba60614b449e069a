import { describe, expect, test } from 'vitest'
import { outcomeOfError, outcomeOfStatus, SILENT } from '../../src/synced/outcome.ts'

describe('what a status says', () => {
  test.each([
    [200, 'present'],
    [401, 'absent'],
    [201, 'unexpected-status'],
    [204, 'unexpected-status'],
    [206, 'unexpected-status'],
    [301, 'redirect'],
    [302, 'redirect'],
    [307, 'redirect'],
    [400, 'unexpected-status'],
    [403, 'unexpected-status'],
    [404, 'unexpected-status'],
    [429, 'throttled'],
    [500, 'server-error'],
    [503, 'server-error'],
    [599, 'server-error'],
  ])('%i is %s', (status, outcome) => {
    expect(outcomeOfStatus(status)).toBe(outcome)
  })
})

describe('what an error says', () => {
  test.each([
    ['ECONNREFUSED', 'refused'],
    ['EHOSTUNREACH', 'refused'],
    ['ENOTFOUND', 'refused'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['UND_ERR_SOCKET', 'reset'],
    ['HPE_INVALID_CONSTANT', 'garbage'],
    ['UND_ERR_HEADERS_OVERFLOW', 'garbage'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['EPROTO', 'tls'],
    ['ETIMEDOUT', 'silent'],
    [SILENT, 'silent'],
    ['SOMETHING_ELSE', 'reset'],
  ])('%s is %s', (code, outcome) => {
    expect(outcomeOfError(Object.assign(new Error('x'), { code }))).toBe(outcome)
  })

  test('what the parser of HTTP refuses is garbage', () => {
    expect(outcomeOfError(Object.assign(new Error('x'), { name: 'HTTPParserError' }))).toBe('garbage')
  })

  test('an error without a code is a broken connection', () => {
    expect(outcomeOfError(new Error('x'))).toBe('reset')
  })
})

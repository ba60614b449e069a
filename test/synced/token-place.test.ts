import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canCarry, parseTokenPlace } from '../../src/synced/token-place.ts'

describe('where a probe carries the token', () => {
  test.each([
    ['bearer', 'authorization', 'Bearer '],
    ['cookie:auth_token', 'cookie', 'auth_token='],
    ['header:X-Token', 'x-token', ''],
  ])('%s goes into %s', (setting, header, prefix) => {
    expect(parseTokenPlace(setting)).toMatchObject({ header, prefix })
  })

  test.each(['', 'cookie', 'cookie:', 'header:', 'query:token', 'Bearer'])('%j is no place', (setting) => {
    expect(() => parseTokenPlace(setting)).toThrow(RangeError)
  })
})

describe('which tokens it can carry', () => {
  test.each([
    ['bearer', 'abc.DEF-1_2~+/==', true],
    ['bearer', 'a=b', false],
    ['bearer', '=', false],
    ['bearer', 'a b', false],
    ['bearer', 'a%b', false],
    ['cookie:t', 'a!#$%&()*+-./:<=>?@[]^_`{|}~', true],
    ['cookie:t', 'a;b', false],
    ['cookie:t', 'a,b', false],
    ['cookie:t', 'a"b', false],
    ['cookie:t', 'a\\b', false],
    ['cookie:t', 'a b', false],
    ['header:X', 'a;b,"c"\\', true],
    ['header:X', 'a b', false],
    ['header:X', 'é', false],
    ['header:X', '', false],
    ['header:X', 'x'.repeat(8192), true],
    ['header:X', 'x'.repeat(8193), false],
  ])('%s carries %j: %s', (setting, token, allowed) => {
    expect(canCarry(parseTokenPlace(setting), token)).toBe(allowed)
  })

  test('no place lets a token end its header', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('bearer', 'cookie:t', 'header:X'),
        fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)) }),
        (setting, token) => {
          if (!canCarry(parseTokenPlace(setting), token)) return
          expect(token).not.toMatch(/[\r\n\0\s]/)
        },
      ),
    )
  })
})

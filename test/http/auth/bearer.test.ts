import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SCOPES, type Scope } from '../../../src/config/schema.ts'
import type { AuthOutcome } from '../../../src/http/auth/authenticator.ts'
import { readBearer } from '../../../src/http/auth/authenticator.ts'
import { createBearerAuthenticator } from '../../../src/http/auth/bearer.ts'
import { createNoneAuthenticator } from '../../../src/http/auth/none.ts'

const caller = (name: string, token: string, ...scopes: Scope[]) => ({ name, sha256: hash('sha256', token), scopes })
const authenticator = createBearerAuthenticator([
  caller('gateway', 'gateway-token', 'synced'),
  caller('operator', 'operator-token', 'read', 'tokens', 'db'),
])
const ask = (authorization: string | undefined) => authenticator.authenticate(authorization) as AuthOutcome

describe('reading the header', () => {
  test.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER   abc==', 'abc=='],
    [`Bearer ${'x'.repeat(16_000)}`, 'x'.repeat(16_000)],
  ])('takes %j', (header, token) => {
    expect(readBearer(header)).toBe(token)
  })

  test.each([
    [undefined, 'missing'],
    ['', 'missing'],
    ['Bearer', 'malformed'],
    ['Bearer ', 'malformed'],
    ['Bearer a b', 'malformed'],
    ['Bearer a ', 'malformed'],
    [' Bearer a', 'malformed'],
    ['Bearera', 'malformed'],
    ['Basic dXNlcjpodW50ZXIy', 'malformed'],
    ['Bearer tökén', 'malformed'],
    ['Bearer a\nb', 'malformed'],
    [`Bearer ${'x'.repeat(16_384)}`, 'malformed'],
  ])('refuses %j as %s', (header, reason) => {
    expect(readBearer(header)).toMatchObject({ ok: false, reason })
  })
})

describe('mode bearer', () => {
  test('knows each caller by its token', () => {
    expect(ask('Bearer gateway-token')).toEqual({ ok: true, caller: { name: 'gateway', scopes: new Set(['synced']) } })
    expect(ask('Bearer operator-token')).toEqual({
      ok: true,
      caller: { name: 'operator', scopes: new Set(['read', 'tokens', 'db']) },
    })
  })

  test('does not know a hash, a part, or another case of a token', () => {
    for (const token of [hash('sha256', 'gateway-token'), 'gateway-toke', 'gateway-tokenn', 'Gateway-Token']) {
      expect(ask(`Bearer ${token}`)).toEqual({
        ok: false,
        reason: 'unknown',
        detail: 'the bearer token is not known here',
      })
    }
  })

  test('answers at once, without a promise', () => {
    expect(ask('Bearer gateway-token')).not.toBeInstanceOf(Promise)
    expect(ask(undefined)).not.toBeInstanceOf(Promise)
  })

  test('never repeats what was sent', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), fc.constantFrom('Bearer ', 'Basic ', ''), (secret, scheme) => {
        expect(JSON.stringify(ask(scheme + secret))).not.toContain(JSON.stringify(secret).slice(1, -1))
      }),
    )
  })
})

test('mode none lets everybody do everything, whatever they send', () => {
  const none = createNoneAuthenticator()
  for (const header of [undefined, '', 'Bearer x', 'nonsense']) {
    expect(none.authenticate(header)).toEqual({ ok: true, caller: { name: 'anonymous', scopes: new Set(SCOPES) } })
  }
})

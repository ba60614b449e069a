import { describe, expect, test } from 'vitest'
import type { TokenRead } from '../../src/tokens/contract.ts'
import { planToken } from '../../src/tokens/plan.ts'
import { matchesSeal, sealPlan } from '../../src/tokens/seal.ts'
import { answered, broken, held, missing, parsed, SAFE } from './lib/reads.ts'

const seal = (reads: Readonly<Record<string, TokenRead>>) => {
  const map = new Map(Object.entries(reads))
  return sealPlan(planToken('t', map, SAFE), map)
}
const live = held(parsed('{"root":"r","n":1.0}'), 'E1')
const tombstone = held(parsed('{"root":"r","n":1.0,"deleted":true}'))
const before = seal({ b: missing, a: live })

describe('a sealed plan', () => {
  test('says what was seen and what is to be done, and nothing of the descriptions', () => {
    expect(before).toEqual({
      token: 't',
      seen: {
        a: { status: 200, etag: 'E1', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        b: { status: 404, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
      latest: 'a',
      steps: [{ cluster: 'b', code: 'success/sync-update', effect: 'create' }],
    })
    expect(Object.keys(before.seen)).toEqual(['a', 'b'])
  })

  test('has no effect where nothing is written', () => {
    expect(seal({ a: live, b: live }).steps).toEqual([{ cluster: 'b', code: 'success/token-match' }])
  })
})

describe('everything still is as it was', () => {
  test('by status, version and description, whatever the order of keys', () => {
    expect(matchesSeal(before, seal({ a: held(parsed('{"n":1.0,"root":"r"}'), 'E1'), b: missing }))).toBe(true)
    expect(matchesSeal(seal({ a: broken, b: live }), seal({ a: broken, b: live }))).toBe(true)
  })

  const cases: [string, Readonly<Record<string, TokenRead>>][] = [
    ['another version', { a: held(parsed('{"root":"r","n":1.0}'), 'E2'), b: missing }],
    ['no version', { a: held(parsed('{"root":"r","n":1.0}')), b: missing }],
    ['another description', { a: held(parsed('{"root":"r","n":1}'), 'E1'), b: missing }],
    ['another status', { a: live, b: answered(503) }],
    ['no answer', { a: live, b: broken }],
    ['one cluster more', { a: live, b: missing, c: missing }],
    ['one cluster less', { a: live }],
    ['another cluster', { a: live, c: missing }],
  ]
  test.each(cases)('but not with %s', (_name, now) => {
    expect(matchesSeal(before, seal(now))).toBe(false)
    expect(matchesSeal(seal(now), before)).toBe(false)
  })

  test('but not where a tombstone, which has no version, says something else', () => {
    const other = held(parsed('{"root":"r","n":2.0,"deleted":true}'))
    expect(matchesSeal(seal({ a: tombstone, b: missing }), seal({ a: other, b: missing }))).toBe(false)
  })

  test('where it was not written to', () => {
    const now = seal({ a: live, b: live })
    expect(matchesSeal(before, now)).toBe(false)
    expect(matchesSeal(before, now, new Set(['b']))).toBe(true)
    expect(matchesSeal(before, now, new Set(['a']))).toBe(false)
  })
})

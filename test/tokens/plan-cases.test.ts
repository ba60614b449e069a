import { describe, expect, test } from 'vitest'
import { JsonNumber, writeSortedJson } from '../../src/tokens/json.ts'
import { loadCases, runCase, tellExpected, tellOutcome } from './lib/cases.ts'

const cases = loadCases()

describe('the example cases', () => {
  test('are all there, and hold numbers that JavaScript would not keep', () => {
    expect(cases).toHaveLength(300)
    const first = cases[0]?.tokens.get('tok-120')?.get('http://127.0.0.1:41001')
    expect(first?.description.get('cpus')).toEqual(new JsonNumber('1.0'))
  })

  test.each(cases.map((one) => [one.id, one] as const))('case %i: compat does what the original did', (_id, one) => {
    expect(writeSortedJson(tellOutcome(runCase(one)))).toBe(writeSortedJson(tellExpected(one)))
  })
})

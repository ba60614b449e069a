import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IndexEntry } from '../../src/tokens/contract.ts'
import { allowedDeletes, buildIndex, selectTokens } from '../../src/tokens/index-plan.ts'

const entry = (token: string, etag: string | null = 'E1', deleted: boolean | null = false): IndexEntry => ({
  token,
  deleted,
  etag,
})
const indexOf = (...lists: readonly (readonly IndexEntry[])[]) =>
  buildIndex(new Map(lists.map((list, at) => [`c${at}`, list])))

describe('the lists of all clusters', () => {
  const cases: [string, readonly (readonly IndexEntry[])[], 'synced' | 'pending' | 'maybe deleted'][] = [
    ['of one version everywhere is in sync', [[entry('t')], [entry('t')], [entry('t')]], 'synced'],
    ['of two versions is pending', [[entry('t')], [entry('t', 'E2')], [entry('t')]], 'pending'],
    ['without a version on one is pending', [[entry('t')], [entry('t', null)]], 'pending'],
    ['without a version anywhere is pending', [[entry('t', null)], [entry('t', null)]], 'pending'],
    ['that one cluster lacks is pending', [[entry('t')], []], 'pending'],
    ['deleted on one may be deleted', [[entry('t')], [entry('t', 'E1', true)]], 'maybe deleted'],
    ['deleted everywhere may be deleted', [[entry('t', 'E1', true)], [entry('t', 'E1', true)]], 'maybe deleted'],
    ['of which one does not say may be deleted', [[entry('t', 'E1', null)], [entry('t')]], 'maybe deleted'],
    ['counts by its last entry of a list', [[entry('t', 'E9', true), entry('t')], [entry('t')]], 'synced'],
    ['counts once on a list that has it twice', [[entry('t'), entry('t')], []], 'pending'],
  ]
  test.each(cases)('a token %s', (_name, lists, state) => {
    const { total, pending, previouslySynced, maybeDeleted } = indexOf(...lists)
    expect(total).toEqual(['t'])
    expect({ pending, previouslySynced, maybeDeleted: [...maybeDeleted] }).toEqual({
      pending: state === 'synced' ? [] : ['t'],
      previouslySynced: state === 'synced' ? ['t'] : [],
      maybeDeleted: state === 'maybe deleted' ? ['t'] : [],
    })
  })

  test('are counted, without entries that name no token', () => {
    const index = indexOf([entry(''), entry('b'), entry('a'), entry('a')], [])
    expect(index.listed).toEqual({ c0: 2, c1: 0 })
    expect(index.total).toEqual(['a', 'b'])
  })

  test('may name tokens as JavaScript names parts of objects', () => {
    const names = ['__proto__', 'constructor', '10', '9']
    expect(
      indexOf(
        names.map((name) => entry(name)),
        names.map((name) => entry(name)),
      ).previouslySynced,
    ).toEqual(['10', '9', '__proto__', 'constructor'])
  })

  test('add up to what the definition says', () => {
    const anyEntry = fc.record({
      token: fc.constantFrom<string>('', 'a', 'b', 'é', '\u{1F600}', '\uFFFD'),
      etag: fc.constantFrom(null, 'E1', 'E2', ''),
      deleted: fc.constantFrom(true, false, false, null),
    })
    fc.assert(
      fc.property(fc.array(fc.array(anyEntry, { maxLength: 8 }), { minLength: 1, maxLength: 4 }), (lists) => {
        const { total, pending, previouslySynced } = indexOf(...lists)
        const byToken = lists.map((list) => new Map(list.map((one) => [one.token, one])))
        const names = [...new Set(lists.flat().map(({ token }) => token))].filter((token) => token !== '').sort()
        const isSynced = (token: string) => {
          const found = byToken.map((list) => list.get(token))
          const etags = new Set(found.map((one) => one?.etag ?? null))
          if (lists.length < 2) return false
          return found.every((one) => one?.deleted === false) && etags.size === 1 && !etags.has(null)
        }
        expect(total).toEqual(names)
        expect(previouslySynced).toEqual(names.filter(isSynced))
        expect(pending).toEqual(names.filter((token) => !isSynced(token)))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the tokens of one run', () => {
  const pending = ['a', 'b', 'c', 'd', 'e']

  test.each([
    ['all, where there is room', 5, undefined, pending, undefined],
    ['all, wherever the last run ended', 9, 'c', pending, undefined],
    ['the first ones', 2, undefined, ['a', 'b'], 'b'],
    ['those behind the last one', 2, 'b', ['c', 'd'], 'd'],
    ['those behind the last one, though it is not pending any more', 2, 'bb', ['c', 'd'], 'd'],
    ['then those from the beginning', 3, 'd', ['a', 'b', 'e'], 'b'],
    ['the first ones behind the last of all', 2, 'e', ['a', 'b'], 'b'],
  ])('are %s', (_name, limit, after, selected, selectedUpTo) => {
    expect(selectTokens(pending, limit, after)).toEqual({ selected, selectedUpTo })
  })

  test('are another time those that had no turn, though all of them stay pending', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), (count, limit) => {
        const names = Array.from({ length: count }, (_, at) => `t${at}`).sort()
        const reached = new Set<string>()
        let after: string | undefined
        for (let run = 0; run < Math.ceil(count / limit); run++) {
          const { selected, selectedUpTo } = selectTokens(names, limit, after)
          expect(selected).toEqual([...selected].sort())
          expect(selected).toHaveLength(Math.min(limit, count))
          for (const token of selected) reached.add(token)
          after = selectedUpTo
        }
        expect(reached.size).toBe(count)
      }),
    )
  })
})

describe('how much a run may delete', () => {
  test.each([
    [{ count: 0 }, 100, 0],
    [{ count: 7 }, 3, 7],
    [{ percent: 20, atLeast: 5 }, 100, 20],
    [{ percent: 20, atLeast: 5 }, 24, 5],
    [{ percent: 20, atLeast: 5 }, 0, 5],
    [{ percent: 5, atLeast: 0 }, 39, 1],
    [{ percent: 4.56, atLeast: 0 }, 1_250, 57],
    [{ percent: 57, atLeast: 0 }, 100, 57],
    [{ percent: 0, atLeast: 0 }, 100, 0],
    [{ percent: 100, atLeast: 0 }, 7, 7],
  ])('%j of %d tokens is %d', (max, total, allowed) => {
    expect(allowedDeletes(max, total)).toBe(allowed)
  })
})

import { describe, expect, it } from 'vitest'
import { count, formatAgo, formatDuration, formatMoment, formatSpan } from '../../public/model/format.js'

const NOW = Date.UTC(2026, 0, 2, 12, 0, 0)

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [1.44, '1.4 ms'],
    [480.4, '480 ms'],
    [1_000, '1 s'],
    [4_230, '4.2 s'],
    [42_900, '43 s'],
    [59_960, '1 min'],
    [200_000, '3 min 20 s'],
    [3_599_400, '59 min 59 s'],
    [3_599_600, '1 h'],
    [5_400_000, '1 h 30 min'],
    [187_200_000, '2 d 4 h'],
    [-5, '0 ms'],
    [Number.NaN, '–'],
  ])('of %d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('counts in whole seconds where it is watched', () => {
    expect(formatSpan(0)).toBe('0 s')
    expect(formatSpan(999)).toBe('0 s')
    expect(formatSpan(4_999)).toBe('4 s')
  })
})

describe('a moment', () => {
  it.each([
    [null, 'never'],
    [undefined, 'never'],
    ['2026-01-02T12:00:00.400Z', 'now'],
    ['2026-01-02T11:59:48.000Z', '12 s ago'],
    ['2026-01-02T12:03:20.000Z', 'in 3 min 20 s'],
  ])('%s is %s', (moment, text) => {
    expect(formatAgo(moment, NOW)).toBe(text)
  })

  it('has its day when it is another one', () => {
    const where = { locale: 'en-GB', timeZone: 'UTC' }
    expect(formatMoment('2026-01-02T01:02:03Z', NOW, where)).toBe('01:02:03')
    expect(formatMoment('2026-01-01T01:02:03Z', NOW, where)).toBe('1 Jan 2026, 01:02:03')
    expect(formatMoment(null, NOW, where)).toBe('–')
  })
})

it('one thing is one, and others are several', () => {
  expect([count(1, 'row'), count(0, 'row'), count(1_204, 'row')]).toEqual(['1 row', '0 rows', '1,204 rows'])
})

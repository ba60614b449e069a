import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareVersions, maxTimeuuid, minTimeuuid } from '../../src/db/timeuuid.ts'
import {
  cutWindow,
  formatTime,
  isInWindow,
  parseTime,
  planWindow,
  sliceWindow,
  type Window,
} from '../../src/db/window.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const plain = { nowMs: NOW, lagMs: 0, overlapMs: 0 }
const anyWindow = fc
  .tuple(fc.integer({ min: -(10 ** 14), max: 10 ** 14 }), fc.oneof(fc.nat(50), fc.nat(10 ** 14)))
  .map(([beginMs, length]): Window => ({ beginMs, endMs: beginMs + length }))

describe('a time as users write it', () => {
  test.each([
    ['1420070400', 1_420_070_400_000],
    ['1420070400000', 1_420_070_400_000],
    ['0000000001', 1_000],
    ['2015-01-01', 1_420_070_400_000],
    ['2015-01-01T00:00', 1_420_070_400_000],
    ['2015-01-01T00:00:00', 1_420_070_400_000],
    ['2015-01-01T00:00:00Z', 1_420_070_400_000],
    ['2015-01-01 00:00:00z', 1_420_070_400_000],
    ['2015-01-01T02:30:00+02:30', 1_420_070_400_000],
    ['2014-12-31T23:00:00-0100', 1_420_070_400_000],
    ['2015-01-01T01:00:00+01', 1_420_070_400_000],
    ['2015-01-01T00:00:00.1Z', 1_420_070_400_100],
    ['2015-01-01T00:00:00,123Z', 1_420_070_400_123],
    ['2015-01-01T00:00:00.123000000Z', 1_420_070_400_123],
    ['1970-01-01', 0],
    ['1969-12-31T23:59:59.999Z', -1],
    ['0000-02-29', -62_162_121_600_000],
    ['0099-01-01', -59_042_995_200_000],
    ['9999-12-31T23:59:59.999Z', 253_402_300_799_999],
    ['  2015-01-01  ', 1_420_070_400_000],
  ])('%s', (text, ms) => {
    expect(parseTime(text)).toBe(ms)
  })

  test.each([
    '',
    'now',
    '0',
    '2015',
    '2015-01',
    '142007040',
    '14200704000',
    '142007040000',
    '14200704000000',
    '9223372036854775807',
    '-1420070400',
    '1420070400.5',
    '2015-02-29',
    '2015-13-01',
    '2015-00-01',
    '2015-01-00',
    '2015-01-01T24:00:00',
    '2015-01-01T00:60:00',
    '2015-01-01T00:00:60',
    '2015-01-01T00',
    '2015-01-01T00:00:00+24:00',
    '2015-01-01T00:00:00 CET',
    '2015-1-1',
  ])('%j is refused', (text) => {
    expect(() => parseTime(text, 'begin')).toThrow(RangeError)
    expect(() => parseTime(text, 'begin')).toThrow(/^begin ".*" is no time; allowed are ISO 8601 /)
  })

  test('what is finer than a millisecond is refused, and not cut off', () => {
    expect(() => parseTime('2015-01-01T00:00:00.1234Z')).toThrow('finer than a millisecond')
  })

  test('a long text is not repeated in full', () => {
    expect(() => parseTime('x'.repeat(10_000))).toThrow(/^.{0,300}$/)
  })

  test('every moment is read as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), (ms) => {
        expect(parseTime(formatTime(ms))).toBe(ms)
      }),
    )
  })
})

describe('the window of a run', () => {
  test('goes from 1970 to now the first time, and saves its end', () => {
    expect(planWindow(plain)).toEqual({ window: { beginMs: 0, endMs: NOW }, saveEndMs: NOW })
  })

  test('goes from the saved end to now', () => {
    expect(planWindow({ ...plain, savedEndMs: 1_000 })).toEqual({
      window: { beginMs: 1_000, endMs: NOW },
      saveEndMs: NOW,
    })
  })

  test('ends a lag before now and begins an overlap before the saved end', () => {
    expect(planWindow({ nowMs: NOW, lagMs: 5_000, overlapMs: 300, savedEndMs: 1_000 })).toEqual({
      window: { beginMs: 700, endMs: NOW - 5_000 },
      saveEndMs: NOW - 5_000,
    })
  })

  test('has no overlap where there is nothing to overlap', () => {
    expect(planWindow({ ...plain, overlapMs: 300 }).window.beginMs).toBe(0)
  })

  test.each([
    ['begin', { begin: '2015-01-01' }, { beginMs: 1_420_070_400_000, endMs: NOW - 5_000 }],
    ['end', { end: '2015-01-01' }, { beginMs: 700, endMs: 1_420_070_400_000 }],
    ['both', { begin: '1420070400', end: '1420070400001' }, { beginMs: 1_420_070_400_000, endMs: 1_420_070_400_001 }],
  ])('with an explicit %s it is exact there and the saved end stays', (_, explicit, window) => {
    const request = { nowMs: NOW, lagMs: 5_000, overlapMs: 300, savedEndMs: 1_000, ...explicit }
    expect(planWindow(request)).toEqual({ window, saveEndMs: undefined })
  })

  test('is empty, and the saved end stays, where that lies ahead', () => {
    const ahead = planWindow({ ...plain, savedEndMs: NOW + 1 })
    expect(ahead).toEqual({ window: { beginMs: NOW + 1, endMs: NOW + 1 }, saveEndMs: undefined })
    expect(planWindow({ ...plain, savedEndMs: NOW }).saveEndMs).toBeUndefined()
  })

  test('the saved end never moves back, whatever lag and overlap are', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), (nowMs, lagMs, overlapMs, savedEndMs) => {
        const { window, saveEndMs } = planWindow({ nowMs, lagMs, overlapMs, savedEndMs })
        expect(window.beginMs).toBeLessThanOrEqual(window.endMs)
        expect(saveEndMs ?? savedEndMs).toBeGreaterThanOrEqual(savedEndMs)
        if (saveEndMs !== undefined) expect(window.endMs).toBe(saveEndMs)
      }),
    )
  })

  test('a begin after the end is refused', () => {
    expect(() => planWindow({ ...plain, begin: '2015-01-02', end: '2015-01-01' })).toThrow(
      'begin 2015-01-02T00:00:00.000Z is after end 2015-01-01T00:00:00.000Z',
    )
    expect(() => planWindow({ ...plain, savedEndMs: NOW, end: '2015-01-01' })).toThrow('is after end')
    expect(planWindow({ ...plain, begin: '2015-01-01', end: '2015-01-01' }).window).toEqual({
      beginMs: 1_420_070_400_000,
      endMs: 1_420_070_400_000,
    })
  })

  test.each(['begin', 'end'])('an explicit %s that is no time is named', (bound) => {
    expect(() => planWindow({ ...plain, [bound]: 'soon' })).toThrow(`${bound} "soon" is no time`)
  })
})

describe('a window is half-open', () => {
  const window = { beginMs: 1_000, endMs: 2_000 }

  test.each([
    [999, false],
    [1_000, false],
    [1_001, true],
    [2_000, true],
    [2_001, false],
    [Number(2n ** 63n - 1n), false],
  ])('%d ms: %s', (ms, expected) => {
    expect(isInWindow(window, ms)).toBe(expected)
  })

  test('as a range of timeuuids it has the same milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 990, max: 2_010 }), fc.constantFrom(minTimeuuid, maxTimeuuid), (ms, versionAt) => {
        const version = versionAt(ms)
        const isAfterBegin = compareVersions(version, maxTimeuuid(window.beginMs)) > 0
        const isUpToEnd = compareVersions(version, maxTimeuuid(window.endMs)) <= 0
        expect(isAfterBegin && isUpToEnd).toBe(isInWindow(window, ms))
      }),
    )
  })
})

describe('slices of a window', () => {
  const expectTiles = (window: Window, slices: readonly Window[]) => {
    let end = window.beginMs
    for (const slice of slices) {
      expect(slice.beginMs).toBe(end)
      expect(slice.endMs).toBeGreaterThan(slice.beginMs)
      end = slice.endMs
    }
    expect(end).toBe(window.endMs)
  }

  test('in so many parts they lie side by side without a gap and are nearly of one length', () => {
    fc.assert(
      fc.property(anyWindow, fc.integer({ min: 1, max: 300 }), (window, parts) => {
        const slices = cutWindow(window, parts)
        expectTiles(window, slices)
        expect(slices.length).toBe(Math.min(parts, window.endMs - window.beginMs))
        const lengths = slices.map((slice) => slice.endMs - slice.beginMs)
        if (lengths.length > 0) expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('of so many milliseconds likewise', () => {
    fc.assert(
      fc.property(anyWindow, fc.integer({ min: 1, max: 60 }), (window, parts) => {
        const sliceMs = Math.max(1, Math.ceil((window.endMs - window.beginMs) / parts))
        const slices = [...sliceWindow(window, sliceMs)]
        expectTiles(window, slices)
        for (const slice of slices.slice(0, -1)) expect(slice.endMs - slice.beginMs).toBe(sliceMs)
      }),
    )
  })

  test('every millisecond lies in one of them', () => {
    const slices = cutWindow({ beginMs: 0, endMs: 100 }, 7)
    for (let ms = 1; ms <= 100; ms++) expect(slices.filter((slice) => isInWindow(slice, ms)).length).toBe(1)
    expect(slices.some((slice) => isInWindow(slice, 0) || isInWindow(slice, 101))).toBe(false)
  })

  test('a thousand centuries in a million parts lose no millisecond to rounding', () => {
    const window = { beginMs: -(2 ** 51), endMs: 2 ** 51 }
    const slices = cutWindow(window, 1_000_000)
    expect(slices.at(-1)?.endMs).toBe(window.endMs)
    expect(slices.every((slice) => Number.isSafeInteger(slice.endMs))).toBe(true)
  })

  test.each([0, -1, 1.5, Number.NaN])('%d parts, and %d milliseconds, are refused', (count) => {
    expect(() => cutWindow({ beginMs: 0, endMs: 1 }, count)).toThrow(RangeError)
    expect(() => [...sliceWindow({ beginMs: 0, endMs: 1 }, count)]).toThrow(RangeError)
  })
})

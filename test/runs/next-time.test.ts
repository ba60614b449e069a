import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lookForTick, nextTime, type Ticking } from '../../src/runs/next-time.ts'

const at = (text: string) => Date.parse(text)
const times = (cron: string, timeZone: string, from: string, count: number) => {
  const found: string[] = []
  for (let ms = at(from); found.length < count; ) {
    const next = nextTime({ cron, timeZone }, ms)
    if (next === undefined) break
    ms = next
    found.push(new Date(next).toISOString().replace(':00.000Z', 'Z'))
  }
  return found
}

describe('the next moment of a cron expression', () => {
  test.each([
    [
      'every five minutes',
      '*/5 * * * *',
      'UTC',
      '2026-01-01T00:04:59.999Z',
      ['2026-01-01T00:05Z', '2026-01-01T00:10Z'],
    ],
    ['never the moment itself', '*/5 * * * *', 'UTC', '2026-01-01T00:05:00Z', ['2026-01-01T00:10Z']],
    ['with seconds', '30 0 0 * * *', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-01T00:00:30.000Z']],
    [
      'on the days of a zone',
      '0 9 * * 1-5',
      'America/New_York',
      '2026-03-06T15:00Z',
      ['2026-03-09T13:00Z', '2026-03-10T13:00Z'],
    ],
    ['in leap years', '0 0 29 2 *', 'UTC', '2026-01-01T00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
    ['never', '0 0 30 2 *', 'UTC', '2026-01-01T00:00Z', []],
  ])('%s', (_, cron, zone, from, expected) => {
    expect(times(cron, zone, from, expected.length || 1)).toEqual(expected)
  })

  // Berlin: on 29 March 02:00 becomes 03:00 (01:00Z), on 25 October 03:00 becomes 02:00 (01:00Z).
  test.each([
    [
      'comes when clocks are put forward over it',
      '30 2 * * *',
      '2026-03-28T02:00Z',
      ['2026-03-29T01:00Z', '2026-03-30T00:30Z'],
    ],
    [
      'comes once when clocks are put back over it',
      '30 2 * * *',
      '2026-10-24T02:00Z',
      ['2026-10-25T00:30Z', '2026-10-26T01:30Z'],
    ],
    [
      'goes on every half hour when the hour is left out',
      '*/30 * * * *',
      '2026-03-29T00:00Z',
      ['2026-03-29T00:30Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z'],
    ],
    [
      'goes on every half hour when the hour comes twice',
      '*/30 * * * *',
      '2026-10-25T00:00Z',
      ['2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z', '2026-10-25T02:00Z'],
    ],
  ])('%s', (_, cron, from, expected) => {
    expect(times(cron, 'Europe/Berlin', from, expected.length)).toEqual(expected)
  })

  test('is refused for what is no expression', () => {
    expect(() => nextTime({ cron: 'every day', timeZone: 'UTC' }, 0)).toThrow()
  })
})

const HOURLY = { cron: '0 * * * *', timeZone: 'UTC' }
const look = (ticking: Ticking, now: string) => {
  const { isDue, nextAt } = lookForTick(HOURLY, ticking, at(now))
  return [isDue, nextAt === undefined ? undefined : new Date(nextAt).toISOString().slice(11, 16)]
}
const ticking = (lookedAt: string, tickedAt?: string): Ticking => ({
  lookedAt: at(lookedAt),
  tickedAt: tickedAt === undefined ? undefined : at(tickedAt),
})

describe('a look at the clock', () => {
  test.each([
    ['before the tick', ticking('2026-01-01T10:30Z'), '2026-01-01T10:59:59.999Z', [false, '11:00']],
    ['at the tick', ticking('2026-01-01T10:30Z'), '2026-01-01T11:00Z', [true, '12:00']],
    ['after it', ticking('2026-01-01T10:30Z'), '2026-01-01T11:00:07Z', [true, '12:00']],
    ['a second time', ticking('2026-01-01T11:00Z', '2026-01-01T11:00Z'), '2026-01-01T11:01Z', [false, '12:00']],
    ['after a long sleep: one for all', ticking('2026-01-01T10:30Z'), '2026-01-03T05:30Z', [true, '06:00']],
    [
      'put back a little: the tick was meant once',
      ticking('2026-01-01T11:00:05Z', '2026-01-01T11:00:05Z'),
      '2026-01-01T10:59:50Z',
      [false, '12:00'],
    ],
    [
      'put back by much: time comes again',
      ticking('2026-01-01T11:00:05Z', '2026-01-01T11:00:05Z'),
      '2026-01-01T09:59:50Z',
      [false, '10:00'],
    ],
    ['put back before the first tick', ticking('2026-01-01T11:30Z'), '2026-01-01T09:30Z', [false, '10:00']],
  ])('%s', (_, state, now, expected) => {
    expect(look(state, now)).toEqual(expected)
  })

  test('misses no tick and makes none up, whenever it is looked', () => {
    const minute = { cron: '*/7 * * * *', timeZone: 'Europe/Berlin' }
    const start = at('2026-03-28T23:00Z')
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60_000 }), { maxLength: 100 }), (steps) => {
        let state: Ticking = { lookedAt: start, tickedAt: undefined }
        let now = start
        let seen = 0
        for (const step of steps) {
          now += step
          const found = lookForTick(minute, state, now)
          if (found.isDue) seen++
          expect(found.nextAt).toBeGreaterThan(now)
          state = found
        }
        let expected = 0
        for (let ms = nextTime(minute, start); ms !== undefined && ms <= now; ms = nextTime(minute, ms)) expected++
        expect(seen).toBe(expected)
      }),
      { numRuns: 20 },
    )
  })
})

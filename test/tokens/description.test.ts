import { describe, expect, test } from 'vitest'
import {
  compareUrls,
  isDeleted,
  lastUpdateMs,
  previousVersions,
  rootOf,
  toMilliseconds,
  userOf,
  versionOf,
  without,
} from '../../src/tokens/description.ts'
import { writeJson } from '../../src/tokens/json.ts'
import { parsed } from './lib/reads.ts'

const converted = (text: string) => writeJson(toMilliseconds(parsed(text)))

describe('times', () => {
  test.each([
    ['2023-11-14T22:13:20.123Z', 1_700_000_000_123],
    ['2023-11-14T22:13:20Z', 1_700_000_000_000],
    ['2023-11-14T23:13:20.5+01:00', 1_700_000_000_500],
    ['2023-11-14T21:13:20.000-0100', 1_700_000_000_000],
    ['2023-11-14T22:13:20.123999Z', 1_700_000_000_123],
  ])('%s becomes milliseconds', (iso, ms) => {
    expect(converted(`{"last-update-time":"${iso}"}`)).toBe(`{"last-update-time":${ms}}`)
  })

  test('keep their place, at every depth, also below a version that has none', () => {
    const iso = '"1970-01-01T00:00:01.000Z"'
    expect(
      converted(
        `{"z":1.0,"last-update-time":${iso},"previous":{"previous":{"last-update-time":${iso},"a":1},"2":2},"b":3}`,
      ),
    ).toBe('{"z":1.0,"last-update-time":1000,"previous":{"previous":{"last-update-time":1000,"a":1},"2":2},"b":3}')
  })

  test.each(['{}', '{"last-update-time":null}', '{"last-update-time":5}', '{"previous":"x"}', '{"previous":{}}'])(
    '%s stays',
    (text) => expect(converted(text)).toBe(text),
  )

  test.each(['"yesterday"', '"2023-11-14"', '"1700000000000"', '"2023-13-14T22:13:20.000Z"', '""', 'true', '[]'])(
    '%s is no time',
    (time) => {
      expect(() => converted(`{"previous":{"last-update-time":${time}}}`)).toThrow(RangeError)
    },
  )

  test.each([
    ['{}', 0],
    ['{"last-update-time":null}', 0],
    ['{"last-update-time":17}', 17],
  ])('the last of %s is %d', (text, ms) => expect(lastUpdateMs(parsed(text))).toBe(ms))
})

describe('parts of a description', () => {
  const text = '{"a":1,"root":"r","last-update-user":"u","previous":{"b":1,"previous":{"c":1,"previous":{}}}}'

  test('are found, or null', () => {
    expect([rootOf(parsed(text)), userOf(parsed(text))]).toEqual(['r', 'u'])
    expect([rootOf(parsed('{}')), userOf(parsed('{}'))]).toEqual([null, null])
  })

  test('are left out without the order of the others changing', () => {
    expect(writeJson(without(parsed('{"c":1,"b":2,"a":3}'), ['b', 'x']))).toBe('{"c":1,"a":3}')
    expect(writeJson(versionOf(parsed(text)))).toBe('{"a":1,"root":"r","last-update-user":"u"}')
  })

  test('make up the history, newest first; an empty one is none', () => {
    expect(previousVersions(parsed(text)).map(writeJson)).toEqual(['{"b":1}', '{"c":1}'])
    expect(previousVersions(parsed('{"previous":null}'))).toEqual([])
  })

  test.each([
    ['{"deleted":"false"}', true],
    ['{"deleted":0}', true],
    ['{"deleted":false}', false],
    ['{"deleted":null}', false],
    ['{}', false],
  ])('%s: deleted is %s', (deleted, is) => expect(isDeleted(parsed(deleted))).toBe(is))
})

test('order is by UTF-16 code unit', () => {
  expect(['é', 'b', '\u{1F600}', '\uFFFD', 'B', 'a', 'a'].sort(compareUrls)).toEqual([
    'B',
    'a',
    'a',
    'b',
    'é',
    '\u{1F600}',
    '\uFFFD',
  ])
})

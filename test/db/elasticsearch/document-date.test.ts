import { describe, expect, it } from 'vitest'
import { readDateValues, readWrittenDate } from '../../../src/db/elasticsearch/document-date.ts'

describe('the date of a document', () => {
  it.each<[unknown, number | undefined]>([
    [['1700000000123'], 1_700_000_000_123],
    [['1672531200123.456789'], 1_672_531_200_123],
    [['1704067230000.999999'], 1_704_067_230_000],
    [['1', '946684800000'], 946_684_800_000],
    [['-5'], -5],
    [['9223372036854775807'], undefined],
    [[], undefined],
    [undefined, undefined],
    ['1700000000123', undefined],
  ])('%j as the server gives it is %j', (values, ms) => {
    expect(readDateValues(values)).toBe(ms)
  })

  it.each<[unknown, number]>([
    ['2015-01-31T13:30:54.234Z', 1_422_711_054_234],
    ['2015-01-31T13:30:54.2Z', 1_422_711_054_200],
    ['2015-01-31T13:30:54Z', 1_422_711_054_000],
    ['0000-01-01T00:00:00.000Z', -62_167_219_200_000],
    [1_700_000_000_123, 1_700_000_000_123],
  ])('%j as it was written says all by itself', (written, ms) => {
    expect(readWrittenDate(written, true)).toEqual({ kind: 'ms', ms })
    expect(readWrittenDate(written, false)).toEqual({ kind: 'unclear' })
  })

  it.each<unknown>([
    '2015-01-31T13:30:54.2345Z',
    '2015-01-31T13:30:54.234+02:00',
    '2015-02-30T13:30:54.234Z',
    '2015-01-31T24:00:00.000Z',
    '2023',
    2023,
    '1700000000123',
    1_700_000_000_123.7,
    -5,
    ['2015-01-31T13:30:54.234Z'],
    [],
    {},
    true,
  ])('%j as it was written is for the server to tell', (written) => {
    expect(readWrittenDate(written, true)).toEqual({ kind: 'unclear' })
  })

  it('is none where there is none, unless the index puts one in its place', () => {
    for (const written of [null, undefined]) {
      expect(readWrittenDate(written, true)).toEqual({ kind: 'none' })
      expect(readWrittenDate(written, false)).toEqual({ kind: 'unclear' })
    }
  })
})

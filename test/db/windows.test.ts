import { describe, expect, it } from 'vitest'
import { InvalidDbRequest } from '../../src/db/contract.ts'
import { planLegs, spanOf } from '../../src/db/windows.ts'

const NOW = 1_800_000_000_000
const POLICY = { nowMs: NOW, lagMs: 10, overlapMs: 100 }
const OPEN = { window: { beginMs: 500, endMs: 9_000 }, todo: ['b'], total: 2 }

describe('the windows of a run', () => {
  it.each([
    ['all up to now less the lag at first', {}, {}, [{ window: { beginMs: 0, endMs: NOW - 10 }, saveEndMs: NOW - 10 }]],
    [
      'what is new since the saved end less the overlap',
      {},
      { endMs: 5_000 },
      [{ window: { beginMs: 4_900, endMs: NOW - 10 }, saveEndMs: NOW - 10 }],
    ],
    [
      'what is left of the one that is open, then what is new since its end',
      {},
      { endMs: 600, open: OPEN },
      [
        { window: OPEN.window, open: OPEN, saveEndMs: 9_000 },
        { window: { beginMs: 8_900, endMs: NOW - 10 }, saveEndMs: NOW - 10 },
      ],
    ],
    [
      'what is left of the one that is open, though the clock was set back',
      {},
      { open: { ...OPEN, window: { beginMs: 0, endMs: NOW + 5_000 } } },
      [
        {
          window: { beginMs: 0, endMs: NOW + 5_000 },
          open: { ...OPEN, window: { beginMs: 0, endMs: NOW + 5_000 } },
          saveEndMs: NOW + 5_000,
        },
        { window: { beginMs: NOW + 4_900, endMs: NOW + 4_900 }, saveEndMs: undefined },
      ],
    ],
    [
      'the one that was asked for, exactly, whatever is saved or open',
      { begin: '2000000000', end: '2000000000001' },
      { endMs: 5_000, open: OPEN },
      [{ window: { beginMs: 2_000_000_000_000, endMs: 2_000_000_000_001 }, saveEndMs: undefined }],
    ],
  ])('are %s', (_, request, progress, legs) => {
    expect(planLegs(request, progress, POLICY)).toEqual(legs)
  })

  it.each([
    ['begin', { begin: 'x', end: 'y' }],
    ['end', { begin: '2000000000', end: 'y' }],
    ['end', { end: 'y' }],
    ['begin', { begin: '2000000001', end: '2000000000' }],
    ['begin', { begin: '2000000001' }],
  ])('are refused for their %s: %j', (field, request) => {
    const plan = () => planLegs(request, {}, POLICY)
    expect(plan).toThrow(InvalidDbRequest)
    expect(plan).toThrow(expect.objectContaining({ field }))
  })

  it('span from the first begin to the last end', () => {
    const windows = [
      { beginMs: 5, endMs: 9 },
      { beginMs: 2, endMs: 3 },
    ]
    expect(spanOf(windows)).toEqual({ beginMs: 2, endMs: 9 })
    expect(() => spanOf([])).toThrow(RangeError)
  })
})

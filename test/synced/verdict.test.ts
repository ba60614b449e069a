import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TokenState } from '../../src/synced/contract.ts'
import { judge, stateAt } from '../../src/synced/verdict.ts'

const NEVER = Number.POSITIVE_INFINITY

describe('the verdict over the counted replicas', () => {
  const cases: [string, TokenState[], string][] = [
    ['nobody counted is everybody', [], 'Synced'],
    ['all have it', ['present', 'present'], 'Synced'],
    ['two of three is more than half', ['present', 'present', 'absent'], 'Partialy'],
    ['exactly half is not more than half', ['present', 'absent'], 'NotSynced'],
    ['fewer than half', ['present', 'absent', 'absent'], 'NotSynced'],
    ['nobody has it', ['absent'], 'NotSynced'],
    ['one unknown outweighs all that have it', ['present', 'present', 'unknown'], 'Timeout'],
    ['one unknown outweighs all that lack it', ['absent', 'absent', 'unknown'], 'Timeout'],
  ]
  test.each(cases)('%s', (_name, states, status) => {
    expect(judge(states, 'present')).toBe(status)
  })

  test('absence is judged as the mirror of presence', () => {
    const state = fc.constantFrom<TokenState>('present', 'absent', 'unknown')
    const mirror = { present: 'absent', absent: 'present', unknown: 'unknown' } as const
    fc.assert(
      fc.property(fc.array(state), (states) => {
        expect(
          judge(
            states.map((one) => mirror[one]),
            'absent',
          ),
        ).toBe(judge(states, 'present'))
      }),
    )
  })

  test('the order of the replicas changes nothing', () => {
    const state = fc.constantFrom<TokenState>('present', 'absent', 'unknown')
    fc.assert(
      fc.property(fc.array(state), (states) => {
        expect(judge(states.toReversed(), 'present')).toBe(judge(states, 'present'))
      }),
    )
  })
})

describe('the state of one replica at the deadline', () => {
  const at = 1000
  const silentAfterMs = 200
  const cases: [string, Parameters<typeof stateAt>[0], ReturnType<typeof stateAt>][] = [
    ['has it, whatever is under way', { state: 'present', reason: 'pending', waitingSince: 0 }, { state: 'present' }],
    ['lacks it by its last word', { state: 'absent', reason: 'pending', waitingSince: NEVER }, { state: 'absent' }],
    [
      'lacks it while a later probe is not overdue',
      { state: 'absent', reason: 'pending', waitingSince: 800 },
      { state: 'absent' },
    ],
    [
      'is unknown when a later probe is overdue',
      { state: 'absent', reason: 'pending', waitingSince: 799 },
      { state: 'unknown', reason: 'silent' },
    ],
    [
      'is unknown when it was reset last',
      { state: 'unknown', reason: 'reset', waitingSince: NEVER },
      { state: 'unknown', reason: 'reset' },
    ],
    [
      'keeps the better reason while a retry is under way',
      { state: 'unknown', reason: 'refused', waitingSince: 990 },
      { state: 'unknown', reason: 'refused' },
    ],
    [
      'is silent when it never answered',
      { state: 'unknown', reason: 'pending', waitingSince: 0 },
      { state: 'unknown', reason: 'silent' },
    ],
  ]
  test.each(cases)('%s', (_name, observed, expected) => {
    expect(stateAt(observed, 'present', at, silentAfterMs)).toEqual(expected)
  })

  test('having it still is what an overdue probe makes doubtful when it should be gone', () => {
    expect(stateAt({ state: 'present', reason: 'pending', waitingSince: 0 }, 'absent', at, silentAfterMs)).toEqual({
      state: 'unknown',
      reason: 'silent',
    })
    expect(stateAt({ state: 'absent', reason: 'pending', waitingSince: 0 }, 'absent', at, silentAfterMs)).toEqual({
      state: 'absent',
    })
  })
})

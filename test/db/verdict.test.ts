import { describe, expect, test } from 'vitest'
import type { Verdict } from '../../src/db/contract.ts'
import type { Row } from '../../src/db/document.ts'
import type { Misfit } from '../../src/db/store.ts'
import type { Column } from '../../src/db/table.ts'
import { deriveTimeuuid, type Version } from '../../src/db/timeuuid.ts'
import { chooseStep, createDeletedCheck, judge } from '../../src/db/verdict.ts'

const ID = '00000000-0000-4000-8000-000000000001'
/** The window is (100, 200]. */
const WINDOW = { beginMs: 100, endMs: 200 }
const at = (ms: number): Version => deriveTimeuuid(ms, Buffer.alloc(12))
const row = (ms: number, value = 'a'): Row => ({ id: ID, version: at(ms), values: [value] })
const MISFIT: Misfit = { id: ID, reason: 'of no matter' }
const hasSameValues = (a: Row, b: Row): boolean => a.values[0] === b.values[0]

const MIRRORED: Partial<Record<Verdict, Verdict>> = {
  leftNewer: 'rightNewer',
  rightNewer: 'leftNewer',
  onlyLeft: 'onlyRight',
  onlyRight: 'onlyLeft',
}

describe('the verdict on an id', () => {
  type Side = readonly [now: Row | Misfit | undefined, seenMs?: number]
  test.each<[what: string, left: Side, right: Side, verdict: Verdict | undefined]>([
    ['the same version, the same values', [row(150), 150], [row(150), 150], 'equal'],
    ['the same version, other values', [row(150), 150], [row(150, 'b'), 150], 'differs'],
    ['both have moved on together', [row(300), 150], [row(300)], 'equal'],
    ['a newer version in the window', [row(151), 151], [row(150), 150], 'leftNewer'],
    ['a version in the window, one from before it', [row(150), 150], [row(50)], 'leftNewer'],
    ['the end of the window belongs to it', [row(200), 200], [row(100)], 'leftNewer'],
    ['the begin of the window does not', [row(100), 150], [row(50), 150], undefined],
    ['nothing on the other side', [row(150), 150], [undefined], 'onlyLeft'],
    ['deleted on the other side since it was read', [row(150), 150], [undefined, 150], 'onlyLeft'],
    ['overtaken after the end', [row(150), 150], [row(300)], 'equal'],
    ['overtaken after the end, older versions kept', [row(150), 150], [row(300), 120], 'equal'],
    ['one side went on, and what it had of the window is missing', [row(300), 150], [row(120), 120], 'leftNewer'],
    ['one side went on, and the other has nothing at all', [row(300), 150], [undefined], 'onlyLeft'],
    ['one side went on from what the other has', [row(300), 150], [row(150), 150], 'equal'],
    ['deleted on both sides since', [undefined, 150], [undefined, 150], undefined],
    ['deleted since, and the other side has older history', [undefined, 150], [row(50)], undefined],
    ['deleted since, and the other side is newer than the window', [undefined, 150], [row(300)], undefined],
    ['no row can be made of it', [MISFIT], [row(150), 150], 'differs'],
    ['no row can be made of it, and the other side has older history', [MISFIT], [row(50)], 'differs'],
    ['no row can be made of either', [MISFIT], [MISFIT], 'differs'],
    ['no row can be made of it, and the other side has nothing', [MISFIT], [undefined], 'onlyLeft'],
  ])('%s', (_, left, right, verdict) => {
    const holding = ([now, seenMs]: Side) => ({ now, seen: seenMs === undefined ? undefined : at(seenMs) })
    expect(judge(holding(left), holding(right), WINDOW, hasSameValues)).toBe(verdict)
    const mirrored = verdict && (MIRRORED[verdict] ?? verdict)
    expect(judge(holding(right), holding(left), WINDOW, hasSameValues)).toBe(mirrored)
  })
})

describe('a row that is marked as deleted', () => {
  const columns: readonly Column[] = [
    { name: 'a', type: { kind: 'text' } },
    { name: 'gone', type: { kind: 'boolean' } },
    { name: 'json', type: { kind: 'json' } },
    { name: 'when', type: { kind: 'timestamp' } },
  ]
  const values = (gone: boolean | null, json: string | null, when: number | null): Row => ({
    ...{ id: ID, version: at(150), values: ['x', gone, json, when] },
  })

  test.each([
    ['gone', values(true, null, null), true],
    ['gone', values(false, 'true', 1), false],
    ['gone', values(null, 'true', 1), false],
    ['when', values(null, null, 0), true],
    ['when', values(true, 'true', null), false],
    ['json', values(null, 'true', null), true],
    ['json', values(null, '"2026-01-01"', null), true],
    ['json', values(true, 'false', null), false],
    ['json', values(true, 'null', null), false],
    [undefined, values(true, 'true', 1), false],
  ])('by %s', (field, marked, expected) => {
    expect(createDeletedCheck(columns, field)(marked)).toBe(expected)
  })
})

test.each([
  ['none', 'nothing', 'nothing'],
  ['copy', 'copy', 'copy'],
  ['delete-left', 'delete', 'nothing'],
  ['delete-right', 'nothing', 'delete'],
] as const)('repair %s: %s what is only on the left, %s what is only on the right', (repair, left, right) => {
  expect(chooseStep(repair, 'onlyLeft')).toBe(left)
  expect(chooseStep(repair, 'onlyRight')).toBe(right)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRowComparer, type Row } from '../../src/db/document.ts'
import { createRowDigester } from '../../src/db/row-digest.ts'
import type { Column } from '../../src/db/table.ts'
import { deriveTimeuuid } from '../../src/db/timeuuid.ts'
import type { CqlValue } from '../../src/db/values.ts'
import { joinRecords, partitionOf, type Side, writeMisfitRecord, writeRowRecord } from '../../src/db/verify-records.ts'
import { anyType, anyValueOf } from './any-value.ts'

const idOf = (number: number): string => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
const versionAt = (ms: number) => deriveTimeuuid(ms, Buffer.alloc(12))
const record = (side: Side, number: number, ms: number, digest = 0): Buffer =>
  Buffer.from(
    writeRowRecord(
      side,
      { id: idOf(number), version: versionAt(ms), values: [] },
      Buffer.alloc(32, digest),
      Buffer.alloc(64),
    ),
  )

describe('records of both sides', () => {
  test('are equal by version and digest, and candidates otherwise', () => {
    const joined = joinRecords([
      ...[record('left', 1, 10), record('right', 1, 10)],
      ...[record('right', 2, 10, 1), record('left', 2, 10, 2)],
      ...[record('left', 4, 20), record('right', 4, 10)],
      record('left', 3, 30),
      record('right', 5, 30),
    ])
    expect(joined).toEqual({
      equal: 1,
      candidates: [
        { id: idOf(2), left: versionAt(10), right: versionAt(10) },
        { id: idOf(3), left: versionAt(30), right: undefined },
        { id: idOf(4), left: versionAt(20), right: versionAt(10) },
        { id: idOf(5), left: undefined, right: versionAt(30) },
      ],
      strays: [],
    })
  })

  test('count an id once that moved while its side was read, by its newest version', () => {
    for (const left of [
      [record('left', 1, 10, 1), record('left', 1, 20, 2)],
      [record('left', 1, 20, 2), record('left', 1, 10, 1)],
    ])
      expect(joinRecords([...left, record('right', 1, 20, 2)])).toEqual({ equal: 1, candidates: [], strays: [] })
  })

  test('take an id that could not be converted for a candidate, whatever the other side has', () => {
    const { equal, candidates } = joinRecords([
      ...[record('left', 1, 10), writeMisfitRecord('right', idOf(1))],
      ...[writeMisfitRecord('left', idOf(2)), writeMisfitRecord('right', idOf(2))],
    ])
    expect(equal).toBe(0)
    expect(candidates.map(({ id }) => id)).toEqual([idOf(1), idOf(2)])
  })

  test('tell what no row can be: ids that are no uuids', () => {
    const records = [
      ...[writeMisfitRecord('left', 'x'), writeMisfitRecord('right', 'x'), writeMisfitRecord('right', 'é'.repeat(200))],
      ...[
        writeMisfitRecord('left', ''),
        writeMisfitRecord('left', ''),
        writeMisfitRecord('left', idOf(10).toUpperCase()),
      ],
    ]
    expect(joinRecords(records)).toEqual({
      equal: 0,
      candidates: [],
      strays: [
        { id: '', left: 2, right: 0 },
        { id: idOf(10).toUpperCase(), left: 1, right: 0 },
        { id: 'x', left: 1, right: 1 },
        { id: 'é'.repeat(200), left: 0, right: 1 },
      ],
    })
  })

  test('meet in one partition, which numbered ids fill evenly', () => {
    const counts = new Array<number>(256).fill(0)
    for (let number = 0; number < 25_600; number++) {
      const partition = partitionOf(record('left', number, 10), 256)
      expect(partitionOf(record('right', number, 20, 5), 256)).toBe(partition)
      expect(partitionOf(writeMisfitRecord('left', idOf(number)), 256)).toBe(partition)
      counts[partition] = (counts[partition] ?? 0) + 1
    }
    expect(Math.min(...counts)).toBeGreaterThan(50)
    expect(Math.max(...counts)).toBeLessThan(170)
  })
})

test('the digests of two rows are the same exactly when their values are', () => {
  const anyRows = fc.array(anyType, { minLength: 1, maxLength: 3 }).chain((types) => {
    const columns = types.map((type, at): Column => ({ name: `c${at}`, type }))
    const anyRow = fc
      .tuple(...types.map((type): fc.Arbitrary<CqlValue | null> => fc.option(anyValueOf(type))))
      .map((values): Row => ({ id: idOf(1), version: versionAt(10), values }))
    return fc.tuple(fc.constant(columns), anyRow, anyRow)
  })
  fc.assert(
    fc.property(anyRows, ([columns, a, b]) => {
      const isSame = createRowComparer({ name: 't', kind: 'latest', columns })
      const digest = createRowDigester(columns)
      const digestOf = (row: Row) => Buffer.from(digest(row).digest).toString('hex')
      expect(digestOf(a) === digestOf(b)).toBe(isSame(a, b))
      expect(digestOf(a)).toBe(digestOf({ ...a, values: structuredClone(a.values) }))
    }),
  )
})

test('what two columns have is not taken for what one has', () => {
  const columns: readonly Column[] = ['a', 'b'].map((name) => ({ name, type: { kind: 'text' } }))
  const digest = createRowDigester(columns)
  const digestOf = (...values: (string | null)[]) =>
    Buffer.from(digest({ id: idOf(1), version: versionAt(10), values }).digest).toString('hex')
  const all = [
    digestOf('x', null),
    digestOf(null, 'x'),
    digestOf('x\n', ''),
    digestOf('x', '\n'),
    digestOf('', ''),
    digestOf(null, null),
  ]
  expect(new Set(all).size).toBe(all.length)
})

// Values of all types through every store: what is written is what another store object reads.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CqlType } from '../../src/db/cql-types.ts'
import { createRowComparer, type Row } from '../../src/db/document.ts'
import type { Column } from '../../src/db/table.ts'
import { type CqlValue, MAX_INT64, MIN_INT64 } from '../../src/db/values.ts'
import { anyType, anyValueOf } from '../db/any-value.ts'
import { type DbScene, newId, range, rowAt, scanAll, T0, versionAt, writeAll } from './db-bench.ts'

const SCALARS = [
  'ascii',
  'bigint',
  'blob',
  'boolean',
  'date',
  'decimal',
  'double',
  'duration',
  'float',
  'inet',
  'int',
  'smallint',
  'text',
  'time',
  'timestamp',
  'timeuuid',
  'tinyint',
  'uuid',
  'varint',
] as const

/** What chance finds too seldom. */
const EDGES: Readonly<Record<string, Row['values']>> = {
  c_double: [Number.NaN, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  c_float: [-0, Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  c_bigint: [MIN_INT64, MAX_INT64, 2n ** 53n + 1n, 0n],
  c_varint: [MIN_INT64, MAX_INT64, MIN_INT64 - 1n, MAX_INT64 + 1n],
  c_decimal: ['1.10', '0.00', '0E-7', '1E+1000'],
  c_ascii: ['', '1.10', ' 12 ', '"x"'],
  c_text: ['', '9007199254740993', '1e3', '"x"'],
  c_timestamp: [MIN_INT64, MAX_INT64, -1, 0],
}

export function describeTypes(scene: DbScene): void {
  const { kinds, types } = scene.traits
  const [kind = 'latest'] = kinds
  const canHave = types.canHave ?? (() => true)

  function toHeld(columns: readonly Column[], row: Row): Row {
    const { held = (_, value) => value } = types
    return {
      ...row,
      values: columns.map(({ type }, at) => {
        const value = row.values[at] ?? null
        return value === null ? null : held(type, value)
      }),
    }
  }

  async function expectRoundTrip(columns: readonly Column[], rowsOfValues: readonly Row['values'][]): Promise<void> {
    const table = await scene.makeTable(kind, columns)
    const rows = rowsOfValues.map((values, n): Row => ({ id: newId(), version: versionAt(T0 + n), values }))
    await writeAll(table, rows)
    const other = (await scene.open()).openTable(table.table)
    const [scanned, found] = [
      await scanAll(other),
      await other.find(
        rows.map((row) => row.id),
        scene.signal,
      ),
    ]
    expect(scanned.misfits).toEqual([])
    const isSame = createRowComparer(table.table)
    for (const row of rows.map((written) => toHeld(columns, written))) {
      for (const there of [scanned.rows.get(row.id), found.get(row.id)]) {
        if (there === undefined || !('values' in there)) return expect.unreachable(`${row.id} is not there`)
        expect(there.version).toEqual(row.version)
        if (!isSame(there, row)) expect(there.values).toEqual(row.values)
        expect(isSame(there, row)).toBe(true)
      }
    }
  }

  describe('values', () => {
    it('of every scalar type come back as they were', async () => {
      const columns = SCALARS.map((name): Column => ({ name: `c_${name}`, type: { kind: name } }))
      const anyValues = fc.tuple(...columns.map(({ type }) => fc.option(anyValueOf(type), { freq: 12 })))
      const rows = fc.sample(anyValues, { numRuns: 400, seed: 20_250_601 })
      const edges = range(4).map((n) => columns.map(({ name }) => EDGES[name]?.[n] ?? null))
      await expectRoundTrip(columns, [...rows, ...edges])
    })

    it('of any type come back as they were', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyColumn(canHave), { minLength: 1, maxLength: 5 }), async (columns) => {
          const named = columns.map((one, at): Column => ({ name: `c${at}`, type: nameTypes(one.type) }))
          await expectRoundTrip(
            named,
            range(one(columns)).map((n) => columns.map(({ values }) => values[n] ?? null)),
          )
        }),
        { numRuns: types.runs },
      )
    }, 300_000)

    it('that are long come back as they were', async () => {
      const columns: readonly Column[] = [
        { name: 'a', type: { kind: 'text' } },
        { name: 'b', type: { kind: 'blob' } },
        { name: 'c', type: { kind: 'varint' } },
        { name: 'd', type: { kind: 'list', frozen: false, of: { kind: 'text' } } },
      ]
      await expectRoundTrip(columns, [
        ['ä🦉'.repeat(27_000), Buffer.alloc(100_000, 7), 10n ** 400n, range(2_000).map((n) => `item ${n}`)],
        ['x'.repeat(54_000), new Uint8Array(0), -(2n ** 63n) - 1n, ['']],
        [null, null, null, null],
      ])
    })

    it('do not depend on the order of elements in sets and maps', () => {
      const table = { columns: [{ name: 's', type: { kind: 'set', frozen: true, of: { kind: 'int' } } }] } as const
      const isSame = createRowComparer({ name: 't', kind, ...table })
      const [id, version] = [newId(), versionAt(T0)]
      expect(isSame({ ...rowAt(id, version), values: [[1, 2]] }, { ...rowAt(id, version), values: [[2, 1, 2]] })).toBe(
        true,
      )
    })
  })
}

interface AnyColumn {
  readonly type: CqlType
  readonly values: readonly (CqlValue | null)[]
}

function anyColumn(canHave: (type: CqlType) => boolean): fc.Arbitrary<AnyColumn> {
  return anyType
    .filter(canHave)
    .chain((type) =>
      fc
        .array(fc.option(anyValueOf(type), { freq: 8 }), { minLength: 1, maxLength: 6 })
        .map((values) => ({ type, values })),
    )
}

const one = (columns: readonly AnyColumn[]) => Math.max(...columns.map(({ values }) => values.length))

let names = 0

/** The same type, with names of its own for what is defined by users: two of one name may differ. */
function nameTypes(type: CqlType): CqlType {
  switch (type.kind) {
    case 'udt':
      return {
        ...type,
        name: `u${process.pid}_${++names}`,
        fields: type.fields.map((field) => ({ ...field, type: nameTypes(field.type) })),
      }
    case 'list':
    case 'set':
    case 'vector':
      return { ...type, of: nameTypes(type.of) }
    case 'map':
      return { ...type, key: nameTypes(type.key), value: nameTypes(type.value) }
    case 'tuple':
      return { ...type, of: type.of.map(nameTypes) }
    default:
      return type
  }
}

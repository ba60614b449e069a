import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCqlType } from '../../../src/db/cql-types.ts'
import { describeIndex, describeIndexBody, OWN_SHAPE } from '../../../src/db/elasticsearch/mapping.ts'
import { type Table, TableRefusedError } from '../../../src/db/table.ts'
import { anyType } from '../any-value.ts'

const VERSION = 'tmstmp_uuid'
const tableOf = (...columns: Table['columns']): Table => ({ name: 'people', kind: 'latest', columns })
const fieldOf = (type: string) => {
  const body = describeIndexBody(tableOf({ name: 'c', type: parseCqlType(type) }), VERSION)
  return (body['mappings'] as { properties: Record<string, object> }).properties['c']
}
const TEXT = { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } }
const KEPT = { type: 'object', enabled: false }

describe('an index that is made', () => {
  it('has id and version as keywords, tmstmp as a date, and no fields but those of its columns', () => {
    expect(describeIndexBody(tableOf({ name: 'age', type: { kind: 'int' } }), VERSION)).toEqual({
      mappings: {
        dynamic: false,
        properties: {
          ...{ id: { type: 'keyword' }, tmstmp: { type: 'date' }, tmstmp_uuid: { type: 'keyword' } },
          age: { type: 'integer' },
        },
      },
    })
  })

  it.each<[string, object]>([
    ['text', TEXT],
    ['ascii', TEXT],
    ['boolean', { type: 'boolean' }],
    ['tinyint', { type: 'byte' }],
    ['smallint', { type: 'short' }],
    ['bigint', { type: 'long' }],
    ['double', { type: 'double', ignore_malformed: true }],
    ['float', { type: 'float', ignore_malformed: true }],
    ['varint', { type: 'double', ignore_malformed: true }],
    ['decimal', { type: 'double', ignore_malformed: true }],
    ['uuid', { type: 'keyword' }],
    ['timeuuid', { type: 'keyword' }],
    ['time', { type: 'keyword' }],
    ['duration', { type: 'keyword' }],
    ['inet', { type: 'ip', ignore_malformed: true }],
    ['date', { type: 'date', ignore_malformed: true }],
    ['timestamp', { type: 'date', ignore_malformed: true }],
    ['blob', { type: 'binary' }],
    ['list<int>', { type: 'integer' }],
    ['frozen<set<text>>', TEXT],
    ['list<frozen<list<int>>>', KEPT],
    ['map<text, int>', KEPT],
    ['tuple<int, text>', KEPT],
    ['vector<float, 3>', KEPT],
  ])('has %s as what it can be found by', (type, field) => {
    expect(fieldOf(type)).toEqual(field)
  })

  it('takes any type', () => {
    fc.assert(
      fc.property(anyType, (type) => {
        const { mappings } = describeIndexBody(tableOf({ name: 'c', type }), VERSION)
        expect((mappings as { properties: object }).properties).toHaveProperty('c')
      }),
    )
  })

  it('raises the limit of fields for as many columns as there are', () => {
    const columns = Array.from({ length: 1_200 }, (_, at) => ({ name: `c${at}`, type: { kind: 'text' } as const }))
    const { settings } = describeIndexBody(tableOf(...columns), VERSION)
    expect((settings as Record<string, number>)['index.mapping.total_fields.limit']).toBeGreaterThan(2_403)
  })

  it.each(['', ' ', '.', 'a.', '.a', 'a..b', '_id', '_source', '_seq_no', 'id.x', 'tmstmp.x'])(
    'is refused where a column is named %j',
    (name) => {
      const body = () => describeIndexBody(tableOf({ name, type: { kind: 'text' } }), VERSION)
      expect(body).toThrow(TableRefusedError)
      expect(body).toThrow('table people')
    },
  )

  it('is refused where one column would be inside another', () => {
    const both = ['a', 'a.b.c'].map((name) => ({ name, type: { kind: 'text' } as const }))
    expect(() => describeIndexBody(tableOf(...both), VERSION)).toThrow('columns a and a.b.c')
    expect(() => describeIndexBody(tableOf(...both.slice(1)), VERSION)).not.toThrow()
  })
})

describe('an index that is there', () => {
  const describeWith = (properties: object) => describeIndex('people', { mappings: { properties } }, VERSION).shape

  it('is as it was made', () => {
    const table = tableOf({ name: '__proto__', type: { kind: 'int' } }, { name: 'age', type: { kind: 'int' } })
    const described = describeIndex('people', JSON.parse(JSON.stringify(describeIndexBody(table, VERSION))), VERSION)
    expect(described.shape).toEqual(OWN_SHAPE)
    const columns = ['__proto__', 'age'].map((name) => ({ name, type: { kind: 'json' } }))
    expect(described.facts).toEqual({ name: 'people', open: true, kind: 'latest', columns })
  })

  it.each<[string, object, object]>([
    [
      'dates with a format of their own',
      { tmstmp: { type: 'date', format: 'epoch_second' } },
      { hasPlainDates: false },
    ],
    ['dates in place of none', { tmstmp: { type: 'date', null_value: '1970-01-01' } }, { hasPlainDates: false }],
    [
      'the usual format, said',
      { tmstmp: { type: 'date', format: 'strict_date_optional_time||epoch_millis' } },
      { hasPlainDates: true },
    ],
    ['dates of nanoseconds', { tmstmp: { type: 'date_nanos' } }, { dateType: 'date_nanos' }],
    ['the version as text', { tmstmp_uuid: { type: 'text' } }, { hasVersionValues: false }],
    ['the version cut off', { tmstmp_uuid: { type: 'keyword', ignore_above: 20 } }, { hasVersionValues: false }],
    ['the id as text', { id: { type: 'text' } }, { idField: undefined }],
    [
      'the id as text and keyword',
      { id: { type: 'text', fields: { raw: { type: 'keyword' } } } },
      { idField: 'id.raw' },
    ],
    ['no id', {}, { idField: undefined, hasVersionValues: false }],
  ])('has %s', (_, properties, shape) => {
    expect(describeWith({ tmstmp: { type: 'date' }, ...properties })).toMatchObject(shape)
  })
})

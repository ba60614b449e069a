import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CqlType,
  CqlTypeError,
  formatCqlType,
  hasCounter,
  parseCqlType,
  type UdtDefinition,
} from '../../src/db/cql-types.ts'
import { anyType } from './any-value.ts'

const udts = new Map<string, UdtDefinition>([
  ['address', { fieldNames: ['street', 'zip'], fieldTypes: ['text', 'frozen<list<int>>'] }],
  ['My "Type"', { fieldNames: ['in'], fieldTypes: ['frozen<address>'] }],
  ['int', { fieldNames: ['a'], fieldTypes: ['text'] }],
  ['loop', { fieldNames: ['again'], fieldTypes: ['frozen<loop>'] }],
  ['broken', { fieldNames: ['a', 'b'], fieldTypes: ['text'] }],
])
const int = { kind: 'int' } as const
const text = { kind: 'text' } as const

describe('the name of a type', () => {
  test.each<[string, CqlType]>([
    ['int', int],
    ['varchar', text],
    ['TEXT', text],
    [' timeuuid ', { kind: 'timeuuid' }],
    ['list<int>', { kind: 'list', frozen: false, of: int }],
    ['frozen<set<text>>', { kind: 'set', frozen: true, of: text }],
    ['map<text,int>', { kind: 'map', frozen: false, key: text, value: int }],
    ['vector<float, 3>', { kind: 'vector', of: { kind: 'float' }, dimension: 3 }],
    [
      'frozen<map<text, list<frozen<tuple<int, text>>>>>',
      {
        kind: 'map',
        frozen: true,
        key: text,
        value: { kind: 'list', frozen: false, of: { kind: 'tuple', of: [int, text] } },
      },
    ],
    ['"int"', { kind: 'udt', frozen: false, name: 'int', fields: [{ name: 'a', type: text }] }],
    [
      'frozen<"My ""Type""">',
      {
        kind: 'udt',
        frozen: true,
        name: 'My "Type"',
        fields: [
          {
            name: 'in',
            type: {
              kind: 'udt',
              frozen: true,
              name: 'address',
              fields: [
                { name: 'street', type: text },
                { name: 'zip', type: { kind: 'list', frozen: true, of: int } },
              ],
            },
          },
        ],
      },
    ],
  ])('%s', (name, type) => {
    expect(parseCqlType(name, udts)).toEqual(type)
  })

  test.each([
    ['', 'has nothing where a type is expected'],
    ['strange', 'has "strange", which is no type of the keyspace'],
    ['"Address"', 'has "Address", which is no type of the keyspace'],
    ['list<int', 'has nothing where ">" is expected'],
    ['list<>', 'has ">" where a type is expected'],
    ['int>', 'has ">" after its end'],
    ['map<int>', 'has ">" where "," is expected'],
    ['int<text>', 'has "int", which takes no types'],
    ['vector<float, x>', 'has "x" where a number of dimensions is expected'],
    ['vector<float, 0>', 'a number of dimensions is expected'],
    ['int;', 'cannot be read from character 3 on'],
    ["'org.apache.cassandra.db.marshal.DynamicCompositeType(s=>x)'", 'is the class'],
    ['frozen<loop>', 'more than 64 types in one another'],
    ['broken', 'type "" has nothing where a type is expected'],
    [`${'list<'.repeat(100)}int${'>'.repeat(100)}`, 'more than 64 types in one another'],
  ])('%j is refused: %s', (name, message) => {
    expect(() => parseCqlType(name, udts)).toThrow(CqlTypeError)
    expect(() => parseCqlType(name, udts)).toThrow(message)
  })

  test('every type is read as it is written', () => {
    fc.assert(
      fc.property(anyType, (type) => {
        const definitions = new Map<string, UdtDefinition>()
        fc.pre(collect(type, definitions))
        expect(parseCqlType(formatCqlType(type), definitions)).toEqual(type)
      }),
    )
  })
})

test('a counter is found wherever it is', () => {
  expect(hasCounter(parseCqlType('counter'))).toBe(true)
  expect(hasCounter(parseCqlType('map<int, frozen<tuple<text, vector<counter, 2>>>>'))).toBe(true)
  expect(hasCounter(parseCqlType('map<int, frozen<list<text>>>'))).toBe(false)
})

/** Puts the definitions of the user-defined types in a type into a keyspace; false where two have the same name. */
function collect(type: CqlType, definitions: Map<string, UdtDefinition>): boolean {
  switch (type.kind) {
    case 'list':
    case 'set':
    case 'vector':
      return collect(type.of, definitions)
    case 'map':
      return collect(type.key, definitions) && collect(type.value, definitions)
    case 'tuple':
      return type.of.every((one) => collect(one, definitions))
    case 'udt': {
      if (definitions.has(type.name)) return false
      definitions.set(type.name, {
        fieldNames: type.fields.map((field) => field.name),
        fieldTypes: type.fields.map((field) => formatCqlType(field.type)),
      })
      return type.fields.every((field) => collect(field.type, definitions))
    }
    default:
      return true
  }
}

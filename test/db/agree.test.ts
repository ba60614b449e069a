import { describe, expect, it } from 'vitest'
import { type AgreeOptions, agreeOnTables } from '../../src/db/agree.ts'
import { type CqlType, parseCqlType } from '../../src/db/cql-types.ts'
import type { StoreKind, TableFacts } from '../../src/db/store.ts'
import { type TableKind, TableRefusedError } from '../../src/db/table.ts'

type Spec = Readonly<Record<string, Readonly<Record<string, string>>>>
const UDTS = new Map([['point', { fieldNames: ['x'], fieldTypes: ['int'] }]])
const JSON_TYPE: CqlType = { kind: 'json' }

function typed(spec: Spec, kind: TableKind = 'latest'): Map<string, TableFacts> {
  return new Map(
    Object.entries(spec).map(([name, columns]) => [
      name,
      {
        name,
        open: false,
        kind,
        columns: Object.entries(columns).map(([column, type]) => ({
          name: column,
          type: type === 'json' ? JSON_TYPE : parseCqlType(type, UDTS),
        })),
      },
    ]),
  )
}
function open(spec: Readonly<Record<string, readonly string[]>>): Map<string, TableFacts> {
  return new Map(
    Object.entries(spec).map(([name, columns]) => [
      name,
      { name, open: true, kind: 'latest', columns: columns.map((column) => ({ name: column, type: JSON_TYPE })) },
    ]),
  )
}
const refused = (name: string) =>
  new Map<string, TableFacts>([[name, { name, refused: new TableRefusedError(name, 'it has no column id') }]])

const kinds = (leftKind: StoreKind, rightKind: StoreKind, change: Partial<AgreeOptions> = {}): AgreeOptions => ({
  names: 'all',
  leftKind,
  rightKind,
  policy: { onUnknownField: 'fail' },
  ...change,
})
/** `name made-on column type, …`: an agreement in a line. */
const lines = (...[left, right, options]: Parameters<typeof agreeOnTables>) =>
  agreeOnTables(left, right, options).map((one) => {
    expect(one.left.columns).toEqual(one.right.columns)
    expect([one.left.name, one.right.name]).toEqual([one.name, one.name])
    const columns = one.left.columns.map(({ name, type }) => `${name} ${type.kind}`).join(', ')
    return `${one.name}: ${one.left.kind}-${one.right.kind} ${one.create ?? 'both'}; ${columns}`
  })

const CASES: readonly (readonly [string, ...Parameters<typeof agreeOnTables>, readonly string[]])[] = [
  [
    'a typed side rules which tables there are, and their columns',
    typed({ b: { x: 'int' }, a: {} }),
    open({ c: ['y'], b: ['y', 'x'] }),
    kinds('cassandra', 'elasticsearch'),
    ['a: latest-latest right; ', 'b: latest-latest both; x int'],
  ],
  [
    'on whichever side it is',
    open({ c: ['y'], b: ['y'] }),
    typed({ b: { x: 'int' } }),
    kinds('elasticsearch', 'sqlite'),
    ['b: latest-latest both; x int'],
  ],
  [
    'an index that is refused counts for nothing where no table has its name',
    typed({ a: {} }),
    refused('b'),
    kinds('cassandra', 'elasticsearch'),
    ['a: latest-latest right; '],
  ],
  [
    'two indexes give all that either has, as JSON',
    open({ a: ['x', 'z'], b: [] }),
    open({ a: ['y', 'x'], c: ['q'] }),
    kinds('elasticsearch', 'elasticsearch'),
    ['a: latest-latest both; x json, y json, z json', 'b: latest-latest right; ', 'c: latest-latest left; q json'],
  ],
  [
    'two typed sides give the tables of either, as far as they can be made',
    typed({ a: { x: 'int' }, b: { x: 'int' } }, 'versions'),
    typed({ a: { x: 'int' } }),
    kinds('cassandra', 'sqlite'),
    ['a: versions-latest both; x int', 'b: versions-versions right; x int'],
  ],
  [
    'a table of every version has one document an id in an index',
    typed({ a: {} }, 'versions'),
    open({}),
    kinds('sqlite', 'elasticsearch'),
    ['a: versions-latest right; '],
  ],
  [
    'columns of one typed side are left out where that is asked for',
    typed({ a: { x: 'int', y: 'text' } }),
    typed({ a: { y: 'text', z: 'text' } }),
    kinds('sqlite', 'sqlite', { policy: { onUnknownField: 'ignore' } }),
    ['a: latest-latest both; y text'],
  ],
  [
    'names choose, whatever their order and however often they come',
    typed({ a: {}, b: {}, c: {} }),
    open({}),
    kinds('cassandra', 'elasticsearch', { names: ['c', 'a', 'c'] }),
    ['a: latest-latest right; ', 'c: latest-latest right; '],
  ],
  [
    'a table of SQLite is made from an index that is named',
    typed({}),
    open({ a: ['x'], b: ['y'] }),
    kinds('sqlite', 'elasticsearch', { names: ['a'] }),
    ['a: latest-latest left; x json'],
  ],
  ['nothing is agreed on nothing', typed({}), open({ a: [] }), kinds('cassandra', 'elasticsearch'), []],
  [
    'what says that a row is deleted is a column as any other',
    typed({ a: { gone: 'boolean' } }),
    open({}),
    kinds('cassandra', 'elasticsearch', { deletedField: 'gone' }),
    ['a: latest-latest right; gone boolean'],
  ],
  [
    'types are the same with all that is in them',
    typed({ a: { x: 'map<text, frozen<list<point>>>' } }),
    typed({ a: { x: 'map<text, frozen<list<point>>>' } }),
    kinds('sqlite', 'cassandra'),
    ['a: latest-latest both; x map'],
  ],
]

const otherPoint: TableFacts = {
  name: 'a',
  open: false,
  kind: 'latest',
  columns: [{ name: 'x', type: { kind: 'udt', frozen: false, name: 'point', fields: [] } }],
}
const REFUSALS: readonly (readonly [string, ...Parameters<typeof agreeOnTables>, string])[] = [
  [
    'a name that neither side has',
    typed({ a: {}, c: {} }),
    open({ b: [] }),
    kinds('cassandra', 'elasticsearch', { names: ['z', 'a'] }),
    'table z cannot be synced: neither side has it; there are a, b, c',
  ],
  [
    'a name where there is nothing at all',
    typed({}),
    open({}),
    kinds('cassandra', 'elasticsearch', { names: ['z'] }),
    'table z cannot be synced: neither side has it',
  ],
  [
    'a name among many, which it does not list all',
    typed(Object.fromEntries(Array.from({ length: 22 }, (_, at) => [`t${at + 10}`, {}]))),
    open({}),
    kinds('cassandra', 'elasticsearch', { names: ['z'] }),
    `table z cannot be synced: neither side has it; there are ${Array.from({ length: 20 }, (_, at) => `t${at + 10}`).join(', ')} and 2 more`,
  ],
  [
    'what the typed side refuses',
    refused('a'),
    open({}),
    kinds('cassandra', 'elasticsearch'),
    'table a cannot be synced: it has no column id',
  ],
  [
    'an index that is refused',
    typed({ a: {} }),
    refused('a'),
    kinds('cassandra', 'elasticsearch'),
    'table a cannot be synced: it has no column id',
  ],
  [
    'a table that Cassandra does not have',
    open({ a: [] }),
    typed({}),
    kinds('elasticsearch', 'cassandra', { names: ['a'] }),
    'table a cannot be synced: Cassandra does not have it, where a sync makes no tables',
  ],
  [
    'one that is on the other typed side alone',
    typed({ a: {} }),
    typed({}),
    kinds('sqlite', 'cassandra'),
    'table a cannot be synced: Cassandra does not have it, where a sync makes no tables',
  ],
  [
    'a column on the left alone',
    typed({ a: { x: 'int', y: 'int' } }),
    typed({ a: { y: 'int' } }),
    kinds('sqlite', 'cassandra'),
    'table a cannot be synced: column x is on the left side (sqlite) alone',
  ],
  [
    'a column on the right alone',
    typed({ a: { y: 'int' } }),
    typed({ a: { x: 'int', y: 'int' } }),
    kinds('sqlite', 'cassandra'),
    'table a cannot be synced: column x is on the right side (cassandra) alone',
  ],
  [
    'columns of different types',
    typed({ a: { x: 'int' } }),
    typed({ a: { x: 'list<bigint>' } }),
    kinds('sqlite', 'cassandra', { policy: { onUnknownField: 'ignore' } }),
    'table a cannot be synced: column x is int on the left and list<bigint> on the right',
  ],
  [
    'JSON where the other side has a type',
    typed({ a: { x: 'json' } }),
    typed({ a: { x: 'text' } }),
    kinds('sqlite', 'cassandra'),
    'table a cannot be synced: column x is json on the left and text on the right',
  ],
  [
    'types of one name and other fields',
    typed({ a: { x: 'point' } }),
    new Map([['a', otherPoint]]),
    kinds('sqlite', 'cassandra'),
    'table a cannot be synced: column x is point on both sides, whose fields differ',
  ],
  [
    'a table without the column that says what is deleted',
    typed({ a: {} }),
    open({ a: ['gone'] }),
    kinds('cassandra', 'elasticsearch', { deletedField: 'gone' }),
    'table a cannot be synced: it has no column gone, which is to say what is deleted',
  ],
  [
    'one that has it on one side alone, left out',
    typed({ a: { gone: 'boolean' } }),
    typed({ a: {} }),
    kinds('sqlite', 'cassandra', { deletedField: 'gone', policy: { onUnknownField: 'ignore' } }),
    'table a cannot be synced: it has no column gone, which is to say what is deleted',
  ],
]

describe('what both sides of a table agree on', () => {
  it.each(CASES)('%s', (_, left, right, options, expected) => {
    expect(lines(left, right, options)).toEqual(expected)
  })

  it.each(REFUSALS)('refuses %s', (_, left, right, options, message) => {
    expect(() => agreeOnTables(left, right, options)).toThrow(
      expect.objectContaining({ name: 'TableRefusedError', message }),
    )
  })
})

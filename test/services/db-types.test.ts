// Every type of Cassandra goes to a real Elasticsearch and from there into another keyspace, and is what it was.
import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { sync, useDbServers } from './lib/db-bench.ts'
import { tieOf, timeuuidOf } from './lib/db-versions.ts'

const bench = useDbServers()
const THEN = Date.UTC(2024, 4, 1)
const LONG = `'${'ä'.repeat(27_000)}'`

/** A type, and values of it as CQL writes them. */
const TYPES: readonly (readonly [string, readonly string[]])[] = [
  ['ascii', [`'plain'`, `''`]],
  ['text', [`'ä "quoted" \\ \u0001 \u{1f600}'`, `''`, `'null'`, LONG]],
  ['boolean', ['true', 'false']],
  ['tinyint', ['-128', '127']],
  ['smallint', ['-32768', '32767']],
  ['int', ['-2147483648', '2147483647', '0']],
  ['bigint', ['-9223372036854775808', '9223372036854775807', '9007199254740993']],
  ['varint', ['0', `-${'9'.repeat(60)}`, `1${'0'.repeat(400)}`]],
  ['decimal', ['0.10', '0.1', '1E-30', '-1.5E+40', '100', '1E2', '0E-7']],
  ['double', ['NaN', 'Infinity', '-Infinity', '-0.0', '1.7976931348623157E308', '5E-324', '3']],
  ['float', ['NaN', '-Infinity', '-0.0', '3.4028235E38', '1.4E-45', '0.1']],
  ['blob', ['0x', '0x00ff10', `0x${'ab'.repeat(5_000)}`]],
  ['uuid', ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-4fff-bfff-ffffffffffff']],
  ['timeuuid', ['50554d6e-29bb-11e5-b345-feff819cdc9f']],
  ['inet', [`'127.0.0.1'`, `'::1'`, `'2001:db8::ff00:42:8329'`]],
  ['date', [`'2015-01-31'`, `'-0044-03-15'`, '0', '4294967295']],
  ['time', [`'13:30:54.234567891'`, '0', '86399999999999']],
  ['timestamp', [`'2015-01-31T13:30:54.234Z'`, '-1', '0', '9223372036854775807']],
  ['duration', ['1y2mo3d4h5m6s7ms8us9ns', '-23mo', '0s', '1ns']],
  ['list<int>', ['[]', '[1, 1, 2]']],
  ['set<text>', ['{}', `{'b', 'a', ''}`]],
  [
    'map<text, bigint>',
    ['{}', `{'': 1, '.': 2, '__proto__': 9223372036854775807, 'constructor': 3, 'a.b': 4, '..': 5}`],
  ],
  ['map<int, frozen<list<text>>>', [`{1: ['a'], -2: []}`]],
  ['frozen<list<frozen<set<int>>>>', ['[]', '[{}, {1, 2}]']],
  ['frozen<map<timeuuid, double>>', ['{50554d6e-29bb-11e5-b345-feff819cdc9f: -0.0}']],
  ['tuple<int, text, double>', [`(1, 'a', NaN)`, `(null, '', null)`]],
  ['place', [`{name: 'here', tags: {'a'}}`, '{name: null, tags: {}}']],
  ['frozen<place>', [`{name: '', tags: null}`]],
  ['list<frozen<tuple<decimal, frozen<place>>>>', [`[(1.10, {name: 'x'}), (null, null)]`]],
  ['vector<float, 3>', ['[1, -0.0, 3.5]']],
]

it.each(['(id, tmstmp)', '(id)'])('brings all types there and back, PRIMARY KEY %s', async (key) => {
  const columns = TYPES.map(([type], at) => `c${at} ${type}`).join(', ')
  const type = 'CREATE TYPE {keyspace}.place (name text, tags frozen<set<text>>)'
  const tables = { all_types: `${type}; (id uuid, tmstmp timeuuid, ${columns}, PRIMARY KEY ${key})` }
  await using from = await bench.open({ tables })
  await using to = await bench.open({ tables })
  let rows = 0
  for (const [at, [, values]] of TYPES.entries())
    for (const value of values) {
      const version = timeuuidOf(THEN + rows++, 5, tieOf(Math.random))
      const into = `${from.scene.name}.all_types (id, tmstmp, c${at})`
      await from.scene.cql(`INSERT INTO ${into} VALUES (${randomUUID()}, ${version}, ${value})`)
    }
  const there = await from.sync('--direction', 'left-to-right')
  expect(there).toMatchObject({ code: 0, report: { counts: { read: rows, applied: rows, failed: 0 } } })
  const addresses = ['--cassandra', to.scene.contactPoint, '--elasticsearch', to.scene.url]
  const back = await sync(to.scene, ['-k', to.scene.name, '-i', from.scene.name, ...addresses])
  expect(back).toMatchObject({ code: 0, report: { counts: { applied: rows, failed: 0 } } })
  const read = async ({ scene }: typeof from) => {
    const all = await scene.rows(`SELECT JSON * FROM ${scene.name}.all_types`)
    return all.map((row) => String(row['[json]'])).sort()
  }
  expect(await read(to)).toEqual(await read(from))
  // And once more the other way: nothing has changed on the way.
  expect((await from.sync('-b', '2024-01-01')).report.counts).toMatchObject({ applied: 0, equal: 2 * rows })
})

// A real Cassandra for the suite of stores, and a user who writes with the driver.
import { Client } from 'cassandra-driver'
import { openCassandraStore } from '../../../src/db/cassandra/cassandra.ts'
import { type CqlType, formatCqlType, partsOf, quoteName } from '../../../src/db/cql-types.ts'
import type { CqlValue } from '../../../src/db/values.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import type { DbBench, UserRow } from '../../conformance/db-bench.ts'
import { startCassandra } from './cassandra.ts'

const KEYSPACE = 'suite'
const REQUEST_MS = 60_000
/** What Cassandra tells apart as we do, inside a set or as a key: 1.0 and 1.00 are one decimal to it, durations have no order. */
const ORDERED = [
  ...['ascii', 'bigint', 'blob', 'boolean', 'date', 'inet', 'int', 'smallint', 'text', 'time', 'timestamp'],
  ...['tinyint', 'uuid', 'varint'],
]

export async function openCassandraBench(): Promise<DbBench> {
  const server = await startCassandra()
  const client = new Client({
    contactPoints: [`${server.host}:${server.port}`],
    localDataCenter: server.dataCenter,
    socketOptions: { readTimeout: REQUEST_MS },
  })
  await client.connect()
  await client.execute(
    `CREATE KEYSPACE ${KEYSPACE} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
  )
  const nameOf = (table: string) => `${KEYSPACE}.${quoteName(table)}`
  const execute = (cql: string, values: readonly unknown[]) => client.execute(cql, [...values], { prepare: true })
  return {
    open: (policy) =>
      openCassandraStore({
        contactPoints: [`${server.host}:${server.port}`],
        keyspace: KEYSPACE,
        policy,
        clock: systemClock,
        random: Math.random,
        requestTimeoutMs: REQUEST_MS,
        retryForMs: REQUEST_MS,
      }),
    makeTable: async ({ name, kind, columns }) => {
      for (const { type } of columns) for (const statement of describeTypes(type)) await client.execute(statement)
      const others = columns.map((column) => `${quoteName(column.name)} ${formatCqlType(column.type)}, `).join('')
      const key = kind === 'latest' ? '(id)' : '(id, tmstmp)'
      await client.execute(`CREATE TABLE ${nameOf(name)} (id uuid, tmstmp timeuuid, ${others}PRIMARY KEY ${key})`)
    },
    hasTable: async (name) => {
      const cql = 'SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?'
      return (await execute(cql, [KEYSPACE, name])).rowLength > 0
    },
    put: async ({ name }, { id, tmstmp, note }) => {
      await execute(`INSERT INTO ${nameOf(name)} (id, tmstmp, note) VALUES (?, ?, ?)`, [id, tmstmp, note])
    },
    get: async ({ name }, id) => {
      const { rows } = await execute(`SELECT id, tmstmp, note FROM ${nameOf(name)} WHERE id = ?`, [id])
      return rows.map((row): UserRow => ({ id: `${row['id']}`, tmstmp: `${row['tmstmp']}`, note: row['note'] }))
    },
    delete: async ({ name }, id) => {
      await execute(`DELETE FROM ${nameOf(name)} WHERE id = ?`, [id])
    },
    [Symbol.asyncDispose]: async () => {
      await client.shutdown()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** True for types that Cassandra has too, and whose values it does not take for one another. */
export function canBeInCassandra(type: CqlType): boolean {
  if (type.kind === 'set' && !ORDERED.includes(type.of.kind)) return false
  if (type.kind === 'map' && !ORDERED.includes(type.key.kind)) return false
  if (type.kind === 'udt' && type.fields.some((field) => field.name === '')) return false
  return partsOf(type).every(canBeInCassandra)
}

/**
 * What Cassandra makes of a value: it reads collections as its own objects, to which an IPv4 address that is written as IPv6 is one of
 * IPv4, and leaves all else as the bytes that came. See db-cassandra.test.ts.
 */
export function heldByCassandra(type: CqlType, value: CqlValue): CqlValue {
  return type.kind === 'list' || type.kind === 'set' || type.kind === 'map' ? readByCassandra(type, value) : value
}

function readByCassandra(type: CqlType, value: CqlValue): CqlValue {
  if (type.kind === 'inet') return String(value).replace(/^::ffff:(?=.*\.)/, '')
  if (!Array.isArray(value)) return value
  const parts: readonly CqlValue[] = value
  switch (type.kind) {
    case 'list':
    case 'set':
    case 'vector':
      return parts.map((part) => readByCassandra(type.of, part))
    case 'map':
      return value.map(([key, held]) => [readByCassandra(type.key, key), readByCassandra(type.value, held)])
    default:
      return value
  }
}

/** Statements for the user-defined types in a type, what is inside first. */
function describeTypes(type: CqlType): readonly string[] {
  const inner = partsOf(type).flatMap(describeTypes)
  if (type.kind !== 'udt') return inner
  const fields = type.fields.map((field) => `${quoteName(field.name)} ${formatCqlType(field.type)}`)
  return [...inner, `CREATE TYPE ${KEYSPACE}.${quoteName(type.name)} (${fields.join(', ')})`]
}

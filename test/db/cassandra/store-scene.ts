// A store over a fake node with a table in it, and rows for it.
import { randomBytes } from 'node:crypto'
import { expect, onTestFinished } from 'vitest'
import { openCassandraStore } from '../../../src/db/cassandra/cassandra.ts'
import type { Row } from '../../../src/db/document.ts'
import type { Outcome, Store, StoreTable } from '../../../src/db/store.ts'
import { microsOf, type Version, writeTimeuuid } from '../../../src/db/timeuuid.ts'
import { formatUuid } from '../../../src/db/uuid-bytes.ts'
import { type Clock, systemClock } from '../../../src/lib/clock.ts'
import { POLICY, range, rowAt, T0, versionAt, writeAll } from '../../conformance/db-bench.ts'
import type { FakeNode, FakeRequest } from './fake-node.ts'
import { FakeTable, type FakeTableOptions, KEYSPACE, TABLE } from './fake-table.ts'

export const none = new AbortController().signal
export const KINDS = ['latest', 'versions'] as const
export const NOTE = { name: 'note', type: { kind: 'text' } } as const

export interface Scene {
  readonly fake: FakeTable
  readonly node: FakeNode
  readonly store: Store
  readonly table: StoreTable
}

export async function setUp(options: FakeTableOptions, clock: Clock = systemClock): Promise<Scene> {
  const fake = new FakeTable(options)
  const node = await fake.start()
  const store = await openCassandraStore({
    contactPoints: [`127.0.0.1:${node.port}`],
    keyspace: KEYSPACE,
    policy: POLICY,
    clock,
    random: () => 0.01,
    retryForMs: 3_000,
    requestTimeoutMs: 2_000,
  })
  onTestFinished(async () => {
    await store[Symbol.asyncDispose]()
    await node[Symbol.asyncDispose]()
  })
  return { fake, node, store, table: store.openTable({ name: TABLE, kind: options.kind, columns: [NOTE] }) }
}

export const newId = (): Buffer => randomBytes(16)
export const bytesOf = (version: Version): Buffer => {
  const bytes = Buffer.alloc(16)
  writeTimeuuid(version, bytes)
  return bytes
}

export function fill(fake: FakeTable, rows: readonly Row[], writetime?: bigint): void {
  for (const { id, version, values } of rows)
    fake.put(
      Buffer.from(id.replaceAll('-', ''), 'hex'),
      bytesOf(version),
      values[0] as string,
      writetime ?? microsOf(version),
    )
}

export const someRows = (count: number, at = T0): readonly Row[] =>
  range(count).map((n) => rowAt(formatUuid(newId()), versionAt(at + n), `note ${n}`))

export async function outcomes(table: StoreTable, rows: readonly Row[]): Promise<readonly Outcome[]> {
  const written = await writeAll(table, rows)
  return rows.map((row) => written.get(row.id)?.outcome ?? expect.unreachable())
}

export const isData = ({ kind, statements: [statement] }: FakeRequest): boolean =>
  (kind === 'EXECUTE' || kind === 'QUERY') && statement?.cql.includes(`"${KEYSPACE}"."${TABLE}"`) === true

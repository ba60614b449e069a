// A SQLite file for the suite of stores, and a user with a connection of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { formatCqlType } from '../../src/db/cql-types.ts'
import { openSqliteStore } from '../../src/db/sqlite/sqlite.ts'
import type { PairPolicy, Store } from '../../src/db/store.ts'
import type { Table } from '../../src/db/table.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type DbBench, POLICY, type UserRow } from '../conformance/db-bench.ts'

/** In whose words tables are made: those of a sync, or those of a user, who makes no index by time. */
export type Maker = 'sync' | 'user'

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

export function openFile(path: string, policy: PairPolicy = POLICY, retryForMs = 20_000): Promise<Store> {
  return openSqliteStore({ path, policy, clock: systemClock, random: Math.random, retryForMs })
}

export async function openSqliteBench(maker: Maker): Promise<DbBench & { readonly path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'syncer-db-'))
  const path = join(folder, 'data.db')
  const database = new DatabaseSync(path, { timeout: 20_000 })
  return {
    path,
    open: (policy) => openFile(path, policy),
    makeTable: async (table) => {
      await using store = await openFile(path)
      // It knows the user-defined types, which are made with the table.
      await store.createTable(table, new AbortController().signal)
      if (maker === 'sync') return
      database.exec(`DROP TABLE ${quote(table.name)}`)
      database.exec(describeTable(table))
    },
    hasTable: async (name) => database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined,
    put: async ({ name }, { id, tmstmp, note }) => {
      database
        .prepare(`INSERT OR REPLACE INTO ${quote(name)} (id, tmstmp, note) VALUES (?, ?, ?)`)
        .run(id, tmstmp, note)
    },
    get: async ({ name }, id) =>
      database
        .prepare(`SELECT id, tmstmp, note FROM ${quote(name)} WHERE id = ?`)
        .all(id)
        .map(
          ({ id: own, tmstmp, note }): UserRow => ({
            id: String(own),
            tmstmp: String(tmstmp),
            note: note === null || note === undefined ? null : String(note),
          }),
        ),
    delete: async ({ name }, id) => {
      database.prepare(`DELETE FROM ${quote(name)} WHERE id = ?`).run(id)
    },
    spoil: async ({ name }, id, tmstmp) => {
      database
        .prepare(`INSERT INTO ${quote(name)} (id, tmstmp, note) VALUES (?, ?, ?)`)
        .run(id, tmstmp, Buffer.from([1, 2, 3]))
    },
    [Symbol.asyncDispose]: async () => {
      database.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function describeTable({ name, kind, columns }: Table): string {
  const others = columns.map((column) => `, ${quote(column.name)} ${quote(formatCqlType(column.type))}`).join('')
  if (kind === 'latest') return `CREATE TABLE ${quote(name)} (id TEXT PRIMARY KEY, tmstmp TEXT${others})`
  return `CREATE TABLE ${quote(name)} (id TEXT, tmstmp TEXT${others}, PRIMARY KEY (id, tmstmp)) WITHOUT ROWID`
}

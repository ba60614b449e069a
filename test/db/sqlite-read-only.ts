// Reads the table `people` of the file that is given, tries to write to it, and says on stdout how that went.
import { openSqliteStore } from '../../src/db/sqlite/sqlite.ts'
import type { Table } from '../../src/db/table.ts'
import { parseTimeuuid } from '../../src/db/timeuuid.ts'
import { systemClock } from '../../src/lib/clock.ts'

const { signal } = new AbortController()
const table: Table = { name: 'people', kind: 'latest', columns: [{ name: 'note', type: { kind: 'text' } }] }
const policy = { versionField: 'tmstmp_uuid', onUnknownField: 'fail' } as const
await using store = await openSqliteStore({
  path: process.argv[2] ?? '',
  policy,
  clock: systemClock,
  random: Math.random,
  retryForMs: 0,
})
const people = store.openTable(table)
const window = { beginMs: 0, endMs: Date.UTC(2100, 0, 1) }
let rows = 0
for (const split of await people.plan(window, { signal }))
  for await (const batch of people.scan(split, window, signal)) rows += batch.rows.length
const row = { id: crypto.randomUUID(), version: parseTimeuuid('1ed4d9a0-3ed6-11f0-8000-000000000001'), values: [null] }
await using writer = people.openWriter({ dryRun: false, signal, settle: () => undefined })
const error = await writer.write([row]).catch((reason: unknown) => String(reason))
process.stdout.write(JSON.stringify({ rows, error }))

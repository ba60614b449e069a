// The memory of one sync, and of the verify after it, of a hundred thousand rows and of two millions: it has to be the same.
import { startFarm } from './lib/db/farm.ts'
import { LAST_MS, rowsOf, TABLE } from './lib/db/rows.ts'
import { markdownTable } from './lib/figures.ts'

const COUNTS = [100_000, 2_000_000]
const SPAN = { begin: 0, end: LAST_MS } as const

/** The page's part on the memory of syncs, in Markdown. */
export async function benchDbMemory(log: (line: string) => void): Promise<string> {
  await using farm = await startFarm(log)
  const { cassandra, search, run } = farm
  const table: string[][] = []
  for (const count of COUNTS) {
    const index = `sized${count}`
    for (const keyspace of ['source', 'target']) await cassandra.run(`TRUNCATE ${keyspace}.${TABLE.name}`)
    log(`writing ${count} rows`)
    await cassandra.load('source', rowsOf({ count, age: 'first' }))
    const sync = { do: 'sync' as const, index: `${index}-{table}`, ...SPAN }
    const there = await run({ ...sync, keyspace: 'source', direction: 'left-to-right', applied: count })
    log(`${count} there: ${there.peakMiB.toFixed(0)} MiB in ${(there.wallMs / 1_000).toFixed(0)} s`)
    const back = await run({ ...sync, keyspace: 'target', direction: 'right-to-left', applied: count })
    log(`${count} back: ${back.peakMiB.toFixed(0)} MiB in ${(back.wallMs / 1_000).toFixed(0)} s`)
    const verify = await run({ do: 'verify', keyspace: 'target', index: `${index}-{table}`, ...SPAN, equal: count })
    log(`${count} verified: ${verify.peakMiB.toFixed(0)} MiB in ${(verify.wallMs / 1_000).toFixed(0)} s`)
    const peaks = [there, back, verify].map(
      ({ peakMiB, wallMs }) => `${peakMiB.toFixed(0)} (${(wallMs / 1_000).toFixed(0)} s)`,
    )
    table.push([count.toLocaleString('en'), ...peaks])
    await search.request('DELETE', `/${index}-${TABLE.name}`)
  }
  return [
    '## Memory of a database sync',
    '',
    `${farm.versions}, one node each; the rows of the part above. Resident memory at most of the process that does it, in MiB, and how long it took;`,
    'the goal is the same for both, and at most 300.',
    '',
    markdownTable(['rows', 'Cassandra → Elasticsearch', 'Elasticsearch → Cassandra', 'verify'], table),
  ].join('\n')
}

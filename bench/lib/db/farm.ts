// The servers of the benchmark, one node each, and what a task has to know of them.
import { join } from 'node:path'
import { createTableStatement } from '../../../src/db/cassandra/statements.ts'
import { installCassandra, startCassandra } from '../../../test/services/lib/cassandra.ts'
import { runCommand } from '../../../test/services/lib/run-command.ts'
import { installSearch } from '../../../test/services/lib/search-releases.ts'
import { startSearch } from '../../../test/services/lib/search-server.ts'
import { type Figures, type Parties, waitForRest } from './measure.ts'
import { buildRootPlugin } from './other-tools.ts'
import { openRawCassandra, type RawCassandra } from './raw-cassandra.ts'
import { RawSearch } from './raw-search.ts'
import { TABLE } from './rows.ts'
import type { Task, TaskCall } from './task.ts'

const SEARCH_HEAP_MB = 1_024
const CASSANDRA_HEAP_MB = 2_048
/** Two million rows take minutes. */
const TASK_MS = 3_600_000

/** One with an index on tmstmp, where a window is sought; the others have none. */
export const KEYSPACES = ['source', 'target', 'windowed', 'indexed', 'nothing'] as const
export type Keyspace = (typeof KEYSPACES)[number]

/** Where the servers are. */
export interface Place {
  readonly cassandraPort: number
  readonly searchUrl: string
  readonly parties: Parties
}

export interface Farm extends AsyncDisposable {
  readonly place: Place
  readonly cassandra: RawCassandra
  readonly search: RawSearch
  readonly versions: string
  /** Carries out a task in a process of its own, there or at another place. Throws with what it said when it fails. */
  readonly run: (task: Task, place?: Place) => Promise<Figures>
}

export async function startFarm(log: (line: string) => void): Promise<Farm> {
  await installCassandra(log)
  await installSearch({ kind: 'elasticsearch', major: 8 }, log)
  const plugin = await buildRootPlugin(log)
  const stack = new AsyncDisposableStack()
  try {
    const node = stack.use(await startCassandra({ heapMb: CASSANDRA_HEAP_MB }))
    const server = stack.use(await startSearch({ kind: 'elasticsearch', major: 8, heapMb: SEARCH_HEAP_MB, plugin }))
    const cassandra = stack.use(await openRawCassandra(node.port))
    const search = stack.use(new RawSearch(server.url))
    for (const keyspace of KEYSPACES) await makeKeyspace(cassandra, keyspace)
    const place: Place = {
      ...{ cassandraPort: node.port, searchUrl: server.url },
      parties: { cassandra: node.pid, search: server.pid },
    }
    return {
      ...{ place, cassandra, search, versions: describeServers(server.version) },
      run: (task, through = place) => runTask(task, through),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

function describeServers(searchVersion: string): string {
  return `Cassandra 5.0.9 with ${CASSANDRA_HEAP_MB} MiB of heap, Elasticsearch ${searchVersion} with ${SEARCH_HEAP_MB}`
}

async function makeKeyspace(cassandra: RawCassandra, name: Keyspace): Promise<void> {
  const replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
  await cassandra.run(`CREATE KEYSPACE ${name} WITH replication = ${replication}`)
  await cassandra.run(createTableStatement(name, TABLE))
  if (name === 'indexed') await cassandra.run(`CREATE INDEX ON ${name}.${TABLE.name} (tmstmp) USING 'sai'`)
}

async function runTask(task: Task, place: Place): Promise<Figures> {
  const script = join(import.meta.dirname, 'task-process.ts')
  const call = JSON.stringify({ task, place } satisfies TaskCall)
  await waitForRest(place.parties)
  return JSON.parse(await runCommand(process.execPath, [script, call], {}, TASK_MS)) as Figures
}

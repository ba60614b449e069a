// A real Elasticsearch or OpenSearch for the suite of stores, and a user who writes documents with plain requests.
import { setTimeout as sleep } from 'node:timers/promises'
import { openElasticsearchStore } from '../../../src/db/elasticsearch/elasticsearch.ts'
import { msOf, parseTimeuuid } from '../../../src/db/timeuuid.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { type DbBench, POLICY, type UserRow } from '../../conformance/db-bench.ts'
import type { SearchRelease } from './search-releases.ts'
import { startSearch } from './search-server.ts'

const REQUEST_MS = 60_000
const BUSY = 429
const BUSY_TRIES = 60
const BUSY_PAUSE_MS = 500
/** What a user maps a column to; of all other types a table is made as a sync makes it. */
const MAPPINGS: Readonly<Record<string, object>> = { text: { type: 'text' }, int: { type: 'integer' } }

export async function openSearchBench(release: SearchRelease): Promise<DbBench> {
  const server = await startSearch(release)
  const askOnce = async (method: string, path: string, body?: unknown): Promise<Answer | 'busy'> => {
    const response = await fetch(`${server.url}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_MS),
    })
    const text = await response.text()
    if (response.status === BUSY) return 'busy'
    if (!response.ok && response.status !== 404) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
  }
  /** Users ask again, too. */
  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    for (let tries = 1; ; tries++) {
      const answer = await askOnce(method, path, body)
      if (answer !== 'busy') return answer
      if (tries === BUSY_TRIES) throw new Error(`${method} ${path}: busy, ${tries} times`)
      await sleep(BUSY_PAUSE_MS)
    }
  }
  const open: DbBench['open'] = (policy) =>
    openElasticsearchStore({
      url: server.url,
      index: 'suite-{table}',
      policy,
      clock: systemClock,
      random: Math.random,
      requestTimeoutMs: REQUEST_MS,
      retryForMs: REQUEST_MS,
    })
  const putDocument = (table: string, id: string, tmstmp: string, note: unknown) => {
    const date = new Date(msOf(parseTimeuuid(tmstmp))).toISOString()
    return ask('PUT', `suite-${table}/_doc/${id}`, { id, tmstmp: date, [POLICY.versionField]: tmstmp, note })
  }
  return {
    open,
    makeTable: async (table) => {
      const fields = table.columns.map(({ name, type }) => [name, MAPPINGS[type.kind]] as const)
      if (fields.some(([, mapping]) => mapping === undefined)) {
        await using store = await open(POLICY)
        await store.createTable(table, AbortSignal.timeout(REQUEST_MS))
        return
      }
      const properties = { id: { type: 'keyword' }, tmstmp: { type: 'date' }, ...Object.fromEntries(fields) }
      const settings = { number_of_shards: 2, number_of_replicas: 0 }
      await ask('PUT', `suite-${table.name}`, { settings, mappings: { properties } })
    },
    hasTable: async (name) => (await ask('HEAD', `suite-${name}`)).status === 200,
    put: async ({ name }, { id, tmstmp, note }) => {
      await putDocument(name, id, tmstmp, note)
    },
    get: async ({ name }, id) => {
      const { _source: source } = (await ask('GET', `suite-${name}/_doc/${id}`)).body as { _source?: Document }
      if (source === undefined) return []
      return [{ id: source.id, tmstmp: source.tmstmp_uuid, note: source.note ?? null }] satisfies UserRow[]
    },
    delete: async ({ name }, id) => {
      await ask('DELETE', `suite-${name}/_doc/${id}`)
    },
    spoil: async ({ name }, id, tmstmp) => {
      await putDocument(name, id, tmstmp, [1, 2])
    },
    countOpen: async () => {
      const { nodes } = (await ask('GET', '_nodes/stats/indices/search')).body as { readonly nodes: Nodes }
      return Object.values(nodes).reduce((sum, { indices }) => sum + indices.search.open_contexts, 0)
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

interface Document {
  readonly id: string
  readonly tmstmp_uuid: string
  readonly note?: string | null
}

type Nodes = Readonly<Record<string, { readonly indices: { readonly search: { readonly open_contexts: number } } }>>

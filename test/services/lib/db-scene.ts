// One keyspace and the indexes beside it, on servers that many of them share: made, written to and read by clients of the tests' own, and
// synced by the command line as its users do it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, policies } from 'cassandra-driver'
import { type RunningSyncer, runSyncer } from '../../cli/running-syncer.ts'
import { type Cassandra, type CassandraOptions, startCassandra } from './cassandra.ts'
import { parseExact } from './db-fields.ts'
import { createRunFolder } from './run-folder.ts'
import type { SearchRelease } from './search-releases.ts'
import { type SearchServer, startSearch } from './search-server.ts'

const PAGE = 5_000
/** No client of a test gives up before a frozen server has thawed: what is carried out unheard could come after what follows it. */
const PATIENCE_MS = 120_000

export interface DbServers extends AsyncDisposable {
  readonly cassandra: Cassandra
  readonly search: SearchServer
  /** Straight to the node. */
  readonly client: Client
}

/** One node of Cassandra and one of Elasticsearch. */
export async function startDbServers(
  options: CassandraOptions = {},
  release: SearchRelease = { kind: 'elasticsearch', major: 8 },
): Promise<DbServers> {
  await using stack = new AsyncDisposableStack()
  const search = stack.use(await startSearch(release))
  const cassandra = stack.use(await startCassandra(options))
  const client = connectTo(cassandra)
  stack.defer(() => client.shutdown())
  await client.connect()
  const all = stack.move()
  return { cassandra, search, client, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

export function connectTo({ host, port, dataCenter }: Cassandra): Client {
  return new Client({
    contactPoints: [`${host}:${port}`],
    localDataCenter: dataCenter,
    encoding: { useBigIntAsLong: true },
    socketOptions: { readTimeout: PATIENCE_MS, connectTimeout: 5_000 },
    policies: { reconnection: new policies.reconnection.ConstantReconnectionPolicy(300) },
  })
}

export interface DbSceneOptions {
  readonly servers: DbServers
  /** Of the keyspace, and what the names of the indexes begin with. */
  readonly name: string
  /** `PRIMARY KEY` and what else there is to say, by table: `CREATE TABLE keyspace.table (…)`. */
  readonly tables: Readonly<Record<string, string>>
  /** What the syncer takes for the node and the server: proxies, for one. */
  readonly cqlPort?: number
  readonly url?: string
  /** Of the pair, beside its sides. */
  readonly pair?: Readonly<Record<string, unknown>>
  /** Of each side, beside where it is. */
  readonly side?: Readonly<Record<string, unknown>>
  /** Path of the syncer, where it is not that of this checkout. */
  readonly bin?: string
}

export interface HttpAnswer {
  readonly status: number
  /** With integers beyond 2^53 as they are. */
  readonly body: unknown
}

export class DbScene implements AsyncDisposable {
  readonly servers: DbServers
  readonly name: string
  readonly #folder = createRunFolder('db')
  readonly #options: DbSceneOptions

  private constructor(options: DbSceneOptions) {
    this.#options = options
    this.servers = options.servers
    this.name = options.name
  }

  /** Makes the keyspace with its tables, and a configuration with the pair `app`. */
  static async open(options: DbSceneOptions): Promise<DbScene> {
    const scene = new DbScene(options)
    const replication = `{'class': 'SimpleStrategy', 'replication_factor': 1}`
    await scene.cql(`CREATE KEYSPACE ${options.name} WITH replication = ${replication}`)
    for (const [table, definition] of Object.entries(options.tables))
      for (const statement of definition.split(';').map((part) => part.trim()))
        await scene.cql(
          statement.startsWith('CREATE')
            ? statement.replaceAll('{table}', `${options.name}.${table}`).replaceAll('{keyspace}', options.name)
            : `CREATE TABLE ${options.name}.${table} ${statement}`,
        )
    scene.configure()
    return scene
  }

  /** The folder of configuration and state, in which the syncer runs. */
  get folder(): string {
    return this.#folder.path
  }

  /** Where the syncer is told that the node is. */
  get contactPoint(): string {
    return `127.0.0.1:${this.#options.cqlPort ?? this.servers.cassandra.port}`
  }

  get url(): string {
    return this.#options.url ?? this.servers.search.url
  }

  /** Writes the configuration, with these changes to the pair. */
  configure(changes: Readonly<Record<string, unknown>> = {}): void {
    const { pair = {}, side = {} } = this.#options
    const left = { kind: 'cassandra', contactPoints: [this.contactPoint], keyspace: this.name, ...side }
    const right = { kind: 'elasticsearch', url: this.url, index: `${this.name}-{table}`, ...side }
    const config = { db: { pairs: [{ name: 'app', left, right, ...pair, ...changes }] }, state: { path: 'state.db' } }
    writeFileSync(join(this.folder, 'syncer.yaml'), JSON.stringify(config))
  }

  /** Begins a command of the syncer; ends with this process at the latest. */
  begin(args: readonly string[]): RunningSyncer {
    const { bin } = this.#options
    return runSyncer(args, { cwd: this.folder, ...(bin === undefined ? {} : { bin }) })
  }

  async run(args: readonly string[]) {
    return await this.begin(args).exit
  }

  async cql(query: string, params: readonly unknown[] = []) {
    return await this.servers.client.execute(query, [...params], { prepare: params.length > 0 })
  }

  /** All rows of a query, page by page. */
  async rows(query: string, params: readonly unknown[] = []): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const rows: Record<string, unknown>[] = []
    let pageState: string | undefined
    do {
      const page = await this.servers.client.execute(query, [...params], {
        prepare: true,
        fetchSize: PAGE,
        ...(pageState === undefined ? {} : { pageState }),
      })
      for (const row of page.rows) rows.push(Object.fromEntries(row.keys().map((name) => [name, row.get(name)])))
      pageState = page.pageState ?? undefined
    } while (pageState !== undefined)
    return rows
  }

  /** Asks the server itself; a body that is text goes as it is. */
  async http(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return await askSearch(this.servers.search.url, method, path, body)
  }

  index(table: string): string {
    return `${this.name}-${table}`
  }

  /** All documents of an index that is smaller than 10,000, freshly refreshed, with their `_source` as text of exact numbers. */
  async documents(table: string): Promise<readonly FoundDocument[]> {
    const refreshed = await this.http('POST', `/${this.index(table)}/_refresh`)
    if (refreshed.status === 404) return []
    const { status, body } = await this.http('POST', `/${this.index(table)}/_search`, {
      size: 10_000,
      track_total_hits: true,
      docvalue_fields: [{ field: 'tmstmp', format: 'epoch_millis' }],
      query: { match_all: {} },
    })
    if (status !== 200) throw new Error(`reading ${table} back: ${status} ${JSON.stringify(body)}`)
    const { hits } = body as { hits: { total: { value: number }; hits: readonly RawHit[] } }
    if (hits.total.value !== hits.hits.length) throw new Error(`${table} has too many documents to be read at once`)
    return hits.hits.map(({ _id, _source, fields }) => {
      const [ms] = fields?.['tmstmp'] ?? []
      return { id: _id, source: _source, ms: ms === undefined ? undefined : Number(ms) }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#folder.remove()
    await this.cql(`DROP KEYSPACE IF EXISTS ${this.name}`)
    for (const table of Object.keys(this.#options.tables)) await this.http('DELETE', `/${this.index(table)}`)
  }
}

interface RawHit {
  readonly _id: string
  readonly _source: Readonly<Record<string, unknown>>
  readonly fields?: Readonly<Record<string, readonly unknown[]>>
}

export interface FoundDocument {
  readonly id: string
  readonly source: Readonly<Record<string, unknown>>
  /** Of its tmstmp, whatever `_source` says; undefined where it has none. */
  readonly ms: number | undefined
}

/** One request with a body of JSON or, as text, whatever it is. */
export async function askSearch(url: string, method: string, path: string, body?: unknown): Promise<HttpAnswer> {
  const isText = typeof body === 'string'
  const answer = await fetch(`${url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    headers:
      body === undefined
        ? {}
        : { 'content-type': path.includes('_bulk') ? 'application/x-ndjson' : 'application/json' },
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : parseExact(text) }
}

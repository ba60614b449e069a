// Elasticsearch and OpenSearch as a store: a table is an index, a row the document whose _id is its id. Plain HTTP, for the official
// clients refuse each other's servers.
import type { Clock } from '../../lib/clock.ts'
import { isJsonObject } from '../exact-json.ts'
import type { PairPolicy, Store, StoreTable, TableFacts } from '../store.ts'
import { type Table, TableRefusedError } from '../table.ts'
import type { TlsOptions } from './connections.ts'
import { type Dialect, findDialect } from './dialect.ts'
import { type IndexPattern, parseIndexPattern } from './index-name.ts'
import { IndexTable } from './index-table.ts'
import { type DescribedIndex, describeIndex, describeIndexBody, type IndexShape, OWN_SHAPE } from './mapping.ts'
import { Pace } from './pace.ts'
import { parseObject } from './parts.ts'
import type { Orders } from './scan.ts'
import { SearchIndex } from './search-index.ts'
import { Transport } from './transport.ts'

export interface ElasticsearchOptions {
  /** `http://` or `https://`, without user name, password, query and fragment; a path is kept. */
  readonly url: string
  /** Names of the indexes, with `{table}` where the name of the table goes. */
  readonly index: string
  readonly policy: PairPolicy
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  /** A request without an answer by then is given up, and tried again. Milliseconds. */
  readonly requestTimeoutMs: number
  /** For how long what passes (429, 503, a connection that breaks, …) is tried again, in milliseconds. */
  readonly retryForMs: number
  /** Value of the header Authorization; asked at each request. */
  readonly authorization?: (() => Promise<string | undefined>) | undefined
  readonly tls?: TlsOptions | undefined
  /** Told when no request has succeeded for a while, and when one does again. */
  readonly onAway?: ((message: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Opens no connection yet. Rejects with TypeError for an address or a pattern that is none, and with the reason of the signal. */
export async function openElasticsearchStore(options: ElasticsearchOptions): Promise<Store> {
  options.signal?.throwIfAborted()
  checkUrl(options.url)
  return new ElasticsearchStore(options, parseIndexPattern(options.index))
}

type Indexes = ReadonlyMap<string, Readonly<Record<string, unknown>>>

/** Servers take about 4,096 bytes of a first line. */
const MAX_PATH = 3_000

class ElasticsearchStore implements Store {
  readonly kind = 'elasticsearch'
  readonly address: string
  readonly #options: ElasticsearchOptions
  readonly #pattern: IndexPattern
  readonly #transport: Transport
  readonly #pace: Pace
  readonly #orders: Orders = { knowsShardDoc: true }
  readonly #shapes = new Map<string, IndexShape>()
  #dialect: Promise<Dialect> | undefined

  constructor(options: ElasticsearchOptions, pattern: IndexPattern) {
    const url = normaliseUrl(options.url)
    this.#options = options
    this.#pattern = pattern
    this.address = `elasticsearch ${url}/${pattern.text}`
    this.#transport = new Transport({ ...options, url })
    this.#pace = new Pace(options.clock)
  }

  async describeTables(
    names: readonly string[] | 'all',
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, TableFacts>> {
    const described = new Map<string, TableFacts>()
    const askable: string[] = []
    for (const name of names === 'all' ? [] : names) {
      const refused = this.#refuse(name)
      if (refused === undefined) askable.push(name)
      else described.set(name, { name, refused })
    }
    if (names !== 'all' && askable.length === 0) return described
    const indexes = await this.#getIndexes(names === 'all' ? undefined : askable, signal)
    for (const name of names === 'all' ? this.#listTables(indexes) : askable) {
      const table = this.#describe(name, indexes)
      if (table === undefined) continue
      described.set(name, table.facts)
      this.#shapes.set(name, table.shape)
    }
    return described
  }

  async createTable(table: Table, signal: AbortSignal): Promise<void> {
    const path = `/${encodeURIComponent(this.#pattern.nameOf(table.name))}`
    const body = JSON.stringify(describeIndexBody(table, this.#options.policy.versionField))
    const refusal = await this.#transport.send(
      {
        ...{ method: 'PUT', path, body, expected: [400] },
        read: ({ status, errorType }) => (status === 400 ? (errorType ?? 'no reason') : undefined),
      },
      signal,
    )
    this.#shapes.delete(table.name)
    if (refusal === undefined) this.#shapes.set(table.name, OWN_SHAPE)
    else await this.#requireTable(table.name, refusal, signal)
  }

  openTable(table: Table): StoreTable {
    const { policy, clock, random, retryForMs } = this.#options
    const index = new SearchIndex(this.#transport, this.#pattern.nameOf(table.name), policy.versionField)
    return new IndexTable({
      ...{ table, policy, index, clock, random, retryForMs },
      ...{ transport: this.#transport, pace: this.#pace, orders: this.#orders },
      findShape: async (signal) => this.#shapes.get(table.name) ?? (await this.#findShape(table.name, signal)),
      findDialect: (signal) => this.#findDialect(signal),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }

  #refuse(name: string): Error | undefined {
    try {
      this.#pattern.nameOf(name)
      return undefined
    } catch (error) {
      if (error instanceof TableRefusedError) return error
      throw error
    }
  }

  /** All that fit the pattern when `tables` is undefined. */
  async #getIndexes(tables: readonly string[] | undefined, signal: AbortSignal): Promise<Indexes> {
    const listed = tables?.map((name) => encodeURIComponent(this.#pattern.nameOf(name))).join(',')
    const wildcard = this.#pattern.wildcard.split('*').map(encodeURIComponent).join('*')
    const which = listed === undefined || listed.length > MAX_PATH ? wildcard : listed
    const path = `/${which}?ignore_unavailable=true&allow_no_indices=true&expand_wildcards=open`
    return await this.#transport.send(
      {
        ...{ method: 'GET', path, expected: ['index_not_found_exception'] },
        read: ({ status, text }) => (status === 404 ? new Map() : readIndexes(parseObject(text))),
      },
      signal,
    )
  }

  /** The tables of all indexes and aliases that fit; an index that goes by such an alias is not one by its own name, too. */
  #listTables(indexes: Indexes): readonly string[] {
    const names = new Set<string>()
    for (const [index, facts] of indexes) {
      const aliases = aliasesOf(facts).filter((alias) => this.#isTable(alias))
      for (const name of aliases.length > 0 ? aliases : [index]) if (this.#isTable(name)) names.add(name)
    }
    return [...names].flatMap((name) => this.#pattern.tableOf(name) ?? []).sort()
  }

  /** Names with a dot in front are the server's own. */
  #isTable(name: string): boolean {
    if (name.startsWith('.') && !this.#pattern.text.startsWith('.')) return false
    const table = this.#pattern.tableOf(name)
    return table !== undefined && this.#refuse(table) === undefined
  }

  #describe(table: string, indexes: Indexes): DescribedIndex | undefined {
    const name = this.#pattern.nameOf(table)
    const holders = [...indexes].filter(([index, facts]) => index === name || namesOf(facts).includes(name))
    const [holder] = holders
    if (holder === undefined) return undefined
    const described = describeIndex(table, holder[1], this.#options.policy.versionField)
    const fault = holders.length > 1 ? `${name} stands for several indexes` : findAliasFault(name, holder[1])
    if (fault === undefined) return described
    return { ...described, facts: { name: table, refused: new TableRefusedError(table, fault) } }
  }

  /** Throws TableRefusedError unless it is there: then somebody else made it. */
  async #requireTable(table: string, refusal: string, signal: AbortSignal): Promise<void> {
    const described = this.#describe(table, await this.#getIndexes([table], signal))
    if (described === undefined)
      throw new TableRefusedError(table, `the server does not make index ${this.#pattern.nameOf(table)} (${refusal})`)
    if ('refused' in described.facts) throw described.facts.refused
    this.#shapes.set(table, described.shape)
  }

  /** One that is not there will be made as ours are. */
  async #findShape(table: string, signal: AbortSignal): Promise<IndexShape> {
    const described = this.#describe(table, await this.#getIndexes([table], signal))
    if (described === undefined) return OWN_SHAPE
    this.#shapes.set(table, described.shape)
    return described.shape
  }

  async #findDialect(signal: AbortSignal): Promise<Dialect> {
    this.#dialect ??= findDialect(this.#transport, signal)
    const dialect = this.#dialect
    try {
      return await dialect
    } catch (error) {
      // Whoever asks next asks again: it may have been the signal of this one.
      if (this.#dialect === dialect) this.#dialect = undefined
      throw error
    }
  }
}

function readIndexes(answer: Readonly<Record<string, unknown>>): Indexes {
  return new Map(Object.entries(answer).map(([index, facts]) => [index, isJsonObject(facts) ? facts : {}]))
}

function aliasesOf({ aliases }: Readonly<Record<string, unknown>>): readonly string[] {
  return isJsonObject(aliases) ? Object.keys(aliases) : []
}

function namesOf(facts: Readonly<Record<string, unknown>>): readonly string[] {
  const { data_stream: stream } = facts
  return typeof stream === 'string' ? [...aliasesOf(facts), stream] : aliasesOf(facts)
}

function findAliasFault(name: string, { aliases }: Readonly<Record<string, unknown>>): string | undefined {
  const alias = isJsonObject(aliases) && Object.hasOwn(aliases, name) ? aliases[name] : undefined
  if (!isJsonObject(alias)) return undefined
  const isPlain = ['filter', 'index_routing', 'search_routing'].every((key) => alias[key] === undefined)
  return isPlain ? undefined : `${name} is an alias with a filter or a routing`
}

/** Never repeats what may be a password. */
function checkUrl(text: string): void {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new TypeError('the address of Elasticsearch begins with http:// or https:// and names a host')
  if (url.username !== '' || url.password !== '')
    throw new TypeError(
      `the address of ${url.host} has a user name or password: they belong into the header Authorization`,
    )
  if (url.search !== '' || url.hash !== '') throw new TypeError(`the address of ${url.host} has a query or a fragment`)
}

function normaliseUrl(text: string): string {
  return new URL(text).href.replace(/\/+$/, '')
}

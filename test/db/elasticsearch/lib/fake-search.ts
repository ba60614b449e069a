// A search server of tests, in memory: as much of the API as the store uses, with what matters to it: revisions, what a refresh makes
// seen, points in time that stay as they are. Faults are put in by whoever listens to its requests. What it does not know fails loudly.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Json = Record<string, unknown>

export interface FakeDocument {
  /** As it was written. */
  readonly text: string
  readonly seqNo: number
  readonly primaryTerm: number
  readonly version: number
}

export interface FakeRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: string
  readonly headers: IncomingMessage['headers']
}

export interface FakeReply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Record<string, string>
}

/**
 * What becomes of a request: `reset` before anything is done, `reset-after` it was carried out, `silence` for ever, a reply in place of
 * the real one, or what it makes of the real one. Undefined lets it pass.
 */
export type Fault =
  | 'reset'
  | 'reset-after'
  | 'silence'
  | FakeReply
  | ((reply: FakeReply) => FakeReply | string)
  | undefined

interface FakeIndex {
  readonly body: Json
  readonly documents: Map<string, FakeDocument>
  /** What searches see. */
  seen: ReadonlyMap<string, FakeDocument>
}

interface Found {
  readonly id: string
  readonly document: FakeDocument
  readonly source: Json
  readonly dates: readonly number[]
}

export interface FakeSearchOptions {
  readonly product?: 'elasticsearch' | 'opensearch'
  readonly knowsShardDoc?: boolean
}

export class FakeSearch implements AsyncDisposable {
  readonly indexes = new Map<string, FakeIndex>()
  /** Method and path of all that was asked. */
  readonly requests: string[] = []
  /** Called before a request is carried out. */
  onRequest: (request: FakeRequest) => Fault | Promise<Fault> = () => undefined
  readonly pits = new Map<string, { readonly index: string; readonly seen: ReadonlyMap<string, FakeDocument> }>()
  readonly #options: Required<FakeSearchOptions>
  readonly #server: Server
  #seqNo = 0
  #pit = 0

  private constructor(options: FakeSearchOptions) {
    this.#options = { product: 'elasticsearch', knowsShardDoc: true, ...options }
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(options: FakeSearchOptions = {}): Promise<FakeSearch> {
    const fake = new FakeSearch(options)
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve))
    return fake
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Makes an index as it is told. */
  create(index: string, body: Json = {}): void {
    this.indexes.set(index, { body, documents: new Map(), seen: new Map() })
  }

  /** A write of somebody else's. */
  put(index: string, id: string, text: string): void {
    const { documents } = this.#index(index)
    const version = (documents.get(id)?.version ?? 0) + 1
    documents.set(id, { text, seqNo: this.#seqNo++, primaryTerm: 1, version })
  }

  delete(index: string, id: string): void {
    this.#index(index).documents.delete(id)
    this.#seqNo++
  }

  get(index: string, id: string): Json | undefined {
    const document = this.indexes.get(index)?.documents.get(id)
    return document && (JSON.parse(document.text) as Json)
  }

  refresh(index: string): void {
    const found = this.#index(index)
    found.seen = new Map(found.documents)
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const { pathname, searchParams } = new URL(incoming.url ?? '', this.url)
    const { method = '', headers } = incoming
    const path = decodeURIComponent(pathname)
    const request = { method, path, query: searchParams, body: Buffer.concat(chunks).toString(), headers }
    this.requests.push(`${method} ${path}`)
    const fault = await this.onRequest(request)
    if (fault === 'silence') return
    if (fault === 'reset') return void incoming.socket.destroy()
    const isReply = typeof fault === 'object'
    const reply = isReply ? fault : this.#carryOut(request)
    if (fault === 'reset-after') return void incoming.socket.destroy()
    this.#send(response, typeof fault === 'function' ? fault(reply) : reply)
  }

  /** A text is sent as far as it goes, and the connection ended. */
  #send(response: ServerResponse, reply: FakeReply | string): void {
    const mark = this.#options.product === 'elasticsearch' ? { 'x-elastic-product': 'Elasticsearch' } : {}
    if (typeof reply === 'string') {
      response.writeHead(200, { ...mark, 'content-length': reply.length + 100 })
      response.write(reply, () => response.destroy())
      return
    }
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)
    response.writeHead(reply.status, { ...mark, 'content-type': 'application/json', ...reply.headers })
    response.end(text)
  }

  #carryOut(request: FakeRequest): FakeReply {
    const { method, path, body } = request
    const [index = '', action] = path.slice(1).split(/\/(?=_)/)
    switch (`${method} ${index === '' || index.startsWith('_') ? path : `/${action ?? ''}`}`) {
      case 'GET /':
        return path === '/' ? this.#root() : this.#describe(index)
      case 'PUT /':
        return this.#make(index, body)
      case 'POST /_refresh':
        if (!this.indexes.has(index)) return MISSING
        this.refresh(index)
        return { status: 200, body: { _shards: SHARDS } }
      case 'POST /_search':
        return this.#search(index.startsWith('_') ? undefined : index, JSON.parse(body))
      case 'POST /_bulk':
        return this.#bulk(index, body)
      case 'POST /_mget':
        return this.#mget(index, JSON.parse(body), request.query.get('_source_includes'))
      case 'POST /_pit':
      case 'POST /_search/point_in_time':
        return this.#openPit(index, action)
      case 'DELETE /_pit':
        return this.#closePit(JSON.parse(body)['id'])
      case 'DELETE /_search/point_in_time':
        return this.#closePit(JSON.parse(body)['pit_id'][0])
    }
    return { status: 400, body: { error: { type: 'unknown_to_the_fake', reason: `${method} ${path}` } } }
  }

  #root(): FakeReply {
    if (this.#options.product === 'elasticsearch') return { status: 405, body: {} }
    return { status: 200, body: { version: { distribution: 'opensearch', number: '3.6.0' } } }
  }

  #describe(names: string): FakeReply {
    const fits = (name: string) =>
      names.split(',').some((one) => {
        const [before = '', after] = one.split('*')
        return after === undefined ? name === one : name.startsWith(before) && name.endsWith(after)
      })
    const all = [...this.indexes].filter(([name, { body }]) =>
      [name, ...Object.keys((body['aliases'] as Json | undefined) ?? {})].some(fits),
    )
    return {
      status: 200,
      body: Object.fromEntries(all.map(([name, { body }]) => [name, { aliases: {}, mappings: {}, ...body }])),
    }
  }

  #make(index: string, body: string): FakeReply {
    if (this.indexes.has(index)) return error(400, 'resource_already_exists_exception')
    this.create(index, JSON.parse(body))
    return { status: 200, body: { acknowledged: true } }
  }

  #openPit(index: string, action: string | undefined): FakeReply {
    const found = this.indexes.get(index)
    const isElastic = action === '_pit'
    if (isElastic !== (this.#options.product === 'elasticsearch')) return error(400, 'no_handler')
    if (found === undefined) return MISSING
    const id = `pit-${this.#pit++}`
    this.pits.set(id, { index, seen: found.seen })
    return { status: 200, body: { [isElastic ? 'id' : 'pit_id']: id, _shards: SHARDS } }
  }

  #closePit(id: string): FakeReply {
    return this.pits.delete(id) ? { status: 200, body: {} } : error(404, 'search_context_missing_exception')
  }

  #search(index: string | undefined, body: Json): FakeReply {
    const pit = body['pit'] === undefined ? undefined : this.pits.get(String((body['pit'] as Json)['id']))
    if (body['pit'] !== undefined && pit === undefined) return error(404, 'search_context_missing_exception')
    const seen = pit?.seen ?? this.indexes.get(index ?? '')?.seen
    if (seen === undefined) return MISSING
    const sort = (body['sort'] ?? ['_doc']) as readonly (string | Json)[]
    if (sort[0] === '_shard_doc' && !this.#options.knowsShardDoc) return error(400, 'query_shard_exception')
    const matches = [...seen].map(readFound).filter(matcherOf(body['query'] as Json))
    const sorted = sortFound(matches, sort)
    const after = body['search_after'] as readonly unknown[] | undefined
    const rest = after === undefined ? sorted : sorted.filter(({ values }) => compareValues(values, after) > 0)
    const hits = rest.slice(0, Number(body['size'])).map(({ found, values }, at) => hitOf(found, values, at, body))
    const total = body['track_total_hits'] === true ? { total: { value: matches.length, relation: 'eq' } } : {}
    const id = pit === undefined ? {} : { pit_id: (body['pit'] as Json)['id'] }
    // Sources are what their writers wrote, byte for byte.
    const text = JSON.stringify({ ...id, took: 1, timed_out: false, _shards: SHARDS, hits: { ...total, hits } })
    return {
      status: 200,
      body: text.replace(/"@source:(\d+)"/g, (_, at) => rest[Number(at)]?.found.document.text ?? ''),
    }

    function hitOf({ id, document, source, dates }: Found, values: readonly unknown[], at: number, asked: Json): Json {
      const fields: Json = {}
      for (const value of (asked['docvalue_fields'] as readonly Json[] | undefined) ?? []) {
        const field = String(value['field'])
        if (field === 'tmstmp') {
          if (dates.length > 0) fields[field] = dates.map(String)
        } else if (source[field] !== undefined && source[field] !== null) fields[field] = [source[field]].flat()
      }
      const includes = asked['_source']
      const kept = Array.isArray(includes) ? pick(source, includes) : includes === false ? undefined : `@source:${at}`
      return {
        ...{ _index: index ?? pit?.index, _id: id, _score: null },
        ...(asked['seq_no_primary_term'] === true && { _seq_no: document.seqNo, _primary_term: document.primaryTerm }),
        ...(kept !== undefined && { _source: kept }),
        ...(Object.keys(fields).length > 0 && { fields }),
        sort: values,
      }
    }
  }

  #mget(index: string, { ids }: { readonly ids: readonly string[] }, includes: string | null): FakeReply {
    const found = this.indexes.get(index)
    const docs = ids.map((id) => {
      const document = found?.documents.get(id)
      if (found === undefined) return { _index: index, _id: id, error: { type: 'index_not_found_exception' } }
      if (document === undefined) return { _index: index, _id: id, found: false }
      const { seqNo, primaryTerm, version } = document
      const source = includes === null ? '@source' : pick(JSON.parse(document.text), includes.split(','))
      return {
        _index: index,
        _id: id,
        _version: version,
        _seq_no: seqNo,
        _primary_term: primaryTerm,
        found: true,
        _source: source,
      }
    })
    const texts = docs.map((doc) =>
      JSON.stringify(doc).replace('"@source"', () => found?.documents.get(doc._id)?.text ?? ''),
    )
    return { status: 200, body: `{"docs":[${texts.join(',')}]}` }
  }

  #bulk(index: string, body: string): FakeReply {
    if (!body.endsWith('\n')) return error(400, 'illegal_argument_exception')
    const lines = body.split('\n').slice(0, -1)
    const items: Json[] = []
    for (let at = 0; at < lines.length; at++) {
      const [[action, meta] = ['', {}]] = Object.entries(JSON.parse(lines[at] ?? '') as Record<string, Json>)
      const text = action === 'delete' ? undefined : lines[++at]
      if (!this.indexes.has(index)) this.create(index)
      items.push({ [action]: { _index: index, _id: meta['_id'], ...this.#change(index, action, meta, text) } })
    }
    return {
      status: 200,
      body: { took: 1, errors: items.some((item) => Object.values(item).some((one) => (one as Json)['error'])), items },
    }
  }

  #change(index: string, action: string, meta: Json, text: string | undefined): Json {
    const id = String(meta['_id'])
    const { documents } = this.#index(index)
    const there = documents.get(id)
    const isBound = meta['if_seq_no'] !== undefined
    const isSame = there?.seqNo === meta['if_seq_no'] && there?.primaryTerm === meta['if_primary_term']
    if ((action === 'create' && there !== undefined) || (isBound && !isSame))
      return { status: 409, error: { type: 'version_conflict_engine_exception', reason: `[${id}]: version conflict` } }
    if (!isBound && action !== 'create') throw new Error(`an unbound ${action} of ${id}`)
    if (text === undefined) {
      this.delete(index, id)
      return { status: 200, result: 'deleted' }
    }
    if (text.includes('"refuse me"'))
      return {
        status: 400,
        error: {
          type: 'document_parsing_exception',
          reason: `[1:1] failed to parse field [name] of type [date] in document with id '${id}'. Preview of field's value: 'refuse me'`,
        },
      }
    this.put(index, id, text)
    return { status: there === undefined ? 201 : 200 }
  }

  #index(name: string): FakeIndex {
    const index = this.indexes.get(name)
    if (index === undefined) throw new Error(`no index ${name}`)
    return index
  }
}

const SHARDS = { total: 1, successful: 1, skipped: 0, failed: 0 }

const error = (status: number, type: string): FakeReply => ({
  status,
  body: { error: { type, reason: 'a reason' }, status },
})

const MISSING = error(404, 'index_not_found_exception')

function readFound([id, document]: readonly [string, FakeDocument]): Found {
  const source = JSON.parse(document.text) as Json
  return { id, document, source, dates: datesOf(source['tmstmp']) }
}

/** As Elasticsearch reads dates with its usual format, as far as tests have them. */
export function datesOf(written: unknown): readonly number[] {
  if (written === null || written === undefined) return []
  if (Array.isArray(written)) return written.flatMap(datesOf).sort((a, b) => a - b)
  if (typeof written === 'number') return [Math.floor(written)]
  const text = String(written)
  return [/^\d{5,}/.test(text) ? Math.floor(Number(text)) : Date.parse(text.replace(/(\.\d{3})\d+/, '$1'))]
}

function matcherOf(query: Json): (found: Found) => boolean {
  const filter = (query['bool'] as Json)['filter'] as Record<string, Json>
  if (filter['ids'] !== undefined) {
    const ids = new Set(filter['ids']['values'] as readonly string[])
    return ({ id }) => ids.has(id)
  }
  if (filter['exists']?.['field'] === 'tmstmp') return ({ dates }) => dates.length > 0
  const { gte, lt, format } = (filter['range'] as Record<string, Json>)['tmstmp'] as Json
  if (format !== 'epoch_millis') throw new Error('a range without its format')
  return ({ dates }) => dates.some((ms) => ms >= Number(gte) && ms < Number(lt))
}

function sortFound(all: readonly Found[], sort: readonly (string | Json)[]) {
  const valued = all.map((found, at) => ({
    found,
    values: sort.map((one) => {
      const field = typeof one === 'string' ? one : (Object.keys(one)[0] ?? '')
      if (field === '_shard_doc' || field === '_doc') return at
      if (field === '_seq_no') return found.document.seqNo
      return field === 'tmstmp' ? found.dates[0] : (found.source[field] ?? null)
    }),
  }))
  return valued.sort((a, b) => compareValues(a.values, b.values))
}

function compareValues(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [at, one] of a.entries()) {
    const other = b[at]
    if (one === other) continue
    // What is missing comes last.
    if (one === null || one === undefined) return 1
    if (other === null || other === undefined) return -1
    return one < other ? -1 : 1
  }
  return 0
}

function pick(source: Json, names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(source).filter(([name]) => names.includes(name)))
}

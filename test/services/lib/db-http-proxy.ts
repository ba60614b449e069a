// A proxy in front of Elasticsearch or OpenSearch that counts what is asked, and answers badly, late or not at all where it is told to;
// it also tells what the server answered when nobody was let to hear it.
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export const HTTP_KINDS = ['bulk', 'mget', 'search', 'pit', 'refresh', 'count', 'mapping', 'create', 'other'] as const
export type HttpKind = (typeof HTTP_KINDS)[number]

export interface AskedRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly kind: HttpKind
  readonly body: Buffer
}

/**
 * What is done to a request:
 *
 *   status         the server never sees it; the status is answered, with this body, or one as servers have it
 *   reset          the server never sees it; the connection breaks
 *   lose-answer    the server carries it out; the connection breaks before the answer
 *   half-answer    the server carries it out; the connection breaks in the middle of the answer
 *   slow           the answer comes later
 *   late           the server sees it later
 *   reject-item    of a bulk: one item (by its place) never gets to the server and has the status 429
 */
export type HttpFault =
  | { readonly kind: 'status'; readonly status: number; readonly body?: string; readonly retryAfter?: string }
  | { readonly kind: 'reset' | 'lose-answer' | 'half-answer' }
  | { readonly kind: 'slow' | 'late'; readonly ms: number }
  | { readonly kind: 'reject-item'; readonly at: number }

/** A request that the server has answered, whoever heard it. */
export interface Exchange extends AskedRequest {
  /** What was sent on; the same as `body` but for rejected items. */
  readonly sent: Buffer
  readonly status: number
  readonly answer: Buffer
}

export interface HttpProxyOptions {
  /** Asked for every request, when its body is here. */
  readonly decide?: (asked: AskedRequest) => HttpFault | undefined
  readonly onExchange?: (exchange: Exchange) => void
}

const EXPIRED = {
  error: {
    root_cause: [{ type: 'search_context_missing_exception', reason: 'No search context found for id [1]' }],
    type: 'search_phase_execution_exception',
    reason: 'all shards failed',
  },
  status: 404,
}

/** What a server says of a point in time that it has forgotten. */
export const EXPIRED_POINT_IN_TIME: HttpFault = { kind: 'status', status: 404, body: JSON.stringify(EXPIRED) }

export class HttpProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: URL
  readonly #options: HttpProxyOptions
  readonly #agent = new Agent({ keepAlive: true })
  readonly #sockets = new Set<Socket>()
  readonly #seen: AskedRequest[] = []
  #underWay = 0

  private constructor(target: string, options: HttpProxyOptions) {
    this.#target = new URL(target)
    this.#options = options
    this.#server = createServer({ requestTimeout: 0 }, (asked, answer) => {
      this.#underWay++
      this.#handle(asked, answer)
        // Whoever asked, or the server, is gone.
        .catch(() => answer.destroy())
        .finally(() => this.#underWay--)
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** In front of `target`, an address with `http`. */
  static async start(target: string, options: HttpProxyOptions = {}): Promise<HttpProxy> {
    const proxy = new HttpProxy(target, options)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** All requests so far, without their bodies being kept from the next `forget`. */
  get seen(): readonly AskedRequest[] {
    return this.#seen
  }

  /** How many requests are with the server, or on the way from it. */
  get underWay(): number {
    return this.#underWay
  }

  forget(): void {
    this.#seen.length = 0
  }

  count(kind?: HttpKind): number {
    return kind === undefined ? this.#seen.length : this.#seen.filter((one) => one.kind === kind).length
  }

  /** Breaks all connections there are. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    this.#agent.destroy()
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await readAll(incoming)
    const path = incoming.url ?? '/'
    const asked = { method: incoming.method ?? 'GET', path, kind: kindOf(incoming.method ?? 'GET', path), body }
    this.#seen.push(asked)
    const fault = this.#options.decide?.(asked)
    if (fault?.kind === 'reset') return void incoming.socket.resetAndDestroy()
    if (fault?.kind === 'status') return answerStatus(answer, fault)
    if (fault?.kind === 'late') await sleep(fault.ms)
    const rejected = fault?.kind === 'reject-item' && asked.kind === 'bulk' ? fault.at : undefined
    const [sent, item] = rejected === undefined ? [body, undefined] : withoutItem(body, rejected)
    const got = item !== undefined && sent.length === 0 ? NOTHING_SENT : await this.#send(incoming, sent)
    this.#options.onExchange?.({ ...asked, sent, status: got.status, answer: got.body })
    if (fault?.kind === 'slow') await sleep(fault.ms)
    if (fault?.kind === 'lose-answer') return void incoming.socket.resetAndDestroy()
    const out = item === undefined ? got.body : withItem(got.body, item)
    const { 'transfer-encoding': _, connection: __, ...headers } = got.headers
    answer.writeHead(got.status, { ...headers, 'content-length': out.length })
    if (fault?.kind === 'half-answer') {
      answer.write(out.subarray(0, Math.floor(out.length / 2)), () => incoming.socket.destroy())
      return
    }
    answer.end(asked.method === 'HEAD' ? undefined : out)
  }

  #send(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const { host: _, 'transfer-encoding': __, connection: ___, ...headers } = incoming.headers
    const outgoing = request(
      {
        ...{ host: this.#target.hostname, port: this.#target.port, method: incoming.method, path: incoming.url },
        ...{ agent: this.#agent, headers: { ...headers, 'content-length': String(body.length) } },
      },
      (response) => {
        readAll(response).then(
          (read) => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: read }),
          reject,
        )
      },
    )
    outgoing.once('error', reject)
    outgoing.end(body)
    return promise
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

interface RejectedItem {
  readonly at: number
  readonly action: string
  readonly meta: Readonly<Record<string, unknown>>
}

const NOTHING_SENT: Answer = {
  status: 200,
  headers: { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' },
  body: Buffer.from('{"took":0,"errors":false,"items":[]}'),
}

/** What is asked for, by its path. */
export function kindOf(method: string, path: string): HttpKind {
  const [bare = ''] = path.split('?')
  const last = bare.split('/').at(-1)
  if (last === '_bulk') return 'bulk'
  if (last === '_mget') return 'mget'
  if (last === '_pit' || last === 'point_in_time') return 'pit'
  if (last === '_search') return 'search'
  if (last === '_refresh') return 'refresh'
  if (last === '_count') return 'count'
  if (last === '_mapping') return 'mapping'
  return method === 'PUT' && bare.split('/').length === 2 ? 'create' : 'other'
}

function answerStatus(answer: ServerResponse, fault: Extract<HttpFault, { kind: 'status' }>): void {
  const { status, retryAfter } = fault
  const body = fault.body ?? JSON.stringify({ error: { type: 'es_rejected_execution_exception' }, status })
  answer.writeHead(status, {
    'content-type': 'application/json',
    'x-elastic-product': 'Elasticsearch',
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
  })
  answer.end(body)
}

/** The operations of a bulk, each with its lines. */
export function splitBulk(
  body: Buffer,
): readonly { readonly action: string; readonly meta: Record<string, unknown>; readonly source?: string }[] {
  const lines = body.toString('utf8').split('\n')
  const items: { action: string; meta: Record<string, unknown>; source?: string }[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line === '') continue
    const [[action, meta] = ['', {}]] = Object.entries(JSON.parse(line) as Record<string, Record<string, unknown>>)
    const source = action === 'delete' ? undefined : lines[++at]
    items.push({ action, meta, ...(source === undefined ? {} : { source }) })
  }
  return items
}

function withoutItem(body: Buffer, place: number): readonly [Buffer, RejectedItem] {
  const items = splitBulk(body)
  const at = place % Math.max(1, items.length)
  const rest = items.filter((_, index) => index !== at)
  const lines = rest.flatMap(({ action, meta, source }) => [
    JSON.stringify({ [action]: meta }),
    ...(source === undefined ? [] : [source]),
  ])
  const { action = 'index', meta = {} } = items[at] ?? {}
  return [Buffer.from(lines.map((line) => `${line}\n`).join('')), { at, action, meta }]
}

function withItem(answer: Buffer, { at, action, meta }: RejectedItem): Buffer {
  const text = answer.toString('utf8')
  const parsed = JSON.parse(text) as { items?: unknown[]; errors?: boolean }
  if (parsed.items === undefined) return answer
  const error = { type: 'es_rejected_execution_exception', reason: 'rejected execution of coordinating operation' }
  parsed.items.splice(at, 0, { [action]: { _index: meta['_index'], _id: meta['_id'], status: 429, error } })
  return Buffer.from(JSON.stringify({ ...parsed, errors: true }))
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

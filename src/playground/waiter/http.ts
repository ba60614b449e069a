// The HTTP side of a Waiter cluster: takes requests apart, counts them by kind, and sends what came of them. It knows no token.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Clock } from '../../lib/clock.ts'
import { close, listen } from '../listen.ts'

export const REQUEST_KINDS = ['list', 'watch', 'read', 'store', 'delete', 'service'] as const
/** `service`: a request for the service behind a token. */
export type RequestKind = (typeof REQUEST_KINDS)[number]

export interface WaiterRequest {
  readonly kind: RequestKind
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface WaiterAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  /** Goes on where `body` ends, until the other side has had enough. */
  readonly stream?: (response: ServerResponse) => void
}

/** In place of an answer: the connection is cut at once, or nothing ever comes, or the answer stops in its middle. */
export type Misbehaviour = 'reset' | 'hang' | { readonly half: WaiterAnswer }

/** Meets a request; `carryOut` does what it asks for, and gives the answer. */
export type Meet = (
  request: WaiterRequest,
  carryOut: () => WaiterAnswer,
) => WaiterAnswer | Misbehaviour | Promise<WaiterAnswer | Misbehaviour>

export interface WaiterHttpOptions {
  readonly clock: Clock
  readonly serve: (request: WaiterRequest) => WaiterAnswer
  readonly meet?: Meet | undefined
  /** Address to listen on; 127.0.0.1 when left out. */
  readonly address?: string | undefined
  /** Tried first; a free one is taken when it is in use or left out. */
  readonly port?: number | undefined
}

export interface WaiterHttp extends AsyncDisposable {
  readonly address: string
  readonly port: number
  /** Without a slash at its end. */
  readonly url: string
  /** Requests by kind since the start. */
  readonly requests: Readonly<Record<RequestKind, number>>
  readonly openSockets: number
}

const MAX_BODY_CHARACTERS = 4_194_304

/** Listens; rejects when it cannot. */
export async function startWaiterHttp(options: WaiterHttpOptions): Promise<WaiterHttp> {
  const { clock, serve, meet = (_request, carryOut) => carryOut(), address = '127.0.0.1' } = options
  const requests = { list: 0, watch: 0, read: 0, store: 0, delete: 0, service: 0 }
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming)
    requests[request.kind]++
    const met = await meet(request, () => serve(request))
    if (met === 'hang') return
    if (met === 'reset') incoming.socket.resetAndDestroy()
    else if ('half' in met) sendHalf(met.half, response, clock)
    else send(met, response, clock)
  }
  const server = createServer((incoming, response) => {
    // A body cut short rejects: the connection is gone, and nobody is left to be told.
    handle(incoming, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 75_000
  let openSockets = 0
  server.on('connection', (socket) => {
    openSockets++
    socket.on('close', () => openSockets--)
  })
  const port = await listen(server, address, options.port ?? 0)
  return {
    address,
    port,
    url: `http://${address}:${port}`,
    requests,
    get openSockets() {
      return openSockets
    },
    [Symbol.asyncDispose]: () => close(server),
  }
}

/** An answer with JSON text. */
export function json(status: number, body: string, headers: Readonly<Record<string, string>> = {}): WaiterAnswer {
  return { status, body, headers: { 'content-type': 'application/json', ...headers } }
}

async function readRequest(incoming: IncomingMessage): Promise<WaiterRequest> {
  const { method = 'GET', url = '/', headers } = incoming
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
  const body = method === 'GET' ? '' : await readBody(incoming)
  return { kind: kindOf(method, path, query), method, path, query, headers, body }
}

function kindOf(method: string, path: string, query: URLSearchParams): RequestKind {
  if (path === '/tokens') return query.get('watch') === 'true' ? 'watch' : 'list'
  if (path !== '/token') return 'service'
  if (method === 'POST' || method === 'PUT') return 'store'
  return method === 'DELETE' ? 'delete' : 'read'
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of incoming.setEncoding('utf8')) {
    text += chunk
    if (text.length > MAX_BODY_CHARACTERS)
      throw new RangeError(`a body is longer than ${MAX_BODY_CHARACTERS} characters`)
  }
  return text
}

function send(answer: WaiterAnswer, response: ServerResponse, clock: Clock): void {
  const { status, headers, body, stream } = answer
  const date = dateText(clock)
  if (stream === undefined) {
    response.writeHead(status, { date, 'content-length': Buffer.byteLength(body), ...headers })
    response.end(body)
  } else {
    response.writeHead(status, { date, ...headers })
    response.flushHeaders()
    if (body !== '') response.write(body)
    stream(response)
  }
}

function sendHalf({ status, headers, body }: WaiterAnswer, response: ServerResponse, clock: Clock): void {
  const bytes = Buffer.from(body)
  response.writeHead(status, { date: dateText(clock), 'content-length': bytes.length + 1, ...headers })
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy())
}

let lastDate = { second: 0, text: '' }

function dateText(clock: Clock): string {
  const second = Math.floor(clock.wallNow() / 1_000)
  if (second !== lastDate.second) lastDate = { second, text: new Date(second * 1_000).toUTCString() }
  return lastDate.text
}

// The connections to a search server: one request and its answer, with a deadline that a clock sets off. Bodies are plain: compression
// costs both sides more than it saves.
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate, type SecureContext } from 'node:tls'
import { buildConnector, type Dispatcher, Pool } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { DeadlineExceeded, withDeadline } from '../../lib/with-deadline.ts'

export interface TlsOptions {
  /** Asked at each new connection, so that renewed files count. */
  readonly secureContext: () => SecureContext
  /** Name that the certificate must carry and that is sent as SNI; the host when left out. */
  readonly servername?: string | undefined
}

export interface ConnectionsOptions {
  /** `http://` or `https://`; a path before those of the server is kept. */
  readonly url: string
  readonly tls?: TlsOptions | undefined
  readonly clock: Clock
  /** A request has to be answered within this, the body as well. Milliseconds. */
  readonly requestTimeoutMs: number
}

export interface RawRequest {
  readonly method: Dispatcher.HttpMethod
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
  readonly maxBytes: number
  /** In place of the usual one, in milliseconds. */
  readonly timeoutMs?: number
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** `hopeless`: no later try ends in another way. */
export type BrokenKind = 'late' | 'too-long' | 'cut' | 'hopeless'

/** There is no answer; the message names no secret. */
export class ExchangeBroken extends Error {
  override readonly name = 'ExchangeBroken'
  readonly kind: BrokenKind
  /** False when nothing of the request can have arrived. */
  readonly sent: boolean

  constructor(kind: BrokenKind, message: string, sent: boolean, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
    this.sent = sent
  }
}

const MAX_CONNECTIONS = 64
const CONNECT_TIMEOUT_MS = 10_000
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
/** What TLS says of a certificate, and OpenSSL of a key. */
const HOPELESS = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|ERR_OSSL/

export class Connections implements AsyncDisposable {
  readonly #pool: Pool
  readonly #base: string
  readonly #clock: Clock
  readonly #timeoutMs: number
  /** Before the first answer a name that nobody knows is a mistake; after it, something that passes. */
  #hasAnswered = false

  constructor({ url, tls, clock, requestTimeoutMs }: ConnectionsOptions) {
    const { origin, pathname } = new URL(url)
    this.#base = pathname.replace(/\/+$/, '')
    this.#clock = clock
    this.#timeoutMs = requestTimeoutMs
    this.#pool = new Pool(origin, {
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      // The deadline of the whole counts.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: createConnector(tls),
    })
  }

  /** Rejects with ExchangeBroken or the reason of `signal`. */
  async exchange(request: RawRequest, signal?: AbortSignal): Promise<RawAnswer> {
    const timeoutMs = request.timeoutMs ?? this.#timeoutMs
    try {
      const answer = await withDeadline(this.#clock, timeoutMs, (until) => this.#request(request, until), signal)
      this.#hasAnswered = true
      return answer
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      if (error instanceof ExchangeBroken) throw error
      if (error instanceof DeadlineExceeded)
        throw new ExchangeBroken('late', `no answer in ${timeoutMs} ms`, true, { cause: error })
      throw this.#describe(error)
    }
  }

  /** Ends all connections; requests under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }

  async #request({ method, path, headers, body, maxBytes }: RawRequest, signal: AbortSignal): Promise<RawAnswer> {
    const answer = await this.#pool.request({
      method,
      path: this.#base + path,
      headers,
      body: body ?? null,
      signal,
    })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      // Leaving the loop ends the connection.
      if (bytes > maxBytes) throw new ExchangeBroken('too-long', `the answer is longer than ${maxBytes} bytes`, true)
      chunks.push(chunk)
    }
    const [first] = chunks
    const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes)
    return { status: answer.statusCode, headers: answer.headers, text: whole.toString('utf8') }
  }

  #describe(error: unknown): ExchangeBroken {
    const code = codeOf(error)
    const isHopeless = HOPELESS.test(code) || (code === 'ENOTFOUND' && !this.#hasAnswered)
    const kind = isHopeless ? 'hopeless' : 'cut'
    return new ExchangeBroken(kind, code, !UNSENT.has(code), { cause: error })
  }
}

/** The code of the innermost error that has one: messages may hold anything. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.cause instanceof Error ? codeOf(error.cause) : error.name
}

function createConnector(tls: TlsOptions | undefined): buildConnector.connector {
  const settings = {
    timeout: CONNECT_TIMEOUT_MS,
    allowH2: false,
    ...(tls?.servername !== undefined && nameSettings(tls.servername)),
  }
  if (tls === undefined) return buildConnector(settings)
  return (target, callback) => {
    let connect: buildConnector.connector
    try {
      connect = buildConnector({ ...settings, secureContext: tls.secureContext() })
    } catch (error) {
      // Files that cannot be read. Not before this returns: undici is still in the middle of asking.
      queueMicrotask(() => callback(error instanceof Error ? error : new Error(String(error)), null))
      return
    }
    connect(target, callback)
  }
}

/** An address is no name to ask for. */
function nameSettings(servername: string) {
  return {
    ...(isIP(servername) === 0 && { servername }),
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity(servername, certificate),
  }
}

// Requests to a Kubernetes API server over one keep-alive pool of ours, which its capabilities share.
// The pool is made anew when the server's address or a certificate changes, and left behind when it seems dead; what is under
// way on the old one goes on. 401 is tried once more with credentials read anew. Deadlines are our own: those of undici fire late.
import { Pool } from 'undici'
import type { Clock } from '../clock.ts'
import { asCredentialsError, type KubeAccess, type KubeCredentials } from './credentials.ts'
import { createDeadline, until } from './deadline.ts'
import { errorOfAnswer, errorOfConnection, KubeError } from './error.ts'

export interface KubeRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** `/apis/…`, names encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** For the whole exchange; of a stream, until its head has come. In milliseconds. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** The body of an answer, as it comes. Dispose of it, or its connection stays open. */
export interface KubeStream extends Disposable {
  /** Throws KubeError `unreachable` when the connection breaks, the reason of `abort` or of the request's signal. */
  readonly chunks: AsyncIterable<Uint8Array>
  abort(reason: unknown): void
}

export interface KubeClient extends AsyncDisposable {
  /** The own namespace; `default` when the credentials know none. */
  readonly namespace: string
  /**
   * One exchange of JSON; resolves with the parsed body of a 2xx.
   * Throws KubeError (no message of which holds a credential), or the reason of `signal`.
   */
  request(request: KubeRequest): Promise<unknown>
  /** The same for a body that does not end. */
  stream(request: KubeRequest): Promise<KubeStream>
  /** The connections seem dead: what follows opens new ones. */
  reconnect(): void
}

export interface KubeClientOptions {
  readonly credentials: KubeCredentials
  readonly clock: Clock
}

/** undici frees a socket at this age of idleness, in milliseconds: longer than the pauses between renewals of a lease. */
const KEEP_ALIVE_MS = 60_000
/** How long undici tries to connect, in milliseconds: a backstop for what a deadline has already given up. */
const CONNECT_MS = 5_000
/** The most that is read of an answer, in characters. */
const MAX_BODY_CHARS = 64 * 1_048_576

type Answer = Awaited<ReturnType<Pool['request']>>

/** A client for the API server of these credentials. No connection is opened before the first request. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  return new Client(options)
}

class Client implements KubeClient {
  readonly namespace: string
  readonly #credentials: KubeCredentials
  readonly #clock: Clock
  #current: { readonly key: string; readonly pool: Pool } | undefined
  /** Pools that no longer take requests but still have some under way. */
  readonly #retired = new Set<Pool>()
  #closed = false

  constructor(options: KubeClientOptions) {
    this.#credentials = options.credentials
    this.#clock = options.clock
    this.namespace = options.credentials.namespace ?? 'default'
  }

  async request(request: KubeRequest): Promise<unknown> {
    const what = `${request.method} ${request.path}`
    const deadline = this.#deadline(what, request)
    try {
      deadline.signal.throwIfAborted()
      const { answer, access } = await this.#send(what, request, deadline.signal)
      return parseJson(what, answer.statusCode, await this.#read(what, answer, access, deadline.signal))
    } finally {
      deadline[Symbol.dispose]()
    }
  }

  async stream(request: KubeRequest): Promise<KubeStream> {
    const what = `${request.method} ${request.path}`
    const deadline = this.#deadline(what, request)
    const own = new AbortController()
    const onAbort = () => own.abort(deadline.signal.reason)
    deadline.signal.addEventListener('abort', onAbort, { once: true })
    const dispose = () => {
      deadline.signal.removeEventListener('abort', onAbort)
      deadline[Symbol.dispose]()
      own.abort(new KubeError('closed', `${what} is over`))
    }
    try {
      deadline.signal.throwIfAborted()
      const { answer, access } = await this.#send(what, request, own.signal)
      deadline.lift()
      return {
        chunks: this.#chunks(what, answer, access, own.signal),
        abort: (reason) => own.abort(reason),
        [Symbol.dispose]: dispose,
      }
    } catch (error) {
      dispose()
      throw error
    }
  }

  reconnect(): void {
    const pool = this.#current?.pool
    this.#current = undefined
    if (pool === undefined) return
    this.#retired.add(pool)
    // Resolves when the last request on it has ended; idle connections are closed at once.
    void pool.close().then(
      () => this.#retired.delete(pool),
      () => this.#retired.delete(pool),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.reconnect()
    const gone = new KubeError('closed', 'the client for Kubernetes was closed')
    await Promise.all([...this.#retired].map((pool) => pool.destroy(gone)))
  }

  #deadline(what: string, { timeoutMs, signal }: KubeRequest) {
    return createDeadline(this.#clock, timeoutMs, signal, () => {
      // The socket may be a dead one that nobody has told us of, and its neighbours too.
      this.reconnect()
      return new KubeError('timeout', `${what} was not answered within ${timeoutMs} ms`)
    })
  }

  /** An answer of 2xx, and the credentials that it was had with. */
  async #send(
    what: string,
    request: KubeRequest,
    signal: AbortSignal,
  ): Promise<{ readonly answer: Answer; readonly access: KubeAccess }> {
    for (let attempt = 1; ; attempt++) {
      const access = await this.#access(signal)
      const answer = await this.#attempt(what, request, access, signal)
      if (answer.statusCode >= 200 && answer.statusCode <= 299) return { answer, access }
      if (answer.statusCode === 401) this.#credentials.reject(access)
      const body = await this.#read(what, answer, access, signal)
      if (answer.statusCode === 401 && attempt === 1) continue
      const { 'retry-after': retryAfter } = answer.headers
      throw errorOfAnswer(
        {
          what,
          status: answer.statusCode,
          retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
          body,
          wallNowMs: this.#clock.wallNow(),
        },
        secretsOf(access),
      )
    }
  }

  async #access(signal: AbortSignal): Promise<KubeAccess> {
    try {
      return await until(this.#credentials.access(), signal)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw asCredentialsError(error)
    }
  }

  async #attempt(what: string, request: KubeRequest, access: KubeAccess, signal: AbortSignal): Promise<Answer> {
    const { pathname } = new URL(access.server)
    const query = new URLSearchParams(request.query).toString()
    const headers = {
      accept: 'application/json',
      'user-agent': 'syncer',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...access.headers,
    }
    try {
      const answer = this.#pool(access).request({
        method: request.method,
        path: `${pathname === '/' ? '' : pathname}${request.path}${query === '' ? '' : `?${query}`}`,
        headers,
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal,
      })
      // undici heeds the signal only once there is a connection: a frozen server accepts one, and does not shake hands.
      return await until(answer, signal)
    } catch (error) {
      throw this.#failure(what, error, access, signal)
    }
  }

  async #read(what: string, answer: Answer, access: KubeAccess, signal: AbortSignal): Promise<string> {
    try {
      let text = ''
      const decoder = new TextDecoder()
      for await (const chunk of answer.body) {
        text += decoder.decode(chunk, { stream: true })
        if (text.length > MAX_BODY_CHARS)
          throw new KubeError('garbage', `${what} was answered with more than ${MAX_BODY_CHARS} characters`)
      }
      return text + decoder.decode()
    } catch (error) {
      throw this.#failure(what, error, access, signal)
    }
  }

  async *#chunks(what: string, answer: Answer, access: KubeAccess, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      yield* answer.body
    } catch (error) {
      throw this.#failure(what, error, access, signal)
    }
  }

  /** What is thrown to the caller. */
  #failure(what: string, error: unknown, access: KubeAccess, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason
    const failure = errorOfConnection(what, error, secretsOf(access))
    // The server may show a certificate of a new authority, whose own has to be read anew too.
    if (failure.code === 'tls') this.#credentials.reject(access)
    return failure
  }

  #pool(access: KubeAccess): Pool {
    if (this.#closed) throw new KubeError('closed', 'the client for Kubernetes was closed')
    const key = JSON.stringify([access.server, access.tls])
    if (this.#current?.key !== key) {
      this.reconnect()
      this.#current = { key, pool: openPool(access) }
    }
    return this.#current.pool
  }
}

function parseJson(what: string, status: number, body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new KubeError('garbage', `${what} was answered ${status} with a body that is not JSON`, { status })
  }
}

function openPool({ server, tls }: KubeAccess): Pool {
  return new Pool(new URL(server).origin, {
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { ...tls, timeout: CONNECT_MS, keepAlive: true, keepAliveInitialDelay: 30_000 },
  })
}

/** What must never be read in a message: the whole header, and what follows the scheme. */
function secretsOf(access: KubeAccess): readonly string[] {
  const { authorization = '' } = access.headers
  return [authorization, authorization.slice(authorization.indexOf(' ') + 1)]
}

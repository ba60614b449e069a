// Requests to one host: so many at a time and the others in their order, over connections that are kept, each with deadlines that a
// clock sets off. One timer and one listener serve them all: at thousands of requests a second, one of each per request would cost
// more than the request.
import { type Dispatcher, Pool } from 'undici'
import type { Clock, Timer } from '../lib/clock.ts'
import { type ConnectOptions, createConnect } from './connect.ts'
import { describeFailure } from './failure.ts'

export interface ExchangesOptions extends ConnectOptions {
  /** Scheme, host and port. */
  readonly origin: string
  /** The other side may be silent for this long. Milliseconds. */
  readonly idleTimeoutMs: number
  /** Most requests under way at once. */
  readonly maxConcurrentRequests: number
}

export interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** A longer answer is a broken one. */
  readonly maxBytes: number
  /** In place of the usual one: how long the other side may be silent. Milliseconds. */
  readonly idleTimeoutMs?: number | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** When it was sent, and when the head of the answer came, by the clock's `now`. */
  readonly sentAt: number
  readonly headAt: number
}

/** There is no answer. The message names no secret, and nothing that the other side has said. */
export class ExchangeFailed extends Error {
  override readonly name = 'ExchangeFailed'
  /** False when nothing of the request can have reached the other side. */
  readonly sent: boolean

  constructor(message: string, sent: boolean, options?: ErrorOptions) {
    super(message, options)
    this.sent = sent
  }
}

/** No answer takes longer than so many times the silence that is allowed, however it trickles in. */
const MOST_SILENCES = 20
/** What a request that waits for its connection may take beyond the time of one connection, in milliseconds. */
const CONNECT_GRACE_MS = 1_000

const PATH = /^[\x21-\xff]*$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

export class Exchanges implements AsyncDisposable {
  readonly #options: ExchangesOptions
  readonly #clock: Clock
  readonly #pool: Pool
  #waiting: Exchange[] = []
  /** Where the queue begins; what is before it has been taken. */
  #head = 0
  readonly #running = new Set<Exchange>()
  readonly #bySignal = new Map<AbortSignal, Set<Exchange>>()
  #timer: Timer | undefined
  /** When the timer is due, by the clock's `now`. */
  #dueAt = 0
  #closed = false

  constructor(options: ExchangesOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#pool = new Pool(options.origin, {
      connections: options.maxConcurrentRequests,
      pipelining: 1,
      // undici rounds its own time-outs to a second; the ones that count here are in this file.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: createConnect(options),
    })
  }

  /** Rejects with ExchangeFailed, or with the reason of `signal`. */
  send(request: Request, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      if (this.#closed) return reject(new ExchangeFailed('the cluster is no longer in use', false))
      if (!isSendable(request)) return reject(new ExchangeFailed('the request cannot be sent', false))
      const exchange = new Exchange(this, request, this.#options.idleTimeoutMs, signal, resolve, reject)
      this.#follow(exchange)
      if (this.#running.size < this.#options.maxConcurrentRequests) this.#start(exchange)
      else this.#waiting.push(exchange)
    })
  }

  /** Ends all connections; requests under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#disarm()
    const closed = (exchange: Exchange) => exchange.fail('the cluster is no longer in use')
    for (const exchange of this.#waiting.splice(this.#head)) closed(exchange)
    for (const exchange of [...this.#running]) closed(exchange)
    // undici may be in the middle of telling us of a failure: destroyed under its feet, it fails an assertion of its own.
    await null
    await this.#pool.destroy()
  }

  get now(): number {
    return this.#clock.now()
  }

  /** Called by an exchange when it has ended, however it did. */
  ended(exchange: Exchange): void {
    const followed = this.#bySignal.get(exchange.signal)
    followed?.delete(exchange)
    if (followed?.size === 0) {
      this.#bySignal.delete(exchange.signal)
      exchange.signal.removeEventListener('abort', this.#onAbort)
    }
    if (!this.#running.delete(exchange)) return
    if (this.#running.size === 0) this.#disarm()
    while (this.#head < this.#waiting.length && this.#running.size < this.#options.maxConcurrentRequests) {
      const next = this.#waiting[this.#head++]
      if (next !== undefined && !next.isSettled) this.#start(next)
    }
    if (this.#head > 1_024 || this.#head === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
  }

  #start(exchange: Exchange): void {
    if (this.#closed) return
    this.#running.add(exchange)
    exchange.startedAt = this.#clock.now()
    this.#armBefore(exchange.startedAt + this.#leftMs(exchange, exchange.startedAt))
    this.#pool.dispatch(exchange.dispatch, exchange)
  }

  #follow(exchange: Exchange): void {
    const { signal } = exchange
    const followed = this.#bySignal.get(signal)
    if (followed !== undefined) followed.add(exchange)
    else {
      this.#bySignal.set(signal, new Set([exchange]))
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
  }

  readonly #onAbort = (event: Event): void => {
    const signal = event.target as AbortSignal
    const followed = this.#bySignal.get(signal)
    this.#bySignal.delete(signal)
    const all = [...(followed ?? [])]
    // Those that wait first: they would begin in the place of the others.
    for (const exchange of all) if (!this.#running.has(exchange)) exchange.giveUp(signal.reason)
    for (const exchange of all) exchange.giveUp(signal.reason)
  }

  // A lazy timer: armed when something begins, re-armed only as far as the next deadline.
  readonly #look = (): void => {
    this.#timer = undefined
    const now = this.#clock.now()
    for (const exchange of [...this.#running]) {
      if (this.#leftMs(exchange, now) > 0) continue
      exchange.fail(exchange.sent ? `no answer in ${Math.round(now - exchange.heardAt)} ms` : 'no connection')
    }
    for (const exchange of this.#running) this.#armBefore(now + this.#leftMs(exchange, now))
  }

  #armBefore(dueAt: number): void {
    if (this.#timer !== undefined && this.#dueAt <= dueAt) return
    this.#timer?.cancel()
    this.#dueAt = dueAt
    this.#timer = this.#clock.setTimer(Math.max(1, dueAt - this.#clock.now()), this.#look)
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #leftMs({ sent, startedAt, heardAt, idleTimeoutMs }: Exchange, now: number): number {
    // Once it is sent the other time counts, from then on: never later than what is looked at here.
    if (!sent) return Math.min(startedAt + this.#options.connectionTimeoutMs + CONNECT_GRACE_MS - now, idleTimeoutMs)
    return Math.min(heardAt + idleTimeoutMs, startedAt + idleTimeoutMs * MOST_SILENCES) - now
  }
}

/**
 * Whether HTTP can carry it: the name of a token may have any characters. A Pool of undici that refuses a request itself gives it no
 * connection, and waits for ever for that connection to be free again.
 */
function isSendable({ path, headers }: Request): boolean {
  return PATH.test(path) && Object.values(headers).every((value) => HEADER_VALUE.test(value))
}

/** One request on its way; undici's handler. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly dispatch: Dispatcher.DispatchOptions
  readonly signal: AbortSignal
  readonly idleTimeoutMs: number
  startedAt = 0
  /** When something last came, or the request went out. */
  heardAt = 0
  sent = false
  isSettled = false
  readonly #owner: Exchanges
  readonly #maxBytes: number
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (reason: unknown) => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: Answer['headers'] = {}
  #headAt = 0
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(
    owner: Exchanges,
    request: Request,
    idleTimeoutMs: number,
    signal: AbortSignal,
    resolve: (answer: Answer) => void,
    reject: (reason: unknown) => void,
  ) {
    const { method, path, headers, body, maxBytes } = request
    this.#owner = owner
    this.idleTimeoutMs = request.idleTimeoutMs ?? idleTimeoutMs
    this.signal = signal
    this.dispatch = { method, path, headers, body: body ?? null }
    this.#maxBytes = maxBytes
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while it waited for a connection: aborted here, not a byte of it is written.
    if (this.isSettled) {
      controller.abort(new Error('given up'))
      return
    }
    this.#controller = controller
    this.sent = true
    this.heardAt = this.#owner.now
    this.startedAt = this.heardAt
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Answer['headers']): void {
    this.heardAt = this.#owner.now
    this.#headAt = this.heardAt
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.heardAt = this.#owner.now
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxBytes) this.fail(`the answer is longer than ${this.#maxBytes} bytes`)
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    if (!this.#settle()) return
    const [first] = this.#chunks
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    const text = body.toString('utf8')
    this.#chunks = []
    this.#resolve({ status: this.#status, headers: this.#headers, text, sentAt: this.startedAt, headAt: this.#headAt })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settle()) this.#reject(new ExchangeFailed(describeFailure(error), this.sent, { cause: error }))
  }

  /** Ends it without an answer. */
  fail(message: string): void {
    this.giveUp(new ExchangeFailed(message, this.sent))
  }

  /** Ends it for this reason. */
  giveUp(reason: unknown): void {
    if (!this.#settle()) return
    this.#reject(reason)
    this.#controller?.abort(new Error('given up'))
  }

  #settle(): boolean {
    if (this.isSettled) return false
    this.isSettled = true
    this.#owner.ended(this)
    return true
  }
}

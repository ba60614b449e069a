// Requests to a search server: each with a deadline, each tried again while another try may help. All that is sent may be sent twice,
// for what writes is bound to a state of the document: see bulk-writer.ts. Nothing that the server says in words gets into an error:
// it repeats the values of documents.
import { type BackoffLimits, backoffAtLeastMs, parseRetryAfterMs } from '../../lib/backoff.ts'
import { type Clock, delay } from '../../lib/clock.ts'
import { Outage, type OutageOptions } from '../outage.ts'
import { StoreFailed } from '../store.ts'
import { Connections, type ConnectionsOptions, ExchangeBroken, type RawAnswer } from './connections.ts'
import { BrokenAnswer } from './parts.ts'

export interface TransportOptions extends ConnectionsOptions, OutageOptions {
  /** Address, for messages. */
  readonly url: string
  /** Value of the header Authorization; asked at each try. */
  readonly authorization?: (() => Promise<string | undefined>) | undefined
  /** Gives [0, 1). */
  readonly random: () => number
}

export interface Answer {
  readonly status: number
  readonly text: string
  /** What went wrong, as the server names it: `index_not_found_exception`; undefined for a success. */
  readonly errorType: string | undefined
}

export interface Request<T> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With the query, encoded. */
  readonly path: string
  readonly body?: string | Uint8Array | undefined
  /** Lines of JSON in place of one JSON. */
  readonly isLines?: boolean
  /**
   * What is an answer though it is no success: statuses from 300 on, and types of errors. Anything else is a failure: what a proxy on
   * the way answers with 404 says nothing of an index.
   */
  readonly expected?: readonly (number | string)[]
  /** A longer answer is too much; 256 MiB when left out. */
  readonly maxBytes?: number
  /** The caller can ask for less at a time: what takes too long or is too long is then thrown as TooMuch. */
  readonly isDivisible?: boolean
  /** Told of each try that failed and is tried again. */
  readonly onTrouble?: (trouble: Trouble) => void
  /** What the answer says. A BrokenAnswer thrown here is a try that failed. */
  readonly read: (answer: Answer, doubtful: boolean) => T
}

/** `busy`: asked to slow down. `late`: no answer in time. `broken`: anything else that passes. */
export type Trouble = 'busy' | 'late' | 'broken'

/** What takes too long, is too long, or is more than the server wants, where less can be asked for at a time. */
export class TooMuch extends Error {
  override readonly name = 'TooMuch'
  /** It may have been carried out all the same. */
  readonly isDoubtful: boolean

  constructor(why: 'late' | 'long' | 'busy', isDoubtful: boolean) {
    super(`too much at a time: ${why}`)
    this.isDoubtful = isDoubtful
  }
}

/** How one try ended that is no answer. */
interface Failure {
  readonly trouble: Trouble
  /** In words that carry nothing of the documents. */
  readonly message: string
  /** The other side may have done what it was asked. */
  readonly isDoubtful: boolean
  readonly retryAfterMs: number | undefined
  /** Tries that make sense when it ends like this. */
  readonly maxTries: number
  readonly cause: unknown
}

const LIMITS: BackoffLimits = { baseMs: 200, capMs: 10_000 }
const TRANSIENT = new Set([429, 502, 503, 504])
/** A node that ends answers so, too; a fault of the server would answer so for ever. */
const FAULT = 500
const FAULT_TRIES = 6
const BUSY_TRIES = 4
const MAX_BYTES = 268_435_456
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const ERROR_TYPE = /"type"\s*:\s*"([a-z_]{1,80})"/

export class Transport implements AsyncDisposable {
  readonly url: string
  readonly #options: TransportOptions
  readonly #clock: Clock
  readonly #connections: Connections
  readonly #outage: Outage
  #isElastic = false

  constructor(options: TransportOptions) {
    this.url = options.url
    this.#options = options
    this.#clock = options.clock
    this.#connections = new Connections(options)
    this.#outage = new Outage(`elasticsearch ${options.url}`, options)
  }

  /** True once an answer had the header by which every answer of Elasticsearch is known. */
  get isElastic(): boolean {
    return this.#isElastic
  }

  /**
   * Rejects with StoreFailed when there is no answer to be had, TooMuch (see isDivisible), or the reason of `signal`.
   * `read` is told whether an earlier try may have been carried out unseen.
   */
  async send<T>(request: Request<T>, signal: AbortSignal): Promise<T> {
    let failedAt: number | undefined
    let isDoubtful = false
    let refusals = 0
    for (let tries = 1; ; tries++) {
      const result: { readonly value: T } | Failure = await this.#try(request, isDoubtful, signal)
      if (!('trouble' in result)) {
        this.#outage.worked()
        return result.value
      }
      this.#outage.failed(result.message)
      isDoubtful ||= result.isDoubtful
      if (result.trouble === 'busy') refusals++
      request.onTrouble?.(result.trouble)
      // Servers refuse what is more than they have room for, however often it comes.
      if (request.isDivisible === true && (result.trouble === 'late' || refusals >= BUSY_TRIES))
        throw new TooMuch(result.trouble === 'late' ? 'late' : 'busy', isDoubtful)
      const pauseMs = backoffAtLeastMs(result.retryAfterMs ?? 0, tries - 1, LIMITS, this.#options.random)
      failedAt ??= this.#clock.now()
      const isOver = this.#clock.now() + pauseMs - failedAt >= this.#options.retryForMs
      if (isOver || tries >= result.maxTries) throw this.#fail(request, result.message, result.cause)
      await delay(this.#clock, pauseMs, signal)
    }
  }

  /** Sends it once and forgets about it: what happens if it fails passes by itself. Ends within `timeoutMs`. */
  async sendOnce(request: Pick<Request<void>, 'method' | 'path' | 'body'>, timeoutMs: number): Promise<void> {
    try {
      const headers = await this.#headersFor(request)
      await this.#connections.exchange({ ...request, headers, maxBytes: MAX_BYTES, timeoutMs })
    } catch (error) {
      if (!(error instanceof ExchangeBroken)) throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]()
  }

  async #try<T>(
    request: Request<T>,
    isDoubtful: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly value: T } | Failure> {
    const { method, path, body, maxBytes = MAX_BYTES } = request
    const headers = await this.#headersFor(request)
    let raw: RawAnswer
    try {
      raw = await this.#connections.exchange({ method, path, body, headers, maxBytes }, signal)
    } catch (error) {
      if (!(error instanceof ExchangeBroken)) throw error
      return this.#judgeBroken(request, error)
    }
    if (raw.headers['x-elastic-product'] === 'Elasticsearch') this.#isElastic = true
    const { status, text } = raw
    const isSuccess = status < 300
    const errorType = isSuccess ? undefined : ERROR_TYPE.exec(text.slice(0, 4_096))?.[1]
    if (!isSuccess && !isExpected(raw, request.expected)) return this.#judgeStatus(request, raw, errorType)
    try {
      return { value: request.read({ status, text, errorType }, isDoubtful) }
    } catch (error) {
      if (!(error instanceof BrokenAnswer)) throw error
      const maxTries = error.passes ? Number.POSITIVE_INFINITY : FAULT_TRIES
      return failure('broken', `answered ${status}: ${error.message}`, { cause: error, maxTries })
    }
  }

  #judgeBroken<T>(request: Request<T>, error: ExchangeBroken): Failure {
    if (error.kind === 'too-long') {
      if (request.isDivisible === true) throw new TooMuch('long', error.sent)
      throw this.#fail(request, error.message, error)
    }
    if (error.kind === 'hopeless') throw this.#fail(request, error.message, error)
    return failure(error.kind === 'late' ? 'late' : 'broken', error.message, { cause: error, isDoubtful: error.sent })
  }

  #judgeStatus<T>(request: Request<T>, { status, headers }: RawAnswer, errorType: string | undefined): Failure {
    const said = errorType === undefined ? `answered ${status}` : `answered ${status} (${errorType})`
    if (!TRANSIENT.has(status) && status !== FAULT) throw this.#fail(request, said, undefined)
    const retryAfter = headers['retry-after']
    return failure(status === 429 ? 'busy' : 'broken', said, {
      isDoubtful: status !== 429,
      retryAfterMs: parseRetryAfterMs(typeof retryAfter === 'string' ? retryAfter : undefined, this.#clock.wallNow()),
      ...(status === FAULT && { maxTries: FAULT_TRIES }),
    })
  }

  async #headersFor(request: Pick<Request<unknown>, 'body' | 'isLines'>): Promise<Record<string, string>> {
    const headers: Record<string, string> = { accept: 'application/json' }
    if (request.body !== undefined)
      headers['content-type'] = request.isLines === true ? 'application/x-ndjson' : 'application/json'
    const authorization = await this.#options.authorization?.()
    if (authorization === undefined) return headers
    // A pool of undici that refuses a request itself can wait for ever.
    if (!HEADER_VALUE.test(authorization))
      throw new StoreFailed(`elasticsearch ${this.url}: the credentials have characters that no header can carry`)
    headers['authorization'] = authorization
    return headers
  }

  #fail(request: Pick<Request<unknown>, 'method' | 'path'>, message: string, cause: unknown): StoreFailed {
    const [path] = request.path.split('?')
    return new StoreFailed(`elasticsearch ${this.url}: ${request.method} ${path}: ${message}`, { cause })
  }
}

function isExpected({ status, text }: RawAnswer, expected: readonly (number | string)[] = []): boolean {
  return expected.some((one) => (typeof one === 'number' ? one === status : text.includes(`"${one}"`)))
}

function failure(trouble: Trouble, message: string, more: Partial<Failure>): Failure {
  const usual = { isDoubtful: true, retryAfterMs: undefined, maxTries: Number.POSITIVE_INFINITY, cause: undefined }
  return { trouble, message, ...usual, ...more }
}

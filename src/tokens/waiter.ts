// The client of one Waiter cluster. What is sent is sent once: retries of reads are waiter-retry.ts, and writes are never repeated.
import { parseRetryAfterMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { type IndexRecord, isSuccess, type RawAnswer, readIndex, readTokenAnswer, readWriteAnswer } from './answers.ts'
import { parseClusterUrl } from './cluster-address.ts'
import type { SecureContexts } from './connect.ts'
import {
  ClusterUnreachable,
  type ClusterUrl,
  type Description,
  type TokenRead,
  type WaiterCluster,
  type WriteAnswer,
} from './contract.ts'
import { type Answer, ExchangeFailed, Exchanges, type Request } from './exchange.ts'
import { type JsonValue, writeJson } from './json.ts'
import { narrowSkew, type Skew } from './skew.ts'

export interface WaiterClusterOptions {
  /** `http://` or `https://`; a path before those of the cluster is kept, slashes at the end are not. */
  readonly url: string
  readonly clock: Clock
  /** Value of the header Authorization; asked at each request. Nothing of it appears in an error. */
  readonly authorization?: (() => string | undefined) | undefined
  /** Milliseconds; 1000 when left out. */
  readonly connectionTimeoutMs?: number | undefined
  /** How long the cluster may be silent, in milliseconds; 30000 when left out, 250 or more. */
  readonly idleTimeoutMs?: number | undefined
  /** 16 when left out. */
  readonly maxConcurrentRequests?: number | undefined
  readonly secureContext?: SecureContexts | undefined
  /** Name that the certificate must carry and that is sent as SNI; the host of the address when left out. */
  readonly servername?: string | undefined
}

/** How the service behind a token answered a health check. */
export type HealthAnswer =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'broken'; readonly message: string }

/** A cluster with what the tools beside the sync need. */
export interface WaiterClient extends WaiterCluster, AsyncDisposable {
  list(signal: AbortSignal): Promise<readonly IndexRecord[]>
  /** `GET` on this path of the service behind the token. `queueTimeoutMs`: how long Waiter may let it wait for an instance. */
  checkHealth(token: string, path: string, queueTimeoutMs: number, signal: AbortSignal): Promise<HealthAnswer>
}

/** The list was refused, or what came is none. */
export class ListRefused extends ClusterUnreachable {
  readonly status: number
  /** How long the cluster wants to be left alone; undefined when it does not say. */
  readonly retryAfterMs: number | undefined

  constructor(cluster: ClusterUrl, reason: string, status: number, retryAfterMs: number | undefined) {
    super(cluster, reason)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

const MAX_LIST_BYTES = 268_435_456
const MAX_TOKEN_BYTES = 16_777_216
const INCLUDE = 'include=deleted&include=metadata'

/** Opens no connection before something is asked. Throws TypeError for an address that is none. */
export function createWaiterCluster(options: WaiterClusterOptions): WaiterClient {
  return new Client(options)
}

class Client implements WaiterClient {
  readonly url: ClusterUrl
  readonly #clock: Clock
  readonly #authorization: () => string | undefined
  readonly #exchanges: Exchanges
  readonly #base: string
  readonly #idleTimeoutMs: number
  #skew: Skew | undefined

  constructor(options: WaiterClusterOptions) {
    this.url = parseClusterUrl(options.url)
    const { origin, pathname } = new URL(this.url)
    this.#base = pathname === '/' ? '' : pathname
    this.#clock = options.clock
    this.#authorization = options.authorization ?? (() => undefined)
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 30_000
    this.#exchanges = new Exchanges({
      origin,
      clock: options.clock,
      connectionTimeoutMs: options.connectionTimeoutMs ?? 1_000,
      idleTimeoutMs: this.#idleTimeoutMs,
      maxConcurrentRequests: options.maxConcurrentRequests ?? 16,
      secureContext: options.secureContext,
      servername: options.servername,
    })
  }

  get skewMs(): number | undefined {
    return this.#skew === undefined ? undefined : Math.round((this.#skew.low + this.#skew.high) / 2)
  }

  async list(signal: AbortSignal): Promise<readonly IndexRecord[]> {
    const answer = await this.#send('GET', `/tokens?${INCLUDE}`, {}, signal, { maxBytes: MAX_LIST_BYTES })
    if (answer instanceof ExchangeFailed) throw new ClusterUnreachable(this.url, answer.message, { cause: answer })
    const { status, retryAfterMs } = answer
    const list = isSuccess(status) ? readIndex(answer.text) : undefined
    if (list !== undefined) return list
    const reason = isSuccess(status) ? `answered ${status} with what is no list of tokens` : `answered ${status}`
    throw new ListRefused(this.url, reason, status, retryAfterMs)
  }

  async read(token: string, signal: AbortSignal): Promise<TokenRead> {
    const answer = await this.#send('GET', `/token?${INCLUDE}`, { 'x-waiter-token': token }, signal)
    return answer instanceof ExchangeFailed ? { kind: 'broken', message: answer.message } : readTokenAnswer(answer)
  }

  async store(
    token: string,
    description: Description,
    ifMatch: string | undefined,
    signal: AbortSignal,
  ): Promise<WriteAnswer> {
    const fields = new Map<string, JsonValue>(description)
    fields.delete('token')
    const body = writeJson(fields.set('token', token))
    const headers = { 'content-type': 'application/json', ...matching(ifMatch) }
    return this.#write(await this.#send('POST', '/token?update-mode=admin', headers, signal, { body }))
  }

  async hardDelete(token: string, ifMatch: string | undefined, signal: AbortSignal): Promise<WriteAnswer> {
    const headers = { 'x-waiter-token': token, ...matching(ifMatch) }
    return this.#write(await this.#send('DELETE', '/token?hard-delete=true', headers, signal))
  }

  async checkHealth(token: string, path: string, queueTimeoutMs: number, signal: AbortSignal): Promise<HealthAnswer> {
    const headers = { 'x-waiter-token': token, 'x-waiter-queue-timeout': String(queueTimeoutMs) }
    // Waiter answers when the time in the queue is over, and the service needs some time too.
    const idleTimeoutMs = this.#idleTimeoutMs + queueTimeoutMs
    const own = path.startsWith('/') ? path : `/${path}`
    const answer = await this.#send('GET', own, headers, signal, { idleTimeoutMs })
    if (answer instanceof ExchangeFailed) return { kind: 'broken', message: answer.message }
    return { kind: 'answered', status: answer.status }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exchanges[Symbol.asyncDispose]()
  }

  async #send(
    method: Request['method'],
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
    more: { readonly body?: string; readonly maxBytes?: number; readonly idleTimeoutMs?: number } = {},
  ): Promise<RawAnswer | ExchangeFailed> {
    headers['accept'] = 'application/json'
    try {
      const authorization = this.#authorization()
      if (authorization !== undefined) headers['authorization'] = authorization
      const { body, maxBytes = MAX_TOKEN_BYTES, idleTimeoutMs } = more
      const request = { method, path: this.#base + path, headers, body, maxBytes, idleTimeoutMs }
      const answer = await this.#exchanges.send(request, signal)
      this.#noteDate(answer)
      const { status, text } = answer
      const retryAfter = single(answer.headers['retry-after'])
      const retryAfterMs = retryAfter === undefined ? undefined : parseRetryAfterMs(retryAfter, this.#clock.wallNow())
      return { status, text, etag: single(answer.headers['etag']), retryAfterMs }
    } catch (error) {
      if (error instanceof ExchangeFailed) return error
      throw error
    }
  }

  #write(answer: RawAnswer | ExchangeFailed): WriteAnswer {
    if (!(answer instanceof ExchangeFailed)) return readWriteAnswer(answer, (text) => this.#hide(text))
    return { kind: 'unknown', message: answer.message, sent: answer.sent }
  }

  /** A server may repeat what it was sent. */
  #hide(text: string): string {
    const secret = this.#authorization()
    if (secret === undefined || secret === '') return text
    const credentials = secret.replace(/^\S+\s+/, '')
    const hidden = text.replaceAll(secret, '***')
    return credentials === '' ? hidden : hidden.replaceAll(credentials, '***')
  }

  #noteDate({ headers, sentAt, headAt }: Answer): void {
    const date = single(headers['date'])
    if (date === undefined) return
    const toWall = this.#clock.wallNow() - this.#clock.now()
    this.#skew = narrowSkew(this.#skew, date, sentAt + toWall, headAt + toWall)
  }
}

const matching = (ifMatch: string | undefined): Record<string, string> =>
  ifMatch === undefined ? {} : { 'if-match': ifMatch }

const single = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

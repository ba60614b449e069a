// What can go wrong between us and a Kubernetes API server, as one class with a stable code.
// The HTTP status decides, never the body: a 429 has a text body, a 504 JSON without a kind.
import { parseRetryAfterMs } from '../backoff.ts'

export type KubeErrorCode =
  | 'bad-request' // 400
  | 'unauthorized' // 401, with fresh credentials too
  | 'forbidden' // 403
  | 'not-found' // 404
  | 'conflict' // 409
  | 'gone' // 410: the resourceVersion, or the page, is no longer kept
  | 'invalid' // 422
  | 'throttled' // 429
  | 'server-error' // 5xx
  | 'unexpected-status' // anything else that is not 2xx
  | 'timeout' // no answer within the deadline
  | 'unreachable' // no connection, or it broke
  | 'tls' // the certificate does not verify
  | 'garbage' // an answer that is not what an API server says
  | 'credentials' // there are none to be had
  | 'closed' // the client was closed

/** The message is one line, names method and path, and never holds a credential. */
export class KubeError extends Error {
  override readonly name = 'KubeError'
  readonly code: KubeErrorCode
  /** HTTP status, or the code of an ERROR event; undefined when there was no answer. */
  readonly status: number | undefined
  /** How long the server asked to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: KubeErrorCode,
    message: string,
    details: { readonly status?: number | undefined; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message)
    this.code = code
    this.status = details.status
    this.retryAfterMs = details.retryAfterMs
  }
}

const BY_STATUS: Readonly<Record<number, KubeErrorCode>> = {
  400: 'bad-request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  410: 'gone',
  422: 'invalid',
  429: 'throttled',
}

export function codeOfStatus(status: number): KubeErrorCode {
  return BY_STATUS[status] ?? (status >= 500 && status <= 599 ? 'server-error' : 'unexpected-status')
}

export interface FailedAnswer {
  /** Method and path. */
  readonly what: string
  readonly status: number
  /** Header `Retry-After`. */
  readonly retryAfter: string | undefined
  readonly body: string
  readonly wallNowMs: number
}

/** An answer that is not 2xx, as an error. `hide` is taken out of whatever the server says. */
export function errorOfAnswer(answer: FailedAnswer, hide: readonly string[]): KubeError {
  const said = saidBy(answer.body)
  const message = `${answer.what} was answered ${answer.status}${said === '' ? '' : `: ${oneLine(redact(said, hide))}`}`
  const retryAfterMs = parseRetryAfterMs(answer.retryAfter, answer.wallNowMs)
  return new KubeError(codeOfStatus(answer.status), message, { status: answer.status, retryAfterMs })
}

const TLS =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO$)/

/** A failure of the connection, as an error. `hide` is taken out of its message. */
export function errorOfConnection(what: string, error: unknown, hide: readonly string[]): KubeError {
  if (error instanceof KubeError) return error
  const { code, text } = explain(error)
  return new KubeError(TLS.test(code) ? 'tls' : 'unreachable', `${what} failed: ${oneLine(redact(text, hide))}`)
}

function explain(error: unknown): { readonly code: string; readonly text: string } {
  if (!(error instanceof Error)) return { code: '', text: String(error) }
  // With several addresses the error is an AggregateError without a message of its own.
  const first = error instanceof AggregateError ? error.errors[0] : undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return { code, text: error.message || (first instanceof Error ? first.message : '') || code || error.name }
}

/** The message of a Status object, else the text itself. */
function saidBy(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string')
      return parsed.message
    return ''
  } catch {
    return body.trimStart().startsWith('<') ? '' : body
  }
}

/** At most 300 characters, without line ends and control characters. */
export function oneLine(text: string): string {
  const flat = text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return flat.length <= 300 ? flat : `${flat.slice(0, 299)}…`
}

function redact(text: string, hide: readonly string[]): string {
  return hide.filter((secret) => secret !== '').reduce((left, secret) => left.replaceAll(secret, '***'), text)
}

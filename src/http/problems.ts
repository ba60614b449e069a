// Every error that the service answers with: its stable type, its words, and what it means (docs/problems.md is made from
// this). Errors that capabilities throw are mapped here and nowhere else, by name: http does not load capabilities.
import type { components } from '../../generated/openapi.ts'

export type Problem = components['schemas']['Problem']
export type ProblemError = components['schemas']['ProblemError']
type Check = components['schemas']['Check']

interface ProblemKind {
  readonly status: number
  readonly title: string
  /** When it happens and what helps, for the page about problems. */
  readonly meaning: string
}

/** By the last part of their `type`. Neither a name nor a status changes once it is released. */
export const PROBLEMS = {
  'bad-request': {
    status: 400,
    title: 'Bad request',
    meaning:
      'A header, a query parameter, the body or the path is missing or malformed; `errors` names each. A query parameter that the operation does not have is refused too. Asking again does not help.',
  },
  unauthorized: {
    status: 401,
    title: 'Unauthorized',
    meaning: 'The credentials are missing, malformed, unknown or expired. Send `Authorization: Bearer TOKEN`.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    meaning: 'The caller is known and has not the scope that the operation needs. `WWW-Authenticate` names the scope.',
  },
  'not-found': { status: 404, title: 'Not found', meaning: 'The service has nothing at this path.' },
  'not-configured': {
    status: 404,
    title: 'Not configured',
    meaning: 'The operation belongs to a capability that has no section in the configuration of this service.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    meaning:
      'The path exists and has no such method. `Allow` names those it has. HEAD and OPTIONS are methods like others.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request time-out',
    meaning: 'The request came too slowly. The connection is closed.',
  },
  'payload-too-large': { status: 413, title: 'Payload too large', meaning: 'The body has more than 64 KiB.' },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    meaning: 'Bodies are read as `application/json` only.',
  },
  'expectation-failed': {
    status: 417,
    title: 'Expectation failed',
    meaning: 'Of the header `Expect` only `100-continue` is understood.',
  },
  'unknown-origin': {
    status: 422,
    title: 'Unknown origin',
    meaning:
      '`X-Nginx-Origin` is the name or address of no replica, not after the list was read again either. Compare it with `GET /v1/replicas`.',
  },
  'unknown-replica': {
    status: 422,
    title: 'Unknown replica',
    meaning: '`replica` limits the check to something that is not a replica, or to the origin, which is never asked.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Headers too large',
    meaning: 'The headers have more than 32 KiB together. The connection is closed.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    meaning: 'A defect of the service. Its log has the reason under the `requestId`; please report it.',
  },
  'no-replicas': {
    status: 503,
    title: 'No replicas',
    meaning:
      'No replica of the gateway is known, or not yet, so that no verdict is possible. Try again after `Retry-After` seconds.',
  },
  'too-many-checks': {
    status: 503,
    title: 'Too many checks',
    meaning:
      'As many checks are in flight as `gateway.maxConcurrentChecks` allows. Try again after `Retry-After` seconds.',
  },
  'auth-unavailable': {
    status: 503,
    title: 'Authentication unavailable',
    meaning:
      'The issuer or the API server that knows the credentials cannot be asked. Try again after `Retry-After` seconds.',
  },
  'not-ready': {
    status: 503,
    title: 'Not ready',
    meaning:
      'A check of `/readyz` fails, or the service is stopping; `checks` names it. Send requests elsewhere meanwhile.',
  },
} as const satisfies Readonly<Record<string, ProblemKind>>

export type ProblemName = keyof typeof PROBLEMS

interface Extras {
  readonly errors?: readonly ProblemError[]
  readonly checks?: readonly Check[]
  /** Headers of the answer, spelled as they go over the wire. */
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** An error that knows how it is answered. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly kind: ProblemName
  readonly errors: readonly ProblemError[] | undefined
  readonly checks: readonly Check[] | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(kind: ProblemName, detail: string, { errors, checks, headers = {}, cause }: Extras = {}) {
    super(detail, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.errors = errors
    this.checks = checks
    this.headers = headers
  }

  get status(): number {
    return PROBLEMS[this.kind].status
  }
}

const MAX_DETAIL = 2048
const MAX_ERROR_DETAIL = 1024
const RETRY_SOON = { 'Retry-After': '1' }

export const badRequest = (errors: readonly ProblemError[], detail = 'The request is malformed.') =>
  new HttpProblem('bad-request', detail, errors.length > 0 ? { errors } : {})

/** `error` is the code of RFC 6750; left out where no credentials were sent. */
export const unauthorized = (detail: string, error?: 'invalid_request' | 'invalid_token') =>
  new HttpProblem('unauthorized', detail, {
    headers: { 'WWW-Authenticate': `Bearer realm="syncer"${error === undefined ? '' : `, error="${error}"`}` },
  })

export const forbidden = (scope: string) =>
  new HttpProblem('forbidden', `The caller needs the scope "${scope}".`, {
    headers: { 'WWW-Authenticate': `Bearer realm="syncer", error="insufficient_scope", scope="${scope}"` },
  })

export const notFound = () => new HttpProblem('not-found', 'There is nothing at this path.')

export const notConfigured = (section: string) =>
  new HttpProblem('not-configured', `This service has no section "${section}" in its configuration.`)

export const methodNotAllowed = (allowed: readonly string[]) =>
  new HttpProblem(
    'method-not-allowed',
    allowed.length > 0 ? `This path allows only ${allowed.join(', ')}.` : 'No path has this method.',
    {
      headers: { Allow: allowed.join(', ') },
    },
  )

export const requestTimeout = () => new HttpProblem('request-timeout', 'The request came too slowly.')

export const payloadTooLarge = () => new HttpProblem('payload-too-large', 'The body of a request may have 64 KiB.')

export const unsupportedMediaType = () =>
  new HttpProblem('unsupported-media-type', 'The body of a request must be application/json.')

export const expectationFailed = () =>
  new HttpProblem('expectation-failed', 'Of the header Expect only 100-continue is understood.')

export const headersTooLarge = () =>
  new HttpProblem('headers-too-large', 'The headers of a request may have 32 KiB together.')

export const internalError = (cause: unknown) =>
  new HttpProblem('internal-error', 'The service failed to answer; its log has the reason under this request id.', {
    cause,
  })

export const authUnavailable = (detail: string) => new HttpProblem('auth-unavailable', detail, { headers: RETRY_SOON })

export const notReady = (checks: readonly Check[]) => {
  const failing = checks.filter((check) => !check.ok).map((check) => check.name)
  return new HttpProblem('not-ready', `These checks fail: ${failing.join(', ')}.`, { checks, headers: RETRY_SOON })
}

const unknownOrigin = ({ message }: Error) =>
  new HttpProblem('unknown-origin', 'The origin is not a replica of the gateway.', {
    errors: [{ header: 'X-Nginx-Origin', detail: message }],
  })

const unknownReplica = ({ message }: Error) =>
  new HttpProblem('unknown-replica', 'The check is limited to what is not a replica to ask.', {
    errors: [{ query: 'replica', detail: message }],
  })

const noReplicas = ({ message }: Error) =>
  new HttpProblem('no-replicas', message || 'No replica of the gateway is known.', { headers: RETRY_SOON })

const tooManyChecks = ({ message }: Error) =>
  new HttpProblem('too-many-checks', message || 'As many checks as allowed are in flight.', { headers: RETRY_SOON })

/** What capabilities throw, by the name of the class. */
export const THROWN_BY_CAPABILITIES: ReadonlyMap<string, (error: Error) => HttpProblem> = new Map([
  ['InvalidToken', ({ message }) => badRequest([{ header: 'X-Auth-Token', detail: message }])],
  ['UnknownOrigin', unknownOrigin],
  ['UnknownReplica', unknownReplica],
  ['NoReplicas', noReplicas],
  ['TooManyChecks', tooManyChecks],
])

/** What the framework throws before a handler is reached, by status. */
const THROWN_BY_FRAMEWORK: ReadonlyMap<number, () => HttpProblem> = new Map([
  [404, notFound],
  [413, payloadTooLarge],
  [415, unsupportedMediaType],
])

/** How an error is answered. What is nobody's mistake but ours is an internal error, with the error as its cause. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error
  if (!(error instanceof Error)) return internalError(error)
  const mapped = THROWN_BY_CAPABILITIES.get(error.name)
  if (mapped !== undefined) return mapped(error)
  const { code, statusCode } = error as { readonly code?: unknown; readonly statusCode?: unknown }
  if (typeof code !== 'string' || !code.startsWith('FST_') || typeof statusCode !== 'number' || statusCode >= 500)
    return internalError(error)
  return THROWN_BY_FRAMEWORK.get(statusCode)?.() ?? badRequest([], describeFrameworkError(code))
}

/** Words of ours: those of the framework may repeat what was sent. */
function describeFrameworkError(code: string): string {
  if (code === 'FST_ERR_BAD_URL') return 'The path is not well-formed percent-encoding.'
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return 'A part of the path is too long.'
  if (code.startsWith('FST_ERR_CTP')) return 'The body is not the JSON that its headers announce.'
  return 'The request is malformed.'
}

/** The body of the answer. `instance` is the path that was asked, without its query. */
export function describeProblem(problem: HttpProblem, instance: string, requestId: string): Problem {
  const { status, title } = PROBLEMS[problem.kind]
  return {
    type: `/problems/${problem.kind}`,
    title,
    status,
    detail: problem.message.slice(0, MAX_DETAIL),
    instance,
    requestId,
    ...(problem.errors && {
      errors: problem.errors
        .slice(0, 100)
        .map((error) => ({ ...error, detail: error.detail.slice(0, MAX_ERROR_DETAIL) })),
    }),
    ...(problem.checks && { checks: problem.checks }),
  }
}

// How every error becomes the problem that it is answered with. Errors that capabilities throw are mapped here and nowhere
// else, by name: http does not load capabilities.
import type { components } from '../../generated/openapi.ts'
import type { RunRecord } from '../state/store.ts'
import { PROBLEMS, type ProblemName } from './problem-kinds.ts'

export type Problem = components['schemas']['Problem']
export type ProblemError = components['schemas']['ProblemError']
type Check = components['schemas']['Check']
type RunInTheWay = NonNullable<Problem['run']>

interface Extras {
  readonly errors?: readonly ProblemError[]
  readonly checks?: readonly Check[]
  readonly run?: RunInTheWay
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
  readonly run: RunInTheWay | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(kind: ProblemName, detail: string, { errors, checks, run, headers = {}, cause }: Extras = {}) {
    super(detail, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.errors = errors
    this.checks = checks
    this.run = run
    this.headers = headers
  }

  get status(): number {
    return PROBLEMS[this.kind].status
  }
}

/** Longest `detail`, in characters. */
export const MAX_DETAIL = 2048
const MAX_ERROR_DETAIL = 1024
const RETRY_SOON = { 'Retry-After': '1' }

export const badRequest = (errors: readonly ProblemError[], detail = 'The request is malformed.') =>
  new HttpProblem('bad-request', detail, errors.length > 0 ? { errors } : {})

/** `error` is the code of RFC 6750; left out where no credentials were sent. */
export const unauthorized = (detail: string, error?: 'invalid_request' | 'invalid_token') =>
  new HttpProblem('unauthorized', detail, {
    headers: { 'WWW-Authenticate': `Bearer realm="syncer"${error === undefined ? '' : `, error="${error}"`}` },
  })

/** `scopes`: any of them would do. */
export const forbidden = (...scopes: readonly string[]) =>
  new HttpProblem('forbidden', `The caller needs the scope ${scopes.map((scope) => `"${scope}"`).join(' or ')}.`, {
    headers: { 'WWW-Authenticate': `Bearer realm="syncer", error="insufficient_scope", scope="${scopes.join(' ')}"` },
  })

export const notFound = (detail = 'There is nothing at this path.') => new HttpProblem('not-found', detail)

/** Parts of the service that come with more than one section of the configuration. */
const SECTIONS_OF: Readonly<Record<string, readonly string[]>> = { runs: ['tokens', 'db'] }

export const notConfigured = (part: string) => {
  const [first, second] = SECTIONS_OF[part] ?? [part]
  const what = second === undefined ? `no section "${first}"` : `neither a section "${first}" nor a section "${second}"`
  return new HttpProblem('not-configured', `This service has ${what} in its configuration.`)
}

/** Path of a run. */
export const hrefOfRun = (id: string) => `/v1/runs/${id}`

const describeInTheWay = ({ id, state }: RunRecord): RunInTheWay => ({ id, state, href: hrefOfRun(id) })

export const runOverlaps = (run: RunRecord) =>
  new HttpProblem('run-overlaps', 'A run of the same kind is under way on one of the same clusters or pairs.', {
    run: describeInTheWay(run),
    headers: { Location: hrefOfRun(run.id) },
  })

export const idempotencyKeyReused = (run: RunRecord) =>
  new HttpProblem('idempotency-key-reused', 'This Idempotency-Key came with another request before.', {
    run: describeInTheWay(run),
    errors: [{ header: 'Idempotency-Key', detail: 'belongs to another request' }],
  })

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

/** A plan that is none is told apart: the request is well-formed, and what it names is not there any more perhaps. */
const invalidRunRequest = (error: Error) => {
  const { pointer = '' } = error as { readonly pointer?: string }
  const errors = [{ pointer, detail: error.message }]
  return pointer === '/plan'
    ? new HttpProblem('unusable-plan', 'The plan cannot be carried out.', { errors })
    : badRequest(errors, 'The request cannot be carried out.')
}

const invalidCursor = () => badRequest([{ query: 'cursor', detail: 'is not the nextCursor of a page of this list' }])

const stopping = () =>
  new HttpProblem('stopping', 'The service is stopping and starts no run any more.', { headers: RETRY_SOON })

const stateUnavailable = (cause: Error) =>
  new HttpProblem('state-unavailable', 'The state of the service cannot be reached right now.', {
    headers: RETRY_SOON,
    cause,
  })

/** What capabilities, runs and their state throw, by the name of the class. */
export const THROWN_BELOW: ReadonlyMap<string, (error: Error) => HttpProblem> = new Map([
  ['InvalidToken', ({ message }) => badRequest([{ header: 'X-Auth-Token', detail: message }])],
  ['UnknownOrigin', unknownOrigin],
  ['UnknownReplica', unknownReplica],
  ['NoReplicas', noReplicas],
  ['TooManyChecks', tooManyChecks],
  ['InvalidRunRequest', invalidRunRequest],
  ['InvalidCursor', invalidCursor],
  ['RunsStopping', stopping],
  ['StateUnavailable', stateUnavailable],
  ['StateUnusable', stateUnavailable],
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
  const mapped = THROWN_BELOW.get(error.name)
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
    ...(problem.run && { run: problem.run }),
  }
}

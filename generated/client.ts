// Generated from openapi/syncer.yaml by `npm run generate`; do not edit.
// The client for other services. It needs nothing of the server and works in Node and in browsers.
import createClient, { type Client } from 'openapi-fetch'
import type { components, operations, paths } from './openapi.ts'

export type { components, operations, paths } from './openapi.ts'
export type Problem = components['schemas']['Problem']

/** An error that the service answered with (RFC 9457). */
export class SyncerProblem extends Error {
  override readonly name = 'SyncerProblem'
  /** What the service said; for an answer that is no problem (a proxy's, say) what can be known of it. */
  readonly problem: Problem
  /** Seconds after which to try again, where the service says so. */
  readonly retryAfterSeconds: number | undefined

  constructor(problem: Problem, retryAfterSeconds?: number) {
    super(`${problem.title} (${problem.status}): ${problem.detail}`)
    this.problem = problem
    this.retryAfterSeconds = retryAfterSeconds
  }

  /** Stable kind of the problem, for example `/problems/unknown-origin`. */
  get type(): string {
    return this.problem.type
  }

  get status(): number {
    return this.problem.status
  }
}

export interface SyncerClientOptions {
  /** Where the service is, for example `https://syncer.example`. */
  readonly baseUrl: string
  /** Bearer token, or what fetches one before each call (tokens of a ServiceAccount rotate). */
  readonly token?: string | (() => string | Promise<string>) | undefined
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

type Parameters<Id extends keyof operations> = operations[Id]['parameters']
type Arguments<Id extends keyof operations> = Record<never, never> extends Parameters<Id>
  ? [params?: Parameters<Id>, options?: CallOptions]
  : [params: Parameters<Id>, options?: CallOptions]
type Contents<Responses> = { [Status in keyof Responses]: Responses[Status] extends { content: infer Content } ? Content : never }[keyof Responses]
type Body<Content> = Content extends unknown ? Content[Exclude<keyof Content, 'application/problem+json'>] : never
type Answer<Id extends keyof operations> = Body<Contents<operations[Id]['responses']>>

export type SyncerClient = ReturnType<typeof createSyncerClient>

/** A client whose methods are the operations of the service. Each resolves with the body of the answer and throws SyncerProblem for an error. */
export function createSyncerClient({ baseUrl, token, fetch }: SyncerClientOptions) {
  const api: Client<paths> = createClient<paths>({ baseUrl, ...(fetch && { fetch }) })
  if (token !== undefined) {
    api.use({
      async onRequest({ request }) {
        request.headers.set('Authorization', `Bearer ${typeof token === 'function' ? await token() : token}`)
        return request
      },
    })
  }
  return {
    /** The openapi-fetch client beneath, for calls by path. */
    api,
    /** Has a token reached every gateway replica? */
    getSynced: (...[params, options]: Arguments<'getSynced'>) =>
      answerOf<Answer<'getSynced'>>(api.GET('/v1/synced', { ...options, ...(params && { params }) })),
    /** The replicas of the gateway and how they do. */
    listReplicas: (...[params, options]: Arguments<'listReplicas'>) =>
      answerOf<Answer<'listReplicas'>>(api.GET('/v1/replicas', { ...options, ...(params && { params }) })),
    /** Bring the tokens of several Waiter clusters to their latest version. */
    syncTokens: (...[params, options]: Arguments<'syncTokens'>) =>
      answerOf<Answer<'syncTokens'>>(api.POST('/v1/tokens/sync', { ...options, ...(params && { params }) })),
    /** Runs, the newest first. */
    listRuns: (...[params, options]: Arguments<'listRuns'>) =>
      answerOf<Answer<'listRuns'>>(api.GET('/v1/runs', { ...options, ...(params && { params }) })),
    /** One run. */
    getRun: (...[params, options]: Arguments<'getRun'>) =>
      answerOf<Answer<'getRun'>>(api.GET('/v1/runs/{id}', { ...options, ...(params && { params }) })),
    /** Ask a run to end. */
    cancelRun: (...[params, options]: Arguments<'cancelRun'>) =>
      answerOf<Answer<'cancelRun'>>(api.POST('/v1/runs/{id}/cancel', { ...options, ...(params && { params }) })),
    /** What happened to each part of a run. */
    listRunItems: (...[params, options]: Arguments<'listRunItems'>) =>
      answerOf<Answer<'listRunItems'>>(api.GET('/v1/runs/{id}/items', { ...options, ...(params && { params }) })),
    /** Follow a run. */
    streamRunEvents: (...[params, options]: Arguments<'streamRunEvents'>) =>
      answerOf<Answer<'streamRunEvents'>>(api.GET('/v1/runs/{id}/events', { parseAs: 'text', ...options, ...(params && { params }) })),
    /** Everything that the status page shows. */
    getStatus: (...[params, options]: Arguments<'getStatus'>) =>
      answerOf<Answer<'getStatus'>>(api.GET('/v1/status', { ...options, ...(params && { params }) })),
    /** Is the process up? */
    getHealth: (...[params, options]: Arguments<'getHealth'>) =>
      answerOf<Answer<'getHealth'>>(api.GET('/health', { ...options, ...(params && { params }) })),
    /** Should the process go on? */
    getLivez: (...[params, options]: Arguments<'getLivez'>) =>
      answerOf<Answer<'getLivez'>>(api.GET('/livez', { ...options, ...(params && { params }) })),
    /** Should requests be sent here? */
    getReadyz: (...[params, options]: Arguments<'getReadyz'>) =>
      answerOf<Answer<'getReadyz'>>(api.GET('/readyz', { ...options, ...(params && { params }) })),
    /** Metrics for Prometheus. */
    getMetrics: (...[params, options]: Arguments<'getMetrics'>) =>
      answerOf<Answer<'getMetrics'>>(api.GET('/metrics', { parseAs: 'text', ...options, ...(params && { params }) })),
    /** This document as JSON. */
    getOpenapiJson: (...[params, options]: Arguments<'getOpenapiJson'>) =>
      answerOf<Answer<'getOpenapiJson'>>(api.GET('/openapi.json', { ...options, ...(params && { params }) })),
    /** This document as YAML. */
    getOpenapiYaml: (...[params, options]: Arguments<'getOpenapiYaml'>) =>
      answerOf<Answer<'getOpenapiYaml'>>(api.GET('/openapi.yaml', { parseAs: 'text', ...options, ...(params && { params }) })),
  }
}

interface Outcome {
  readonly data?: unknown
  readonly error?: unknown
  readonly response: Response
}

/** An answer is what is not a problem, whatever its status: `denyStatus` answers a verdict with 401 or 403. */
async function answerOf<T>(call: Promise<Outcome>): Promise<T> {
  const { data, error, response } = await call
  if (response.ok) return data as T
  if (mediaType(response) === 'application/json' && response.headers.has('X-Token-Status')) return error as T
  throw new SyncerProblem(mediaType(response) === 'application/problem+json' ? (error as Problem) : unknownProblem(response), retryAfter(response))
}

function mediaType(response: Response): string {
  return (response.headers.get('Content-Type') ?? '').split(';', 1).join('').trim().toLowerCase()
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN)
  return Number.isFinite(seconds) ? seconds : undefined
}

function unknownProblem(response: Response): Problem {
  return {
    type: '/problems/unknown',
    title: response.statusText || 'Unknown error',
    status: response.status,
    detail: 'The answer did not come from the service: it is no problem+json.',
    instance: new URL(response.url || '/', 'http://unknown').pathname,
    requestId: response.headers.get('X-Request-Id') ?? 'unknown',
  }
}

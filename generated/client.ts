// Generated from openapi/syncer.yaml by `npm run generate`; do not edit.
// The client for other services. It needs nothing of the server and works in Node and in browsers.
import createClient, { type Client } from 'openapi-fetch'
import type { components, operations, paths } from './openapi.ts'

export type { components, operations, paths } from './openapi.ts'
export type Problem = components['schemas']['Problem']
export type Run = components['schemas']['Run']
export type RunProgress = components['schemas']['RunProgress']
export type RunItem = components['schemas']['RunItemPage']['items'][number]

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
type Arguments<Id extends keyof operations> =
  Record<never, never> extends Parameters<Id>
    ? [params?: Parameters<Id>, options?: CallOptions]
    : [params: Parameters<Id>, options?: CallOptions]
type JsonOf<Request> = Request extends { readonly content: { readonly 'application/json': infer Json } } ? Json : never
/** The body comes first; it may be left out where the document says so. */
type ArgumentsWithBody<Id extends keyof operations> = operations[Id] extends { readonly requestBody: infer Request }
  ? [body: JsonOf<Request>, ...Arguments<Id>]
  : operations[Id] extends { readonly requestBody?: infer Request }
    ? [body?: JsonOf<Request>, ...Partial<Arguments<Id>>]
    : never
type Contents<Responses> = {
  [Status in keyof Responses]: Responses[Status] extends { content: infer Content } ? Content : never
}[keyof Responses]
type Body<Content> = Content extends unknown ? Content[Exclude<keyof Content, 'application/problem+json'>] : never
type Answer<Id extends keyof operations> = Body<Contents<operations[Id]['responses']>>

/** An event of a stream; `id` is what the stream goes on after when it is asked for again. */
export type StreamEvent<Data> = {
  [Name in keyof Data]: { readonly event: Name; readonly id: string | undefined; readonly data: Data[Name] }
}[keyof Data]

function createApi({ baseUrl, token, fetch }: SyncerClientOptions): Client<paths> {
  const api = createClient<paths>({ baseUrl, ...(fetch && { fetch }) })
  if (token !== undefined) {
    api.use({
      async onRequest({ request }) {
        request.headers.set('Authorization', `Bearer ${typeof token === 'function' ? await token() : token}`)
        return request
      },
    })
  }
  return api
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
  throw problemOf(response, error)
}

/**
 * The events of one connection, which is made when the first is asked for and closed when no more are.
 * `onSign` is called whenever anything comes, a comment included.
 */
async function* eventsOf<Data>(
  names: readonly (keyof Data & string)[],
  call: () => Promise<Outcome>,
  onSign?: () => void,
): AsyncGenerator<StreamEvent<Data>, void, undefined> {
  const { data, error, response } = await call()
  if (!response.ok) throw problemOf(response, error)
  if (mediaType(response) !== 'text/event-stream' || !(data instanceof ReadableStream))
    throw new NoStream('the answer is no stream of server-sent events')
  let id: string | undefined
  for await (const block of readBlocks(data)) {
    onSign?.()
    const fields = block.split('\n').map((line) => /^([^:]*)(?:: ?(.*))?$/.exec(line)?.slice(1) ?? [])
    const valuesOf = (name: string) => fields.filter(([field]) => field === name).map(([, value = '']) => value)
    id = valuesOf('id').at(-1) ?? id
    const name = names.find((known) => known === valuesOf('event').at(-1))
    if (name !== undefined) yield { event: name, id, data: JSON.parse(valuesOf('data').join('\n')) }
  }
}

/** Something on the way, or the platform itself, does not hand out streams. */
class NoStream extends Error {
  override readonly name = 'NoStream'
}

/** What stands between empty lines. Lets go of the connection when nobody reads on. */
async function* readBlocks(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += decoder.decode(read.value, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      yield* blocks
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

export interface WaitOptions extends CallOptions {
  /** Called with how far the run is, each time that is heard of; what it throws ends the wait. */
  readonly onProgress?: ((progress: RunProgress) => void) | undefined
  /** Milliseconds before the service is asked again where it names no time itself; doubled, up to 30 s, while it does not answer. */
  readonly pollMs?: number | undefined
  /** Milliseconds after which a stream that says nothing is given up for polling; the service says something every 15 s. */
  readonly silenceMs?: number | undefined
  /** How often in a row the service may fail to answer. */
  readonly retries?: number | undefined
}

interface RunEvents {
  readonly progress: RunProgress
  readonly item: RunItem
  readonly end: Run
}

/** As `Last-Event-ID` it keeps the items away, which nobody here waits for: no run has so many. */
const AFTER_ALL_ITEMS = '999999999'
const MAX_PAUSE_MS = 30_000

/**
 * Follows a run until it has ended, by server-sent events where they come through, else by asking again and again.
 * Throws SyncerProblem when the service refuses to tell, what went wrong last when it has failed too often in a row, and the reason of `signal` when that aborts.
 */
async function waitForRun(api: Client<paths>, id: string, options: WaitOptions = {}): Promise<Run> {
  const { signal, onProgress, pollMs = 1_000, silenceMs = 45_000, retries = 10 } = options
  let canStream = true
  let failures = 0
  const heard = (progress: RunProgress | null) => {
    failures = 0
    if (progress !== null) tell(onProgress, progress)
  }
  for (;;) {
    signal?.throwIfAborted()
    try {
      const ended = canStream ? await readToEnd(openStream(api, id, silenceMs, signal), heard) : undefined
      if (ended !== undefined) return ended
      // No end yet: the stream broke off, or there is none. The service may know more, and when to come back.
      const { run, retryAfterMs } = await askForRun(api, id, signal)
      heard(run.progress)
      if (run.endedAt !== null) return run
      await pause(retryAfterMs ?? pollMs, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof TellingFailed) throw error.cause
      if (error instanceof NoStream) canStream = false
      else if (isFinal(error) || failures >= retries) throw error
      else await pause(pauseAfter(error, pollMs * 2 ** failures++), signal)
    }
  }
}

async function readToEnd(
  events: AsyncIterable<StreamEvent<RunEvents>>,
  onProgress: (progress: RunProgress) => void,
): Promise<Run | undefined> {
  for await (const { event, data } of events) {
    if (event === 'end') return data
    if (event === 'progress') onProgress(data)
  }
  return undefined
}

/** The events of a run without its items. Throws NoStream too when nothing was heard for `silenceMs`: a proxy may hold it all back. */
async function* openStream(
  api: Client<paths>,
  id: string,
  silenceMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamEvent<RunEvents>, void, undefined> {
  const silence = new AbortController()
  const giveUp = () => silence.abort(new NoStream(`nothing was heard for ${silenceMs} ms`))
  const expectSign = () => setTimeout(giveUp, silenceMs)
  let timer = expectSign()
  const onSign = () => {
    clearTimeout(timer)
    timer = expectSign()
  }
  const params = { path: { id }, header: { 'Last-Event-ID': AFTER_ALL_ITEMS } }
  const either = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal])
  try {
    yield* eventsOf<RunEvents>(
      ['progress', 'item', 'end'],
      () => api.GET('/v1/runs/{id}/events', { params, parseAs: 'stream', signal: either }),
      onSign,
    )
  } finally {
    clearTimeout(timer)
  }
}

async function askForRun(api: Client<paths>, id: string, signal: AbortSignal | undefined) {
  const call = api.GET('/v1/runs/{id}', { params: { path: { id } }, ...(signal && { signal }) })
  const run = await answerOf<Run>(call)
  const seconds = retryAfter((await call).response)
  return { run, retryAfterMs: seconds === undefined ? undefined : seconds * 1_000 }
}

/** What a callback of the caller throws is no failure of the service. */
class TellingFailed extends Error {
  override readonly name = 'TellingFailed'
}

function tell(onProgress: WaitOptions['onProgress'], progress: RunProgress): void {
  try {
    onProgress?.(progress)
  } catch (cause) {
    throw new TellingFailed('onProgress failed', { cause })
  }
}

/** Asking again does not help where the service understood the request and refused it. */
function isFinal(error: unknown): boolean {
  return error instanceof SyncerProblem && error.status < 500 && ![408, 425, 429].includes(error.status)
}

function pauseAfter(error: unknown, ms: number): number {
  const seconds = error instanceof SyncerProblem ? error.retryAfterSeconds : undefined
  return Math.max((seconds ?? 0) * 1_000, Math.min(MAX_PAUSE_MS, ms))
}

/** Rejects with the reason of `signal` when it aborts first. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function problemOf(response: Response, error: unknown): SyncerProblem {
  const isProblem = mediaType(response) === 'application/problem+json'
  return new SyncerProblem(isProblem ? (error as Problem) : unknownProblem(response), retryAfter(response))
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

export type SyncerClient = ReturnType<typeof createSyncerClient>

/**
 * A client whose methods are the operations of the service. Each resolves with the body of the answer and throws SyncerProblem for an error.
 * Parameters go by their place: `{ path, query, header }`; a body comes before them.
 */
export function createSyncerClient(options: SyncerClientOptions) {
  const api = createApi(options)
  return {
    /** The openapi-fetch client beneath, for calls by path. */
    api,
    /** Has a token reached every gateway replica? */
    getSynced: (...[params, options]: Arguments<'getSynced'>) =>
      answerOf<Answer<'getSynced'>>(api.GET('/v1/synced', { ...options, ...(params && { params }) })),
    /** The replicas of the gateway and how they do. */
    listReplicas: (...[params, options]: Arguments<'listReplicas'>) =>
      answerOf<Answer<'listReplicas'>>(api.GET('/v1/replicas', { ...options, ...(params && { params }) })),
    /** The last quarter of an hour of the gateway. */
    getGatewayHistory: (...[params, options]: Arguments<'getGatewayHistory'>) =>
      answerOf<Answer<'getGatewayHistory'>>(api.GET('/v1/gateway/history', { ...options, ...(params && { params }) })),
    /** Bring the tokens of several Waiter clusters to their latest version. */
    syncTokens: (...[body, params, options]: ArgumentsWithBody<'syncTokens'>) =>
      answerOf<Answer<'syncTokens'>>(api.POST('/v1/tokens/sync', { ...options, ...(body && { body }), ...(params && { params }) })),
    /** Bring the tables of a pair to the newest version of every row. */
    syncDb: (...[body, params, options]: ArgumentsWithBody<'syncDb'>) =>
      answerOf<Answer<'syncDb'>>(api.POST('/v1/db/sync', { ...options, ...(body && { body }), ...(params && { params }) })),
    /** Compare the two sides of a pair. */
    verifyDb: (...[body, params, options]: ArgumentsWithBody<'verifyDb'>) =>
      answerOf<Answer<'verifyDb'>>(api.POST('/v1/db/verify', { ...options, ...(body && { body }), ...(params && { params }) })),
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
      eventsOf<{ progress: components['schemas']['RunProgress']; item: components['schemas']['RunItem']; end: components['schemas']['Run'] }>(['progress', 'item', 'end'], () => api.GET('/v1/runs/{id}/events', { parseAs: 'stream', ...options, ...(params && { params }) })),
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
    /** Resolves with the run when it has ended, however it did; see WaitOptions. */
    waitForRun: (id: string, options?: WaitOptions) => waitForRun(api, id, options),
  }
}

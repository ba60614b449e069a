// The part of the client that is the same for every document, written by hand: `npm run generate` puts it in front of the
// methods, without these lines and the last one. Only what the Web platform has is used, so that it runs in browsers too.
import createClient, { type Client } from 'openapi-fetch'
import type { components, operations, paths } from '../../generated/openapi.ts'

export type { components, operations, paths } from '../../generated/openapi.ts'
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

export { type Answer, type Arguments, type ArgumentsWithBody, answerOf, createApi, eventsOf, waitForRun }

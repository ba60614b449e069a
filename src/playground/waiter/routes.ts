// The API of a Waiter cluster over its store: `GET /tokens`, `GET /token`, `POST /token`, `DELETE /token`, and the services behind
// the tokens, which answer a health check.
import type { Clock } from '../../lib/clock.ts'
import type { Description } from '../../tokens/contract.ts'
import { isDeleted } from '../../tokens/description.ts'
import { isObject, type JsonValue, parseJson, writeJson } from '../../tokens/json.ts'
import { json, type WaiterAnswer, type WaiterRequest } from './http.ts'
import { indexEntry, isShown, readShown, type Shown } from './index-entry.ts'
import type { Caller, KeptToken, Outcome, WaiterStore } from './store.ts'
import { isTokenKey, isUserKey, withIsoTimes } from './token-data.ts'
import { streamChanges } from './watch.ts'

export interface RouteOptions {
  readonly store: WaiterStore
  readonly clock: Clock
  /** Milliseconds after which a watch that tells nothing is ended, unless its query says `streaming-timeout`. */
  readonly streamingTimeoutMs: number
  /** Who asks, from the header Authorization; undefined is answered 401. */
  readonly authenticate: (authorization: string | undefined) => Caller | undefined
  /** Status that the service behind a token answers with. */
  readonly serviceStatus: (token: string, path: string) => number
}

/** Answers requests from this store. */
export function createRoutes(options: RouteOptions): (request: WaiterRequest) => WaiterAnswer {
  const { store, authenticate, serviceStatus } = options
  const read = createReader(store)
  return (request) => {
    const caller = authenticate(request.headers.authorization)
    if (caller === undefined) return refuse(401, 'Unauthorized', request)
    switch (request.kind) {
      case 'list':
        return request.method === 'GET' ? list(store, request) : refuse(405, 'Only GET supported', request)
      case 'watch':
        return watch(options, request)
      case 'read':
        return request.method === 'GET' ? read(request) : refuse(405, 'Invalid request method', request)
      case 'store':
        return post(store, request, caller)
      case 'delete':
        return remove(store, request, caller)
      case 'service':
        return callService(store, request, serviceStatus)
    }
  }
}

function list(store: WaiterStore, request: WaiterRequest): WaiterAnswer {
  const shown = readShown(request.query)
  const owners = request.query.getAll('owner')
  const entries: string[] = []
  for (const kept of store.all()) {
    if (!isShown(kept, shown)) continue
    if (owners.length > 0 && !owners.includes(String(kept.data.get('owner')))) continue
    entries.push(JSON.stringify(indexEntry(kept, shown)))
  }
  return json(200, `[${entries.join(',')}]`)
}

function watch({ store, clock, streamingTimeoutMs: usualMs }: RouteOptions, request: WaiterRequest): WaiterAnswer {
  const asked = request.query.get('streaming-timeout')
  if (asked !== null && !/^\d{1,9}$/.test(asked)) {
    return refuse(400, 'streaming-timeout query parameter must be an integer', request)
  }
  const streamingTimeoutMs = asked === null ? usualMs : Number(asked)
  const shown = readShown(request.query)
  return {
    ...json(200, ''),
    stream: (response) => streamChanges(response, { store, clock, shown, streamingTimeoutMs }),
  }
}

function createReader(store: WaiterStore): (request: WaiterRequest) => WaiterAnswer {
  // The same token is read over and over, and what is kept of it is never changed in place.
  const texts = new WeakMap<KeptToken, string>()
  return (request) => {
    const shown = readShown(request.query)
    const token = request.query.get('token') ?? tokenHeader(request) ?? ''
    const kept = store.get(token)
    if (kept === undefined || !isShown(kept, shown)) return refuse(404, `Couldn't find token ${token}`, request)
    const text = (shown.metadata ? texts.get(kept) : undefined) ?? writeJson(describe(kept.data, store.name, shown))
    if (shown.metadata) texts.set(kept, text)
    return json(200, text, kept.etag === undefined ? {} : { etag: kept.etag })
  }
}

function describe(data: Description, cluster: string, { metadata }: Shown): Description {
  const owned = data.has('owner') ? data : new Map(data).set('owner', data.get('run-as-user') ?? null)
  if (!metadata) return new Map([...owned].filter(([key]) => isUserKey(key)))
  const shown = new Map([...withIsoTimes(owned)].filter(([key]) => isTokenKey(key)))
  const added: [string, JsonValue][] = [
    ['previous', new Map()],
    ['cluster', cluster],
    ['root', cluster],
  ]
  for (const [key, value] of added) if (!shown.has(key)) shown.set(key, value)
  return shown
}

function post(store: WaiterStore, request: WaiterRequest, caller: Caller): WaiterAnswer {
  let body: JsonValue
  try {
    body = parseJson(request.body)
  } catch {
    return refuse(400, 'Invalid JSON in body', request)
  }
  if (!isObject(body)) return refuse(400, 'The body must be a JSON object', request)
  const named = request.query.get('token')
  if (named !== null && body.has('token')) {
    return refuse(400, 'The token should be provided only as a query parameter or in the json payload', request)
  }
  const full = named === null ? body : new Map(body).set('token', named)
  const mode = request.query.get('update-mode') ?? undefined
  const outcome = store.post(full, mode, { ifMatch: request.headers['if-match'], caller })
  if (outcome.status !== 200) return refuse(outcome.status, outcome.message, request)
  const answer = new Map<string, JsonValue>([
    ['message', outcome.message],
    ['service-description', outcome.service ?? new Map()],
  ])
  return json(200, writeJson(answer), etagOf(outcome))
}

function remove(store: WaiterStore, request: WaiterRequest, caller: Caller): WaiterAnswer {
  const token = tokenHeader(request)
  if (token === undefined) return refuse(400, "Couldn't find token in request", request)
  const hard = request.query.get('hard-delete') === 'true'
  const outcome = store.delete(token, hard, { ifMatch: request.headers['if-match'], caller })
  if (outcome.status !== 200) return refuse(outcome.status, outcome.message, request)
  return json(200, JSON.stringify({ delete: token, 'hard-delete': hard, success: true }), etagOf(outcome))
}

const etagOf = (outcome: Outcome & { readonly status: 200 }): Record<string, string> =>
  outcome.etag === undefined ? {} : { etag: outcome.etag }

function callService(
  store: WaiterStore,
  request: WaiterRequest,
  serviceStatus: RouteOptions['serviceStatus'],
): WaiterAnswer {
  const token = tokenHeader(request)
  if (token === undefined) return refuse(404, 'Not found', request)
  const kept = store.get(token)
  if (kept === undefined || isDeleted(kept.data)) return refuse(400, `Token not found: ${token}`, request)
  const status = serviceStatus(token, request.path)
  return { status, headers: { 'content-type': 'text/plain' }, body: status < 300 ? 'OK' : 'not well' }
}

function tokenHeader({ headers }: WaiterRequest): string | undefined {
  const value = headers['x-waiter-token']
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

/** An error as Waiter tells it. */
export function refuse(status: number, message: string, request: WaiterRequest): WaiterAnswer {
  const error = { message, 'request-method': request.method.toLowerCase(), status, uri: request.path }
  return json(status, JSON.stringify({ 'waiter-error': error }))
}

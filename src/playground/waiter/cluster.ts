// A Waiter cluster in this process, over real HTTP: faithful in what a syncer can see of one, its versions included.
import type { Clock } from '../../lib/clock.ts'
import type { Description } from '../../tokens/contract.ts'
import { isDeleted } from '../../tokens/description.ts'
import { fromPlain, isObject, type JsonObject, type JsonValue, type PlainJson } from '../../tokens/json.ts'
import { type Meet, type RequestKind, startWaiterHttp } from './http.ts'
import { createRoutes, type RouteOptions } from './routes.ts'
import { type KeptToken, type Outcome, type StoreRequest, WaiterStore } from './store.ts'
import { isUserKey } from './token-data.ts'

export interface WaiterClusterOptions {
  readonly clock: Clock
  /** What tokens get as `cluster` and `root` when nothing else is said. */
  readonly name: string
  /** Address to listen on; 127.0.0.1 when left out. */
  readonly address?: string
  /** Tried first; a free one is taken when it is in use or left out. */
  readonly port?: number
  /** Who asks; everybody is the administrator `admin` when left out. */
  readonly authenticate?: RouteOptions['authenticate']
  /** What the services behind the tokens answer; 200 when left out. */
  readonly serviceStatus?: RouteOptions['serviceStatus']
  /** Milliseconds after which a watch that tells nothing is ended, unless it says otherwise itself; a minute when left out. */
  readonly streamingTimeoutMs?: number
  /** Comes between a request and its answer. */
  readonly meet?: Meet
}

/** A token's data; a plain object can hold no `1.0`. */
export type SomeData = JsonObject | { readonly [key: string]: PlainJson | undefined }

export interface WaiterPlayground extends AsyncDisposable {
  readonly name: string
  /** Without a slash at its end. */
  readonly url: string
  readonly address: string
  readonly port: number
  /** Requests by kind since the start. */
  readonly requests: Readonly<Record<RequestKind, number>>
  readonly openSockets: number
  readonly store: WaiterStore
  /** Keeps this data as it is, times in milliseconds. */
  put(token: string, data: SomeData): void
  /** What is kept, times in milliseconds; undefined when there is none. */
  get(token: string): Description | undefined
  /** Version; undefined when there is no live token. */
  etag(token: string): string | undefined
  /** Sets some parameters of a token, as `user` does it; makes the token when it is not there. Throws when refused. */
  edit(token: string, change: SomeData, user: string): void
  /** As `user`. Throws when refused. */
  softDelete(token: string, user: string): void
  /** Throws when refused. */
  hardDelete(token: string): void
  /** Everything that is kept, by token, sorted. */
  dump(): ReadonlyMap<string, Description>
}

/** Starts an empty cluster; resolves when it listens, rejects when it cannot. */
export async function startWaiterCluster(options: WaiterClusterOptions): Promise<WaiterPlayground> {
  const { clock, name, address, port, meet } = options
  const store = new WaiterStore(name, clock)
  const serve = createRoutes({
    store,
    clock,
    authenticate: options.authenticate ?? (() => ({ name: 'admin', isAdmin: true })),
    serviceStatus: options.serviceStatus ?? (() => 200),
    streamingTimeoutMs: options.streamingTimeoutMs ?? 60_000,
  })
  const http = await startWaiterHttp({ clock, serve, meet, address, port })
  return {
    name,
    url: http.url,
    address: http.address,
    port: http.port,
    requests: http.requests,
    get openSockets() {
      return http.openSockets
    },
    store,
    put: (token, data) => store.put(token, toData(data)),
    get: (token) => store.get(token)?.data,
    etag: (token) => store.get(token)?.etag,
    edit: (token, change, user) =>
      mustSucceed(store.post(editBody(store.get(token), token, toData(change)), undefined, as(user))),
    softDelete: (token, user) => mustSucceed(store.delete(token, false, as(user))),
    hardDelete: (token) => mustSucceed(store.delete(token, true, { ...as('admin'), ifMatch: store.get(token)?.etag })),
    dump: () => new Map([...store.all()].map(({ token, data }) => [token, data] as const).sort(byName)),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}

/** Data of a token from whatever stands for it. */
export function toData(data: SomeData): Description {
  const value = fromPlain(data)
  if (!isObject(value)) throw new TypeError('the data of a token is a JSON object')
  return value
}

/** Somebody who may do this, by name. */
const as = (name: string): StoreRequest => ({ ifMatch: undefined, caller: { name, isAdmin: true } })

function editBody(kept: KeptToken | undefined, token: string, change: Description): Description {
  const current = kept === undefined || isDeleted(kept.data) ? [] : [...kept.data].filter(([key]) => isUserKey(key))
  return new Map<string, JsonValue>([...current, ...change, ['token', token]])
}

function mustSucceed(outcome: Outcome): void {
  if (outcome.status !== 200) throw new Error(`${outcome.status}: ${outcome.message}`)
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

// The playground's Waiter cluster, made to misbehave: latency and faults by request, a clock that is wrong, a log of all it was asked.
import { type Clock, delay, systemClock } from '../../src/lib/clock.ts'
import {
  startWaiterCluster,
  type WaiterClusterOptions,
  type WaiterPlayground,
} from '../../src/playground/waiter/cluster.ts'
import {
  json,
  type Misbehaviour,
  type RequestKind,
  type WaiterAnswer,
  type WaiterRequest,
} from '../../src/playground/waiter/http.ts'

export type { RequestKind } from '../../src/playground/waiter/http.ts'

/** How a request is met in place of what it asks for, or after it. */
export type WaiterFault =
  /** Answered with this; nothing is carried out. The body is a JSON error of Waiter when it is left out. */
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  /** An error page of a proxy, 502; nothing is carried out. */
  | 'html'
  /** The connection is cut, or nothing ever comes; nothing is carried out. */
  | 'reset'
  | 'hang'
  /** It is carried out, and then the connection is cut, or nothing ever comes, or the answer ends in its middle. */
  | 'reset-after-commit'
  | 'hang-after-commit'
  | 'half'

/** A request as it came, before anything was done about it. */
export interface AskedRequest {
  readonly kind: RequestKind
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  readonly token: string | undefined
  /** How many of this kind there were for this token, this one among them. */
  readonly n: number
}

export interface SeenRequest extends AskedRequest {
  /** Undefined while there is no answer yet. */
  answered: number | 'reset' | 'hang' | 'half' | undefined
}

export interface FakeWaiterOptions extends Omit<WaiterClusterOptions, 'clock' | 'name' | 'meet'> {
  /** `cluster` when left out. */
  readonly name?: string
  /** Of this machine when left out; latency passes on it too. */
  readonly clock?: Clock
  /** Milliseconds before each request is looked at. */
  readonly latencyMs?: number
  readonly fault?: (request: AskedRequest) => WaiterFault | undefined
  /** How far its clock is ahead, in milliseconds. */
  readonly skewMs?: number
  /** Keeps `seen`; true when left out. A benchmark has no use for it. */
  readonly log?: boolean
}

export interface FakeWaiter extends WaiterPlayground {
  latencyMs: number
  skewMs: number
  /** Decides, request by request. */
  fault: (request: AskedRequest) => WaiterFault | undefined
  readonly seen: readonly SeenRequest[]
  /** Requests under way at once, at most so far. */
  readonly busiest: number
  /** What was seen of some kinds, in order. */
  only(...kinds: readonly RequestKind[]): readonly SeenRequest[]
}

/** Starts an empty cluster. */
export async function startFakeWaiter(options: FakeWaiterOptions = {}): Promise<FakeWaiter> {
  const { clock = systemClock, name = 'cluster', log = true, ...rest } = options
  const seen: SeenRequest[] = []
  const counts = new Map<string, number>()
  const ending = new AbortController()
  let busy = 0
  let busiest = 0
  const state = {
    latencyMs: options.latencyMs ?? 0,
    skewMs: options.skewMs ?? 0,
    fault: options.fault ?? (() => undefined),
  }
  const skewed: Clock = {
    now: () => clock.now(),
    wallNow: () => clock.wallNow() + state.skewMs,
    setTimer: (delayMs, fn) => clock.setTimer(delayMs, fn),
  }
  const note = (request: WaiterRequest): SeenRequest => {
    const token = tokenOf(request)
    const key = `${request.kind} ${token ?? ''}`
    const n = (counts.get(key) ?? 0) + 1
    counts.set(key, n)
    const { kind, method, path, headers, body } = request
    const asked = { kind, method, path, query: String(request.query), headers, body, token, n, answered: undefined }
    if (log) seen.push(asked)
    return asked
  }
  const meet = async (request: WaiterRequest, carryOut: () => WaiterAnswer): Promise<WaiterAnswer | Misbehaviour> => {
    const asked = note(request)
    busiest = Math.max(busiest, ++busy)
    try {
      if (state.latencyMs > 0) await delay(clock, state.latencyMs, ending.signal)
      const met = misbehave(state.fault(asked), carryOut)
      asked.answered = typeof met === 'string' ? met : 'half' in met ? 'half' : met.status
      return met
    } finally {
      busy--
    }
  }
  const cluster = await startWaiterCluster({ ...rest, name, clock: skewed, meet })
  return extend(cluster, {
    ...accessors(state),
    seen: { get: () => seen },
    busiest: { get: () => busiest },
    only: { value: (...kinds: readonly RequestKind[]) => seen.filter((one) => kinds.includes(one.kind)) },
    [Symbol.asyncDispose]: {
      value: async () => {
        ending.abort()
        await cluster[Symbol.asyncDispose]()
      },
    },
  })
}

function misbehave(fault: WaiterFault | undefined, carryOut: () => WaiterAnswer): WaiterAnswer | Misbehaviour {
  switch (fault) {
    case undefined:
      return carryOut()
    case 'reset':
    case 'hang':
      return fault
    case 'reset-after-commit':
      carryOut()
      return 'reset'
    case 'hang-after-commit':
      carryOut()
      return 'hang'
    case 'half':
      return { half: carryOut() }
    case 'html':
      return { status: 502, headers: { 'content-type': 'text/html' }, body: '<html><h1>502 Bad Gateway</h1></html>' }
    default: {
      const { status, body = `{"waiter-error":{"message":"as the test wants it","status":${status}}}`, headers } = fault
      return json(status, body, headers)
    }
  }
}

function tokenOf({ headers, query, body, kind }: WaiterRequest): string | undefined {
  const header = headers['x-waiter-token']
  if (typeof header === 'string') return header
  if (kind !== 'store') return query.get('token') ?? undefined
  const named: unknown = /"token":"([^"\\]*)"[^"]*$/.exec(body)?.[1]
  return typeof named === 'string' ? named : undefined
}

function accessors<T extends object>(state: T): PropertyDescriptorMap {
  const keys = Object.keys(state) as (keyof T & string)[]
  return Object.fromEntries(
    keys.map((key) => [
      key,
      {
        get: () => state[key],
        set: (value: T[typeof key]) => {
          state[key] = value
        },
      },
    ]),
  )
}

/** The cluster as it is, with more on it. */
function extend(cluster: WaiterPlayground, more: PropertyDescriptorMap): FakeWaiter {
  return Object.create(cluster, more)
}

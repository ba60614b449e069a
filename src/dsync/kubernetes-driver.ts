// Leases of a Kubernetes API server, by GET, PUT and watch alone: a Role limited to their names is enough.
// A PUT creates a Lease too, which a POST cannot do under such a Role. 422 to one means that somebody was first.
import { type Clock, systemClock } from '../lib/clock.ts'
import { createKubeClient, type KubeClient } from '../lib/kube/client.ts'
import { createGivenCredentials, findKubeCredentials, type KubeCredentials } from '../lib/kube/credentials.ts'
import { KubeError, type KubeErrorCode } from '../lib/kube/error.ts'
import { readAll } from '../lib/kube/list.ts'
import type { KubeObject } from '../lib/kube/object.ts'
import { createKubeWatch, type WatchPace } from '../lib/kube/watch.ts'
import {
  type Driver,
  DriverError,
  type DriverErrorCode,
  type LeasePlace,
  type LeaseSight,
  type RequestLimits,
  type WatchLimits,
  type WatchListener,
} from './driver.ts'
import { processEnvironment } from './environment.ts'
import { decodeLease, encodeLease, type LeaseRecord } from './lease.ts'

export interface KubernetesDriverOptions {
  /** The namespace of the credentials when left out. */
  readonly namespace?: string | undefined
  /** Only outside a cluster. Left out: `KUBECONFIG`, else the Pod's ServiceAccount, else `~/.kube/config`. */
  readonly kubeConfigPath?: string | undefined
  /** Of the kubeconfig; its current one when left out. */
  readonly context?: string | undefined
  /** In place of all that: the https origin of the API server … */
  readonly server?: string | undefined
  /** … the PEM text of its authority … */
  readonly ca?: string | undefined
  /** … and the bearer token, asked for with each request. */
  readonly token?: (() => string | Promise<string>) | undefined
  /** For tests. */
  readonly clock?: Clock
  /** Gives [0, 1); for tests. */
  readonly random?: () => number
}

/** See `createKubernetesDriver` in index.ts. */
export async function createKubernetesDriver(options: KubernetesDriverOptions): Promise<KubernetesDriver> {
  const { clock = systemClock, random = Math.random } = options
  const client = createKubeClient({ credentials: await credentialsOf(options, clock), clock })
  const close = async () => client[Symbol.asyncDispose]()
  return new KubernetesDriver(client, options.namespace ?? client.namespace, clock, random, close)
}

/** The same over a client that others use too; it stays the caller's. */
export function createKubernetesDriverOver(
  client: KubeClient,
  {
    namespace,
    clock,
    random,
  }: { readonly namespace: string | undefined; readonly clock: Clock; readonly random: () => number },
): Driver & AsyncDisposable {
  return new KubernetesDriver(client, namespace ?? client.namespace, clock, random, async () => {})
}

async function credentialsOf(options: KubernetesDriverOptions, clock: Clock): Promise<KubeCredentials> {
  const { server, ca, token, kubeConfigPath, context } = options
  if (server !== undefined) return createGivenCredentials({ server, ca, token })
  return findKubeCredentials({ kubeConfig: kubeConfigPath, context, env: processEnvironment(), clock })
}

class KubernetesDriver implements Driver, AsyncDisposable {
  readonly #client: KubeClient
  readonly #namespace: string
  readonly #clock: Clock
  readonly #random: () => number
  readonly #watches = new Set<{ stop(): Promise<void> }>()
  readonly #close: () => Promise<void>

  constructor(client: KubeClient, namespace: string, clock: Clock, random: () => number, close: () => Promise<void>) {
    this.#client = client
    this.#namespace = namespace
    this.#clock = clock
    this.#random = random
    this.#close = close
  }

  async get(place: LeasePlace, { timeoutMs, signal }: RequestLimits): Promise<LeaseSight | undefined> {
    try {
      const target = { path: this.#collection(place), name: place.name }
      const { items } = await readAll(this.#client, target, inTime(timeoutMs), signal)
      return items[0] === undefined ? undefined : decode(items[0])
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw toDriverError(error, 'read')
    }
  }

  async put(
    place: LeasePlace,
    record: LeaseRecord,
    base: Pick<LeaseSight, 'uid' | 'version'> | undefined,
    { timeoutMs, signal }: RequestLimits,
  ): Promise<LeaseSight> {
    const path = `${this.#collection(place)}/${encodeURIComponent(place.name)}`
    const body = encodeLease(place.name, this.#namespaceOf(place), record, base)
    try {
      return decode(await this.#client.request({ method: 'PUT', path, body, timeoutMs: inTime(timeoutMs), signal }))
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw toDriverError(error, base === undefined ? 'create' : 'update')
    }
  }

  watch(place: LeasePlace, listener: WatchListener, { pauseMs, signal }: WatchLimits): void {
    if (signal.aborted) return
    const watch = createKubeWatch({
      client: this.#client,
      clock: this.#clock,
      random: this.#random,
      target: { path: this.#collection(place), name: place.name },
      pace: paceOf(pauseMs),
    })
    this.#watches.add(watch)
    signal.addEventListener('abort', () => void this.#stop(watch), { once: true })
    watch.start(
      (items) => {
        if (!signal.aborted) tell(listener, items)
      },
      (problem) => {
        if (!signal.aborted) listener.failed(toDriverError(problem, 'read'))
      },
    )
  }

  /** Closes all connections. What is held is not released. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => this.#stop(watch)))
    await this.#close()
  }

  async #stop(watch: { stop(): Promise<void> }): Promise<void> {
    this.#watches.delete(watch)
    await watch.stop()
  }

  #collection(place: LeasePlace): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(this.#namespaceOf(place))}/leases`
  }

  #namespaceOf(place: LeasePlace): string {
    return place.namespace ?? this.#namespace
  }
}

/** A little before the caller gives up by itself: the client then takes its connections for dead, and opens new ones. */
function inTime(timeoutMs: number): number {
  return timeoutMs - Math.min(50, timeoutMs / 10)
}

/** No request and no pause is longer than `pauseMs`, whatever the server asks for. */
function paceOf(pauseMs: number): WatchPace {
  const half = pauseMs / 2
  return {
    answerMs: pauseMs,
    firstPartMs: pauseMs,
    limits: { baseMs: Math.min(100, half), capMs: half, stableMs: 10_000, maxRetryAfterMs: half },
  }
}

function tell(listener: WatchListener, [object]: readonly KubeObject[]): void {
  const sight = object === undefined ? undefined : decodeLease(object)
  if (object !== undefined && sight === undefined) listener.failed(garbage())
  else listener.sight(sight)
}

function decode(object: unknown): LeaseSight {
  const sight = decodeLease(object)
  if (sight === undefined) throw garbage()
  return sight
}

function garbage(): DriverError {
  return new DriverError('unavailable', 'the answer of the API server is not a Lease')
}

/** Never written: the server has said so, or was not reached by anything but a handshake. */
const REFUSED: ReadonlySet<KubeErrorCode> = new Set<KubeErrorCode>([
  'bad-request',
  'unauthorized',
  'forbidden',
  'not-found',
  'gone',
  'invalid',
  'throttled',
  'tls',
  'credentials',
])
const CONFLICTS: Readonly<Record<'read' | 'create' | 'update', readonly KubeErrorCode[]>> = {
  read: [],
  create: ['conflict', 'invalid'],
  update: ['conflict', 'not-found'],
}

function toDriverError(error: unknown, what: 'read' | 'create' | 'update'): DriverError {
  if (error instanceof DriverError) return error
  if (!(error instanceof KubeError)) return new DriverError('unavailable', String(error), { cause: error })
  return new DriverError(toDriverCode(error.code, what), error.message, {
    cause: error,
    retryAfterMs: error.retryAfterMs,
  })
}

function toDriverCode(code: KubeErrorCode, what: 'read' | 'create' | 'update'): DriverErrorCode {
  if (CONFLICTS[what].includes(code)) return 'conflict'
  if (REFUSED.has(code)) return 'refused'
  return code === 'timeout' ? 'timeout' : 'unavailable'
}

// Requests to a cluster by its contact points, and by nothing else: nodes that these gossip about are never dialled. Keeps the
// connections, makes new ones for those that broke and when there is more to do, prepares again what a node has forgotten, and tries
// again what may be tried again, slower each time.
import { Outage } from '../outage.ts'
import { StoreFailed } from '../store.ts'
import { Aborts } from './aborts.ts'
import {
  type Answer,
  type Connection,
  ConnectionBroken,
  type ConnectionTls,
  type Credentials,
  openConnection,
} from './connection.ts'
import type { ContactPoint } from './contact-points.ts'
import { isRefusal } from './failure.ts'
import {
  CellReader,
  type Consistency,
  CqlError,
  createPrepare,
  createQuery,
  ERRORS,
  type Page,
  readPreparedId,
} from './frames.ts'
import { readAllPages } from './pages.ts'
import { Retry, type RetryOptions, storeFailed } from './retry.ts'

export interface SessionOptions extends RetryOptions {
  readonly contactPoints: readonly ContactPoint[]
  /** That of the first contact point that answers when left out; contact points elsewhere are not used. */
  readonly localDataCenter?: string | undefined
  readonly credentials?: (() => Promise<Credentials>) | undefined
  readonly tls?: ConnectionTls | undefined
  /** Milliseconds. */
  readonly requestTimeoutMs: number
  readonly consistency: Consistency
}

export interface Prepared {
  readonly cql: string
  readonly id: Buffer
}

interface Host extends ContactPoint {
  readonly connections: Set<Connection>
  /** Tries to connect that failed since one did not. */
  failures: number
  /** Undefined until it was asked, or where it does not matter. */
  dataCenter?: string
}

const CONNECT_TIMEOUT_MS = 5_000
const CONNECTIONS_PER_HOST = 2
/** A connection with so many requests under way is worth another one. */
const BUSY = 24
/** Rows of the schema that are asked for at a time. */
const SCHEMA_PAGE = 5_000
const DATA_CENTER = "SELECT data_center FROM system.local WHERE key = 'local'"

export class Session implements AsyncDisposable {
  readonly options: SessionOptions
  readonly #hosts: readonly Host[]
  readonly #aborts = new Aborts()
  readonly #prepared = new Map<string, Promise<Prepared>>()
  readonly #closing = new AbortController()
  readonly #outage: Outage
  #dialling: Promise<Connection> | undefined
  #dataCenter: string | undefined
  #wasConnected = false

  /** Dials nothing yet. */
  constructor(options: SessionOptions) {
    this.options = options
    this.#dataCenter = options.localDataCenter
    this.#outage = new Outage(options.name, options)
    this.#hosts = options.contactPoints.map((point) => ({ ...point, connections: new Set<Connection>(), failures: 0 }))
  }

  /** Resolves when there is a connection. Throws StoreFailed or the reason of `signal`. */
  async connect(signal: AbortSignal): Promise<void> {
    await this.retry(signal, 'connect', async () => {
      await this.#aborts.follow(this.#connection(), signal)
    })
  }

  /**
   * Sends a frame, once; `prepared` is the statement that it executes. Rejects with what the answer or the connection says, or with the
   * reason of `signal`: nothing is tried again but what the node had forgotten.
   */
  async send(frame: Buffer, signal: AbortSignal, prepared?: Prepared): Promise<Answer> {
    const answer = await this.#aborts.follow(this.#sendOnce(frame, prepared), signal)
    this.#outage.worked()
    return answer
  }

  /**
   * As `send`, with further tries as `retry` has them. Throws StoreFailed also for what the servers refuse as invalid, and the reason of
   * the signal. `what` is what messages say was wanted.
   */
  async request(frame: Buffer, signal: AbortSignal, what: string, prepared?: Prepared): Promise<Answer> {
    let tried = false
    try {
      return await this.retry(signal, what, () => {
        // The first try's bytes may still wait to be sent, on the stream of that try.
        const bytes = tried ? Buffer.from(frame) : frame
        tried = true
        return this.send(bytes, signal, prepared)
      })
    } catch (error) {
      throw isRefusal(error) ? storeFailed(this.options.name, what, error) : error
    }
  }

  /**
   * Calls `attempt` until it does not throw what another try may mend. Throws StoreFailed when that takes longer than `retryForMs`, and
   * for all else that the servers refuse, other than as invalid: that is thrown as it is.
   */
  async retry<T>(signal: AbortSignal, what: string, attempt: () => Promise<T>): Promise<T> {
    const retry = this.startRetry(signal, what)
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        await retry.pause(error)
      }
    }
  }

  startRetry(signal: AbortSignal, what: string): Retry {
    return new Retry(this.options, signal, what, { wasConnected: () => this.#wasConnected, outage: this.#outage })
  }

  /** The statement, prepared wherever it is needed. Throws as `request` does. */
  async prepare(cql: string, signal: AbortSignal): Promise<Prepared> {
    const known = this.#prepared.get(cql)
    if (known !== undefined) return await this.#aborts.follow(known, signal)
    const preparing = this.request(createPrepare(cql), signal, 'prepare a statement').then(({ body }) => ({
      cql,
      id: readPreparedId(body),
    }))
    this.#prepared.set(cql, preparing)
    try {
      return await preparing
    } catch (error) {
      this.#prepared.delete(cql)
      throw error
    }
  }

  /** All rows of a small query about the cluster itself, with the bytes of their cells. Throws as `request` does. */
  async queryCells(
    cql: string,
    values: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (readonly (Buffer | null)[])[]> {
    const parameters = { consistency: 'LOCAL_ONE', values: values.map((value) => Buffer.from(value)) } as const
    const pages = await readAllPages((pagingState) => {
      const frame = createQuery(cql, { ...parameters, pageSize: SCHEMA_PAGE, pagingState })
      return this.request(frame, signal, 'read the schema')
    })
    return pages.flatMap(cellsOf)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new StoreFailed(`${this.options.name}: it was closed`))
    await this.#dialling?.catch(() => undefined)
    for (const host of this.#hosts)
      for (const connection of [...host.connections]) connection.destroy('the store was closed')
  }

  async #sendOnce(frame: Buffer, prepared: Prepared | undefined): Promise<Answer> {
    const connection = this.#pick() ?? (await this.#connection())
    if (prepared === undefined) return await connection.request(frame)
    try {
      return await connection.request(frame)
    } catch (error) {
      if (!(error instanceof CqlError) || error.code !== ERRORS.unprepared) throw error
    }
    await connection.request(createPrepare(prepared.cql))
    return await connection.request(frame)
  }

  /** The connection with the least to do; undefined where there is none. */
  #pick(): Connection | undefined {
    let best: Connection | undefined
    let count = 0
    for (const host of this.#hosts)
      for (const connection of host.connections) {
        count++
        if (!connection.isFull && (best === undefined || connection.load < best.load)) best = connection
      }
    if (best !== undefined && best.load >= BUSY && count < this.#mostConnections()) this.#dialMore()
    return best
  }

  #mostConnections(): number {
    return this.#hosts.length * CONNECTIONS_PER_HOST
  }

  #connection(): Promise<Connection> {
    const best = this.#pick()
    return best === undefined ? this.#dial() : Promise.resolve(best)
  }

  #dialMore(): void {
    // Nobody waits for it: there are others.
    if (this.#dialling === undefined && this.#hosts.every((host) => host.failures === 0))
      this.#dial().catch(() => undefined)
  }

  #dial(): Promise<Connection> {
    this.#dialling ??= this.#dialAny().finally(() => {
      this.#dialling = undefined
    })
    return this.#dialling
  }

  /** Those first that have the fewest connections, then those that have failed the least; by chance among equals. */
  async #dialAny(): Promise<Connection> {
    const order = this.#hosts
      .filter((host) => host.dataCenter === undefined || host.dataCenter === this.#dataCenter)
      .map((host) => ({ host, chance: this.options.random() }))
      .sort(
        (a, b) =>
          a.host.connections.size - b.host.connections.size || a.host.failures - b.host.failures || a.chance - b.chance,
      )
    let failure: unknown = new ConnectionBroken(`no contact point is in the data centre ${this.#dataCenter}`, 'NONE')
    for (const { host } of order) {
      try {
        const connection = await this.#dialHost(host)
        if (connection !== undefined) return connection
      } catch (error) {
        host.failures++
        failure = error
        if (this.#closing.signal.aborted) break
      }
    }
    throw failure
  }

  /** Undefined where the host is in another data centre. */
  async #dialHost(host: Host): Promise<Connection | undefined> {
    const { clock, requestTimeoutMs, credentials, tls } = this.options
    const connectTimeoutMs = Math.min(CONNECT_TIMEOUT_MS, requestTimeoutMs)
    const options = { host: host.host, port: host.port, clock, requestTimeoutMs, connectTimeoutMs, credentials, tls }
    const connection = await openConnection(options, this.#closing.signal)
    try {
      if (!(await this.#isLocal(host, connection))) {
        connection.destroy('it is in another data centre')
        return undefined
      }
    } catch (error) {
      connection.destroy('it was not made')
      throw error
    }
    host.failures = 0
    this.#wasConnected = true
    host.connections.add(connection)
    connection.onBroken(() => host.connections.delete(connection))
    return connection
  }

  async #isLocal(host: Host, connection: Connection): Promise<boolean> {
    // Alone and not told of any, it is where we are.
    if (this.#hosts.length === 1 && this.#dataCenter === undefined) return true
    if (host.dataCenter === undefined) {
      const pages = await readAllPages((pagingState) =>
        connection.request(createQuery(DATA_CENTER, { consistency: 'ONE', values: [], pagingState })),
      )
      host.dataCenter = pages.flatMap(cellsOf)[0]?.[0]?.toString('utf8') ?? ''
    }
    this.#dataCenter ??= host.dataCenter
    return host.dataCenter === this.#dataCenter
  }
}

/** The cells of each row of a page. */
function cellsOf(page: Page): readonly (readonly (Buffer | null)[])[] {
  const cells = new CellReader(page)
  return Array.from({ length: page.rowCount }, () => Array.from({ length: page.columnCount }, () => cells.next()))
}

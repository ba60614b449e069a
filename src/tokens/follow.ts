// Follows the tokens of one cluster: a stream of changes is kept open, and opened again when it ends, breaks or says nothing for too
// long. What was missed meanwhile is told from the index that every stream begins with.
import { type Dispatcher, Pool } from 'undici'
import { type BackoffLimits, backoffMs } from '../lib/backoff.ts'
import { type Clock, delay, type Timer } from '../lib/clock.ts'
import { parseClusterUrl } from './cluster-address.ts'
import { type ConnectOptions, createConnect } from './connect.ts'
import type { ClusterUrl } from './contract.ts'
import { describeFailure } from './failure.ts'
import { ObjectCutter, parseWatchEvent, WatchedIndex } from './watch-stream.ts'

export interface FollowOptions extends Omit<ConnectOptions, 'connectionTimeoutMs'> {
  readonly url: ClusterUrl
  /** Value of the header Authorization; asked at each stream. */
  readonly authorization?: (() => string | undefined) | undefined
  /** Milliseconds; 1000 when left out. */
  readonly connectionTimeoutMs?: number | undefined
  /** Gives [0, 1). */
  readonly random: () => number
  /** Tokens that have changed, sorted. Called as they change, and after a stream was opened again for those that changed meanwhile. */
  readonly onChange: (tokens: readonly string[]) => void
  /** Called when a stream stands (undefined), and when it cannot be had (why, in one line). */
  readonly onState?: ((problem: string | undefined) => void) | undefined
  /** A cluster ends a stream in which nothing happens after this; one that stays silent for longer is dead. Milliseconds; a minute when left out. */
  readonly silentMs?: number | undefined
  /** Ends it. */
  readonly signal: AbortSignal
}

const PAUSES: BackoffLimits = { baseMs: 500, capMs: 30_000 }
/** A stream that has stood for this long was a good one, in milliseconds. */
const SETTLED_MS = 5_000
/** How much later than agreed a silent stream may end, in milliseconds. */
const LATE_MS = 5_000
const MAX_EVENT_CHARACTERS = 268_435_456

/** Resolves when `signal` aborts. Throws TypeError for an address that is none, and what `onChange` throws. */
export async function followTokens(options: FollowOptions): Promise<void> {
  const { clock, random, signal, onState = () => {} } = options
  const { origin, pathname } = new URL(parseClusterUrl(options.url))
  const { connectionTimeoutMs = 1_000 } = options
  await using pool = openPool(origin, { ...options, connectionTimeoutMs })
  const index = new WatchedIndex()
  for (let failures = 0; !signal.aborted; ) {
    const begun = clock.now()
    let stands = false
    const onStand = (): void => {
      stands = true
      onState(undefined)
    }
    const problem = await readStream(pool.pool, pathname === '/' ? '' : pathname, index, onStand, options)
    if (signal.aborted) return
    if (problem !== undefined || !stands) onState(problem ?? 'the cluster streams no changes')
    if (stands && clock.now() - begun >= SETTLED_MS) failures = 0
    // One that ends in good order after its time is opened again at once; one that never lasts does not besiege the cluster.
    if (problem !== undefined || failures > 0 || clock.now() - begun < SETTLED_MS) {
      await delay(clock, backoffMs(failures++, PAUSES, random), signal).catch(() => undefined)
    }
  }
}

function openPool(origin: string, options: ConnectOptions): AsyncDisposable & { readonly pool: Pool } {
  const pool = new Pool(origin, {
    connections: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: createConnect(options),
  })
  return {
    pool,
    [Symbol.asyncDispose]: async () => {
      // undici may be in the middle of telling us of a failure: destroyed under its feet, it fails an assertion of its own.
      await null
      await pool.destroy()
    },
  }
}

/** Reads one stream to its end. Undefined when it ended in good order, else why it did not. */
async function readStream(
  pool: Pool,
  base: string,
  index: WatchedIndex,
  onStand: () => void,
  options: FollowOptions,
): Promise<string | undefined> {
  const { clock, signal, silentMs = 60_000, onChange } = options
  const cutter = new ObjectCutter(MAX_EVENT_CHARACTERS)
  const decoder = new TextDecoder()
  const take = (piece: Uint8Array): void => {
    for (const text of cutter.push(decoder.decode(piece, { stream: true }))) {
      const event = parseWatchEvent(text)
      if (event === undefined) continue
      if (event.type === 'index') onStand()
      const changed = index.apply(event)
      if (changed.length > 0) onChange(changed)
    }
  }
  const authorization = options.authorization?.()
  const stream = new Stream(clock, silentMs + LATE_MS, take)
  const onAbort = () => stream.end('the stream is no longer wanted')
  signal.addEventListener('abort', onAbort, { once: true })
  pool.dispatch(
    {
      method: 'GET',
      path: `${base}/tokens?include=deleted&include=metadata&watch=true&streaming-timeout=${silentMs}`,
      headers: { accept: 'application/json', ...(authorization !== undefined && { authorization }) },
    },
    stream,
  )
  try {
    return await stream.ended
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** One stream; undici's handler. */
class Stream implements Dispatcher.DispatchHandler {
  /** Why it ended; undefined when that was in good order. Rejects with what taking its content threw. */
  readonly ended: Promise<string | undefined>
  readonly #settled = Promise.withResolvers<string | undefined>()
  readonly #clock: Clock
  readonly #silentMs: number
  readonly #take: (piece: Uint8Array) => void
  #controller: Dispatcher.DispatchController | undefined
  #timer: Timer | undefined
  #isOver = false

  constructor(clock: Clock, silentMs: number, take: (piece: Uint8Array) => void) {
    this.#clock = clock
    this.#silentMs = silentMs
    this.#take = take
    this.ended = this.#settled.promise
    this.#hear()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(new Error('given up'))
    else this.#hear()
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    if (status === 200) this.#hear()
    else this.end(`answered ${status}`)
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#isOver) return
    this.#hear()
    try {
      this.#take(piece)
    } catch (error) {
      if (error instanceof SyntaxError) this.end('the cluster streams no changes')
      else {
        this.#finish()
        this.#settled.reject(error)
        this.#controller?.abort(new Error('given up'))
      }
    }
  }

  onResponseEnd(): void {
    if (this.#finish()) this.#settled.resolve(undefined)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#finish()) this.#settled.resolve(describeFailure(error))
  }

  /** Ends it from this side, for this reason. */
  end(reason: string): void {
    if (!this.#finish()) return
    this.#settled.resolve(reason)
    this.#controller?.abort(new Error('given up'))
  }

  #finish(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#timer?.cancel()
    return true
  }

  #hear(): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.setTimer(this.#silentMs, () => this.end(`nothing was heard for ${this.#silentMs} ms`))
  }
}

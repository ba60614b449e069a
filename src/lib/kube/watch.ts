// Follows a collection of a Kubernetes API server, or one object of it, for as long as the process lives.
// It survives what servers and networks do: resets, silence, closing at once, 410, 429, 5xx, 401, garbage. Each attempt reads the
// whole state anew (a watch-list costs no more than resuming, and is right after a restored etcd too) and replaces what was known
// in one step. What to do next is decided in watch-plan.ts, what is known in snapshot.ts; here are only time and sockets.
import { type Clock, delay, type Timer } from '../clock.ts'
import type { KubeClient, KubeStream } from './client.ts'
import { KubeError, oneLine } from './error.ts'
import { readAll, type Selection, selectorsOf } from './list.ts'
import type { KubeObject } from './object.ts'
import { applyEvents, beginFilling, EMPTY_SNAPSHOT, endFilling, mergeList, type Snapshot, toMap } from './snapshot.ts'
import { parseWatchEvent, splitLines } from './watch-events.ts'
import { FIRST_ATTEMPT, type PlanLimits, planNext, type WatchPlan } from './watch-plan.ts'

export interface WatchOptions {
  readonly client: KubeClient
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  /** What is followed. */
  readonly target: Selection
  readonly pace?: WatchPace
}

/** How long is waited for the server, and after its failures. */
export interface WatchPace {
  /** For the head of a watch, and for each page of a list, in milliseconds. */
  readonly answerMs: number
  /** For all of the first part, from its request on, in milliseconds. */
  readonly firstPartMs: number
  readonly limits: PlanLimits
}

export interface KubeWatch<T extends KubeObject> {
  /** What is there, as of the last word of the server; undefined until it was complete once. */
  readonly items: readonly T[] | undefined
  /** When the server last confirmed `items`, in milliseconds of the clock's `now`. In quiet a bookmark comes every minute. */
  readonly lastContactAt: number | undefined
  /** Why the server cannot be followed right now, in one line; undefined when all is well. */
  readonly problem: string | undefined
  /**
   * Begins; `onState` is called when the state is known and after every change, in the same turn in which the event came;
   * `onProblem` whenever an attempt has failed, before the next one. Call once.
   */
  start(onState: (items: readonly T[]) => void, onProblem?: (problem: KubeError) => void): void
  /** Reads the list once, beside the stream, and takes it in where it is later. Throws KubeError or the reason of `signal`. */
  read(timeoutMs: number, signal?: AbortSignal): Promise<void>
  /** Ends it; afterwards no timer and no socket is left, and nothing is called any more. */
  stop(): Promise<void>
}

/** Bookmarks come every 60 s: silence of this long means that the stream is dead, whatever the socket says. */
const STALL_MS = { least: 75_000, spread: 15_000 }
/** The server ends a watch after this many seconds: each client at another moment. */
const SERVER_SIDE_SECONDS = { least: 300, spread: 300 }
export const WATCH_LIMITS: PlanLimits = { baseMs: 100, capMs: 10_000, stableMs: 10_000, maxRetryAfterMs: 60_000 }
const WATCH_PACE: WatchPace = { answerMs: 10_000, firstPartMs: 15_000, limits: WATCH_LIMITS }

/** A watch that is not running yet. */
export function createKubeWatch<T extends KubeObject>(options: WatchOptions): KubeWatch<T> {
  return new Watch<T>(options)
}

/** What one attempt has come to. */
interface Attempt {
  opened: boolean
  syncedAt: number | undefined
  /** An ERROR event, or the time for the first part is up. */
  toldOff: boolean
}

class Watch<T extends KubeObject> implements KubeWatch<T> {
  readonly #client: KubeClient
  readonly #clock: Clock
  readonly #random: () => number
  readonly #target: Selection
  readonly #pace: WatchPace
  readonly #stopping = new AbortController()
  #snapshot: Snapshot<T> = EMPTY_SNAPSHOT
  #items: readonly T[] | undefined
  #lastContactAt: number | undefined
  #problem: string | undefined
  #onState: (items: readonly T[]) => void = () => undefined
  #onProblem: (problem: KubeError) => void = () => undefined
  #running: Promise<void> | undefined

  constructor(options: WatchOptions) {
    this.#client = options.client
    this.#clock = options.clock
    this.#random = options.random
    this.#target = options.target
    this.#pace = options.pace ?? WATCH_PACE
  }

  get items(): readonly T[] | undefined {
    return this.#items
  }

  get lastContactAt(): number | undefined {
    return this.#lastContactAt
  }

  get problem(): string | undefined {
    return this.#problem
  }

  start(onState: (items: readonly T[]) => void, onProblem?: (problem: KubeError) => void): void {
    this.#onState = onState
    if (onProblem !== undefined) this.#onProblem = onProblem
    this.#running ??= this.#run(this.#stopping.signal)
  }

  async stop(): Promise<void> {
    this.#onState = () => undefined
    this.#stopping.abort(new KubeError('closed', 'the watch was stopped'))
    await this.#running
  }

  async read(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const list = await readAll<T>(this.#client, this.#target, timeoutMs, signal)
    if (this.#stopping.signal.aborted) return
    this.#lastContactAt = this.#clock.now()
    this.#take(mergeList(this.#snapshot, list.items, list.revision))
  }

  async #run(signal: AbortSignal): Promise<void> {
    let plan: WatchPlan = FIRST_ATTEMPT
    while (!signal.aborted) {
      const attempt: Attempt = { opened: false, syncedAt: undefined, toldOff: false }
      const error = await this.#try(plan, attempt, signal)
      if (signal.aborted) return
      const synced = attempt.syncedAt !== undefined
      const syncedForMs = this.#clock.now() - (attempt.syncedAt ?? this.#clock.now())
      const doubtful = attempt.opened && attempt.toldOff && error?.code !== 'gone' && error?.code !== 'throttled'
      const next = planNext(plan, { synced, syncedForMs, error, doubtful }, this.#pace.limits, this.#random)
      this.#problem = describe(error, next.attempt)
      plan = next
      if (error !== undefined) this.#onProblem(error)
      if (next.pauseMs > 0) await delay(this.#clock, next.pauseMs, signal).catch(() => undefined)
    }
  }

  /** One attempt, to its end. Undefined when the server closed it in good order. */
  async #try(plan: WatchPlan, attempt: Attempt, signal: AbortSignal): Promise<KubeError | undefined> {
    this.#snapshot = beginFilling(this.#snapshot)
    try {
      if (plan.strategy === 'watch-list') {
        await this.#follow({ sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }, attempt, signal)
      } else if (this.#target.name === undefined) {
        const revision = await this.#readFirst(attempt, signal)
        await this.#follow({ resourceVersion: revision ?? '' }, attempt, signal)
      } else {
        // One object may rest for days at a version that no watch can go on from, and an absent one has none: so the stream
        // is opened first, from whatever the server has, and the object read then. What changes in between is told by the stream.
        // A server over an old etcd refuses a stream without a version, and one with bookmarks.
        const query = { resourceVersion: '0', allowWatchBookmarks: 'false' }
        await this.#follow(query, attempt, signal, () => this.#readFirst(attempt, signal))
      }
      return undefined
    } catch (error) {
      return error instanceof KubeError ? error : new KubeError('garbage', oneLine(String(error)))
    }
  }

  /** The first part, as a list. Gives the revision to go on from. */
  async #readFirst(attempt: Attempt, signal: AbortSignal): Promise<string | undefined> {
    const { items, revision } = await readAll<T>(this.#client, this.#target, this.#pace.answerMs, signal)
    this.#synced(attempt)
    this.#take(endFilling(this.#snapshot, toMap(items), revision))
    return revision
  }

  /** Reads a stream to its end. Throws KubeError. */
  async #follow(
    query: Readonly<Record<string, string>>,
    attempt: Attempt,
    signal: AbortSignal,
    onOpen?: () => Promise<unknown>,
  ): Promise<void> {
    const stall = new Watchdog(this.#clock)
    const startedAt = this.#clock.now()
    const stream = await this.#client.stream({
      method: 'GET',
      path: this.#target.path,
      query: {
        ...selectorsOf(this.#target),
        watch: 'true',
        allowWatchBookmarks: 'true',
        timeoutSeconds: this.#seconds(),
        ...query,
      },
      timeoutMs: this.#pace.answerMs,
      signal,
    })
    try {
      attempt.opened = true
      await onOpen?.()
      if (attempt.syncedAt === undefined)
        stall.limit(startedAt + this.#pace.firstPartMs - this.#clock.now(), () =>
          this.#giveUpFirstPart(stream, attempt),
        )
      else this.#limitSilence(stall, stream)
      await this.#consume(stream, attempt, stall)
    } finally {
      stall.cancel()
      stream[Symbol.dispose]()
    }
  }

  async #consume(stream: KubeStream, attempt: Attempt, stall: Watchdog): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of stream.chunks) {
      const split = splitLines(rest, decoder.decode(chunk, { stream: true }))
      rest = split.rest
      const { snapshot, error } = applyEvents(
        this.#snapshot,
        split.lines.map((line) => parseWatchEvent<T>(line)),
      )
      if (snapshot.filling === undefined && attempt.syncedAt === undefined) this.#synced(attempt)
      if (attempt.syncedAt !== undefined) {
        if (split.lines.length > 0 && error === undefined) this.#lastContactAt = this.#clock.now()
        this.#limitSilence(stall, stream)
      }
      this.#take(snapshot)
      if (error !== undefined) {
        attempt.toldOff = error.code !== 'garbage'
        throw error
      }
    }
  }

  #synced(attempt: Attempt): void {
    attempt.syncedAt = this.#clock.now()
    this.#lastContactAt = attempt.syncedAt
    this.#problem = undefined
  }

  /** Shows a snapshot, if it differs. */
  #take(snapshot: Snapshot<T>): void {
    const isNew = snapshot.items !== this.#snapshot.items
    this.#snapshot = snapshot
    if (!isNew || snapshot.items === undefined) return
    this.#items = [...snapshot.items.values()]
    this.#onState(this.#items)
  }

  #limitSilence(stall: Watchdog, stream: KubeStream): void {
    const ms = STALL_MS.least + this.#random() * STALL_MS.spread
    stall.limit(ms, () => {
      this.#client.reconnect()
      stream.abort(
        new KubeError('timeout', `the watch of ${this.#target.path} was silent for ${Math.round(ms / 1_000)} s`),
      )
    })
  }

  #giveUpFirstPart(stream: KubeStream, attempt: Attempt): void {
    attempt.toldOff = true
    stream.abort(
      new KubeError(
        'timeout',
        `the watch of ${this.#target.path} did not tell the whole state within ${this.#pace.firstPartMs} ms`,
      ),
    )
  }

  #seconds(): string {
    return String(SERVER_SIDE_SECONDS.least + Math.floor(this.#random() * (SERVER_SIDE_SECONDS.spread + 1)))
  }
}

/** One timer that each call sets anew. */
class Watchdog {
  readonly #clock: Clock
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  limit(ms: number, fn: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.setTimer(ms, fn)
  }

  cancel(): void {
    this.#timer?.cancel()
  }
}

/** A stream that ended in good order after a while is no problem; one that ends so again and again is. */
function describe(error: KubeError | undefined, attempt: number): string | undefined {
  if (error !== undefined) return error.message
  return attempt < 2 ? undefined : 'the API server closes the watch as soon as it is open'
}

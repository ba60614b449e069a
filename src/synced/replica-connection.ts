// The one connection to one replica: pipelined probes, a stall detector, and a short memory of failure.
//
// Probes are abandoned, never aborted: an abort would make undici send everything behind it again. A connection that says nothing
// is set aside (what it still answers counts) while new probes try another one, one at a time until one is answered.
import { isIPv6 } from 'node:net'
import { Client, type Dispatcher } from 'undici'
import type { Clock, Timer } from '../lib/clock.ts'
import type { UnknownReason } from './contract.ts'
import { Dialer, type DialOptions, silent } from './dialer.ts'
import { type Outcome, outcomeOfError, outcomeOfStatus } from './outcome.ts'
import type { Replica } from './replica.ts'

/** How replicas are reached. */
export interface ConnectionOptions extends DialOptions {
  /** An answer later than this interests nobody. Milliseconds. */
  readonly deadlineMs: number
}

/** Who asked; told at most once per probe. */
export interface ProbeOwner {
  /** `sentAt` is the `now` that the probe was sent with. */
  answered(outcome: Outcome, sentAt: number): void
}

/** What a check needs of the way to a replica. */
export interface ProbeConnection {
  /** `up` when the last probe was answered 200 or 401, `down` when not, with the reason and since when (wall clock). */
  readonly health: {
    readonly state: 'up' | 'down' | 'unknown'
    readonly reason: UnknownReason | undefined
    readonly since: number
    /** When it was last up; left out before the first time. */
    readonly seenAt?: number | undefined
  }
  /**
   * Sends one probe. Returns undefined when it is on its way: `owner` is told what comes of it, never before this returns.
   * Otherwise nothing is sent and the reason why the replica cannot be asked now is returned.
   */
  probe(request: Dispatcher.DispatchOptions, owner: ProbeOwner, now: number): UnknownReason | undefined
  /** Connects before anything is asked, so that the first check need not wait for it. */
  warm(): void
  /** Ends all connections; probes under way fail. */
  close(): Promise<void>
}

const PIPELINING = 64
const KEEP_ALIVE_MS = 60_000
/** An answer's body is of no interest; one beyond this many bytes ends the connection. */
const MAX_BODY_BYTES = 65_536
/** Pauses before a replica that could not be reached is tried again; the first time at once. Milliseconds. */
const RECONNECT_PAUSES_MS = [0, 25, 50, 100] as const

export class ReplicaConnection implements ProbeConnection {
  readonly #options: ConnectionOptions
  readonly #clock: Clock
  readonly #dialer: Dialer
  readonly #url: string
  #line: Line | undefined
  readonly #setAside = new Set<Line>()
  #failures = 0
  #retryAt = 0
  #closed = false
  #state: 'up' | 'down' | 'unknown' = 'unknown'
  #reason: UnknownReason | undefined
  #since: number
  #seenAt: number | undefined

  constructor(replica: Pick<Replica, 'address' | 'port'>, options: ConnectionOptions, clock: Clock) {
    this.#dialer = new Dialer(replica, options, clock)
    this.#options = options
    this.#clock = clock
    const host = isIPv6(replica.address) ? `[${replica.address}]` : replica.address
    this.#url = `${options.scheme}://${host}:${replica.port}`
    this.#since = clock.wallNow()
  }

  get health(): ProbeConnection['health'] {
    return { state: this.#state, reason: this.#reason, since: this.#since, seenAt: this.#seenAt }
  }

  probe(request: Dispatcher.DispatchOptions, owner: ProbeOwner, now: number): UnknownReason | undefined {
    if (this.#closed) return 'refused'
    const line = this.#line
    if (this.#failures > 0) {
      // After a failure one probe at a time tries whether the replica is back; the others need not wait for it.
      if (now < this.#retryAt || (line !== undefined && line.outstanding > 0)) return this.#reason ?? 'reset'
    }
    ;(line ?? this.#connect(now)).send(request, owner, now)
    return undefined
  }

  warm(): void {
    this.#dialer.warm()
  }

  async close(): Promise<void> {
    this.#closed = true
    const lines = [...this.#setAside, ...(this.#line === undefined ? [] : [this.#line])]
    this.#line = undefined
    this.#setAside.clear()
    this.#dialer.close()
    await Promise.all(lines.map((line) => line.end()))
  }

  #connect(now: number): Line {
    const line: Line = new Line(this.#createClient(), this.#clock, now, {
      outcome: (outcome) => this.#noteOutcome(outcome),
      failed: (reason) => this.#noteFailure(line, reason),
      overdue: () => this.#setAsideLine(line),
      overdueMs: this.#options.connectTimeoutMs,
      hopelessMs: this.#options.deadlineMs,
      ended: () => this.#setAside.delete(line),
    })
    this.#line = line
    return line
  }

  #createClient(): Client {
    return new Client(this.#url, {
      pipelining: PIPELINING,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxResponseSize: MAX_BODY_BYTES,
      // undici rounds its own time-outs to a second; the ones that count here are in this file.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (_options, callback) => this.#dialer.dial(callback),
    })
  }

  #noteOutcome(outcome: Outcome): void {
    this.#failures = 0
    if (outcome === 'present' || outcome === 'absent') {
      this.#seenAt = this.#clock.wallNow()
      this.#become('up', undefined)
    } else this.#become('down', outcome)
  }

  #noteFailure(line: Line, reason: UnknownReason): void {
    // One that was set aside has been counted as a failure already.
    if (this.#line === line) {
      this.#line = undefined
      this.#failed(reason)
    }
    void line.end()
  }

  #setAsideLine(line: Line): void {
    if (this.#line === line) {
      this.#line = undefined
      this.#failed('silent')
    }
    this.#setAside.add(line)
  }

  #failed(reason: UnknownReason): void {
    const pauseMs = RECONNECT_PAUSES_MS[Math.min(this.#failures, RECONNECT_PAUSES_MS.length - 1)] ?? 0
    this.#failures++
    this.#retryAt = this.#clock.now() + pauseMs
    this.#become('down', reason)
  }

  #become(state: 'up' | 'down', reason: UnknownReason | undefined): void {
    if (state !== this.#state) this.#since = this.#clock.wallNow()
    this.#state = state
    this.#reason = reason
  }
}

interface LineEvents {
  outcome(outcome: Outcome): void
  /** The connection broke or never stood; everything on it has failed. */
  failed(reason: UnknownReason): void
  /** Nothing was heard for `overdueMs` although something was asked. */
  overdue(): void
  readonly overdueMs: number
  /** An overdue line is ended when it stays silent for this long. */
  readonly hopelessMs: number
  ended(): void
}

/** One undici client, which is one connection, with what is on its way over it. */
class Line {
  /** Probes sent and not answered. */
  outstanding = 0
  readonly #client: Client
  readonly #clock: Clock
  readonly #events: LineEvents
  /** When an answer last came, or the first of the waiting probes was sent. */
  #heardAt: number
  #timer: Timer | undefined
  #isOverdue = false
  #ended = false
  /** Why the line ended; its other probes failed for the same reason. */
  #broken: UnknownReason | undefined

  constructor(client: Client, clock: Clock, now: number, events: LineEvents) {
    this.#client = client
    this.#clock = clock
    this.#events = events
    this.#heardAt = now
  }

  send(request: Dispatcher.DispatchOptions, owner: ProbeOwner, now: number): void {
    if (this.outstanding++ === 0) {
      this.#heardAt = now
      this.#timer ??= this.#clock.setTimer(this.#events.overdueMs, this.#look)
    }
    this.#client.dispatch(request, new Probe(this, owner, now))
  }

  /** Called by a probe that got a status. */
  answered(owner: ProbeOwner, sentAt: number, status: number): void {
    this.outstanding--
    if (this.#ended) return
    this.#heardAt = this.#clock.now()
    const outcome = outcomeOfStatus(status)
    this.#events.outcome(outcome)
    owner.answered(outcome, sentAt)
  }

  /** Called by a probe that failed; the first failure ends the line and with it all its probes. */
  failed(owner: ProbeOwner, sentAt: number, error: Error): void {
    this.outstanding--
    if (this.#broken === undefined) {
      this.#broken = outcomeOfError(error)
      this.#events.failed(this.#broken)
    }
    owner.answered(this.#broken, sentAt)
  }

  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#broken ??= 'silent'
    this.#timer?.cancel()
    this.#events.ended()
    // undici may be in the middle of telling us of a failure: destroyed under its feet, it fails an assertion of its own.
    await null
    await this.#client.destroy(silent('the connection was given up'))
  }

  // A lazy timer: armed when something is asked of a line at rest, re-armed only as far as needed.
  readonly #look = (): void => {
    this.#timer = undefined
    if (this.outstanding === 0) {
      if (this.#isOverdue) void this.end()
      return
    }
    const { overdueMs, hopelessMs } = this.#events
    const quietMs = this.#clock.now() - this.#heardAt
    if (this.#isOverdue && quietMs >= hopelessMs) return void this.end()
    if (!this.#isOverdue && quietMs >= overdueMs) {
      this.#isOverdue = true
      this.#events.overdue()
    }
    this.#timer = this.#clock.setTimer(Math.max(1, (this.#isOverdue ? hopelessMs : overdueMs) - quietMs), this.#look)
  }
}

/** One question on its way; undici's handler. What comes after the status is read and dropped. */
class Probe implements Dispatcher.DispatchHandler {
  readonly #line: Line
  readonly #owner: ProbeOwner
  readonly #sentAt: number
  #settled = false

  constructor(line: Line, owner: ProbeOwner, sentAt: number) {
    this.#line = line
    this.#owner = owner
    this.#sentAt = sentAt
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200 || this.#settled) return
    this.#settled = true
    this.#line.answered(this.#owner, this.#sentAt, status)
  }

  onResponseData(): void {}

  onResponseEnd(): void {}

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settled) return
    this.#settled = true
    this.#line.failed(this.#owner, this.#sentAt, error)
  }
}

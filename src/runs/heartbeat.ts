// Says to the other replicas that this process is alive. When it could not do so for a while it takes itself for dead before the
// others do; when they have, it registers anew.
import { backoffMs } from '../lib/backoff.ts'
import { type Clock, delay, type Timer } from '../lib/clock.ts'
import { withDeadline } from '../lib/with-deadline.ts'
import { type Owner, OwnerLost, type StateStore } from '../state/store.ts'
import { StateUnreachable } from './problems.ts'

export interface HeartbeatOptions {
  readonly store: Pick<StateStore, 'openOwner'>
  /** Silence after which others take this process for dead, in milliseconds. */
  readonly deadAfterMs: number
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  /** What this process carries out is not its own any more, or soon will not be: it has to stop. */
  readonly onLost: (reason: Error) => void
  readonly onError: (error: unknown) => void
}

/** From one beat to the next while they fail, in milliseconds, at most: how long it takes to hear that all is well again. */
const FAILING_BEAT_MS = 1_000
const REOPEN_PAUSES = { baseMs: 500, capMs: 5_000 }
/** Share of `deadAfterMs` after which silence ends the runs: what they do takes a moment to stop. */
const SILENCE_SHARE = 0.8

export class Heartbeat implements AsyncDisposable {
  readonly #options: HeartbeatOptions
  readonly #stopped = new AbortController()
  #owner: Owner | undefined
  #beatTimer: Timer | undefined
  #silenceTimer: Timer | undefined
  #working: Promise<void> = Promise.resolve()
  #problem: string | undefined

  private constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  /** Registers this process, and beats from now on. Throws what the store throws. */
  static async open(options: HeartbeatOptions): Promise<Heartbeat> {
    const heartbeat = new Heartbeat(options)
    heartbeat.#owner = await options.store.openOwner(options.deadAfterMs)
    heartbeat.#heard(options.clock.now())
    heartbeat.#beatLater()
    return heartbeat
  }

  /** What runs of this process belong to; undefined while it is not registered. */
  get ownerId(): string | undefined {
    return this.#owner?.id
  }

  /** Why the last beat failed, in one line; undefined when it did not. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Beats at once: something says that this process is taken for dead, or that the store is away. */
  beatNow(): void {
    if (this.#beatTimer === undefined) return
    this.#beatTimer.cancel()
    this.#beatAndGoOn()
  }

  /** Gives the registration back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error('the heartbeat has ended'))
    this.#beatTimer?.cancel()
    this.#silenceTimer?.cancel()
    await this.#working
    await this.#owner?.[Symbol.asyncDispose]()
  }

  #beatLater(): void {
    if (this.#stopped.signal.aborted) return
    const { clock, deadAfterMs } = this.#options
    const afterMs = Math.min(deadAfterMs / 3, this.#problem === undefined ? Number.POSITIVE_INFINITY : FAILING_BEAT_MS)
    this.#beatTimer = clock.setTimer(afterMs, () => this.#beatAndGoOn())
  }

  #beatAndGoOn(): void {
    this.#beatTimer = undefined
    this.#working = this.#beat().finally(() => this.#beatLater())
  }

  async #beat(): Promise<void> {
    const { clock, deadAfterMs, onError } = this.#options
    const owner = this.#owner
    if (owner === undefined) return
    const sentAt = clock.now()
    try {
      await withDeadline(clock, deadAfterMs / 3, () => owner.beat(), this.#stopped.signal)
      this.#problem = undefined
      this.#heard(sentAt)
    } catch (error) {
      if (this.#stopped.signal.aborted) return
      if (this.#problem === undefined) onError(error)
      this.#problem = describe(error)
      if (error instanceof OwnerLost) await this.#register(owner, error)
    }
  }

  /** The others count from the moment at which the beat reached the store, which was not before it was sent. */
  #heard(sentAt: number): void {
    const { clock, deadAfterMs, onLost } = this.#options
    this.#silenceTimer?.cancel()
    this.#silenceTimer = clock.setTimer(sentAt + deadAfterMs * SILENCE_SHARE - clock.now(), () =>
      onLost(new StateUnreachable('The store of runs could not be reached: others may take this process for dead.')),
    )
  }

  async #register(lost: Owner, reason: Error): Promise<void> {
    const { clock, random, store, deadAfterMs, onError, onLost } = this.#options
    this.#owner = undefined
    this.#silenceTimer?.cancel()
    onLost(reason)
    await Promise.resolve(lost[Symbol.asyncDispose]()).catch(onError)
    for (let attempt = 0; !this.#stopped.signal.aborted; attempt++) {
      try {
        const sentAt = clock.now()
        this.#owner = await store.openOwner(deadAfterMs)
        this.#problem = undefined
        this.#heard(sentAt)
        return
      } catch (error) {
        this.#problem = describe(error)
        await delay(clock, backoffMs(attempt, REOPEN_PAUSES, random), this.#stopped.signal).catch(() => {})
      }
    }
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 500)

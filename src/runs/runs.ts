// The service of runs: makes them, carries them out in turns, and lets them be found, followed and cancelled from any replica. What
// a run does is its job's; what is kept of it is the store's; schedules use it as callers do.
import { createHash } from 'node:crypto'
import { type Clock, delay, type Timer } from '../lib/clock.ts'
import type { Leadership } from '../lib/leadership.ts'
import { Turns } from '../lib/turns.ts'
import { createUuidV7 } from '../lib/uuid-v7.ts'
import {
  type ItemFilter,
  OwnerLost,
  type Page,
  type RunCreation,
  type RunDraft,
  type RunFilter,
  type RunItem,
  type RunKind,
  type RunRecord,
  type StateStore,
  StateUnavailable,
  StateUnusable,
} from '../state/store.ts'
import {
  type Job,
  type RunEvent,
  type Runs,
  RunsStopping,
  type ScheduleStatus,
  type Started,
  type StartRequest,
} from './contract.ts'
import { carryOut, type Ended, type ExecutionSurroundings } from './execution.ts'
import { type FollowSurroundings, followRun, waitForRun } from './follow.ts'
import { Heartbeat } from './heartbeat.ts'
import { History, type HistoryLimits } from './history.ts'
import type { RunLocks } from './locks.ts'
import { interruptOrphans, takeUpInterrupted } from './orphans.ts'
import { RunCancelled } from './problems.ts'
import { RunsUnderWay } from './under-way.ts'

export interface RunsOptions {
  /** Stays the caller's. */
  readonly store: StateStore
  readonly jobs: readonly Job[]
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  readonly locks: RunLocks
  /** Runs that are carried out at a time; 1 or more. */
  readonly maxConcurrent: number
  readonly history: HistoryLimits
  /** Silence after which other replicas take this one for dead, in milliseconds. */
  readonly deadAfterMs: number
  /** How long a run waits for its locks, in milliseconds. */
  readonly lockWaitMs: number
  readonly leadership: Pick<Leadership, 'isLeader' | 'onChange'>
  /** Kinds of which the leader makes interrupted runs anew. */
  readonly takesUp: readonly RunKind[]
  readonly schedules: () => readonly ScheduleStatus[]
  /** Something unexpected; `what` says where. The service goes on. */
  readonly onError: (error: unknown, what: string) => void
  /** A run of this process has ended. */
  readonly onEnded: (run: RunRecord, ended: Ended) => void
  /** These runs are not in the history any more. */
  readonly onForgotten: (ids: readonly string[]) => Promise<void>
}

export interface RunService extends Runs {
  /**
   * Takes no run any more, and ends those that wait for their turn as interrupted; those that have begun after `graceMs`, unless they end
   * by themselves. Asked again it is the same stop.
   */
  stop(graceMs: number): Promise<void>
  /** Runs of this process that have not ended. */
  underWay(kind: RunKind): number
  /** Why the store of runs cannot be reached, in one line; undefined when it can. */
  readonly problem: string | undefined
}

/** From one question for cancelled runs to the next, while there are runs under way, in milliseconds. */
const CANCEL_POLL_MS = 1_000
/** How long runs that were told to end may take for it, in milliseconds: writes under way are waited for. */
const END_MS = 3_000

/** Ends what an earlier process has left behind, and takes runs from now on. Throws what the store throws. */
export async function createRuns(options: RunsOptions): Promise<RunService> {
  const service = new StoredRuns(options)
  await service.open()
  return service
}

class StoredRuns implements RunService {
  readonly #options: RunsOptions
  readonly #jobs: ReadonlyMap<string, Job>
  readonly #nextId: () => string
  readonly #underWay = new RunsUnderWay()
  readonly #history: History
  readonly #turns: Turns
  readonly #around: Omit<ExecutionSurroundings, 'takeTurn'>
  readonly #reading: FollowSurroundings
  /** Aborts when nothing is waited for any more. */
  readonly #closed = new AbortController()
  /** Requests whose run is being stored. */
  readonly #starting = new Set<Promise<unknown>>()
  #heartbeat: Heartbeat | undefined
  #isStopping = false
  #stopped: Promise<void> | undefined
  #cancelTimer: Timer | undefined
  #careTimer: Timer | undefined
  #caring: Promise<void> = Promise.resolve()
  #forgetLeadership = () => {}

  constructor(options: RunsOptions) {
    const { store, clock, random, locks, lockWaitMs, deadAfterMs, maxConcurrent, jobs, onError } = options
    this.#options = options
    this.#jobs = new Map(jobs.map((job) => [job.kind, job]))
    this.#nextId = createUuidV7(clock)
    this.#history = new History(options)
    this.#turns = new Turns(maxConcurrent)
    this.#around = {
      ...{ store, clock, random, locks, lockWaitMs, onError },
      outageMs: deadAfterMs,
      giveUp: this.#closed.signal,
    }
    this.#reading = { store, clock, nextNews: (id) => this.#underWay.get(id)?.news }
  }

  async open(): Promise<void> {
    const { store, deadAfterMs, clock, random, leadership, onError } = this.#options
    const heartbeat = await Heartbeat.open({
      ...{ store, deadAfterMs, clock, random },
      onLost: (reason) => this.#underWay.stopAll(reason),
      onError: (error) => onError(error, 'heartbeat'),
    })
    this.#heartbeat = heartbeat
    try {
      await interruptOrphans(store, clock)
    } catch (error) {
      await heartbeat[Symbol.asyncDispose]()
      throw error
    }
    this.#history.open()
    this.#forgetLeadership = leadership.onChange(() => this.#careLater(0))
    this.#careLater(0)
  }

  get problem(): string | undefined {
    return this.#heartbeat?.problem
  }

  underWay(kind: RunKind): number {
    return this.#underWay.count(kind)
  }

  start(request: StartRequest): Promise<Started> {
    const starting = this.#start(request).finally(() => this.#starting.delete(starting))
    this.#starting.add(starting)
    return starting
  }

  async #start(request: StartRequest): Promise<Started> {
    if (this.#isStopping) throw new RunsStopping('The service stops, and begins no run any more.')
    const job = this.#jobs.get(request.kind)
    if (job === undefined) throw new TypeError(`there is no job for runs of kind ${request.kind}`)
    const owner = this.#heartbeat?.ownerId
    if (owner === undefined) throw new StateUnavailable(LOST)
    const { kind, trigger, resources, dryRun, idempotencyKey: key, takesUp = null } = request
    const { outcome, run } = await this.#create({
      ...{ id: this.#nextId(), kind, trigger, resources, dryRun, owner, takesUp },
      request: JSON.stringify(request.request),
      createdAt: this.#options.clock.wallNow(),
      ...(key !== undefined && { idempotency: { key, fingerprint: fingerprint(request) } }),
    })
    if (outcome !== 'created') return { outcome, run }
    this.#begin(run, job)
    return { outcome: 'started', run }
  }

  async #create(draft: RunDraft): Promise<RunCreation> {
    try {
      return await this.#noticing(this.#options.store.createRun(draft))
    } catch (error) {
      if (!(error instanceof OwnerLost)) throw error
      this.#heartbeat?.beatNow()
      throw new StateUnavailable(LOST, { cause: error })
    }
  }

  #begin(run: RunRecord, job: Job): void {
    const one = this.#underWay.add(run)
    if (this.#isStopping) one.stop.abort(stopping())
    // Registered anew since: others may have ended it already.
    else if (run.owner !== this.#heartbeat?.ownerId)
      one.stop.abort(new OwnerLost('The store of runs was lost meanwhile.'))
    this.#pollCancelled()
    const takeTurn = async (signal: AbortSignal) => {
      const turn = await this.#turns.take(signal)
      one.isWaiting = false
      return turn
    }
    void carryOut(run, job, one.stop, () => one.tell(), { ...this.#around, takeTurn }).then((ended) => {
      this.#options.onEnded(run, ended)
      this.#underWay.remove(one)
      this.#history.prune()
    })
  }

  get(id: string): Promise<RunRecord | undefined> {
    return this.#noticing(this.#options.store.getRun(id))
  }

  list(filter: RunFilter): Promise<Page<RunRecord>> {
    return this.#noticing(this.#options.store.listRuns(filter))
  }

  async items(id: string, filter: ItemFilter): Promise<Page<RunItem> | undefined> {
    if ((await this.get(id)) === undefined) return undefined
    return this.#noticing(this.#options.store.listItems(id, filter))
  }

  /** A store that fails an answer is not found out only with the next beat: readiness is not to praise it until then. */
  async #noticing<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (error instanceof StateUnavailable || error instanceof StateUnusable) this.#heartbeat?.beatNow()
      throw error
    }
  }

  wait(id: string, timeoutMs: number, signal: AbortSignal): Promise<RunRecord | undefined> {
    return waitForRun(id, timeoutMs, AbortSignal.any([signal, this.#closed.signal]), this.#reading)
  }

  follow(id: string, after: number, signal: AbortSignal): AsyncIterable<RunEvent> {
    return followRun(id, after, AbortSignal.any([signal, this.#closed.signal]), this.#reading)
  }

  async cancel(id: string): Promise<RunRecord | undefined> {
    const run = await this.#noticing(this.#options.store.requestCancel(id))
    this.#cancelOwn(id)
    return run
  }

  schedules(): readonly ScheduleStatus[] {
    return this.#options.schedules()
  }

  stop(graceMs: number): Promise<void> {
    this.#isStopping = true
    this.#stopped ??= this.#stop(graceMs)
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop(0)
  }

  async #stop(graceMs: number): Promise<void> {
    this.#forgetLeadership()
    this.#careTimer?.cancel()
    await Promise.allSettled(this.#starting)
    this.#underWay.stopWaiting(stopping())
    if (!(await this.#endWithin(graceMs))) {
      this.#underWay.stopAll(stopping())
      await this.#endWithin(END_MS)
    }
    this.#closed.abort(stopping())
    this.#cancelTimer?.cancel()
    await this.#caring
    await this.#history[Symbol.asyncDispose]()
    await this.#heartbeat?.[Symbol.asyncDispose]()
  }

  /** Whether all runs have ended by then. */
  async #endWithin(ms: number): Promise<boolean> {
    if (this.#underWay.size === 0) return true
    const ended = new AbortController()
    const allEnded = this.#underWay.allEnded().then(() => ended.abort())
    await Promise.race([allEnded, delay(this.#options.clock, ms, ended.signal).catch(() => {})])
    return this.#underWay.size === 0
  }

  #cancelOwn(id: string): void {
    this.#underWay.get(id)?.stop.abort(new RunCancelled('The run was cancelled.'))
  }

  /** Asks which of the own runs others want to end, while there are any. */
  #pollCancelled(): void {
    this.#cancelTimer ??= this.#options.clock.setTimer(CANCEL_POLL_MS, async () => {
      const owner = this.#heartbeat?.ownerId
      try {
        const ids = owner === undefined ? [] : await this.#options.store.listCancelled(owner)
        for (const id of ids) this.#cancelOwn(id)
      } catch {
        // The heartbeat tells of a store that is away.
      }
      this.#cancelTimer = undefined
      if (this.#underWay.size > 0 && !this.#closed.signal.aborted) this.#pollCancelled()
    })
  }

  /** Looks after runs that nobody carries out, now and then again and again, while this replica leads. */
  #careLater(afterMs: number): void {
    if (this.#isStopping) return
    this.#careTimer?.cancel()
    this.#careTimer = this.#options.clock.setTimer(afterMs, () => {
      this.#caring = this.#careForOrphans().finally(() => this.#careLater(this.#options.deadAfterMs / 3))
    })
  }

  async #careForOrphans(): Promise<void> {
    const { store, clock, leadership, takesUp, onError } = this.#options
    if (!leadership.isLeader) return
    try {
      await interruptOrphans(store, clock)
      const start = (request: StartRequest) => this.start(request)
      if (takesUp.length > 0) await takeUpInterrupted({ store, jobs: this.#jobs, kinds: takesUp, clock, start })
    } catch (error) {
      if (!this.#isStopping) onError(error, 'interrupted runs')
    }
  }
}

const LOST = 'This replica was taken for dead, and is registering again.'
const stopping = () => new RunsStopping('The service stopped before the run had ended.')

/** Tells one request from another. */
function fingerprint({ kind, dryRun, resources, asked, request }: StartRequest): string {
  const text = JSON.stringify(asked === undefined ? [kind, dryRun, resources, request] : [kind, asked])
  return createHash('sha256').update(text).digest('hex')
}

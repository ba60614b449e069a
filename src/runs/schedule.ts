// Runs that the clock starts, on the leader alone: a run at every tick of a cron expression, unless the last one is still under way.
// The wall clock is looked at once a minute at least, so that neither a step of it nor a sleep of the machine is overslept.
import { type Clock, delay, type Timer } from '../lib/clock.ts'
import { type Leadership, whileLeading } from '../lib/leadership.ts'
import type { RunFilter, RunRecord } from '../state/store.ts'
import { type Runs, RunsStopping, type ScheduleStatus, type Started } from './contract.ts'
import { type CronTimes, lookForTick, type Ticking } from './next-time.ts'

export interface ScheduleEntry extends CronTimes {
  /** `tokens`, or `db:PAIR`. */
  readonly name: string
  /** Every start is put off by a random time up to this, in milliseconds. */
  readonly jitterMs: number
  readonly start: () => Promise<Started>
  /** Where its runs are found. */
  readonly filter: Pick<RunFilter, 'kind'>
  /** Whether a run that is found there is one of its own. */
  readonly owns: (run: RunRecord) => boolean
}

export interface ScheduleSurroundings {
  readonly runs: Pick<Runs, 'list' | 'wait'>
  readonly leadership: Pick<Leadership, 'isLeader' | 'onChange'>
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  readonly onError: (error: unknown, what: string) => void
}

export interface Schedule extends Disposable {
  statuses(): readonly ScheduleStatus[]
}

const LOOK_MS = 60_000
/** A tick that came this long before somebody led is made up for, in milliseconds: it came while one leader followed another. */
const CATCH_UP_MS = 120_000
/** So many of the newest runs are looked through for the last one of a schedule. */
const RECENT = 100

/** Ticks from now on while this replica leads; disposing of it ends that, not the runs. */
export function openSchedule(entries: readonly ScheduleEntry[], surroundings: ScheduleSurroundings): Schedule {
  const tickers = entries.map((entry) => new Ticker(entry, surroundings))
  return {
    statuses: () => tickers.map((ticker) => ticker.status()),
    [Symbol.dispose]: () => {
      for (const ticker of tickers) ticker[Symbol.dispose]()
    },
  }
}

class Ticker implements Disposable {
  readonly #entry: ScheduleEntry
  readonly #around: ScheduleSurroundings
  readonly #stopped = new AbortController()
  readonly #duty: Disposable
  readonly #looking: Disposable
  #ticking: Ticking | undefined
  #nextAt: number | undefined
  #timer: Timer | undefined
  #lastRun: Pick<RunRecord, 'id' | 'createdAt'> | undefined
  #missed = 0
  #isUnderWay = false

  constructor(entry: ScheduleEntry, around: ScheduleSurroundings) {
    this.#entry = entry
    this.#around = around
    this.#looking = repeatedly(around.clock, LOOK_MS, () => this.#findLastRun())
    this.#duty = whileLeading(around.leadership, () => this.#lead())
  }

  status(): ScheduleStatus {
    const { name, cron, timeZone } = this.#entry
    return {
      ...{ name, cron, timeZone },
      nextAt: this.#nextAt ?? null,
      lastRunId: this.#lastRun?.id ?? null,
      missed: this.#missed,
    }
  }

  [Symbol.dispose](): void {
    this.#stopped.abort(new Error('the schedule has ended'))
    this.#looking[Symbol.dispose]()
    this.#duty[Symbol.dispose]()
  }

  #lead(): Disposable {
    const term = new AbortController()
    this.#ticking = { lookedAt: this.#around.clock.wallNow(), tickedAt: undefined }
    this.#look(term.signal)
    void this.#catchUp(term.signal)
    return {
      [Symbol.dispose]: () => {
        term.abort(new Error('this replica does not lead any more'))
        this.#timer?.cancel()
        this.#nextAt = undefined
      },
    }
  }

  /** Only after a run of this schedule: where there was none nothing was missed. */
  async #catchUp(term: AbortSignal): Promise<void> {
    const ledAt = this.#around.clock.wallNow()
    await this.#findLastRun()
    const since = Math.max(this.#lastRun?.createdAt ?? ledAt, ledAt - CATCH_UP_MS)
    if (term.aborted || since >= ledAt) return
    if (lookForTick(this.#entry, { lookedAt: since, tickedAt: undefined }, ledAt).isDue) this.#tick(term)
  }

  #look(term: AbortSignal): void {
    const { clock } = this.#around
    const nowMs = clock.wallNow()
    const look = lookForTick(this.#entry, this.#ticking ?? { lookedAt: nowMs, tickedAt: undefined }, nowMs)
    this.#ticking = look
    this.#nextAt = look.nextAt
    if (look.isDue) this.#tick(term)
    const waitMs = Math.min(LOOK_MS, (look.nextAt ?? Number.POSITIVE_INFINITY) - nowMs)
    this.#timer = clock.setTimer(waitMs, () => this.#look(term))
  }

  #tick(term: AbortSignal): void {
    if (this.#isUnderWay) {
      this.#missed++
      return
    }
    this.#isUnderWay = true
    void this.#run(term).finally(() => {
      this.#isUnderWay = false
    })
  }

  /** Resolves when the run has ended, however that may be. Leadership is for the start: a run under way has its own locks. */
  async #run(term: AbortSignal): Promise<void> {
    const { clock, random, runs, onError } = this.#around
    const { jitterMs, name, start } = this.#entry
    try {
      if (jitterMs > 0) await delay(clock, random() * jitterMs, term)
      const { outcome, run } = await start()
      if (outcome === 'overlaps') {
        this.#missed++
        return
      }
      this.#lastRun = run
      await runs.wait(run.id, Number.POSITIVE_INFINITY, this.#stopped.signal)
    } catch (error) {
      if (!term.aborted && !(error instanceof RunsStopping)) onError(error, `schedule ${name}`)
    }
  }

  /** Another replica may have started it. */
  async #findLastRun(): Promise<void> {
    const { runs, onError } = this.#around
    const { filter, name, owns } = this.#entry
    try {
      const { items } = await runs.list({ ...filter, limit: RECENT })
      const found = items.find(owns)
      if (found !== undefined && found.id > (this.#lastRun?.id ?? '')) this.#lastRun = found
    } catch (error) {
      if (!this.#stopped.signal.aborted) onError(error, `schedule ${name}`)
    }
  }
}

/** Calls `fn` now, and again so long after it has ended. */
function repeatedly(clock: Clock, everyMs: number, fn: () => Promise<void>): Disposable {
  let timer: Timer | undefined
  let isOver = false
  const go = async () => {
    await fn()
    if (!isOver) timer = clock.setTimer(everyMs, () => void go())
  }
  void go()
  return {
    [Symbol.dispose]: () => {
      isOver = true
      timer?.cancel()
    },
  }
}

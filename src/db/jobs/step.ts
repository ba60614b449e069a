// One step of a run: the tables of one direction, carried by the workers of a Job. What shards report is kept as it comes in; shards
// that have not told what they did are done once more, by another Job. Nothing here reads or writes rows.
import { randomBytes } from 'node:crypto'
import type { Timer } from '../../lib/clock.ts'
import type { DbProgress, DbSurroundings } from '../contract.ts'
import { gatheredKey } from '../remembered.ts'
import { createJob, deleteJob, isJobThere, type JobsOptions, JobsUnusable } from './api.ts'
import { followJob } from './follow.ts'
import {
  countsOf,
  decodeGathered,
  encodeGathered,
  type Gathered,
  gather,
  missingShards,
  NOTHING_GATHERED,
} from './gathered.ts'
import type { KeptRun } from './kept.ts'
import { buildJob, type JobSettings, jobName, type WorkerTemplate } from './manifest.ts'
import type { WorkOrder } from './order.ts'
import type { ShardReport } from './report.ts'
import { formatShards, parseShards } from './shard-set.ts'

/** Where the Jobs of a pair run, and how. */
export interface JobsPlace extends JobsOptions {
  /** Name of the pair in the configuration of the workers. */
  readonly pairName: string
  readonly shards: number
  readonly settings: JobSettings
  readonly template: WorkerTemplate
  /** When nothing has moved for this long, the progress says why, in milliseconds. */
  readonly quietMs: number
  /**
   * True for a reason of the signal after which nobody goes on with the run: its Job is deleted then, and waited for. Else the workers
   * go on, for whoever takes the run up.
   */
  readonly isFinal: (reason: unknown) => boolean
}

export interface StepOptions {
  readonly place: JobsPlace
  readonly pairKey: string
  readonly surroundings: Pick<DbSurroundings, 'memory' | 'clock' | 'signal' | 'onProgress'>
  /** Keeps the run as it is then. */
  readonly keep: (run: KeptRun) => Promise<void>
}

/** Jobs in a row from which nothing was heard: another one would not help. */
const MAX_SILENT_ROUNDS = 3
/** Between two writes of what was gathered, in milliseconds. */
const SAVE_EVERY_MS = 1_000
/** Between two words about the tables of a step, in milliseconds. */
const TELL_EVERY_MS = 250

/** Digits that tell runs apart. */
export const createKey = (): string => randomBytes(4).toString('hex')

/**
 * Has every shard of the order done; resolves with what they reported, which is kept by then. `run` is as kept, of this step. Throws
 * JobsUnusable when a Job fails or cannot be had, what the memory throws, or the reason of the signal.
 */
export async function carryStep(run: KeptRun, order: WorkOrder, options: StepOptions): Promise<Gathered> {
  const { place, keep, surroundings } = options
  await using ledger = await GatheredLedger.open(run, order, options)
  let current = run
  for (let silent = 0; silent < MAX_SILENT_ROUNDS; ) {
    const before = ledger.gathered.done.size
    const isThere = current.job !== undefined && (await isJobThere(place, current.job.name, surroundings.signal))
    if (!isThere) {
      const missing = missingShards(ledger.gathered, order.of)
      if (missing.length === 0) {
        await ledger.flush()
        return ledger.gathered
      }
      current = nextRound(current, missing, place)
      await keep(current)
    }
    await carryRound(current, order, isThere, ledger, options)
    current = { ...current, job: undefined }
    silent = ledger.gathered.done.size > before ? 0 : silent + 1
  }
  throw new JobsUnusable(
    `shards ${formatShards(missingShards(ledger.gathered, order.of))} have ended ${MAX_SILENT_ROUNDS} times without a word of what they did`,
  )
}

function nextRound(run: KeptRun, missing: readonly number[], { pairName }: JobsPlace): KeptRun {
  const round = run.round + 1
  return { ...run, round, job: { name: jobName(pairName, run.key, run.at, round), shards: formatShards(missing) } }
}

/** One Job from its creation, or adoption, to its end. */
async function carryRound(
  run: KeptRun,
  order: WorkOrder,
  isThere: boolean,
  ledger: GatheredLedger,
  options: StepOptions,
): Promise<void> {
  const { place, surroundings, keep } = options
  const { name = '', shards = '' } = run.job ?? {}
  const part: WorkOrder = { ...order, shards: [...parseShards(shards)] }
  const signal = AbortSignal.any([surroundings.signal, ledger.failed])
  if (!isThere) await createJob(place, name, buildJob(name, part, place.settings, place.template), signal)
  const end = await followJob({
    ...{ ...place, name, signal, order: part },
    onReports: (reports) => ledger.add(reports),
    onWait: (reason) => ledger.setNote(reason),
  })
  await ledger.flush()
  if (end.state === 'complete') return await deleteJob(place, name, signal)
  await keep({ ...run, job: undefined })
  throw new JobsUnusable(
    end.state === 'gone'
      ? `the Job ${name} was deleted by somebody else`
      : `the Job ${name} has failed: ${end.reason}; it stays for an hour, with the logs of its Pods`,
  )
}

/** What was reported, in memory and in the state. */
class GatheredLedger implements AsyncDisposable {
  readonly #options: StepOptions
  readonly #order: WorkOrder
  readonly #tag: string
  readonly #broken = new AbortController()
  #gathered: Gathered
  #isSaved = true
  #timer: Timer | undefined
  #note: string | undefined
  #toldAt = Number.NEGATIVE_INFINITY
  #saving: Promise<void> = Promise.resolve()

  private constructor(options: StepOptions, order: WorkOrder, tag: string, gathered: Gathered) {
    this.#options = options
    this.#order = order
    this.#tag = tag
    this.#gathered = gathered
  }

  /** With what the shards of this very step have reported before. */
  static async open(run: KeptRun, order: WorkOrder, options: StepOptions): Promise<GatheredLedger> {
    const tag = `${run.key} ${run.at}\n`
    const text = await options.surroundings.memory.getValue(gatheredKey(options.pairKey))
    const gathered = text?.startsWith(tag) === true ? decodeGathered(text.slice(tag.length)) : NOTHING_GATHERED
    const ledger = new GatheredLedger(options, order, tag, gathered)
    ledger.#tellProgress()
    return ledger
  }

  get gathered(): Gathered {
    return this.#gathered
  }

  /** Aborts when what was gathered cannot be kept. */
  get failed(): AbortSignal {
    return this.#broken.signal
  }

  add(reports: readonly ShardReport[]): void {
    const { clock } = this.#options.surroundings
    const before = this.#gathered
    for (const report of reports)
      this.#gathered = gather(this.#gathered, report, this.#order.direction, clock.wallNow())
    if (this.#gathered === before) return
    this.#isSaved = false
    if (clock.now() - this.#toldAt >= TELL_EVERY_MS) this.#tellProgress()
    this.#timer ??= clock.setTimer(SAVE_EVERY_MS, () => {
      this.#timer = undefined
      this.#tellProgress()
      this.flush().catch((error: unknown) => this.#broken.abort(error))
    })
  }

  /** What is waited for; undefined when something moves again. */
  setNote(note: string | undefined): void {
    this.#note = note
    this.#tellProgress()
  }

  /** Resolves when what was gathered by the call is kept. */
  flush(): Promise<void> {
    const next = this.#saving.then(() => this.#save())
    this.#saving = next.catch(() => {})
    return next
  }

  /** Keeps what it can: why it goes is told by whoever disposes of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.cancel()
    this.setNote(undefined)
    await this.flush().catch(() => {})
  }

  async #save(): Promise<void> {
    if (this.#isSaved) return
    const { surroundings, pairKey } = this.#options
    this.#isSaved = true
    try {
      await surroundings.memory.putValue(gatheredKey(pairKey), this.#tag + encodeGathered(this.#gathered))
    } catch (error) {
      this.#isSaved = false
      throw error
    }
  }

  #tellProgress(): void {
    const { onProgress, clock } = this.#options.surroundings
    this.#toldAt = clock.now()
    const { direction, of } = this.#order
    for (const { name } of this.#order.tables) {
      const progress: DbProgress = {
        ...{ table: name, direction, done: this.#gathered.done.size, total: of },
        ...countsOf(this.#gathered, name),
        ...(this.#note !== undefined && { note: this.#note }),
      }
      onProgress(progress)
    }
  }
}

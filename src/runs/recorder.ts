// What a run says while it is under way: items in batches, the last progress of every half second. Both outlast an outage of the store
// for a while; then `onLost` is told, and what was not stored is kept for the end.
import type { Timer } from '../lib/clock.ts'
import type { RunChange, RunItem, StateStore } from '../state/store.ts'
import { OwnerLost } from '../state/store.ts'
import type { Progress } from './contract.ts'
import { type PersistenceOptions, persist } from './persistence.ts'
import type { Ending } from './problems.ts'

export interface RecorderOptions extends PersistenceOptions {
  readonly store: Pick<StateStore, 'changeRun' | 'endRun' | 'putItems'>
  /** How long the store may be away before the run is given up, in milliseconds. */
  readonly outageMs: number
  /** What is said cannot be kept: the run has to stop. */
  readonly onLost: (error: Error) => void
  /** Something new can be read. */
  readonly onStored: () => void
}

const PROGRESS_MS = 500
const BATCH_ITEMS = 100
const BATCH_MS = 250

export class Recorder {
  readonly #id: string
  readonly #options: RecorderOptions
  #items: RunItem[] = []
  #itemTimer: Timer | undefined
  #flushing: Promise<void> | undefined
  #progress: Progress | undefined
  #progressTimer: Timer | undefined
  #progressing: Promise<void> | undefined
  #isLost = false

  constructor(id: string, options: RecorderOptions) {
    this.#id = id
    this.#options = options
  }

  /** Throws OwnerLost when the run is somebody else's by now, StateUnreachable when the store is away for too long. */
  async change(change: RunChange): Promise<void> {
    const { store, outageMs, onStored } = this.#options
    const isOurs = await persist(() => store.changeRun(this.#id, change), this.#options, outageMs)
    if (!isOurs) throw new OwnerLost('The run was taken for interrupted by another process.')
    onStored()
  }

  /** Keeps the last one; it is stored within half a second. */
  noteProgress(progress: Progress): void {
    this.#progress = progress
    this.#progressTimer ??= this.#options.clock.setTimer(PROGRESS_MS, () => {
      this.#progressing = this.#guard(() => this.#storeProgress())
    })
  }

  /** Resolves when there is room for the next one. */
  async addItem(item: RunItem): Promise<void> {
    this.#items.push(item)
    if (this.#items.length >= BATCH_ITEMS) await this.#guard(() => this.#flush(this.#options.outageMs))
    else this.#itemTimer ??= this.#options.clock.setTimer(BATCH_MS, () => this.#flushLater())
  }

  /**
   * Stores what is left, and the end. However long the store is away: a run that has ended must not look like one that goes on.
   * Throws OwnerLost when the run is somebody else's by now, and the reason of `giveUp`.
   */
  async end(ending: Ending, endedAt: number): Promise<void> {
    this.#itemTimer?.cancel()
    this.#progressTimer?.cancel()
    await this.#progressing
    await this.#flush(Number.POSITIVE_INFINITY)
    await this.storeEnd(ending, endedAt)
  }

  /** The same without what is left: for when that cannot be stored. */
  async storeEnd({ state, summary, problem }: Ending, endedAt: number): Promise<void> {
    const { store, onStored } = this.#options
    const end = {
      state,
      summary,
      problem: problem === undefined ? null : JSON.stringify(problem),
      endedAt,
      ...(this.#progress && { progress: JSON.stringify(this.#progress) }),
    }
    const isOurs = await persist(() => store.endRun(this.#id, end), this.#options, Number.POSITIVE_INFINITY)
    if (!isOurs) throw new OwnerLost('The run was taken for interrupted by another process.')
    onStored()
  }

  #flushLater(): void {
    void this.#guard(() => this.#flush(this.#options.outageMs))
  }

  /** One batch after the other: `seq` follows the order in which items came. */
  async #flush(giveUpMs: number): Promise<void> {
    await this.#flushing?.catch(() => {})
    if (this.#isLost && giveUpMs !== Number.POSITIVE_INFINITY) return
    this.#flushing ??= this.#putAll(giveUpMs).finally(() => {
      this.#flushing = undefined
    })
    await this.#flushing
  }

  async #putAll(giveUpMs: number): Promise<void> {
    this.#itemTimer?.cancel()
    this.#itemTimer = undefined
    const { store, onStored } = this.#options
    while (this.#items.length > 0) {
      const batch = this.#items.slice(0, BATCH_ITEMS)
      await persist(() => store.putItems(this.#id, batch), this.#options, giveUpMs).catch((error: unknown) => {
        // At once: those who wait for this batch must not each wait for the store again.
        this.#isLost = true
        throw error
      })
      this.#items.splice(0, batch.length)
      onStored()
    }
  }

  async #storeProgress(): Promise<void> {
    this.#progressTimer = undefined
    await this.change({ progress: JSON.stringify(this.#progress) })
  }

  /** What cannot be stored stops the run; whoever adds items then waits no longer. */
  async #guard(store: () => Promise<void>): Promise<void> {
    if (this.#isLost) return
    try {
      await store()
    } catch (error) {
      this.#isLost = true
      this.#options.onLost(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

// A writer of rows: gathers batches and has several under way, as many as the pace of the store allows. What it holds is one batch that
// is filling up and those under way.
import type { Row } from '../document.ts'
import type { RowWriter, WriterOptions } from '../store.ts'
import { Batch, type BatchContext, type Habit } from './batch.ts'
import type { Pace } from './pace.ts'
import { estimateBytes } from './row-size.ts'

export interface BulkWriterOptions extends WriterOptions {
  readonly pace: Pace
  readonly habit: Habit
  readonly findContext: (signal: AbortSignal) => Promise<BatchContext>
  /** Makes what was written before be found by a search. */
  readonly refresh: (signal: AbortSignal) => Promise<void>
}

export class BulkWriter implements RowWriter {
  readonly #options: BulkWriterOptions
  readonly #disposal = new AbortController()
  readonly #signal: AbortSignal
  readonly #underWay = new Set<Promise<void>>()
  #rows: Row[] = []
  #bytes = 0
  #failure: { readonly error: unknown } | undefined
  #refreshed: Promise<void> | undefined

  constructor(options: BulkWriterOptions) {
    this.#options = options
    this.#signal = AbortSignal.any([options.signal, this.#disposal.signal])
  }

  async write(rows: readonly Row[]): Promise<void> {
    const { pace } = this.#options
    for (const row of rows) {
      const bytes = estimateBytes(row)
      if (this.#rows.length > 0 && (this.#bytes + bytes > pace.bytes || this.#rows.length >= pace.rows))
        await this.#beginBatch()
      this.#rows.push(row)
      this.#bytes += bytes
    }
    this.#throwFailure()
  }

  async finish(): Promise<void> {
    if (this.#rows.length > 0) await this.#beginBatch()
    await Promise.all(this.#underWay)
    this.#throwFailure()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(new Error('the writer was given up'))
    this.#rows = []
    await Promise.all(this.#underWay)
  }

  /** Resolves when the batch is under way. */
  async #beginBatch(): Promise<void> {
    this.#throwFailure()
    const rows = this.#rows
    this.#rows = []
    this.#bytes = 0
    const turn = await this.#options.pace.take(this.#signal)
    const work = this.#writeBatch(rows, turn)
    this.#underWay.add(work)
    void work.then(() => this.#underWay.delete(work))
  }

  /** Never rejects. */
  async #writeBatch(rows: readonly Row[], turn: Disposable): Promise<void> {
    using _turn = turn
    const { findContext, habit, dryRun, settle } = this.#options
    try {
      const context = await findContext(this.#signal)
      if (dryRun || habit.looksFirst) await this.#refreshOnce()
      await new Batch(rows, context, { dryRun, settle, signal: this.#signal }).write()
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  /** A search sees what was there when this writer began; a write that follows from it is bound to that. */
  async #refreshOnce(): Promise<void> {
    this.#refreshed ??= this.#options.refresh(this.#signal)
    await this.#refreshed
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

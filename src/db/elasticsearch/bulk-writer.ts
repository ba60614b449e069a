// A writer of rows: gathers batches and has several under way, as many as the pace of the store allows. What it holds is one batch that
// is filling up and those under way, as documents in bytes where they are probably written.
import type { Row } from '../document.ts'
import type { RowWriter, WriterOptions } from '../store.ts'
import { ConversionError } from '../values.ts'
import { Batch, type BatchContext, type Habit } from './batch.ts'
import { Draft, measureRow } from './draft.ts'
import type { Pace } from './pace.ts'

export interface BulkWriterOptions extends WriterOptions {
  readonly pace: Pace
  readonly habit: Habit
  /** As that of the context. */
  readonly writeDocument: BatchContext['writeDocument']
  readonly findContext: (signal: AbortSignal) => Promise<BatchContext>
  /** Makes what was written before be found by a search. */
  readonly refresh: (signal: AbortSignal) => Promise<void>
}

/** Of the next batch, beyond the bytes of the one before. */
const ROOM = 1.1
const REFUSED = Symbol('the row cannot be a document')

export class BulkWriter implements RowWriter {
  readonly #options: BulkWriterOptions
  readonly #disposal = new AbortController()
  readonly #signal: AbortSignal
  readonly #underWay = new Set<Promise<void>>()
  #draft = new Draft()
  #batches = 0
  #failure: { readonly error: unknown } | undefined
  #refreshed: Promise<void> | undefined

  constructor(options: BulkWriterOptions) {
    this.#options = options
    this.#signal = AbortSignal.any([options.signal, this.#disposal.signal])
  }

  async write(rows: readonly Row[]): Promise<void> {
    const { pace, habit, dryRun } = this.#options
    for (const row of rows) {
      const text = dryRun || !habit.writesMost ? undefined : this.#writeOut(row)
      if (text === REFUSED) continue
      const { items, bytes } = this.#draft
      if (items.length > 0 && (bytes + measureRow(row, text) > pace.bytes || items.length >= pace.rows))
        await this.#beginBatch()
      this.#draft.add(row, text)
    }
    this.#throwFailure()
  }

  async finish(): Promise<void> {
    if (this.#draft.items.length > 0) await this.#beginBatch()
    await Promise.all(this.#underWay)
    this.#throwFailure()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(new Error('the writer was given up'))
    this.#draft = new Draft()
    await Promise.all(this.#underWay)
  }

  #writeOut(row: Row): string | typeof REFUSED {
    try {
      return this.#options.writeDocument(row)
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error
      this.#options.settle(row.id, row.version, 'failed', error.message)
      return REFUSED
    }
  }

  /** Resolves when the batch is under way. */
  async #beginBatch(): Promise<void> {
    this.#throwFailure()
    const draft = this.#draft
    this.#draft = new Draft(Math.ceil(draft.length * ROOM))
    const turn = await this.#options.pace.take(this.#signal)
    const work = this.#writeBatch(draft, turn)
    this.#underWay.add(work)
    void work.then(() => this.#underWay.delete(work))
  }

  /** Never rejects. */
  async #writeBatch(draft: Draft, turn: Disposable): Promise<void> {
    using _turn = turn
    const { findContext, habit, dryRun, settle } = this.#options
    try {
      const context = await findContext(this.#signal)
      // A single batch is looked up sooner than an index is refreshed.
      const look = this.#batches++ === 0 ? 'now' : 'refreshed'
      if (look === 'refreshed' && (dryRun || habit.looksFirst)) await this.#refreshOnce()
      await new Batch(draft, context, { dryRun, look, settle, signal: this.#signal }).write()
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

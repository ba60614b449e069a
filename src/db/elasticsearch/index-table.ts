// One table of the store: an index and what is done with it.
import { createDocumentReader, createDocumentWriter, type Row } from '../document.ts'
import type { Misfit, PairPolicy, RowWriter, ScanBatch, Split, StoreTable, WriterOptions } from '../store.ts'
import type { Table } from '../table.ts'
import type { Version } from '../timeuuid.ts'
import { ConversionError } from '../values.ts'
import type { Window } from '../window.ts'
import { type BatchContext, Habit } from './batch.ts'
import { BulkWriter } from './bulk-writer.ts'
import { hasFractions } from './fractions.ts'
import { type LookupOptions, lookUpDocuments } from './lookup.ts'
import type { IndexShape } from './mapping.ts'
import { removeDocuments } from './remove.ts'
import { firstPages, type ScanOptions, scanSlice } from './scan.ts'
import { MISSING, type SearchIndex } from './search-index.ts'
import { cutByCounts, formatSlice, intersect, parseSlice, shardWindow } from './slices.ts'

export interface IndexTableOptions
  extends Pick<ScanOptions, 'findDialect' | 'orders'>,
    Pick<BatchContext, 'transport' | 'pace' | 'clock' | 'random' | 'retryForMs'> {
  readonly table: Table
  readonly policy: PairPolicy
  readonly index: SearchIndex
  /** What its mapping is like; asked of the server unless it is known. */
  readonly findShape: (signal: AbortSignal) => Promise<IndexShape>
}

export class IndexTable implements StoreTable {
  readonly table: Table
  readonly #options: IndexTableOptions
  readonly #habit = new Habit()
  readonly #writeDocument: (row: Row) => string
  readonly #pages = firstPages()
  #refreshed: Promise<void> | undefined

  constructor(options: IndexTableOptions) {
    this.#options = options
    this.table = options.table
    this.#writeDocument = createDocumentWriter(options.table, options.policy)
  }

  async plan(
    window: Window,
    { atLeast = 1, signal }: { readonly atLeast?: number; readonly signal: AbortSignal },
  ): Promise<readonly Split[]> {
    if (isEmpty(window)) return []
    const { index, findShape } = this.#options
    if ((await index.refresh(signal)) === MISSING) return []
    this.#refreshed = Promise.resolve()
    const shape = await findShape(signal)
    const count = (part: Window) => index.count(part, shape, signal)
    const slices = await cutByCounts(window, await count(window), count, atLeast, signal)
    return slices.map(formatSlice)
  }

  shard(window: Window, at: number, of: number): readonly Split[] {
    return isEmpty(window) ? [] : shardWindow(window, at, of).map(formatSlice)
  }

  async *scan(split: Split, window: Window, signal: AbortSignal): AsyncGenerator<ScanBatch> {
    const slice = intersect(parseSlice(split), window)
    if (slice === undefined) return
    const { table, policy, index, findDialect, orders, findShape } = this.#options
    // A split of another process was planned before this one looked.
    await this.#refreshOnce(signal)
    const shape = await findShape(signal)
    yield* scanSlice(slice, { table, policy, index, findDialect, orders, shape, pages: this.#pages }, signal)
  }

  openWriter(options: WriterOptions): RowWriter {
    if (options.mostlyHeld !== undefined) this.#habit.guess(options.mostlyHeld)
    return new BulkWriter({
      ...options,
      pace: this.#options.pace,
      habit: this.#habit,
      writeDocument: this.#writeDocument,
      findContext: (signal) => this.#findContext(signal),
      refresh: async (signal) => {
        await this.#options.index.refresh(signal)
      },
    })
  }

  async find(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Row | Misfit>> {
    const { table, policy } = this.#options
    const read = createDocumentReader(table, policy)
    const found = new Map<string, Row | Misfit>()
    const documents = await lookUpDocuments([...new Set(ids)], await this.#findLookup(signal), signal)
    for (const [id, { source, dateMs }] of documents) {
      try {
        found.set(id, read(id, source, dateMs).row)
      } catch (error) {
        if (!(error instanceof ConversionError)) throw error
        found.set(id, { id, reason: error.message })
      }
    }
    return found
  }

  async remove(
    rows: readonly { readonly id: string; readonly version: Version }[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    return await removeDocuments(rows, await this.#findContext(signal), signal)
  }

  async #findLookup(signal: AbortSignal): Promise<LookupOptions> {
    const { table, policy, index, findShape } = this.#options
    const { versionField } = policy
    return { index, versionField, fractions: hasFractions(table), shape: await findShape(signal) }
  }

  async #findContext(signal: AbortSignal): Promise<BatchContext> {
    const { table, transport, pace, clock, random, retryForMs } = this.#options
    return {
      table,
      transport,
      pace,
      clock,
      random,
      retryForMs,
      habit: this.#habit,
      writeDocument: this.#writeDocument,
      lookup: await this.#findLookup(signal),
    }
  }

  async #refreshOnce(signal: AbortSignal): Promise<void> {
    if (this.#refreshed === undefined) {
      const refreshed = this.#options.index.refresh(signal).then(() => undefined)
      this.#refreshed = refreshed
      // One that failed is no refresh.
      refreshed.catch(() => {
        if (this.#refreshed === refreshed) this.#refreshed = undefined
      })
    }
    await this.#refreshed
  }
}

function isEmpty({ beginMs, endMs }: Window): boolean {
  return beginMs >= endMs
}

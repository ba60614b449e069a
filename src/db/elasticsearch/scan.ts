// Reads the documents of a slice page by page, the next page on its way while this one is read. Many are read in a point in time:
// outside one, documents that change meanwhile could be skipped.
import { createDocumentReader, type Row } from '../document.ts'
import { type Misfit, type PairPolicy, type ScanBatch, StoreFailed } from '../store.ts'
import type { Table } from '../table.ts'
import { ConversionError } from '../values.ts'
import { isInWindow, type Window } from '../window.ts'
import { parseItem } from './answers.ts'
import type { Dialect } from './dialect.ts'
import { createFractionCheck, hasFractions } from './fractions.ts'
import type { Hit, HitPage } from './hit-page.ts'
import { IdSet } from './id-set.ts'
import type { IndexShape } from './mapping.ts'
import { BrokenAnswer } from './parts.ts'
import { EXPIRED, MISSING, type SearchIndex, UNKNOWN_ORDER } from './search-index.ts'
import { cutByCounts, type Slice } from './slices.ts'
import { TooMuch } from './transport.ts'

export interface ScanOptions {
  readonly table: Table
  readonly policy: PairPolicy
  readonly index: SearchIndex
  readonly shape: IndexShape
  readonly findDialect: (signal: AbortSignal) => Promise<Dialect>
  /** Which order the server knows: learned once for all scans of a store. */
  readonly orders: Orders
  /** How many documents of this table a page has: learned by one scan for the next. */
  readonly pages: Pages
}

export interface Orders {
  knowsShardDoc: boolean
}

export interface Pages {
  size: number
  /** More have been too much. */
  maxSize: number
}

export const firstPages = (): Pages => ({ size: FIRST_PAGE, maxSize: MAX_PAGE })

/** So few are read by one search, without a point in time. */
const FEW = 1_000
const FIRST_PAGE = 1_000
const MAX_PAGE = 5_000
const PAGE_BYTES = 2 * 1_024 * 1_024
/** Rows in one go: reading them is work that nothing interrupts. */
const BATCH_ROWS = 500
const MAX_EXPIRIES = 5
const FEW_HITS = 20
/** From this share of what was asked for on, as far as is known before it is read, a page is not taken for the last one. */
const PROBABLY_FULL = 0.6
/** From this share of all documents on, all are read and those of other times left out: a search by time costs the server more. */
const NEARLY_ALL = 0.9

/** The documents of a slice, as they were when it began; each id once. Documents without a date are in no window. */
export async function* scanSlice(slice: Slice, options: ScanOptions, signal: AbortSignal): AsyncGenerator<ScanBatch> {
  const { index, shape } = options
  const read = createBatchReader(options)
  const total = slice.count ?? (await index.count(slice, shape, signal))
  if (total === 0 && slice.count === undefined) return
  const few = total <= FEW ? await readFew(slice, total, options, signal) : undefined
  if (few !== undefined) {
    yield* read(few, slice)
    return
  }
  const count = (window: Window) => index.count(window, shape, signal)
  // What was counted before is no larger than it should be; nobody knows of others.
  const parts = slice.count === undefined ? await cutByCounts(slice, total, count, 1, signal) : [slice]
  const isNearlyAll = parts.length === 1 && total >= NEARLY_ALL * (await index.count(undefined, shape, signal))
  await using reader = await PointInTime.open(options, signal)
  for (const part of parts)
    for await (const hits of reader?.read(isNearlyAll ? undefined : part) ?? []) yield* read(hits, part)
}

/** All of them by one search; undefined where there are too many by now. */
async function readFew(
  window: Window,
  total: number,
  { index, shape, table }: ScanOptions,
  signal: AbortSignal,
): Promise<readonly Hit[] | undefined> {
  // One more than there were says that there are no more.
  const size = total + Math.ceil(total / 10) + 10
  try {
    const page = await index.readPage({ window, size, hasFractions: hasFractions(table) }, shape, signal)
    if (typeof page === 'symbol') return []
    const hits = [...page.parts()].flat()
    return hits.length < size ? hits : undefined
  } catch (error) {
    if (error instanceof TooMuch) return undefined
    throw error
  }
}

/** Rows and misfits of hits, in batches. */
function createBatchReader({
  table,
  policy,
}: ScanOptions): (hits: readonly Hit[], window: Window) => Iterable<ScanBatch> {
  const readDocument = createDocumentReader(table, policy)
  const hasLostFractions = createFractionCheck(table)
  return function* (hits, window) {
    for (let at = 0; at < hits.length; at += BATCH_ROWS) {
      const [rows, misfits]: [Row[], Misfit[]] = [[], []]
      for (const hit of hits.slice(at, at + BATCH_ROWS)) {
        const { id, dateMs } = hit
        // One with several dates belongs to the window of the greatest.
        if (dateMs === undefined || !isInWindow(window, dateMs)) continue
        try {
          const isRead = hit.text === undefined || !hasLostFractions(hit.source)
          const source = isRead ? hit.source : parseItem(hit.text, true)['_source']
          rows.push(readDocument(id, source, dateMs).row)
        } catch (error) {
          if (!(error instanceof ConversionError)) throw error
          misfits.push({ id, reason: error.message })
        }
      }
      yield { rows, history: 0, misfits }
    }
  }
}

/** A state of the index that stays the same while it is read. */
class PointInTime implements AsyncDisposable {
  readonly #options: ScanOptions
  readonly #dialect: Dialect
  readonly #signal: AbortSignal
  readonly #end = new AbortController()
  #id: string
  #expiries = 0
  /** A request that nobody may wait for any more. */
  #ahead: Promise<unknown> = Promise.resolve()

  private constructor(options: ScanOptions, dialect: Dialect, id: string, signal: AbortSignal) {
    this.#options = options
    this.#dialect = dialect
    this.#id = id
    this.#signal = AbortSignal.any([signal, this.#end.signal])
  }

  /** Undefined where there is no such index. */
  static async open(options: ScanOptions, signal: AbortSignal): Promise<PointInTime | undefined> {
    const dialect = await options.findDialect(signal)
    const id = await options.index.openPointInTime(dialect, signal)
    return id === MISSING ? undefined : new PointInTime(options, dialect, id, signal)
  }

  /**
   * The hits of a window, or all, each id once. When the point in time is over before they are read (whoever reads them takes longer
   * than it lasts, the server was started again), another one is opened: an order by values goes on where it was, `_shard_doc` begins
   * again.
   */
  async *read(window: Window | undefined): AsyncGenerator<readonly Hit[]> {
    const { orders } = this.#options
    const seen = new IdSet()
    let isAgain = false
    let after: readonly unknown[] | undefined
    let next = this.#request(window, after)
    for (;;) {
      const page = await next
      if (page === UNKNOWN_ORDER) orders.knowsShardDoc = false
      else if (page === EXPIRED || page === MISSING) {
        await this.#reopen()
        isAgain = true
        if (orders.knowsShardDoc) after = undefined
      } else {
        this.#expiries = 0
        after = page.last
        const ahead = page.count < page.size * PROBABLY_FULL ? undefined : this.#request(window, after)
        let count = 0
        for (const hits of this.#partsOf(page)) {
          count += hits.length
          // One point in time gives each document once.
          if (!isAgain) for (const { id } of hits) seen.note(id)
          yield isAgain ? hits.filter(({ id }) => seen.add(id)) : hits
        }
        if (count < page.size) return
        next = ahead ?? this.#request(window, after)
        continue
      }
      next = this.#request(window, after)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('the scan is over'))
    await this.#ahead
    await this.#options.index.closePointInTime(this.#dialect, this.#id)
  }

  *#partsOf(page: HitPage): Generator<readonly Hit[], void> {
    try {
      yield* page.parts()
    } catch (error) {
      if (error instanceof BrokenAnswer) throw new StoreFailed(`index ${this.#options.index.name}: ${error.message}`)
      throw error
    }
  }

  /** A page, of fewer documents where they are long. */
  #request(window: Window | undefined, after: readonly unknown[] | undefined): ReturnType<SearchIndex['readPage']> {
    const page = this.#requestPage(window, after)
    this.#ahead = page.catch(() => {})
    return page
  }

  async #requestPage(
    window: Window | undefined,
    after: readonly unknown[] | undefined,
  ): ReturnType<SearchIndex['readPage']> {
    const { index, shape, orders, pages, table } = this.#options
    const isExact = hasFractions(table)
    for (;;) {
      const sort = orders.knowsShardDoc ? ['_shard_doc'] : orderByValues(shape)
      const request = {
        ...{ window, size: pages.size, pit: this.#id, sort, after },
        ...{ isFallible: orders.knowsShardDoc, hasFractions: isExact },
      }
      try {
        const page = await index.readPage(request, shape, this.#signal)
        if (typeof page !== 'symbol') this.#learn(page)
        return page
      } catch (error) {
        if (!(error instanceof TooMuch)) throw error
        pages.maxSize = Math.max(1, Math.floor(request.size / 4))
        pages.size = Math.min(pages.size, pages.maxSize)
      }
    }
  }

  #learn({ pit, count, length }: HitPage): void {
    this.#id = pit ?? this.#id
    // A few tell little of the others.
    if (count < FEW_HITS) return
    const { pages } = this.#options
    const wanted = Math.floor((PAGE_BYTES * count) / length)
    pages.size = Math.max(1, Math.min(pages.maxSize, wanted, pages.size * 4))
  }

  async #reopen(): Promise<void> {
    const { index } = this.#options
    const id = await index.openPointInTime(this.#dialect, this.#signal)
    if (id === MISSING) throw new StoreFailed(`index ${index.name} is gone in the middle of a scan`)
    if (++this.#expiries > MAX_EXPIRIES)
      throw new StoreFailed(`index ${index.name}: points in time are over before a page is read`)
    this.#id = id
  }
}

/**
 * An order that another point in time has, too. `_seq_no` tells apart documents of one millisecond that have no id: those of one shard
 * always, and more cannot be had without the memory that the server needs to sort by `_id`.
 */
function orderByValues({ dateType, idField }: IndexShape): readonly unknown[] {
  const date = { tmstmp: { order: 'asc', ...(dateType === 'date_nanos' && { numeric_type: 'date' }) } }
  return [date, idField === undefined ? '_id' : { [idField]: 'asc' }, '_seq_no']
}

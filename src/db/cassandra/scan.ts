// Reading what a table has in a window: cutting it into splits by how much there is, and a split page by page. Where the server does not
// manage a range in its time it is read in halves.
import type { ScanBatch, Split } from '../store.ts'
import type { Window } from '../window.ts'
import { isMissingTable, isRefusal, isTooMuch } from './failure.ts'
import { createQuery, type Page, readPage } from './frames.ts'
import { MIN_TOKEN, tokenOf } from './murmur3.ts'
import { Newest } from './newest.ts'
import { PageSize } from './page-size.ts'
import { lastTokenOf, Pages } from './pages.ts'
import type { TablePlace } from './place.ts'
import { type Access, formatSplit, halveRange, parseSplit, partOfRing, shareUpTo, type TokenRange } from './ring.ts'
import { boundsOf, RowReader, type VersionBounds } from './row-reader.ts'
import type { Prepared } from './session.ts'
import { int32Bytes, rangeBytes, uuidBytes, versionBytes } from './values.ts'

/** Seconds, at the speed of a target that writes them all. */
const ROWS_PER_SPLIT = 100_000
/** By an index each row costs ten times as much. */
const INDEXED_ROWS_PER_SPLIT = 20_000
/** A split of fewer rows is not cut for `atLeast`. */
const LEAST_ROWS_PER_SPLIT = 100
/** What keeps a source and a target busy at the same time, where there is enough to cut. */
const USUAL_SPLITS = 4
/** An index has few rows to give, and each split has requests of its own. */
const USUAL_INDEXED_SPLITS = 2
/** Of a table that does not even give its first rows in time. */
const UNKNOWN_SPLITS = 64
const MOST_SPLITS = 100_000
/** Rows that are counted to know how dense the ring is. */
const PROBED_ROWS = { probe: 300, probeIndexed: 100 }
/** The server takes them into memory with all their columns, of which it sends none: a megabyte each is too much for a thousand. */
const PROBED_AT_ONCE = 50
/** The index is asked where it finds a smaller share of the rows than this: reading all of them, filtered by the server, costs as much. */
const INDEX_SHARE = 0.05

/** By the index in any case: it takes less time than to know how many there are in all. */
const FEW_INDEXED_ROWS = 4_000

/** Undefined where the server did not manage even that. */
type Estimate = number | undefined

interface Question {
  readonly statement: Prepared
  /** Values after those of the range. */
  readonly values: readonly Uint8Array[]
  /** Chosen here where the server has not done so. */
  readonly bounds: VersionBounds | undefined
}

export class TableScanner {
  readonly #place: TablePlace
  readonly #reader: RowReader
  /** Learned by one split for the next ones. */
  readonly #pageSize = new PageSize()

  constructor(place: TablePlace) {
    this.#place = place
    this.#reader = new RowReader(place.table)
  }

  /** As StoreTable.plan. */
  async plan(window: Window, atLeast: number, signal: AbortSignal): Promise<readonly Split[]> {
    if (window.beginMs >= window.endMs) return []
    const changed = await this.#estimateChanged(window, signal).catch(this.#rethrow)
    if (changed === 0) return []
    if (changed !== undefined && changed < FEW_INDEXED_ROWS) return cutIndexed(changed, atLeast)
    const rows = await this.#estimate('probe', [], signal).catch(this.#rethrow)
    if (rows === 0) return []
    if (rows === undefined) return cutRing('all', Math.max(UNKNOWN_SPLITS, atLeast))
    if (changed !== undefined && changed < rows * INDEX_SHARE) return cutIndexed(changed, atLeast)
    return cutRing('all', countSplits(rows, ROWS_PER_SPLIT, Math.max(atLeast, USUAL_SPLITS)))
  }

  /** As StoreTable.scan. */
  async *scan(split: Split, window: Window, signal: AbortSignal): AsyncGenerator<ScanBatch, void> {
    const { access, range } = parseSplit(split)
    if (window.beginMs >= window.endMs) return
    const question = await this.#ask(access, window, signal)
    if (question === undefined) return
    const retry = this.#place.session.startRetry(signal, `read table ${this.#place.table.name}`)
    const newest = new Newest()
    const todo: TokenRange[] = [range]
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const values = [...rangeBytes(next), ...question.values]
      const pages = new Pages({
        session: this.#place.session,
        ...question,
        values,
        pageSize: this.#pageSize,
        retry,
        ahead: true,
        signal,
      })
      newest.lastClosed = undefined
      for (;;) {
        const page = await pages.next().catch(this.#rethrow)
        if (page === undefined) break
        if (page === 'too-much') {
          newest.reopen()
          todo.push(...restOf(next, newest.lastClosed))
          break
        }
        this.#reader.readPage(page, question.bounds, (entry) => newest.add(entry))
        const batch = newest.take()
        if (batch !== undefined) yield batch
      }
      newest.close()
    }
    const batch = newest.take()
    if (batch !== undefined) yield batch
  }

  readonly #rethrow = (error: unknown): never => {
    throw this.#place.failure(error, 'read')
  }

  /** Rows in the window by the index on tmstmp; undefined where there is none, or none that can be asked now. */
  async #estimateChanged(window: Window, signal: AbortSignal): Promise<Estimate> {
    if (!(await this.#place.traits(signal)).hasTimeIndex) return undefined
    const { after, upTo } = boundsOf(window)
    try {
      return await this.#estimate('probeIndexed', [versionBytes(after), versionBytes(upTo)], signal)
    } catch (error) {
      // It was dropped.
      if (isRefusal(error)) return undefined
      throw error
    }
  }

  /**
   * About how many rows there are: exactly when they are few, else by how much of the ring the first ones take. One request, for a
   * window without anything new costs nothing else. Throws what Session.retry does.
   */
  async #estimate(
    name: 'probe' | 'probeIndexed',
    values: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<Estimate> {
    const { session, table } = this.#place
    const cql = (await this.#place.statements(signal))[name]
    const most = PROBED_ROWS[name]
    const parameters = {
      consistency: session.options.consistency,
      values: [...values, int32Bytes(most)],
      pageSize: PROBED_AT_ONCE,
    }
    let rows = 0
    let token = MIN_TOKEN
    let pagingState: Buffer | undefined
    do {
      const frame = createQuery(cql, { ...parameters, pagingState })
      const page = await session.retry(signal, `count rows of table ${table.name}`, () => this.#probe(frame, signal))
      if (page === 'missing') return 0
      if (page === 'too-much') return undefined
      rows += page.rowCount
      if (page.rowCount > 0) token = lastTokenOf(page)
      pagingState = page.pagingState
    } while (pagingState !== undefined && rows < most)
    return rows < most ? rows : rows / shareUpTo(token)
  }

  async #probe(frame: Buffer, signal: AbortSignal): Promise<Page | 'missing' | 'too-much'> {
    try {
      return readPage((await this.#place.session.send(Buffer.from(frame), signal)).body)
    } catch (error) {
      if (isTooMuch(error)) return 'too-much'
      if (isMissingTable(error)) return 'missing'
      throw error
    }
  }

  async #ask(access: Access, window: Window, signal: AbortSignal): Promise<Question | undefined> {
    const bounds = boundsOf(window)
    const values = [versionBytes(bounds.after), versionBytes(bounds.upTo)]
    const indexed = access === 'index' ? await this.#prepareIndexed(signal) : undefined
    if (indexed !== undefined) return { statement: indexed, values, bounds: undefined }
    // Of a first window nearly all rows are wanted: the server has less to do when they are chosen here.
    const isFirst = window.beginMs <= 0
    const statement = await this.#place.prepareIfThere(isFirst ? 'scan' : 'scanFiltered', signal)
    if (statement === undefined) return undefined
    return isFirst ? { statement, values: [], bounds } : { statement, values, bounds: undefined }
  }

  /** Undefined where the index is gone by now. */
  async #prepareIndexed(signal: AbortSignal): Promise<Prepared | undefined> {
    try {
      return await this.#place.prepare('scanIndexed', signal)
    } catch (error) {
      if (error instanceof Error && isRefusal(error.cause)) return undefined
      throw error
    }
  }
}

/** How many splits of about `rowsPerSplit` rows, or of fewer where more are wanted. */
function countSplits(rows: number, rowsPerSplit: number, atLeast: number): number {
  const most = Math.max(1, Math.floor(rows / LEAST_ROWS_PER_SPLIT))
  const wanted = Math.min(atLeast, most)
  return Math.min(Math.max(Math.ceil(rows / rowsPerSplit), wanted), MOST_SPLITS)
}

function cutIndexed(changed: number, atLeast: number): readonly Split[] {
  return cutRing('index', countSplits(changed, INDEXED_ROWS_PER_SPLIT, Math.max(atLeast, USUAL_INDEXED_SPLITS)))
}

function cutRing(access: Access, parts: number): readonly Split[] {
  return Array.from({ length: parts }, (_, index) => formatSplit({ access, range: partOfRing(index, parts) }))
}

/** What is left of a range after the last id that is complete, in halves: the last one first. */
function restOf(range: TokenRange, lastClosed: string | undefined): readonly TokenRange[] {
  const from = lastClosed === undefined ? range.from : tokenOf(uuidBytes(lastClosed))
  if (from >= range.to) return []
  const rest = { from, to: range.to }
  return [...(halveRange(rest) ?? [rest])].reverse()
}

// What a table holds of given ids: the newest version of each, and when it was last written to. Read by range of tokens where the table
// has few rows besides, else by lists of ids; not at all for a while where it keeps versions and had none at first.
import { forEachConcurrently } from '../../lib/concurrently.ts'
import type { TableKind } from '../table.ts'
import { compareVersions, readTimeuuid, type Version } from '../timeuuid.ts'
import { formatUuid } from '../uuid-bytes.ts'
import { Density, ROWS_PER_LOOKUP } from './density.ts'
import { createQuery, type Page, readPage } from './frames.ts'
import { MIN_TOKEN, tokenOf } from './murmur3.ts'
import { PageSize } from './page-size.ts'
import { lastTokenOf, Pages } from './pages.ts'
import type { TablePlace } from './place.ts'
import { type TokenRange, WHOLE_RING } from './ring.ts'
import { TokenFilter } from './token-filter.ts'
import { idListBytes, int32Bytes, rangeBytes, uuidBytes } from './values.ts'

export interface HeldRow {
  /** Undefined where the row has no tmstmp: nobody's version, but its cells have their write times. */
  readonly version: Version | undefined
  /** The latest of any cell, in microseconds; undefined where the table keeps versions, for there it does not matter. */
  readonly writetime: bigint | undefined
}

export type HeldRows = ReadonlyMap<string, HeldRow>

/** Longer lists gain nothing, and the server sorts them in memory. */
export const IDS_PER_LIST = 50
/** Where nothing is known of the rows. */
const IDS_OF_UNKNOWN = 20
/** The server takes whole rows into memory to tell their times: so many bytes of them are no trouble to it. */
const SERVER_BYTES = 8 * 1_024 * 1_024
const LISTS_AT_ONCE = 3
/** So few ids are asked for at once, whatever is around them. */
const FEW = 50
/** Rows of the table that say about how many it has: the server takes them into memory whole. */
const PROBED_ROWS = 50
/** So many times as many rows as a range may have are too many even where they were not counted but guessed from those. */
const CLEARLY = 4
/** Rows of versions and times alone are small. */
const FIRST_PAGE = 1_000

/**
 * For so long after it had no row a table that keeps versions is taken for empty, in milliseconds, but for the ids that were asked for
 * since: what it has besides was written by its users a moment ago, and their versions stay whatever is written beside them. To read
 * its own rows again and again would cost as much as to write them. In a table with one row an id a write has to know of the row in its
 * place.
 */
const EMPTY_FOR_MS = 30_000
const NONE: HeldRows = new Map()

/** Rows that are to be written. */
export interface Wanted {
  /** In lower case. */
  readonly ids: readonly string[]
  /** Of each the upper half of its token. */
  readonly words: Int32Array
  /** Has all their tokens. */
  readonly range: TokenRange
  /** About how long such rows are. */
  readonly rowBytes: number
}

export class HeldReader {
  readonly #place: TablePlace
  readonly #density = new Density()
  /** By the first rows of the table alone. */
  readonly #guess = new Density()
  /** By the clock's `now`. */
  #emptyUntil = Number.NEGATIVE_INFINITY
  #probed: Promise<void> | undefined
  /** Rows that were asked for, and are written by now, while the table was taken for empty. */
  readonly #asked = new TokenFilter()

  constructor(place: TablePlace) {
    this.#place = place
  }

  /** Throws StoreFailed and the reason of the signal. */
  async read(wanted: Wanted, signal: AbortSignal): Promise<HeldRows> {
    const { ids, range } = wanted
    const atOnce = Math.max(1, Math.floor(SERVER_BYTES / wanted.rowBytes))
    if (await this.#isEmpty(ids.length, signal))
      return await this.#readAgain(wanted, Math.min(IDS_PER_LIST, atOnce), signal)
    const held = new Map<string, HeldRow>()
    const most = ids.length * ROWS_PER_LOOKUP + FEW
    const byRange = this.#isWorthReading(range, ids.length, most)
    const pageSize = new PageSize(Math.min(FIRST_PAGE, atOnce), Math.min(most, atOnce))
    const missing = byRange ? await this.#readRange(ids, range, most, pageSize, held, signal) : ids
    await this.#readIds(missing, Math.min(IDS_PER_LIST, atOnce), held, signal)
    return held
  }

  /** The ids alone, one list after the other. */
  async readIds(ids: readonly string[], signal: AbortSignal): Promise<HeldRows> {
    const held = new Map<string, HeldRow>()
    await this.#readIds(ids, IDS_OF_UNKNOWN, held, signal)
    return held
  }

  /** Of an empty table: the rows of those ids that were asked for before. */
  async #readAgain({ ids, words }: Wanted, atOnce: number, signal: AbortSignal): Promise<HeldRows> {
    const again = ids.filter((_, at) => this.#asked.add(words[at] ?? 0))
    if (again.length === 0) return NONE
    const held = new Map<string, HeldRow>()
    await this.#readIds(again, atOnce, held, signal)
    return held
  }

  /** Whether a range has few enough rows; where nobody knows it is read to know. */
  #isWorthReading(range: TokenRange, ids: number, most: number): boolean {
    const expected = this.#density.expect(range)
    if (expected !== undefined) return expected <= most
    return ids > FEW && (this.#guess.expect(range) ?? 0) <= most * CLEARLY
  }

  async #isEmpty(ids: number, signal: AbortSignal): Promise<boolean> {
    const keepsVersions = this.#place.table.kind === 'versions'
    if (!keepsVersions && ids <= FEW) return false
    this.#probed ??= this.#probe(signal)
    await this.#probed
    signal.throwIfAborted()
    return keepsVersions && this.#place.session.options.clock.now() < this.#emptyUntil
  }

  /**
   * One question, asked once: where there is no answer to it the table is not taken for empty, and nothing is guessed. Never rejects, for
   * others may wait for it: when it is given up, the next one asks again.
   */
  async #probe(signal: AbortSignal): Promise<void> {
    const { session } = this.#place
    const { clock, consistency } = session.options
    const now = clock.now()
    try {
      const { probe } = await this.#place.statements(signal)
      const frame = createQuery(probe, { consistency, values: [int32Bytes(PROBED_ROWS)], pageSize: PROBED_ROWS })
      const page = readPage((await session.send(frame, signal)).body)
      const { rowCount, pagingState } = page
      if (rowCount === PROBED_ROWS) this.#guess.learn({ from: MIN_TOKEN, to: lastTokenOf(page) }, rowCount)
      else if (pagingState === undefined) this.#guess.learn(WHOLE_RING, rowCount)
      if (rowCount === 0 && pagingState === undefined) this.#emptyUntil = now + EMPTY_FOR_MS
    } catch {
      if (signal.aborted) this.#probed = undefined
    }
  }

  /** Reads the range until it is at its end or has had `most` rows; gives the ids that have to be asked for then. */
  async #readRange(
    ids: readonly string[],
    range: TokenRange,
    most: number,
    pageSize: PageSize,
    held: Map<string, HeldRow>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { session, table } = this.#place
    const statement = await this.#place.prepareIfThere('heldInRange', signal)
    if (statement === undefined) return []
    const retry = session.startRetry(signal, `read table ${table.name}`)
    const pages = new Pages({ session, statement, values: rangeBytes(range), pageSize, retry, signal, ahead: false })
    const wanted = new Set(ids)
    let rows = 0
    for (;;) {
      const page = await pages.next().catch(this.#rethrow)
      if (page === 'too-much') return ids
      if (page === undefined) {
        this.#density.learn(range, rows)
        return []
      }
      const last = readHeld(page, table.kind, wanted, held)
      rows += page.rowCount
      if (rows < most || page.pagingState === undefined || last === undefined) continue
      const cursor = tokenOf(uuidBytes(last))
      this.#density.learn({ from: range.from, to: cursor }, rows)
      // More of the last id may follow.
      return ids.filter((id) => tokenOf(uuidBytes(id)) >= cursor)
    }
  }

  async #readIds(
    ids: readonly string[],
    atOnce: number,
    held: Map<string, HeldRow>,
    signal: AbortSignal,
  ): Promise<void> {
    if (ids.length === 0) return
    const { table } = this.#place
    const statement = await this.#place.prepareIfThere('heldByIds', signal)
    if (statement === undefined) return
    await forEachConcurrently(cutList(ids, atOnce), LISTS_AT_ONCE, signal, async (some) => {
      const pages = await this.#place.ask(statement, [idListBytes(some.map(uuidBytes))], signal)
      for (const page of pages) readHeld(page, table.kind, undefined, held)
    })
  }

  readonly #rethrow = (error: unknown): never => {
    throw this.#place.failure(error, 'read')
  }
}

export function* cutList<T>(items: readonly T[], length: number): Generator<readonly T[], void> {
  for (let at = 0; at < items.length; at += length) yield items.slice(at, at + length)
}

/** Adds the rows of a page (id, tmstmp, write times) whose ids are wanted, the newest of each; gives the last id of all. */
function readHeld(
  { body, start, rowCount, columnCount }: Page,
  kind: TableKind,
  wanted: ReadonlySet<string> | undefined,
  held: Map<string, HeldRow>,
): string | undefined {
  let at = start
  let id: string | undefined
  for (let row = 0; row < rowCount; row++) {
    id = formatUuid(body, at + 4)
    at += 20
    const length = body.readInt32BE(at)
    const version = length === 16 ? readTimeuuid(body, at + 4) : undefined
    at += 4 + Math.max(0, length)
    const times = at
    for (let column = 2; column < columnCount; column++) at += 4 + Math.max(0, body.readInt32BE(at))
    if (wanted !== undefined && !wanted.has(id)) continue
    if (kind === 'latest') held.set(id, { version, writetime: latestOf(body, times, columnCount - 2) })
    else if (version !== undefined && isNewer(version, held.get(id)?.version))
      held.set(id, { version, writetime: undefined })
  }
  return id
}

function isNewer(version: Version, than: Version | undefined): boolean {
  return than === undefined || compareVersions(version, than) > 0
}

/** The greatest of so many cells of 64 bits; undefined where all are null. */
function latestOf(body: Buffer, start: number, count: number): bigint | undefined {
  let at = start
  let latest = -1
  for (let cell = 0; cell < count; cell++) {
    const length = body.readInt32BE(at)
    at += 4
    if (length === 8 && (latest < 0 || isLater(body, at, latest))) latest = at
    at += Math.max(0, length)
  }
  return latest < 0 ? undefined : body.readBigInt64BE(latest)
}

function isLater(body: Buffer, one: number, other: number): boolean {
  const [high, otherHigh] = [body.readInt32BE(one), body.readInt32BE(other)]
  return high === otherHigh ? body.readUInt32BE(one + 4) > body.readUInt32BE(other + 4) : high > otherHigh
}

// What is asked of one index: each request as the servers take it, each answer as it is read. Decides nothing.
import { isJsonObject } from '../exact-json.ts'
import type { Window } from '../window.ts'
import { checkShards, hitsOf, idOf, objectIn, ownOf, parseItem } from './answers.ts'
import type { Dialect } from './dialect.ts'
import { readDateValues } from './document-date.ts'
import { type HitPage, readHitPage } from './hit-page.ts'
import type { IndexShape } from './mapping.ts'
import { BrokenAnswer, parseObject, takeArray } from './parts.ts'
import type { Answer, Transport } from './transport.ts'

/** Where a document is in its history: what a write of ours is bound to. */
export interface Revision {
  readonly seqNo: number
  readonly primaryTerm: number
}

/** What a document has of its time, as the server sees it. */
export interface TimeFields extends Revision {
  /** Whole milliseconds since 1970; undefined where it has no date. */
  readonly dateMs: number | undefined
  readonly version: unknown
}

/** A document as it is now, or its time fields alone; `tmstmp` is what its writer wrote. */
export interface FoundDocument extends Revision {
  readonly source: Readonly<Record<string, unknown>>
}

export interface PageRequest {
  /** Of this window; all that have a date when left out. */
  readonly window?: Window | undefined
  readonly size: number
  readonly pit?: string | undefined
  readonly sort?: readonly unknown[] | undefined
  /** The server may not know this order. */
  readonly isFallible?: boolean
  readonly after?: readonly unknown[] | undefined
  /** Of each hit its text is wanted: its fractions matter. */
  readonly hasFractions: boolean
}

/** There is no such index. */
export const MISSING = Symbol('missing')
/** The point in time is over. */
export const EXPIRED = Symbol('expired')
/** The server does not know this order. */
export const UNKNOWN_ORDER = Symbol('unknown order')

export const KEEP_ALIVE = '5m'
/** A page of many documents may not be longer; one document may. */
const MAX_PAGE_BYTES = 64 * 1_024 * 1_024
const MAX_DOCUMENT_BYTES = 512 * 1_024 * 1_024
const CLOSE_MS = 5_000
/** What date_nanos can be asked for. */
const MAX_NANOS_MS = 9_223_372_036_854
const MAX_ID_BYTES = 512

export class SearchIndex {
  readonly name: string
  readonly #transport: Transport
  readonly #path: string
  readonly #versionField: string

  constructor(transport: Transport, name: string, versionField: string) {
    this.#transport = transport
    this.name = name
    this.#path = `/${encodeURIComponent(name)}`
    this.#versionField = versionField
  }

  /** Makes all that was written until now be found. */
  async refresh(signal: AbortSignal): Promise<typeof MISSING | undefined> {
    const request = { method: 'POST', path: `${this.#path}/_refresh`, expected: [NO_INDEX] } as const
    return await this.#transport.send(
      {
        ...request,
        read: ({ status, text }) => (status === 404 ? MISSING : checkShards(parseObject(text), undefined)),
      },
      signal,
    )
  }

  /** Documents of the window; all that have a date without one. */
  async count(window: Window | undefined, { dateType }: IndexShape, signal: AbortSignal): Promise<number> {
    const body = JSON.stringify({ size: 0, track_total_hits: true, query: inWindow(window, dateType) })
    return await this.#search(body, signal, ({ status, text }) => {
      if (status === 404) return 0
      const hits = checkShards(parseObject(text), 'hits')
      const total = isJsonObject(hits) && isJsonObject(hits['total']) ? hits['total']['value'] : undefined
      if (typeof total !== 'number') throw new BrokenAnswer('the answer has no count')
      return total
    })
  }

  /** Without a point in time those documents that are found now. Rejects with TooMuch. */
  async readPage(
    request: PageRequest,
    { dateType }: IndexShape,
    signal: AbortSignal,
  ): Promise<HitPage | typeof MISSING | typeof EXPIRED | typeof UNKNOWN_ORDER> {
    const { window, size, pit, sort, after, isFallible = false } = request
    const body = JSON.stringify({
      ...{ size, track_total_hits: false, query: inWindow(window, dateType), docvalue_fields: [DATE_VALUE] },
      ...(pit !== undefined && { pit: { id: pit, keep_alive: KEEP_ALIVE } }),
      ...(sort !== undefined && { sort }),
      ...(after !== undefined && { search_after: after }),
    })
    return await this.#transport.send(
      {
        ...{ method: 'POST', path: `${pit === undefined ? this.#path : ''}${SEARCH}`, body },
        expected: isFallible ? [400, NO_INDEX, NO_CONTEXT] : [NO_INDEX, NO_CONTEXT],
        ...{ maxBytes: size === 1 ? MAX_DOCUMENT_BYTES : MAX_PAGE_BYTES, isDivisible: size > 1 },
        read: (answer) => readPage(answer, request),
      },
      signal,
    )
  }

  async openPointInTime(dialect: Dialect, signal: AbortSignal): Promise<string | typeof MISSING> {
    const path = dialect.openPath(this.#path.slice(1), KEEP_ALIVE)
    return await this.#transport.send(
      {
        ...{ method: 'POST', path, expected: [NO_INDEX] },
        read: ({ status, text }) => (status === 404 ? MISSING : dialect.idOf(parseObject(text))),
      },
      signal,
    )
  }

  /** Never fails: one that stays open ends by itself. */
  async closePointInTime(dialect: Dialect, id: string): Promise<void> {
    const request = { method: 'DELETE', path: dialect.closePath, body: dialect.closeBody(id) } as const
    await this.#transport.sendOnce(request, CLOSE_MS).catch(() => {})
  }

  /**
   * Time fields of documents (10,000 ids at most) as of the last refresh, dates as the server sees them; those that are not there are
   * left out.
   */
  async findTimes(ids: readonly string[], shape: IndexShape, signal: AbortSignal): Promise<Map<string, TimeFields>> {
    const [isInValues, field] = [shape.hasVersionValues, this.#versionField]
    const body = JSON.stringify({
      ...{ size: ids.length, track_total_hits: false, sort: ['_doc'], seq_no_primary_term: true },
      query: { bool: { filter: { ids: { values: ids } } } },
      _source: isInValues ? false : [field],
      docvalue_fields: isInValues ? [DATE_VALUE, { field }] : [DATE_VALUE],
    })
    return await this.#search(body, signal, (answer) => {
      const times = new Map<string, TimeFields>()
      if (answer.status === 404) return times
      for (const hit of hitsOf(parseObject(answer.text))) {
        const [fields, source] = [objectIn(hit, 'fields'), objectIn(hit, '_source')]
        const values = fields[field]
        const version = isInValues ? (Array.isArray(values) ? values[0] : undefined) : ownOf(source, field)
        times.set(idOf(hit), { ...revisionOf(hit), dateMs: readDateValues(fields['tmstmp']), version })
      }
      return times
    })
  }

  /** Documents as they are now, refreshed or not, any number of ids; those that are not there are left out. Rejects with TooMuch. */
  async getDocuments(
    ids: readonly string[],
    options: { readonly timesOnly: boolean; readonly fractions: boolean },
    signal: AbortSignal,
  ): Promise<Map<string, FoundDocument>> {
    const found = new Map<string, FoundDocument>()
    const askable = ids.filter(canBeId)
    if (askable.length === 0) return found
    const only = options.timesOnly ? `?_source_includes=tmstmp,${encodeURIComponent(this.#versionField)}` : ''
    return await this.#transport.send(
      {
        ...{ method: 'POST', path: `${this.#path}/_mget${only}`, body: JSON.stringify({ ids: askable }) },
        ...{ expected: [NO_INDEX], isDivisible: askable.length > 1 },
        maxBytes: askable.length === 1 ? MAX_DOCUMENT_BYTES : MAX_PAGE_BYTES,
        read: ({ status, text }) => {
          if (status === 404) return found
          const { items } = takeArray(text, 'docs')
          if (items.length !== askable.length) throw new BrokenAnswer('the answer tells of other documents')
          for (const item of items) readDocument(parseItem(item, options.fractions), found)
          return found
        },
      },
      signal,
    )
  }

  async #search<T>(body: string, signal: AbortSignal, read: (answer: Answer) => T): Promise<T> {
    const path = `${this.#path}${SEARCH}`
    return await this.#transport.send({ method: 'POST', path, body, expected: [NO_INDEX], read }, signal)
  }
}

const NO_INDEX = 'index_not_found_exception'
const NO_CONTEXT = 'search_context_missing_exception'
/** Never some of the shards alone: then it is an error, and tried again. */
const SEARCH = '/_search?allow_partial_search_results=false'
const DATE_VALUE = { field: 'tmstmp', format: 'epoch_millis' } as const

/** (begin, end] in whole milliseconds, which is right for finer dates, too. */
function inWindow(window: Window | undefined, dateType: IndexShape['dateType']) {
  if (window === undefined) return { bool: { filter: { exists: { field: 'tmstmp' } } } }
  const { beginMs, endMs } = window
  const [gte, lt] =
    dateType === 'date'
      ? [beginMs + 1, endMs + 1]
      : [Math.min(Math.max(beginMs + 1, 0), MAX_NANOS_MS), Math.min(Math.max(endMs + 1, 0), MAX_NANOS_MS)]
  return { bool: { filter: { range: { tmstmp: { gte, lt, format: 'epoch_millis' } } } } }
}

function readPage(
  { status, text }: Answer,
  request: PageRequest,
): HitPage | typeof MISSING | typeof EXPIRED | typeof UNKNOWN_ORDER {
  if (status === 404) return request.pit === undefined ? MISSING : EXPIRED
  if (status === 400) return UNKNOWN_ORDER
  return readHitPage(text, request)
}

function readDocument(doc: Readonly<Record<string, unknown>>, into: Map<string, FoundDocument>): void {
  const { error, found } = doc
  if (isJsonObject(error)) {
    if (error['type'] === 'index_not_found_exception') return
    // A shard that is not there at the moment.
    throw new BrokenAnswer('a document cannot be read', { passes: true })
  }
  if (found !== true) return
  into.set(idOf(doc), { ...revisionOf(doc), source: objectIn(doc, '_source') })
}

function revisionOf(hit: Readonly<Record<string, unknown>>): Revision {
  const { _seq_no: seqNo, _primary_term: primaryTerm } = hit
  if (typeof seqNo !== 'number' || typeof primaryTerm !== 'number')
    throw new BrokenAnswer('the answer has a document without _seq_no')
  return { seqNo, primaryTerm }
}

/** No document has another one, and the server refuses a whole request that has one. */
function canBeId(id: string): boolean {
  return id !== '' && id.isWellFormed() && Buffer.byteLength(id) <= MAX_ID_BYTES
}

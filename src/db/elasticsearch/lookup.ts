// What documents are now, with their dates as the server sees them: most say so in their source, and for the others the server is
// asked what it made of that very revision.

import { readWrittenDate } from './document-date.ts'
import type { IndexShape } from './mapping.ts'
import type { FoundDocument, SearchIndex, TimeFields } from './search-index.ts'
import { TooMuch } from './transport.ts'

/** A whole document of one revision. */
export interface WholeDocument extends FoundDocument {
  /** Whole milliseconds since 1970; undefined where it has no date. */
  readonly dateMs: number | undefined
}

export interface LookupOptions {
  readonly index: SearchIndex
  readonly shape: IndexShape
  readonly versionField: string
  /** Numbers with a point keep all their digits: see parseExactJson. */
  readonly fractions: boolean
}

/** Ids in one request for their time fields. */
const TIMES_AT_ONCE = 2_000
/** Documents in one request at first. */
const DOCUMENTS_AT_ONCE = 500

/** Time fields as they are now, of those ids that are there. */
export async function lookUpTimes(
  ids: readonly string[],
  options: LookupOptions,
  signal: AbortSignal,
): Promise<Map<string, TimeFields>> {
  const { index, shape, versionField } = options
  const times = new Map<string, TimeFields>()
  for (let at = 0; at < ids.length; at += TIMES_AT_ONCE) {
    const documents = await getDocuments(ids.slice(at, at + TIMES_AT_ONCE), true, options, signal)
    const unclear = new Map<string, FoundDocument>()
    for (const [id, document] of documents) {
      const { seqNo, primaryTerm, source } = document
      const date = readWrittenDate(source['tmstmp'], shape.hasPlainDates)
      const version = Object.hasOwn(source, versionField) ? source[versionField] : undefined
      if (date.kind === 'unclear') unclear.set(id, document)
      else times.set(id, { seqNo, primaryTerm, version, dateMs: date.kind === 'ms' ? date.ms : undefined })
    }
    const { same, changed } = await findSame(unclear, options, signal)
    for (const [id, found] of same) times.set(id, found)
    if (changed.length === 0) continue
    // What the search gives is one revision, too; if it is not the last one, a write that is bound to it will tell.
    await index.refresh(signal)
    for (const [id, found] of await index.findTimes(changed, shape, signal)) times.set(id, found)
  }
  return times
}

/** Whole documents as they are now, of those ids that are there. */
export async function lookUpDocuments(
  ids: readonly string[],
  options: LookupOptions,
  signal: AbortSignal,
): Promise<Map<string, WholeDocument>> {
  const whole = new Map<string, WholeDocument>()
  for (let at = 0; at < ids.length; at += DOCUMENTS_AT_ONCE) {
    let left: readonly string[] = ids.slice(at, at + DOCUMENTS_AT_ONCE)
    while (left.length > 0) left = await takeWhole(left, whole, options, signal)
  }
  return whole
}

/** Gives the ids of those that were changed in between: they have to be read again. */
async function takeWhole(
  ids: readonly string[],
  whole: Map<string, WholeDocument>,
  options: LookupOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const documents = await getDocuments(ids, false, options, signal)
  const unclear = new Map<string, FoundDocument>()
  for (const [id, document] of documents) {
    const date = readWrittenDate(document.source['tmstmp'], options.shape.hasPlainDates)
    if (date.kind === 'unclear') unclear.set(id, document)
    else whole.set(id, { ...document, dateMs: date.kind === 'ms' ? date.ms : undefined })
  }
  const { same, changed } = await findSame(unclear, options, signal)
  for (const [id, { dateMs }] of same) {
    const document = unclear.get(id)
    if (document !== undefined) whole.set(id, { ...document, dateMs })
  }
  if (changed.length > 0) await options.index.refresh(signal)
  return changed
}

/** What the server made of the dates of these revisions; `changed` are those of which it has found another one so far. */
async function findSame(
  unclear: ReadonlyMap<string, FoundDocument>,
  { index, shape }: LookupOptions,
  signal: AbortSignal,
): Promise<{ readonly same: ReadonlyMap<string, TimeFields>; readonly changed: readonly string[] }> {
  const same = new Map<string, TimeFields>()
  if (unclear.size === 0) return { same, changed: [] }
  const found = await index.findTimes([...unclear.keys()], shape, signal)
  for (const [id, { seqNo, primaryTerm }] of unclear) {
    const times = found.get(id)
    if (times?.seqNo === seqNo && times.primaryTerm === primaryTerm) same.set(id, times)
  }
  return { same, changed: [...unclear.keys()].filter((id) => !same.has(id)) }
}

/** In as many requests as it takes. */
async function getDocuments(
  ids: readonly string[],
  timesOnly: boolean,
  options: LookupOptions,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FoundDocument>> {
  try {
    return await options.index.getDocuments(ids, { timesOnly, fractions: options.fractions }, signal)
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error
    const middle = Math.ceil(ids.length / 2)
    const one = await getDocuments(ids.slice(0, middle), timesOnly, options, signal)
    const other = await getDocuments(ids.slice(middle), timesOnly, options, signal)
    return new Map([...one, ...other])
  }
}

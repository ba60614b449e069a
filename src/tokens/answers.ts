// What the answers of a Waiter cluster mean. Pure.
import type { IndexEntry, TokenRead, WriteAnswer } from './contract.ts'
import { toMilliseconds } from './description.ts'
import { isObject, type JsonObject, parseJson } from './json.ts'

/** An answer as it came; `retryAfterMs` when it asks to be left alone for a while. */
export interface RawAnswer {
  readonly status: number
  readonly etag: string | undefined
  readonly text: string
  readonly retryAfterMs: number | undefined
}

/** An entry of the index with all that it says. */
export interface IndexRecord extends IndexEntry {
  readonly owner: string | null
  /** Milliseconds since 1970; null where the cluster does not say. */
  readonly lastUpdateMs: number | null
}

export const isSuccess = (status: number): boolean => status >= 200 && status < 300

/** What reading a token gave; an answer that is no JSON object is a broken one. */
export function readTokenAnswer(answer: RawAnswer): TokenRead {
  const { status, etag, text, retryAfterMs } = answer
  const hint = retryAfterMs === undefined ? {} : { retryAfterMs }
  let description: JsonObject
  try {
    const body = parseJson(text)
    if (!isSuccess(status)) description = new Map()
    else if (isObject(body)) description = toMilliseconds(body)
    else return { kind: 'broken', message: `answered ${status} with JSON that is no object`, status, ...hint }
  } catch (error) {
    const what = error instanceof RangeError ? error.message : 'what is no JSON'
    return { kind: 'broken', message: `answered ${status} with ${what}`, status, ...hint }
  }
  return { kind: 'answered', status, description, ...(etag !== undefined && { etag }), ...hint }
}

/**
 * What became of a write. `2xx` with a page in place of JSON is from somewhere between: then nothing is known.
 * `hide` makes a text fit to be shown.
 */
export function readWriteAnswer({ status, etag, text }: RawAnswer, hide: (text: string) => string): WriteAnswer {
  if (!isSuccess(status)) {
    const message = readErrorMessage(text)
    return { kind: 'answered', status, ...(message !== undefined && { message: hide(message) }) }
  }
  if (text.trim() !== '') {
    try {
      parseJson(text)
    } catch {
      return { kind: 'unknown', message: `answered ${status} with what is no JSON`, sent: true }
    }
  }
  return { kind: 'answered', status, ...(etag !== undefined && { etag }) }
}

const MAX_MESSAGE = 300

/** The message of Waiter's own error, in one line and not too long; undefined when there is none. */
export function readErrorMessage(text: string): string | undefined {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return undefined
  }
  const error = isRecord(body) ? body['waiter-error'] : undefined
  const message = isRecord(error) ? error['message'] : error
  if (typeof message !== 'string' || message === '') return undefined
  const line = message.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line
}

/** The index; undefined when the text is no list of tokens. Entries without a name are left out, as in the original. */
export function readIndex(text: string): readonly IndexRecord[] | undefined {
  let list: unknown
  try {
    // Only texts and booleans are taken: JSON.parse is several times faster, and a list has thousands of entries.
    list = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(list)) return undefined
  const records: IndexRecord[] = []
  for (const entry of list) {
    if (!isRecord(entry)) return undefined
    const record = readIndexRecord(entry)
    if (record !== undefined) records.push(record)
  }
  return records
}

/** An entry of the index; undefined when it has no name. */
export function readIndexRecord(entry: Readonly<Record<string, unknown>>): IndexRecord | undefined {
  const { token, deleted, etag, owner } = entry
  if (typeof token !== 'string') return undefined
  return {
    token,
    deleted: typeof deleted === 'boolean' ? deleted : null,
    etag: typeof etag === 'string' ? etag : null,
    owner: typeof owner === 'string' ? owner : null,
    lastUpdateMs: readTime(entry['last-update-time']),
  }
}

function readTime(value: unknown): number | null {
  const ms = typeof value === 'string' ? Date.parse(value) : typeof value === 'number' ? value : Number.NaN
  return Number.isNaN(ms) ? null : ms
}

/** True for an object of JSON.parse. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

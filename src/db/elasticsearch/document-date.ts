// The date of a document as the server sees it: `_source` keeps whatever its writer wrote. Pure.
//
// A document with several dates counts with the greatest. One without a date (none, null, or one that the index ignores as malformed)
// is in no window, and older than any row: what has a version wins against what has none.
import { parseIso } from '../iso-time.ts'

/** As this project writes it, and as most others do. */
const PLAIN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/
/** Smaller numbers can be years. */
const LEAST_EPOCH_MS = 1_000_000
const LAST_PLAIN_MS = 253_402_300_799_999

/** What `docvalue_fields` gives of a date with the format epoch_millis, in whole milliseconds since 1970; undefined for none. */
export function readDateValues(values: unknown): number | undefined {
  if (!Array.isArray(values)) return undefined
  let greatest: number | undefined
  for (const value of values) {
    const text = String(value)
    // date_nanos comes with a fraction, of which a double would make the next millisecond.
    const point = text.indexOf('.')
    const ms = Number(point < 0 ? text : text.slice(0, point))
    if (Number.isSafeInteger(ms) && (greatest === undefined || ms > greatest)) greatest = ms
  }
  return greatest
}

export type WrittenDate =
  | { readonly kind: 'none' }
  | { readonly kind: 'ms'; readonly ms: number }
  | { readonly kind: 'unclear' }

/** What a `tmstmp` out of `_source` says without asking the server; `unclear` for all that only the server can tell. */
export function readWrittenDate(written: unknown, hasPlainDates: boolean): WrittenDate {
  if (!hasPlainDates) return UNCLEAR
  if (written === undefined || written === null) return NONE
  if (typeof written === 'number' && Number.isInteger(written) && written >= LEAST_EPOCH_MS && written <= LAST_PLAIN_MS)
    return { kind: 'ms', ms: written }
  if (typeof written !== 'string' || !PLAIN.test(written)) return UNCLEAR
  const moment = parseIso(written)
  return moment === undefined ? UNCLEAR : { kind: 'ms', ms: moment.ms }
}

const UNCLEAR = { kind: 'unclear' } as const
const NONE = { kind: 'none' } as const

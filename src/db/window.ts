// Which rows a run looks at: those with begin < tmstmp <= end, in whole milliseconds since 1970. Pure.
import { parseIso } from './iso-time.ts'

/** Half-open: (beginMs, endMs], whole milliseconds since 1970, beginMs <= endMs. It is empty when both are the same. */
export interface Window {
  readonly beginMs: number
  readonly endMs: number
}

export interface WindowRequest {
  /** As written by the caller; exact, whatever the lag and the overlap are. */
  readonly begin?: string | undefined
  readonly end?: string | undefined
  /** End of the last complete window without explicit bounds; undefined before the first one, which begins in 1970. */
  readonly savedEndMs?: number | undefined
  readonly nowMs: number
  readonly lagMs: number
  readonly overlapMs: number
}

export interface PlannedWindow {
  readonly window: Window
  /** What to save as the end once every row of the window is applied or accounted for; undefined leaves what is saved. */
  readonly saveEndMs: number | undefined
}

const ALLOWED =
  'allowed are ISO 8601 (2015-01-01T00:00:00Z; UTC where no offset is given), epoch seconds (10 digits) and milliseconds (13 digits)'

/**
 * A moment as users write it, in milliseconds since 1970: ISO 8601 with a date or more (UTC without an offset), epoch seconds with
 * 10 digits, or milliseconds with 13. Throws RangeError for anything else, also for what is finer than a millisecond; `name` is what
 * the message calls it.
 */
export function parseTime(text: string, name = 'time'): number {
  const written = text.trim()
  if (/^\d{10}$/.test(written)) return Number(written) * 1_000
  if (/^\d{13}$/.test(written)) return Number(written)
  const moment = parseIso(written)
  if (moment === undefined) throw new RangeError(`${name} ${quote(text)} is no time; ${ALLOWED}`)
  if (!moment.exact) throw new RangeError(`${name} ${quote(text)} is finer than a millisecond; windows are not`)
  return moment.ms
}

/** ISO 8601 in UTC with milliseconds. Throws RangeError outside the range of Date (about 270,000 years around 1970). */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}

/**
 *   begin, end given   window                             saved end afterwards
 *   none               (saved end - overlap, now - lag]   the window's end, never an earlier one than before
 *   begin              (begin, now - lag]                 stays
 *   end                (saved end - overlap, end]         stays
 *   both               (begin, end]                       stays
 *
 * Before the first run there is no saved end: the window begins in 1970. Throws RangeError for an explicit bound that is no time, and when begin is after end. Where it is the saved
 * end that lies ahead (a lag that has grown, a clock that was set back), the window is empty and the saved end stays.
 */
export function planWindow(request: WindowRequest): PlannedWindow {
  const { begin, end, savedEndMs, nowMs, lagMs, overlapMs } = request
  const endMs = end === undefined ? nowMs - lagMs : parseTime(end, 'end')
  if (begin !== undefined) return { window: checkWindow(parseTime(begin, 'begin'), endMs), saveEndMs: undefined }
  const beginMs = savedEndMs === undefined ? 0 : savedEndMs - overlapMs
  if (end !== undefined) return { window: checkWindow(beginMs, endMs), saveEndMs: undefined }
  const window = { beginMs, endMs: Math.max(beginMs, endMs) }
  return { window, saveEndMs: endMs > (savedEndMs ?? 0) ? endMs : undefined }
}

/** True when begin < ms <= end. */
export function isInWindow({ beginMs, endMs }: Window, ms: number): boolean {
  return ms > beginMs && ms <= endMs
}

/**
 * Cuts a window into at most `parts` slices of (nearly) equal length, oldest first: each begins where the one before ends. None is
 * empty, so an empty window has none. Throws RangeError for a number of parts that is not a whole one from 1 on.
 */
export function cutWindow({ beginMs, endMs }: Window, parts: number): readonly Window[] {
  if (!Number.isSafeInteger(parts) || parts < 1) throw new RangeError('a window is cut into a whole number of parts')
  const length = endMs - beginMs
  const count = Math.min(parts, length)
  // Not length * at / count: that passes 2^53 for long windows in many parts.
  const [width, longer] = [Math.floor(length / count), length % count]
  const boundary = (at: number) => beginMs + width * at + Math.min(at, longer)
  return Array.from({ length: count }, (_, at) => ({ beginMs: boundary(at), endMs: boundary(at + 1) }))
}

/** Cuts a window into slices of `sliceMs` (a whole number from 1 on), the last one shorter; oldest first, none empty. */
export function* sliceWindow({ beginMs, endMs }: Window, sliceMs: number): Generator<Window, void> {
  if (!Number.isSafeInteger(sliceMs) || sliceMs < 1) throw new RangeError('a slice is a whole number of milliseconds')
  for (let at = beginMs; at < endMs; at += sliceMs) yield { beginMs: at, endMs: Math.min(at + sliceMs, endMs) }
}

function checkWindow(beginMs: number, endMs: number): Window {
  if (beginMs > endMs)
    throw new RangeError(`begin ${formatTime(beginMs)} is after end ${formatTime(endMs)}: nothing lies in between`)
  return { beginMs, endMs }
}

/** What a user wrote, short enough for a message. */
function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}

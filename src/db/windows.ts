// Which windows a run carries of one table and direction: what an earlier run has left half done first, then what is new. Pure.
import { type DbSyncRequest, InvalidDbRequest } from './contract.ts'
import type { Split } from './store.ts'
import { parseTime, planWindow, type Window } from './window.ts'

/** A window that a run has begun and not finished: at least one of its splits is done, and one is not. */
export interface OpenWindow {
  readonly window: Window
  /** Splits that are still to be done. */
  readonly todo: readonly Split[]
  /** So many splits it had at first. */
  readonly total: number
}

/** What is known of one table and direction from the runs before. */
export interface Progress {
  /** Up to here every row has been applied or accounted for, in milliseconds since 1970; undefined before the first time. */
  readonly endMs?: number | undefined
  readonly open?: OpenWindow | undefined
}

/** One of the windows. */
export interface Leg {
  readonly window: Window
  /** What is to be done of it, where an earlier run has begun it. */
  readonly open?: OpenWindow | undefined
  /** What to save as the end when all of it is done; undefined leaves what is saved. */
  readonly saveEndMs?: number | undefined
}

export interface WindowPolicy {
  /** Wall clock when the run began, milliseconds since 1970: one moment for all tables and directions. */
  readonly nowMs: number
  readonly lagMs: number
  readonly overlapMs: number
}

/** True when the window is the caller's own: it is exact, moves no saved end, and leaves a window that is open for later. */
export const isExplicit = ({ begin, end }: Pick<DbSyncRequest, 'begin' | 'end'>): boolean =>
  begin !== undefined || end !== undefined

/**
 *   bounds     earlier run          windows
 *   explicit   any                  as planWindow has it
 *   none       nothing half done    as planWindow has it
 *   none       a window half done   its splits that are left; then from its end (less the overlap) to now, as if it had been saved
 *
 * Throws InvalidDbRequest (`begin`, `end`) for bounds that are no times, or that end before they begin.
 */
export function planLegs(
  request: Pick<DbSyncRequest, 'begin' | 'end'>,
  { endMs, open }: Progress,
  policy: WindowPolicy,
): readonly Leg[] {
  const { begin, end } = request
  const plan = (savedEndMs: number | undefined): Leg => {
    const { window, saveEndMs } = checkBounds(request, () => planWindow({ begin, end, savedEndMs, ...policy }))
    return { window, saveEndMs }
  }
  if (isExplicit(request) || open === undefined) return [plan(endMs)]
  return [{ window: open.window, open, saveEndMs: open.window.endMs }, plan(open.window.endMs)]
}

/** From the earliest begin to the latest end. Throws RangeError for none. */
export function spanOf(windows: readonly Window[]): Window {
  if (windows.length === 0) throw new RangeError('no window spans nothing')
  return {
    beginMs: Math.min(...windows.map(({ beginMs }) => beginMs)),
    endMs: Math.max(...windows.map(({ endMs }) => endMs)),
  }
}

function checkBounds<T>({ begin, end }: Pick<DbSyncRequest, 'begin' | 'end'>, plan: () => T): T {
  let field = 'begin'
  try {
    if (begin !== undefined) parseTime(begin, 'begin')
    field = 'end'
    if (end !== undefined) parseTime(end, 'end')
    if (begin !== undefined) field = 'begin'
    return plan()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new InvalidDbRequest(field, error.message)
  }
}

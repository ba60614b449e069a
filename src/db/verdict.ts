// What an id counts as when both sides of a window are compared. Pure.

import type { Repair, Verdict } from './contract.ts'
import type { Row } from './document.ts'
import type { Misfit } from './store.ts'
import type { Column } from './table.ts'
import { compareVersions, msOf, type Version } from './timeuuid.ts'
import { isInWindow, type Window } from './window.ts'

/** What one side holds of an id. */
export interface Holding {
  /** The newest version now, whatever its time; undefined where there is none. */
  readonly now: Row | Misfit | undefined
  /** The newest version within the window when that was read; undefined where there was none. */
  readonly seen: Version | undefined
}

/**
 * One id by the newest version of each side, looked up a moment ago; undefined for an id that does not count. A side is *due* with
 * its version of the window: the newest one where that lies in the window; where it came after the end, the one that was seen.
 *
 *   one side                    the other            verdict
 *   cannot be converted         there                differs
 *   cannot be converted         nothing              onlyLeft, onlyRight
 *   some version                the same version     equal, or differs where the values do
 *   due                         nothing              onlyLeft, onlyRight
 *   due                         an older version     leftNewer, rightNewer, however old the other is
 *   due                         one after the end    equal: it has been overtaken there, and is not carried
 *   nothing of the window       the same             does not count
 *
 * So an id counts as different exactly when a sync of this window would still have to write it, or never could: after a complete
 * sync every verify of its window finds both sides in step, whatever users write later.
 */
export function judge(
  left: Holding,
  right: Holding,
  window: Window,
  hasSameValues: (a: Row, b: Row) => boolean,
): Verdict | undefined {
  const [l, r] = [left.now, right.now]
  if (isMisfit(l) || isMisfit(r)) {
    if (l === undefined) return 'onlyRight'
    return r === undefined ? 'onlyLeft' : 'differs'
  }
  if (l !== undefined && r !== undefined && compareVersions(l.version, r.version) === 0)
    return hasSameValues(l, r) ? 'equal' : 'differs'
  const [leftDue, rightDue] = [findDue(l, left.seen, window), findDue(r, right.seen, window)]
  if (leftDue !== undefined && isNewer(leftDue, r)) return r === undefined ? 'onlyLeft' : 'leftNewer'
  if (rightDue !== undefined && isNewer(rightDue, l)) return l === undefined ? 'onlyRight' : 'rightNewer'
  return leftDue === undefined && rightDue === undefined ? undefined : 'equal'
}

function findDue(row: Row | undefined, seen: Version | undefined, window: Window): Version | undefined {
  if (row === undefined) return undefined
  const ms = msOf(row.version)
  if (isInWindow(window, ms)) return row.version
  return ms > window.endMs ? seen : undefined
}

function isNewer(version: Version, row: Row | undefined): boolean {
  return row === undefined || compareVersions(version, row.version) > 0
}

export function isMisfit(found: Row | Misfit | undefined): found is Misfit {
  return found !== undefined && 'reason' in found
}

/** Gives true for rows that are marked as deleted: the field is true, or anything but null and false. */
export function createDeletedCheck(
  columns: readonly Column[],
  deletedField: string | undefined,
): (row: Row) => boolean {
  const at = columns.findIndex((column) => column.name === deletedField)
  const isJson = columns[at]?.type.kind === 'json'
  return ({ values }) => {
    const value = values[at] ?? null
    return value !== null && value !== false && !(isJson && (value === 'false' || value === 'null'))
  }
}

/** What is done about an id that one side alone has. */
export type RepairStep = 'copy' | 'delete' | 'nothing'

/** `copy` mends every orphan; the deletes are for those of the side that they name. */
export function chooseStep(repair: Repair, verdict: 'onlyLeft' | 'onlyRight'): RepairStep {
  if (repair === 'copy') return 'copy'
  const named = verdict === 'onlyLeft' ? 'delete-left' : 'delete-right'
  return repair === named ? 'delete' : 'nothing'
}

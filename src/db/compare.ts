// Is a row newer than what the other side holds, and with which timestamp is it written there? Pure; every answer has its reason.
import type { TableKind } from './table.ts'
import { compareVersions, microsOf, msOf, tryParseTimeuuid, type Version } from './timeuuid.ts'
import { MAX_INT64 } from './values.ts'

/** What the other side holds of an id: the newest version, or only its millisecond where the rest is derived from the whole document. */
export type Held =
  | { readonly kind: 'version'; readonly version: Version }
  | { readonly kind: 'millisecond'; readonly ms: number; readonly reason: DerivedReason }

/** Why a document's version is derived: it has no version field, or none with a timeuuid, or one that is older than the date. */
export type DerivedReason = 'no-version-field' | 'no-timeuuid' | 'another-millisecond'

export type Decision =
  | { readonly outcome: 'applied'; readonly reason: 'not-there' | 'newer' | 'newer-by-tie' }
  | { readonly outcome: 'older'; readonly reason: 'older' | 'older-by-tie' }
  | { readonly outcome: 'equal'; readonly reason: 'same-version' }
  | { readonly outcome: 'echoed'; readonly reason: 'written-by-this-run' }
  | { readonly outcome: 'undecided'; readonly reason: DerivedReason }

const DECISIONS = {
  notThere: { outcome: 'applied', reason: 'not-there' },
  newer: { outcome: 'applied', reason: 'newer' },
  newerByTie: { outcome: 'applied', reason: 'newer-by-tie' },
  older: { outcome: 'older', reason: 'older' },
  olderByTie: { outcome: 'older', reason: 'older-by-tie' },
  same: { outcome: 'equal', reason: 'same-version' },
  echoed: { outcome: 'echoed', reason: 'written-by-this-run' },
} as const satisfies Record<string, Decision>

/**
 * One row against what the other side holds of its id (undefined: nothing). Both kinds of table decide alike: where every version is
 * kept, `held` is the newest one.
 *
 *   held                     source              outcome
 *   nothing                  any                 applied: not-there
 *   older ticks              newer ticks         applied: newer
 *   same ticks, lower tie    same ticks          applied: newer-by-tie
 *   same version             same version        echoed where this run wrote it there (`echo`), else equal
 *   newer                    older               older: older, older-by-tie
 *   a millisecond alone      another one         as newer or older ticks
 *   a millisecond alone      the same one        undecided: read the whole document, derive its version, ask again
 */
export function decide(source: Version, held: Held | undefined, echo = false): Decision {
  if (held === undefined) return DECISIONS.notThere
  if (held.kind === 'millisecond') {
    const ms = msOf(source)
    if (ms === held.ms) return { outcome: 'undecided', reason: held.reason }
    return ms > held.ms ? DECISIONS.newer : DECISIONS.older
  }
  const { version } = held
  const order = compareVersions(source, version)
  if (order === 0) return echo ? DECISIONS.echoed : DECISIONS.same
  const byTie = source.high === version.high && source.low === version.low
  if (order > 0) return byTie ? DECISIONS.newerByTie : DECISIONS.newer
  return byTie ? DECISIONS.olderByTie : DECISIONS.older
}

/**
 * The version of a document by its time fields alone: `dateMs` is `tmstmp` in whole milliseconds since 1970, `versionField` what the
 * document has there. The timeuuid counts when it is of that very millisecond: else somebody changed the date and not the timeuuid.
 */
export function holdDocument(dateMs: number, versionField: unknown): Held {
  if (versionField === undefined || versionField === null)
    return { kind: 'millisecond', ms: dateMs, reason: 'no-version-field' }
  const version = tryParseTimeuuid(versionField)
  if (version === undefined) return { kind: 'millisecond', ms: dateMs, reason: 'no-timeuuid' }
  if (msOf(version) !== dateMs) return { kind: 'millisecond', ms: dateMs, reason: 'another-millisecond' }
  return { kind: 'version', version }
}

/** The newer of two versions, the first of equal ones. */
export function newerOf(a: Version, b: Version): Version {
  return compareVersions(a, b) >= 0 ? a : b
}

/**
 * The microseconds for `USING TIMESTAMP` of a write. `writetime` is the latest of any cell of the row there, in microseconds;
 * undefined where the table has no such row.
 *
 *   versions            those of tmstmp: a replay has the timestamp of the first try, so it never beats a later delete
 *   latest, no row      those of tmstmp: nothing to win against but deletes, and later ones have to stay
 *   latest, a row       the greater of those and writetime + 1: users write later than their tmstmp says and would win unseen;
 *                       nor do two versions of one microsecond get the same timestamp, by which Cassandra would mix their cells
 *
 * Throws RangeError where the row there was written with the last timestamp there is: nothing can win against that.
 */
export function writeTimestamp(kind: TableKind, version: Version, writetime: bigint | undefined): bigint {
  const micros = microsOf(version)
  if (kind === 'versions' || writetime === undefined || writetime < micros) return micros
  if (writetime >= MAX_INT64) throw new RangeError('the row there has the greatest write timestamp that there is')
  return writetime + 1n
}

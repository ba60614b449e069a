// What a candidate that does not hold the Lease does, given what it has seen of it: pure, no clock, no IO.
//
//   seen                                   then                          when
//   nothing yet                            look
//   no Lease, none held before             create                        at once
//   no Lease, it was held when deleted     create                        a lease after its absence was seen
//   held by nobody                         take                          at once
//   held by this candidate (an old term)   take                          at once, as a new term
//   held by another                        take                          its duration after *we* saw it change, plus our spread
//   … and silent for two thirds of it      look once                     the watch may have missed a change
//
// Only the monotonic clock of this candidate counts: renewTime was written by another clock and is a mark, not a time.
import type { LeaseSight } from './driver.ts'
import { isSameTenure } from './lease.ts'

export interface Observed {
  readonly sight: LeaseSight | 'absent' | 'unknown'
  /** When this candidate saw the record change, by its monotonic clock. */
  readonly changedAtMs: number
  /** A Lease that was deleted while held is believed in by its holder until then, at most. */
  readonly heldUntilMs: number
  /** A GET has confirmed the sight since it went silent. */
  readonly isConfirmed: boolean
  /** Counts the changes of the record that were seen. */
  readonly changes: number
}

export interface Self {
  readonly identity: string
  /** For a Lease that says nothing of its duration, in milliseconds. */
  readonly leaseDurationMs: number
  /** How long after its expiry this candidate takes a Lease, so that not all do at once. */
  readonly spreadMs: number
  /** Others go first until then. */
  readonly yieldUntilMs: number
}

export type Decision =
  | { readonly kind: 'look'; readonly reason: 'unknown' | 'silent' }
  | { readonly kind: 'create'; readonly reason: 'absent' }
  | { readonly kind: 'take'; readonly reason: 'released' | 'own' | 'expired' }
  /** Decide again at `untilMs`, or when something is seen. */
  | { readonly kind: 'wait'; readonly untilMs: number; readonly reason: 'held' | 'deleted-while-held' | 'yielding' }

export const NOTHING_OBSERVED: Observed = {
  sight: 'unknown',
  changedAtMs: 0,
  heldUntilMs: 0,
  isConfirmed: false,
  changes: 0,
}

/** What a holder's silence for this share of its lease leads to: two renewals were missed, or their events. */
const SILENT_SHARE = 2 / 3

/** `nowMs` is the monotonic clock. */
export function decide(observed: Observed, nowMs: number, self: Self): Decision {
  const { sight, changedAtMs } = observed
  if (sight === 'unknown') return { kind: 'look', reason: 'unknown' }
  if (sight === 'absent') {
    if (nowMs < observed.heldUntilMs) return waitOut(observed, observed.heldUntilMs, nowMs, 'deleted-while-held')
    return yielding({ kind: 'create', reason: 'absent' }, nowMs, self)
  }
  const { holder } = sight.record
  if (holder === '') return yielding({ kind: 'take', reason: 'released' }, nowMs, self)
  if (holder === self.identity) return yielding({ kind: 'take', reason: 'own' }, nowMs, self)
  const expiredAtMs = changedAtMs + durationOf(sight, self) + self.spreadMs
  if (nowMs < expiredAtMs) return waitOut(observed, expiredAtMs, nowMs, 'held')
  return yielding({ kind: 'take', reason: 'expired' }, nowMs, self)
}

/** What is known after a sight of the Lease (undefined: there is none). `confirms`: it was read on purpose, not told by a watch. */
export function observe(
  before: Observed,
  seen: LeaseSight | undefined,
  nowMs: number,
  self: Self,
  confirms: boolean,
): Observed {
  const known = before.sight
  const changed = { changedAtMs: nowMs, isConfirmed: false, changes: before.changes + 1 }
  if (seen === undefined) {
    if (known === 'absent') return { ...before, isConfirmed: before.isConfirmed || confirms }
    // Its holder may have renewed it unseen until the moment of the deletion: so the wait begins now.
    const heldUntilMs = isHeldByAnother(known, self) ? nowMs + durationOf(known, self) : before.heldUntilMs
    return { sight: 'absent', heldUntilMs, ...changed }
  }
  if (typeof known === 'object' && known.uid === seen.uid && isSameTenure(known.record, seen.record))
    return { ...before, sight: seen, isConfirmed: before.isConfirmed || confirms }
  return { sight: seen, heldUntilMs: 0, ...changed }
}

/** Is `seen` of an earlier moment than `known`? Watches may tell late what was read already. */
export function isOlder(seen: LeaseSight, known: Observed['sight']): boolean {
  return typeof known === 'object' && BigInt(seen.version) < BigInt(known.version)
}

/** The holder on record: undefined when there is none. */
export function holderOf({ sight }: Observed): string | undefined {
  return typeof sight === 'object' ? sight.record.holder || undefined : undefined
}

function isHeldByAnother(sight: Observed['sight'], self: Self): sight is LeaseSight {
  return typeof sight === 'object' && sight.record.holder !== '' && sight.record.holder !== self.identity
}

function durationOf(sight: LeaseSight, self: Self): number {
  return sight.record.durationMs > 0 ? sight.record.durationMs : self.leaseDurationMs
}

function waitOut(observed: Observed, untilMs: number, nowMs: number, reason: 'held' | 'deleted-while-held'): Decision {
  if (observed.isConfirmed) return { kind: 'wait', untilMs, reason }
  const silentAtMs = observed.changedAtMs + (untilMs - observed.changedAtMs) * SILENT_SHARE
  return nowMs < silentAtMs ? { kind: 'wait', untilMs: silentAtMs, reason } : { kind: 'look', reason: 'silent' }
}

function yielding(decision: Decision, nowMs: number, { yieldUntilMs }: Self): Decision {
  return nowMs < yieldUntilMs ? { kind: 'wait', untilMs: yieldUntilMs, reason: 'yielding' } : decision
}

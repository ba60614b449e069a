// What became of rows, as figures that always add up: read = applied + older + equal + echoed + failed. Pure.
import { COUNTS, type Counts } from './contract.ts'

/** What a row counts as. */
export type Label = Exclude<keyof Counts, 'read'>

export const NO_COUNTS: Counts = { read: 0, applied: 0, older: 0, equal: 0, echoed: 0, failed: 0 }

/** All of them together. */
export function sumCounts(all: Iterable<Counts>): Counts {
  const sum: Record<keyof Counts, number> = { ...NO_COUNTS }
  for (const counts of all) for (const name of COUNTS) sum[name] += counts[name]
  return sum
}

/** Counts the rows of one table and direction. A row counts as read when it is known what became of it. */
export interface Tally {
  add(label: Label, rows?: number): void
  /**
   * Counts a row that was tried again before the window is read: where the window has it too, it counts once, as `add` of the same id
   * then says, but for a row that this run has written: that stays applied, though the window finds it there.
   */
  addRetried(id: string, label: Label): void
  /** Counts a row of the window. */
  addRow(id: string, label: Label): void
  counts(): Counts
}

export function createTally(): Tally {
  const counts: Record<keyof Counts, number> = { ...NO_COUNTS }
  const retried = new Map<string, Label>()
  const add = (label: Label, rows = 1): void => {
    counts[label] += rows
    counts.read += rows
  }
  return {
    add,
    addRetried(id, label) {
      retried.set(id, label)
      add(label)
    },
    addRow(id, label) {
      // Nearly always there are none: this is called for every row.
      const before = retried.size === 0 ? undefined : retried.get(id)
      if (before === undefined) return add(label)
      retried.delete(id)
      if (before === 'applied' && label !== 'failed') return
      add(before, -1)
      add(label)
    },
    counts: () => ({ ...counts }),
  }
}

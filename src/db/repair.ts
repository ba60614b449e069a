// Ids that one side alone has, mended as it was asked for: copied by the other side's writer, which is conditional as ever, or deleted
// where they are, unless they have become newer meanwhile. Whether that has worked is for another look to tell.
import type { Repair } from './contract.ts'
import type { Row } from './document.ts'
import type { StoreTable } from './store.ts'
import { chooseStep } from './verdict.ts'

export interface Orphan {
  readonly row: Row
  readonly verdict: 'onlyLeft' | 'onlyRight'
}

/** The two sides of a table. */
export interface TableSides {
  readonly left: StoreTable
  readonly right: StoreTable
}

/** Mends what can be mended, and gives the ids for which something was tried. Throws as the stores do. */
export async function repairOrphans(
  orphans: readonly Orphan[],
  repair: Repair,
  { left, right }: TableSides,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const tried = new Set<string>()
  for (const verdict of ['onlyLeft', 'onlyRight'] as const) {
    const rows = orphans.filter((orphan) => orphan.verdict === verdict).map(({ row }) => row)
    const step = chooseStep(repair, verdict)
    if (rows.length === 0 || step === 'nothing') continue
    const [has, lacks] = verdict === 'onlyLeft' ? [left, right] : [right, left]
    // The writer may do with the rows what it likes.
    for (const { id } of rows) tried.add(id)
    if (step === 'copy') await copyRows(rows, lacks, signal)
    else await has.remove(rows, signal)
  }
  return tried
}

async function copyRows(rows: readonly Row[], to: StoreTable, signal: AbortSignal): Promise<void> {
  // What the writer says of a row is not asked: one that a delete still hides counts as written, and is not there.
  await using writer = to.openWriter({ dryRun: false, signal, settle: () => {} })
  await writer.write(rows)
  await writer.finish()
}

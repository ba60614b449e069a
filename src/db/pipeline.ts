// One table in one direction: the rows that failed before are tried again, then each window is cut into splits, several at a time, each
// from a scan to a writer of its own. The scan goes on when the writer has room: that is the back pressure, and what bounds memory.
import type { Clock } from '../lib/clock.ts'
import { forEachConcurrently } from '../lib/concurrently.ts'
import type { Turns } from '../lib/turns.ts'
import type { Direction } from './contract.ts'
import type { LetterBox } from './dead-letters.ts'
import type { Row } from './document.ts'
import type { Echo } from './echo.ts'
import type { Figures } from './figures.ts'
import type { Ledger } from './ledger.ts'
import type { Outcome, RowWriter, Split, StoreTable, WriterOptions } from './store.ts'
import type { Version } from './timeuuid.ts'
import type { Window } from './window.ts'
import type { Leg } from './windows.ts'

/**
 * Splits under way at a time: what keeps both sides busy while a writer waits for its target. Each asks for a page ahead and has several
 * batches on their way; more of them have gained nothing but a process that is larger.
 */
export const SPLITS_AT_ONCE = 2
/** Rows that failed before and are looked up in one go: they are whole rows, as large as they may be. */
const RETRIED_AT_ONCE = 100

export interface Passage {
  readonly table: string
  readonly direction: Direction
  readonly source: StoreTable
  readonly target: StoreTable
  readonly legs: readonly Leg[]
  /** The splits of a window that nothing has been done of yet. */
  readonly cut: (window: Window) => Promise<readonly Split[]>
  readonly letters: LetterBox
  /** Whether rows that failed in earlier runs are tried again. */
  readonly retries: boolean
  /** The windows end where the caller wants it: newer versions of their rows may lie beyond. */
  readonly isExplicit: boolean
  readonly ledger: Ledger
  readonly figures: Figures
  /** Remembers what goes left to right, and knows it when it comes back. */
  readonly echo: Echo
}

/** What the passages of one run share. */
export interface Traffic {
  readonly dryRun: boolean
  readonly clock: Clock
  /** Stops everything at once. */
  readonly signal: AbortSignal
  /** Lets what is under way finish its split, and nothing more begin. */
  readonly halt: AbortSignal
  /** Splits under way in the whole run. */
  readonly turns: Turns
}

/**
 * Carries the table over. When it throws, all that was done until then is saved as far as the memory takes it; the error is the first
 * one of a store or of the memory, or the reason of a signal.
 */
export async function carryTable(passage: Passage, traffic: Traffic): Promise<void> {
  const { figures, ledger } = passage
  figures.begin()
  try {
    if (passage.retries) await retryDeadLetters(passage, traffic)
    for (const leg of passage.legs) await carryLeg(leg, passage, traffic)
    // What was tried again is saved, whether there is a window or not.
    await ledger.save()
    figures.end(true)
  } catch (error) {
    // What went wrong first is what there is to tell: a memory that fails now as well leaves an earlier, true checkpoint.
    await ledger.save().catch(() => {})
    figures.end(false)
    throw error
  }
}

async function retryDeadLetters(passage: Passage, traffic: Traffic): Promise<void> {
  const ids = passage.letters.ids()
  for (let at = 0; at < ids.length; at += RETRIED_AT_ONCE) {
    traffic.halt.throwIfAborted()
    await retryRows(ids.slice(at, at + RETRIED_AT_ONCE), passage, traffic)
  }
}

async function retryRows(ids: readonly string[], passage: Passage, traffic: Traffic): Promise<void> {
  const { source, letters, figures } = passage
  const found = await source.find(ids, traffic.signal)
  const rows: Row[] = []
  const settler = createSettler(passage, traffic, (id, label) => {
    if (label !== 'failed') letters.forget(id)
    figures.addRetried(id, label)
  })
  for (const id of ids) {
    const row = found.get(id)
    if (row === undefined) letters.forget(id)
    else if ('reason' in row) settler.fail(id, row.reason)
    else rows.push(row)
  }
  await using writer = openLazily(passage, traffic, { settle: settler.settle })
  await writer.write(rows)
  await writer.finish()
  settler.check()
}

async function carryLeg(leg: Leg, passage: Passage, traffic: Traffic): Promise<void> {
  const { ledger, figures } = passage
  const splits = leg.open?.todo ?? (await passage.cut(leg.window))
  const total = leg.open?.total ?? splits.length
  figures.addSplits(total, total - splits.length)
  ledger.open(leg, splits, total)
  await forEachConcurrently(splits.entries(), SPLITS_AT_ONCE, traffic.halt, async ([at, split]) => {
    using _turn = await traffic.turns.take(traffic.halt)
    const isKept = await carrySplit(split, leg.window, passage, traffic)
    figures.finishSplit()
    await ledger.finishSplit(at, isKept)
  })
  await ledger.close()
}

/** True when every row of it is applied or accounted for. */
async function carrySplit(split: Split, window: Window, passage: Passage, traffic: Traffic): Promise<boolean> {
  const { source, figures, letters } = passage
  const settler = createSettler(passage, traffic, (id, label) => {
    if (label !== 'failed' && !traffic.dryRun && letters.size > 0 && letters.has(id)) {
      // What has failed may be a newer version than that of the window; it is counted already.
      if (passage.isExplicit) return
      letters.forget(id)
    }
    figures.addRow(id, label)
  })
  // What has changed since an earlier window went there with it, for the most part.
  const mostlyHeld = window.beginMs > 0
  await using writer = openLazily(passage, traffic, { settle: settler.settle, mostlyHeld })
  for await (const { rows, history, misfits } of source.scan(split, window, traffic.signal)) {
    figures.addHistory(history)
    for (const { id, reason } of misfits) settler.fail(id, reason)
    await writer.write(rows)
  }
  await writer.finish()
  return settler.check()
}

type Count = (id: string, label: Outcome | 'echoed') => void

interface Settler {
  settle(id: string, version: Version, outcome: Outcome, reason?: string): void
  fail(id: string, reason: string): void
  /** True when every failed row has found room among the dead letters. */
  check(): boolean
}

function createSettler(
  { direction, letters, echo, figures, ledger }: Passage,
  { dryRun, clock }: Traffic,
  count: Count,
): Settler {
  const isFirst = direction === 'left-to-right'
  let isKept = true
  const fail = (id: string, reason: string): void => {
    count(id, 'failed')
    if (dryRun || letters.add(id, reason, clock.wallNow())) return
    isKept = false
    figures.setNote(`more rows have failed than there is room for among the dead letters: ${ledger.stuckMeans}`)
  }
  return {
    fail,
    settle(id, version, outcome, reason = 'the target says no reason') {
      if (outcome === 'failed') return fail(id, reason)
      if (outcome === 'applied' && isFirst) echo.add(id, version)
      count(id, outcome === 'equal' && !isFirst && echo.has(id, version) ? 'echoed' : outcome)
    },
    check: () => isKept,
  }
}

/** A writer that is opened with the first rows: a target that gets none is not asked for anything. Knows whether all were settled. */
function openLazily(
  { target, table, direction }: Passage,
  { dryRun, signal }: Traffic,
  { settle, mostlyHeld }: Pick<WriterOptions, 'settle' | 'mostlyHeld'>,
): RowWriter {
  let writer: RowWriter | undefined
  let unsettled = 0
  const open = () =>
    target.openWriter({
      ...{ dryRun, mostlyHeld, signal },
      settle(id, version, outcome, reason) {
        unsettled--
        settle(id, version, outcome, reason)
      },
    })
  return {
    async write(rows) {
      if (rows.length === 0) return
      unsettled += rows.length
      writer ??= open()
      await writer.write(rows)
    },
    async finish() {
      await writer?.finish()
      // A checkpoint would say what is not so.
      if (unsettled !== 0)
        throw new Error(`${unsettled} rows of table ${table}, ${direction}, were written without an outcome`)
    },
    [Symbol.asyncDispose]: async () => await writer?.[Symbol.asyncDispose](),
  }
}

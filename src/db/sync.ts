// One sync of a pair, from the request to the summary: agree and plan, carry every table over, left to right first, and say what became
// of the rows. What is to be refused is refused before anything is written; what is done is saved as it goes.
import { forEachConcurrently } from '../lib/concurrently.ts'
import { Turns } from '../lib/turns.ts'
import type { AgreedTable } from './agree.ts'
import {
  type DbItem,
  type DbSummary,
  type DbSurroundings,
  DbSyncFailed,
  type DbSyncRequest,
  type Pair,
} from './contract.ts'
import { sumCounts } from './counts.ts'
import { type LetterBoxes, openLetterBoxes } from './dead-letters.ts'
import { createEcho, type Echo } from './echo.ts'
import { Figures } from './figures.ts'
import { Ledger } from './ledger.ts'
import { carryTable, type Passage, SPLITS_AT_ONCE, type Traffic } from './pipeline.ts'
import { isSaved, makeTables, planSync, type SyncPlan, type Way } from './plan.ts'
import type { StoreTable } from './store.ts'
import { isExplicit } from './windows.ts'

/** Tables under way at a time: while one is asked what it has, another carries rows. */
const TABLES_AT_ONCE = 4

interface Run {
  readonly pair: Pair
  readonly request: DbSyncRequest
  readonly surroundings: DbSurroundings
  readonly plan: SyncPlan
  readonly letters: LetterBoxes
}

/**
 * Brings the sides of a pair in step, the newer version of each row to the side that lacks it. The summary has failed rows when
 * `counts.failed` is not 0: the run is to be called failed then.
 *
 * Throws InvalidDbRequest, TableRefusedError, StoreFailed and what the memory throws, before any row is written; DbSyncFailed when it
 * ends badly later; and the reason of the signal. Whatever it throws, what was done is saved and the next run goes on from there.
 */
export async function syncPair(pair: Pair, request: DbSyncRequest, surroundings: DbSurroundings): Promise<DbSummary> {
  const { memory, signal, onDeadLetters } = surroundings
  const plan = await planSync(pair, request, surroundings)
  const { marks } = plan
  const letters = await openLetterBoxes(pair.key, marks && memory, marks?.tables ?? [])
  if (!request.dryRun) await makeTables(pair, plan, signal)
  const run = { pair, request, surroundings, plan, letters }
  const passages = openPassages(run)
  try {
    await carryAll(passages, run)
  } catch (error) {
    // The reason why it ended is what there is to tell, whatever becomes of the list.
    if (!request.dryRun) await onDeadLetters(letters.list()).catch(() => {})
    if (signal.aborted) await tellHalfDone(passages, surroundings).catch(() => {})
    signal.throwIfAborted()
    throw new DbSyncFailed(describeEnd(error, passages, request), summarize(passages, run), { cause: error })
  }
  if (!request.dryRun) await onDeadLetters(letters.list())
  return summarize(passages, run)
}

async function carryAll(passages: readonly Passage[], { plan, request, surroundings }: Run): Promise<void> {
  const { clock, signal, onItem } = surroundings
  const stop = new AbortController()
  const halt = AbortSignal.any([signal, stop.signal])
  const traffic: Traffic = { dryRun: request.dryRun, clock, signal, halt, turns: new Turns(SPLITS_AT_ONCE) }
  await forEachConcurrently(plan.tables, TABLES_AT_ONCE, halt, async ({ name }) => {
    const both = passages.filter(({ table }) => table === name)
    try {
      for (const passage of both) {
        await carryTable(passage, traffic)
        if (passage.figures.item !== undefined) await onItem(passage.figures.item)
      }
    } catch (error) {
      stop.abort(error)
      throw error
    } finally {
      // A pair may have a thousand tables.
      for (const { echo } of both) echo.clear()
    }
  })
}

/** What was written of a table that was stopped half way is written all the same. */
async function tellHalfDone(passages: readonly Passage[], { onHalfDone }: DbSurroundings): Promise<void> {
  for (const { figures } of passages) {
    const { item } = figures
    if (figures.state === 'begun' && item !== undefined)
      await onHalfDone?.({ ...item, note: `stopped half way, ${figures.parts}` })
  }
}

function openPassages(run: Run): readonly Passage[] {
  const { pair, plan } = run
  return plan.tables.flatMap((table) => {
    const [left, right] = [pair.left.openTable(table.left), pair.right.openTable(table.right)]
    const echo = createEcho()
    return plan.ways
      .filter((way) => way.table === table)
      .map((way) => openPassage(way, way.direction === 'left-to-right' ? [left, right] : [right, left], echo, run))
  })
}

function openPassage(way: Way, [source, target]: readonly [StoreTable, StoreTable], echo: Echo, run: Run): Passage {
  const { direction, mark, legs, window } = way
  const { request, surroundings, plan } = run
  const { clock, onProgress, signal } = surroundings
  const table = way.table.name
  const letters = run.letters.of(table, direction)
  const { marks } = plan
  const write = isSaved(request) && marks ? (next: typeof mark) => marks.write(table, direction, next) : undefined
  return {
    ...{ table, direction, source, target, legs, letters, echo },
    cut: async (wanted) => await cutWindow(way.table, source, wanted, request, signal),
    retries: !request.dryRun,
    isExplicit: isExplicit(request),
    ledger: new Ledger({ clock, mark, write, letters }),
    figures: new Figures({ table, direction, window, clock, onProgress }),
  }
}

async function cutWindow(
  { name }: AgreedTable,
  source: StoreTable,
  window: SyncPlan['window'],
  { shard }: DbSyncRequest,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (window.beginMs === window.endMs) return []
  if (shard !== undefined) return shard.splits?.get(name) ?? source.shard(window, shard.index, shard.of)
  return await source.plan(window, { signal })
}

function summarize(passages: readonly Passage[], { plan, letters }: Run): DbSummary {
  const items = passages.flatMap(({ figures: { item } }): DbItem[] => (item === undefined ? [] : [item]))
  return { window: plan.window, items, counts: sumCounts(items), deadLetters: letters.size }
}

/** What went wrong, and where the run stands. */
function describeEnd(error: unknown, passages: readonly Passage[], request: DbSyncRequest): string {
  const why = error instanceof Error ? error.message : String(error)
  const done = passages.filter(({ figures }) => figures.state === 'done').length
  const begun = passages.filter(({ figures }) => figures.state === 'begun').map(({ figures }) => figures.standing)
  return [
    `${why}; ${done} of ${passages.length} tables and directions are done`,
    ...(begun.length > 0 ? [`half done: ${begun.join('; ')}`] : []),
    isSaved(request) ? 'the next run goes on from there' : 'nothing of it is saved',
  ].join('; ')
}

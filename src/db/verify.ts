// Are both sides of a pair in step? One verify from request to summary: the tables by name, one after the other; each is read on both
// sides at once and compared id by id. It neither reads nor moves saved ends, and writes nothing but what a repair is asked for.
import type { AgreedTable } from './agree.ts'
import { openMarks } from './checkpoint.ts'
import {
  type DbVerifyRequest,
  type DbVerifySummary,
  type DbVerifySurroundings,
  InvalidDbRequest,
  type Pair,
  type Repair,
  VERDICTS,
  type VerdictCounts,
} from './contract.ts'
import { agreeOnPair, makeTables } from './plan.ts'
import { openVerifyMemory, type TableFindings, type VerifyMemory, type VerifyState } from './verify-memory.ts'
import { verifyTable } from './verify-table.ts'
import type { Window } from './window.ts'
import { planLegs } from './windows.ts'

/**
 * Compares what both sides have of a window: from 1970 to now unless the request says otherwise. Throws InvalidDbRequest (tables,
 * begin, end, orphans), TableRefusedError, StoreFailed, or the signal's reason; then what was found of the tables
 * that are done is remembered, for a verify with `resume`.
 */
export async function verifyPair(
  pair: Pair,
  request: DbVerifyRequest,
  surroundings: DbVerifySurroundings,
): Promise<DbVerifySummary> {
  const [leg] = planLegs(request, {}, { nowMs: surroundings.clock.wallNow(), lagMs: 0, overlapMs: 0 })
  if (leg === undefined) throw new RangeError('a verify has a window')
  const tables = await agreeOnPair(pair, request.tables, surroundings.signal)
  if (request.orphans !== undefined) await prepareRepair(pair, tables, request.orphans.repair, surroundings)
  const memory = openVerifyMemory(pair.key, request, surroundings.memory)
  let state = await beginState(memory, { window: leg.window, done: [] }, surroundings.resume)
  const found = new Map(state.done.map((findings) => [findings.item.table, findings]))
  for (const table of tables) {
    const findings =
      found.get(table.name) ?? (await verifyTable({ pair, table, window: state.window, request, surroundings }))
    found.set(table.name, findings)
    state = { ...state, done: [...found.values()] }
    await memory.write(state)
    await surroundings.onItem(findings.item)
  }
  await memory.forget()
  const all = tables.flatMap(({ name }) => found.get(name) ?? [])
  return summarize(state.window, all, request.maxDifferences)
}

/**
 * A copy makes the table that is missing, and what syncs have saved of it is forgotten. A delete refuses such a table: where one side
 * is not there at all, every row of the other one is alone, and a wrong address or a wrong name would delete it.
 */
async function prepareRepair(
  pair: Pair,
  tables: readonly AgreedTable[],
  repair: Repair,
  { memory, signal }: DbVerifySurroundings,
): Promise<void> {
  if (repair === 'none') return
  if (repair === 'copy') return await makeTables(pair, { tables, marks: await openMarks(pair.key, memory) }, signal)
  const missing = tables.find(({ create }) => create !== undefined)
  if (missing !== undefined)
    throw new InvalidDbRequest(
      'orphans',
      `${repair} would delete all of table ${missing.name}: the ${missing.create} side has no such table`,
    )
}

/** What it begins with is written at once: the one that may take this one's place is to have its window, not an older one's. */
async function beginState(memory: VerifyMemory, fresh: VerifyState, resume: boolean): Promise<VerifyState> {
  const state = (resume ? await memory.read() : undefined) ?? fresh
  await memory.write(state)
  return state
}

function summarize(window: Window, all: readonly TableFindings[], maxDifferences: number): DbVerifySummary {
  return {
    window,
    items: all.map(({ item }) => item),
    counts: sumVerdicts(all),
    differences: all.flatMap(({ differences }) => differences).slice(0, maxDifferences),
    repaired: all.reduce((sum, { repaired }) => sum + repaired, 0),
  }
}

function sumVerdicts(all: readonly TableFindings[]): VerdictCounts {
  const sums = VERDICTS.map((verdict) => [verdict, all.reduce((sum, { item }) => sum + item.counts[verdict], 0)])
  return Object.fromEntries(sums) as VerdictCounts
}

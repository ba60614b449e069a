// What a sync is about to do, agreed and refused before anything is written: the tables, and for each of them and each direction the
// windows to carry.

import { forEachConcurrently } from '../lib/concurrently.ts'
import { type AgreedTable, agreeOnTables } from './agree.ts'
import { describeSides, type Mark, type Marks, openMarks, progressBetween } from './checkpoint.ts'
import {
  type DbSurroundings,
  type DbSyncRequest,
  DIRECTIONS,
  type Direction,
  InvalidDbRequest,
  type Pair,
} from './contract.ts'
import type { TableFacts } from './store.ts'
import type { Window } from './window.ts'
import { isExplicit, type Leg, planLegs, spanOf, type WindowPolicy } from './windows.ts'

/** A table in one direction. */
export interface Way {
  readonly table: AgreedTable
  readonly direction: Direction
  /** How far the runs before have come, between these two stores. */
  readonly mark: Mark
  readonly legs: readonly Leg[]
  /** From the begin of the first window to the end of the last one. */
  readonly window: Window
}

export interface SyncPlan {
  /** By name. */
  readonly tables: readonly AgreedTable[]
  /** In the order of the tables, left to right first. */
  readonly ways: readonly Way[]
  /** Undefined for a shard, which reads and moves no saved end. */
  readonly marks: Marks | undefined
  /** Of all ways; that of a table without a saved end where there is none. */
  readonly window: Window
}

/** Tables that are made at a time. */
const MADE_AT_ONCE = 4

/**
 * Asks both stores and the memory, and writes nothing. Throws InvalidDbRequest, TableRefusedError, StoreFailed, what the memory throws
 * and the reason of the signal.
 */
export async function planSync(
  pair: Pair,
  request: DbSyncRequest,
  { memory, clock, signal }: Pick<DbSurroundings, 'memory' | 'clock' | 'signal'>,
): Promise<SyncPlan> {
  checkShard(request)
  const policy = { nowMs: clock.wallNow(), lagMs: pair.lagMs, overlapMs: pair.overlapMs }
  const [first] = planLegs(request, {}, policy)
  const tables = await agreeOnPair(pair, request.tables, signal)
  const marks = request.shard === undefined ? await openMarks(pair.key, memory) : undefined
  const ways: Way[] = []
  for (const table of tables)
    for (const direction of DIRECTIONS)
      if (request.direction === 'both' || request.direction === direction)
        ways.push(planWay(table, direction, await readMark(pair, table, direction, marks), request, policy))
  return { tables, ways, marks, window: spanOf(ways.length > 0 ? ways.map(({ window }) => window) : windowsOf(first)) }
}

/**
 * The tables of the pair, those of `names` when they are given. Throws InvalidDbRequest for names that are not the pair's, and
 * TableRefusedError for a table that cannot be synced, or that there is not.
 */
export async function agreeOnPair(
  pair: Pair,
  names: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<readonly AgreedTable[]> {
  const asked = chooseTables(pair, names)
  const [left, right] = await describeBoth(pair, asked, signal)
  const isMissing = asked !== 'all' && asked.some((name) => !left.has(name) && !right.has(name))
  const { policy, deletedField } = pair
  return agreeOnTables(left, right, {
    ...{ names: asked, leftKind: pair.left.kind, rightKind: pair.right.kind, policy, deletedField },
    known: isMissing ? await listTables(pair, signal) : undefined,
  })
}

async function describeBoth(
  pair: Pair,
  names: readonly string[] | 'all',
  signal: AbortSignal,
): Promise<readonly [ReadonlyMap<string, TableFacts>, ReadonlyMap<string, TableFacts>]> {
  const left = pair.left.describeTables(names, signal)
  const right = pair.right.describeTables(names, signal)
  // Both are waited for, so that nothing goes on behind the back of who is told of the failure.
  await Promise.allSettled([left, right])
  return await Promise.all([left, right])
}

async function listTables(pair: Pair, signal: AbortSignal): Promise<readonly string[]> {
  const sides = await describeBoth(pair, pair.tables, signal)
  return sides.flatMap((side) => [...side.keys()])
}

/**
 * Makes the tables that one side lacks, and lists all of them in the memory. What was saved of a table that is made now is forgotten
 * first: the new one has none of the rows that were carried before.
 */
export async function makeTables(
  { left, right }: Pair,
  plan: Pick<SyncPlan, 'tables' | 'marks'>,
  signal: AbortSignal,
): Promise<void> {
  await plan.marks?.register(plan.tables.map(({ name }) => name))
  const missing = plan.tables.filter(({ create }) => create !== undefined)
  await forEachConcurrently(missing, MADE_AT_ONCE, signal, async (table) => {
    await forgetMade(table, plan.marks)
    const [store, made] = table.create === 'left' ? [left, table.left] : [right, table.right]
    await store.createTable(made, signal)
  })
}

async function forgetMade({ name }: AgreedTable, marks: Marks | undefined): Promise<void> {
  if (marks === undefined) return
  for (const direction of DIRECTIONS) {
    const mark = await marks.read(name, direction)
    if (!isByHand(mark)) await marks.write(name, direction, {})
  }
}

function checkShard({ shard, begin, end, direction }: DbSyncRequest): void {
  if (shard === undefined) return
  const { index, of, splits } = shard
  if (!Number.isSafeInteger(of) || !Number.isSafeInteger(index) || of < 1 || index < 0 || index >= of)
    throw new InvalidDbRequest('shard', `shard ${index} of ${of} is none: it is 0 to one less than their number`)
  if (begin === undefined || end === undefined)
    throw new InvalidDbRequest('shard', 'a shard needs an explicit begin and end, the same for all shards')
  if (splits !== undefined && direction === 'both')
    throw new InvalidDbRequest('shard', 'what is cut already is cut for one direction')
}

function chooseTables({ tables }: Pair, names: readonly string[] | undefined): readonly string[] | 'all' {
  if (names === undefined) return tables
  if (names.length === 0) throw new InvalidDbRequest('tables', 'no table is named; leave it out for all of the pair')
  const foreign = tables === 'all' ? undefined : names.find((name) => !tables.includes(name))
  if (foreign !== undefined && tables !== 'all')
    throw new InvalidDbRequest('tables', `table ${foreign} is not one of the pair's: ${tables.join(', ')}`)
  return [...new Set(names)]
}

/** What counts of the mark: of a table that is to be made, and between other stores, only what was set by hand. */
async function readMark(
  { left, right }: Pair,
  { name, create }: AgreedTable,
  direction: Direction,
  marks: Marks | undefined,
): Promise<Mark> {
  if (marks === undefined) return {}
  const sides = describeSides(left, right)
  const mark = await marks.read(name, direction)
  return { ...(create === undefined || isByHand(mark) ? progressBetween(mark, sides) : {}), sides }
}

const isByHand = ({ sides }: Mark): boolean => sides === undefined

function planWay(
  table: AgreedTable,
  direction: Direction,
  mark: Mark,
  request: DbSyncRequest,
  policy: WindowPolicy,
): Way {
  const legs = namingTable(table.name, direction, () => planLegs(request, mark, policy))
  return { table, direction, mark, legs, window: spanOf(legs.map(({ window }) => window)) }
}

/** A bound that is well in itself may be before the saved end of one table. */
function namingTable<T>(table: string, direction: Direction, plan: () => T): T {
  try {
    return plan()
  } catch (error) {
    if (!(error instanceof InvalidDbRequest)) throw error
    throw new InvalidDbRequest(error.field, `table ${table}, ${direction}: ${error.message}`)
  }
}

const windowsOf = (leg: Leg | undefined): readonly Window[] => (leg === undefined ? [] : [leg.window])

/** True when what is done of a window is saved, and its end when all of it is. */
export const isSaved = (request: DbSyncRequest): boolean =>
  !request.dryRun && request.shard === undefined && !isExplicit(request)

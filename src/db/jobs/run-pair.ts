// A sync of a pair whose rows are carried by workers in Pods: it agrees and plans as syncPair does, has one Indexed Job after the other
// do the work (left to right first), and saves what syncPair saves, when every shard has told what it did. A service that is restarted
// finds what it had planned in the state, and the Job by its name.

import { Turns } from '../../lib/turns.ts'
import type { AgreedTable } from '../agree.ts'
import { describeSides } from '../checkpoint.ts'
import {
  COUNTS,
  type Counts,
  type DbItem,
  type DbSummary,
  type DbSurroundings,
  DbSyncFailed,
  type DbSyncRequest,
  DIRECTIONS,
  InvalidDbRequest,
  type Pair,
} from '../contract.ts'
import { NO_COUNTS, sumCounts } from '../counts.ts'
import { type LetterBoxes, openLetterBoxes } from '../dead-letters.ts'
import { createEcho } from '../echo.ts'
import { Figures } from '../figures.ts'
import { Ledger } from '../ledger.ts'
import { carryTable, SPLITS_AT_ONCE } from '../pipeline.ts'
import { isSaved, makeTables, planSync, type SyncPlan, type Way } from '../plan.ts'
import { gatheredKey, jobsKey } from '../remembered.ts'
import { spanOf } from '../windows.ts'
import { checkVersion, deleteJob, endJob } from './api.ts'
import { countsOf, type Gathered, NOTHING_GATHERED } from './gathered.ts'
import { decodeRun, describeRequest, encodeRun, isStillDue, type KeptRun, type Step } from './kept.ts'
import { decodeOrder, encodeOrder, type OrderedTable, type WorkOrder } from './order.ts'
import { MAX_TABLES } from './report.ts'
import { carryStep, createKey, type JobsPlace } from './step.ts'

interface Work {
  readonly pair: Pair
  readonly request: DbSyncRequest
  readonly surroundings: DbSurroundings
  readonly place: JobsPlace
  readonly plan: SyncPlan
  readonly letters: LetterBoxes
  /** What became of rows that were tried again, by way. */
  readonly retried: Map<Way, Counts>
}

/** What syncPair answers and throws, and JobsUnusable before anything is written. A shard cannot be cut again: InvalidDbRequest. */
export async function runPairAsJobs(
  pair: Pair,
  request: DbSyncRequest,
  surroundings: DbSurroundings,
  place: JobsPlace,
): Promise<DbSummary> {
  if (request.shard !== undefined) throw new InvalidDbRequest('shard', 'a shard is what one worker does')
  const { signal, memory } = surroundings
  try {
    await checkVersion(place, signal)
    const first = await runOnce(pair, request, surroundings, place)
    // What an earlier run had planned is done: now what is new since.
    if (!first.wasTakenUp || !isSaved(request)) return first.summary
    const { summary } = await runOnce(pair, request, surroundings, place)
    return mergeSummaries(first.summary, summary)
  } catch (error) {
    if (signal.aborted && place.isFinal(signal.reason)) await endKeptJob(pair, memory, place)
    throw error
  }
}

/** Nobody goes on with it now: when this resolves, none of its workers writes any more. What they have done stays done. */
async function endKeptJob({ key }: Pair, memory: DbSurroundings['memory'], place: JobsPlace): Promise<void> {
  const text = await memory.getValue(jobsKey(key))
  if (text === undefined) return
  const { job, ...run } = decodeRun(text)
  if (job === undefined) return
  await endJob(place, job.name)
  await memory.putValue(jobsKey(key), encodeRun(run))
}

async function runOnce(
  pair: Pair,
  request: DbSyncRequest,
  surroundings: DbSurroundings,
  place: JobsPlace,
): Promise<{ readonly summary: DbSummary; readonly wasTakenUp: boolean }> {
  const { memory, signal, onDeadLetters } = surroundings
  const plan = await planSync(pair, request, surroundings)
  const letters = await openLetterBoxes(pair.key, plan.marks && memory, plan.marks?.tables ?? [])
  const work: Work = { pair, request, surroundings, place, plan, letters, retried: new Map() }
  const taken = await takeUp(work)
  if (!request.dryRun) await makeTables(pair, plan, signal)
  let run = taken ?? planRun(work)
  const keep = async (next: KeptRun) => {
    run = next
    await memory.putValue(jobsKey(pair.key), encodeRun(next))
  }
  try {
    await keep(run)
    if (!request.dryRun) await retryDeadLetters(work)
    while (run.at < run.steps.length) await carryNextStep(run, work, keep)
    await forget(work)
  } catch (error) {
    // The reason why it ended is what there is to tell, whatever becomes of the list.
    if (!request.dryRun) await onDeadLetters(letters.list()).catch(() => {})
    signal.throwIfAborted()
    const why = error instanceof Error ? error.message : String(error)
    const message = `${why}; ${run.at} of ${run.steps.length} Jobs are done; the next run of this request goes on from there`
    throw new DbSyncFailed(message, summarize(run, work), { cause: error })
  }
  if (!request.dryRun) await onDeadLetters(letters.list())
  return { summary: summarize(run, work), wasTakenUp: taken !== undefined }
}

/** The run that the state holds, when it is of this request and still to be done; another one is ended. */
async function takeUp({ pair, request, surroundings, place, plan }: Work): Promise<KeptRun | undefined> {
  const { memory, signal } = surroundings
  const text = await memory.getValue(jobsKey(pair.key))
  if (text === undefined) return undefined
  const kept = decodeRun(text)
  const known = new Set(plan.tables.filter(({ create }) => create === undefined).map(({ name }) => name))
  const isSame =
    kept.request === describeRequest(request) &&
    kept.sides === describeSides(pair.left, pair.right) &&
    (request.dryRun || kept.steps.every(({ tables }) => tables.every(({ name }) => known.has(name)))) &&
    isStillDue(kept, (table, direction) => wayOf(plan, table, direction)?.mark.endMs)
  if (isSame) return kept
  if (kept.job !== undefined) await deleteJob(place, kept.job.name, signal)
  return undefined
}

function planRun({ pair, request, surroundings, plan }: Work): KeptRun {
  const steps = DIRECTIONS.flatMap((direction) => {
    const ways = plan.ways.filter((way) => way.direction === direction)
    return chunk(ways, MAX_TABLES).map((some): Step => ({ direction, tables: some.map((way) => planTable(way)) }))
  })
  return {
    request: describeRequest(request),
    key: createKey(),
    plannedAt: surroundings.clock.wallNow(),
    sides: describeSides(pair.left, pair.right),
    ...{ steps, at: 0, items: [], round: 0 },
  }
}

/** What a process has left half done is carried as a whole once more: parts of it are no shards. */
function planTable({ table: { name }, window, mark, legs }: Way): Step['tables'][number] {
  const saveEndMs = legs.map((leg) => leg.saveEndMs).findLast((end) => end !== undefined)
  return {
    ...{ name, window },
    ...(mark.endMs !== undefined && { savedEndMs: mark.endMs }),
    ...(saveEndMs !== undefined && { saveEndMs }),
  }
}

/** Rows that failed before are few: this process tries them. */
async function retryDeadLetters(work: Work): Promise<void> {
  const { pair, surroundings, plan, letters, retried } = work
  const { clock, signal } = surroundings
  const traffic = { dryRun: false, clock, signal, halt: signal, turns: new Turns(SPLITS_AT_ONCE) }
  for (const way of plan.ways) {
    const { table, direction, window, mark } = way
    const box = letters.of(table.name, direction)
    if (box.size === 0) continue
    const [left, right] = [pair.left.openTable(table.left), pair.right.openTable(table.right)]
    const figures = new Figures({ table: table.name, direction, window, clock, onProgress: () => {} })
    const [source, target] = direction === 'left-to-right' ? [left, right] : [right, left]
    const ledger = new Ledger({ clock, mark, write: undefined, letters: box })
    const passage = {
      table: table.name,
      direction,
      source,
      target,
      legs: [],
      cut: async () => [],
      letters: box,
      retries: true,
      isExplicit: false,
    }
    await carryTable({ ...passage, ledger, figures, echo: createEcho() }, traffic)
    if (figures.item !== undefined) retried.set(way, figures.item)
  }
}

async function carryNextStep(run: KeptRun, work: Work, keep: (run: KeptRun) => Promise<void>): Promise<void> {
  const { pair, surroundings, place } = work
  const { clock, memory, onItem } = surroundings
  const startedAt = clock.now()
  let current = run
  if (run.order === undefined) {
    const { text } = encodeOrder(await cutStep(run, work))
    current = { ...run, order: text }
    await keep(current)
  }
  const order = decodeOrder(current.order ?? '')
  const track = async (next: KeptRun) => {
    current = next
    await keep(next)
  }
  const gathered =
    order.of === 0
      ? NOTHING_GATHERED
      : await carryStep(current, order, { place, pairKey: pair.key, surroundings, keep: track })
  const items = await closeStep(current, gathered, Math.round(clock.now() - startedAt), work)
  const { order: _order, job: _job, ...rest } = current
  await keep({ ...rest, at: run.at + 1, round: 0, items: [...run.items, ...items] })
  await memory.putValue(gatheredKey(pair.key), undefined)
  for (const item of items) await onItem(item)
}

/** An Elasticsearch is cut by what it holds, for time slices of equal length can hold anything; the others cut themselves evenly. */
async function cutStep(run: KeptRun, { pair, request, surroundings, place, plan }: Work): Promise<WorkOrder> {
  const { direction, tables } = stepOf(run)
  const source = direction === 'left-to-right' ? pair.left : pair.right
  const ordered: OrderedTable[] = []
  for (const { name, window } of tables) {
    const agreed = plan.tables.find((table) => table.name === name)
    if (window.beginMs === window.endMs) ordered.push({ name, window, splits: [] })
    else if (source.kind !== 'elasticsearch' || agreed === undefined) ordered.push({ name, window })
    else {
      const table = source.openTable(sideOf(agreed, direction))
      const splits = await table.plan(window, { atLeast: place.shards, signal: surroundings.signal })
      ordered.push({ name, window, splits })
    }
  }
  const most = Math.max(...ordered.map(({ splits }) => splits?.length ?? place.shards))
  const of = Math.min(place.shards, most)
  return { pair: place.pairName, direction, dryRun: request.dryRun, tables: ordered, of }
}

const sideOf = (table: AgreedTable, direction: Step['direction']): AgreedTable['left'] =>
  direction === 'left-to-right' ? table.left : table.right

/** Saves what the step has come to: dead letters first, then the ends. Doing it twice changes nothing. */
async function closeStep(run: KeptRun, gathered: Gathered, ms: number, work: Work): Promise<readonly DbItem[]> {
  const { pair, request, plan, letters, retried } = work
  const { direction, tables } = stepOf(run)
  const items: DbItem[] = []
  for (const { name, window, saveEndMs } of tables) {
    const way = wayOf(plan, name, direction)
    const box = letters.of(name, direction)
    const before = new Set(box.ids())
    const reported = gathered.letters.filter(({ table }) => table === name)
    const isKept = request.dryRun || reported.map(({ id, reason, at }) => box.add(id, reason, at)).every(Boolean)
    const isWhole = isKept && !gathered.untold.has(name)
    if (!request.dryRun) await box.save()
    if (isWhole && saveEndMs !== undefined && isSaved(request))
      await plan.marks?.write(name, direction, { endMs: saveEndMs, sides: describeSides(pair.left, pair.right) })
    // Tried again in vain, and then met by a shard: one row.
    const twice = way !== undefined && retried.has(way) ? reported.filter(({ id }) => before.has(id)).length : 0
    const again = (way && retried.get(way)) ?? NO_COUNTS
    const counts = sumCounts([countsOf(gathered, name), again])
    items.push({
      ...{ table: name, direction, window, ms },
      ...{ ...counts, read: counts.read - twice, failed: counts.failed - twice },
      ...(!isWhole && { note: NOT_TOLD }),
    })
  }
  return items
}

const NOT_TOLD =
  'more rows have failed than could be told one by one: the saved end stays, and the next run reads them again'

const wayOf = ({ ways }: SyncPlan, table: string, direction: Step['direction']): Way | undefined =>
  ways.find((way) => way.table.name === table && way.direction === direction)

function stepOf(run: KeptRun): Step {
  const step = run.steps[run.at]
  if (step === undefined) throw new RangeError(`the run has ${run.steps.length} steps and none of number ${run.at}`)
  return step
}

async function forget({ pair, surroundings: { memory } }: Work): Promise<void> {
  await memory.putValue(jobsKey(pair.key), undefined)
}

function summarize(run: KeptRun, { plan, letters }: Work): DbSummary {
  const items = sortItems(run.items)
  const window = items.length > 0 ? spanOf(items.map((item) => item.window)) : plan.window
  return { window, items, counts: sumCounts(items), deadLetters: letters.size }
}

function mergeSummaries(first: DbSummary, second: DbSummary): DbSummary {
  const items = new Map<string, DbItem>()
  for (const item of [...first.items, ...second.items]) {
    const key = JSON.stringify([item.table, item.direction])
    const before = items.get(key)
    items.set(key, before === undefined ? item : mergeItems(before, item))
  }
  const merged = sortItems([...items.values()])
  return {
    window: spanOf([first.window, second.window]),
    items: merged,
    counts: sumCounts(merged),
    deadLetters: second.deadLetters,
  }
}

function mergeItems(a: DbItem, b: DbItem): DbItem {
  const counts = Object.fromEntries(COUNTS.map((name) => [name, a[name] + b[name]])) as Counts
  return { ...a, ...b, ...counts, window: spanOf([a.window, b.window]), ms: a.ms + b.ms }
}

function sortItems(items: readonly DbItem[]): readonly DbItem[] {
  const place = ({ direction }: DbItem) => DIRECTIONS.indexOf(direction)
  return items.toSorted((a, b) => (a.table === b.table ? place(a) - place(b) : a.table < b.table ? -1 : 1))
}

function chunk<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
}

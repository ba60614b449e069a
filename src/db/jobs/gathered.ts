// What the shards of one direction have reported so far, added up: this is kept in the state, for the Pods that said it can vanish. Pure.
import { COUNTS, type Counts, type DeadLetter, type Direction } from '../contract.ts'
import type { ShardReport } from './report.ts'
import { formatShards, parseShards } from './shard-set.ts'

export interface Gathered {
  readonly done: ReadonlySet<number>
  /** By table. */
  readonly counts: ReadonlyMap<string, Counts>
  readonly letters: readonly DeadLetter[]
  /** Tables with failed rows that nobody has told one by one, and their number. */
  readonly untold: ReadonlyMap<string, number>
}

/** More failed rows than these are counted, not kept. */
export const MAX_LETTERS = 10_000

export const NOTHING_GATHERED: Gathered = { done: new Set(), counts: new Map(), letters: [], untold: new Map() }

const NONE: Counts = { read: 0, applied: 0, older: 0, equal: 0, echoed: 0, failed: 0 }

/** With this report too; the same when the shard has reported already: of two runs of one shard the first one counts. */
export function gather(before: Gathered, report: ShardReport, direction: Direction, at: number): Gathered {
  if (before.done.has(report.shard)) return before
  const counts = new Map(before.counts)
  const untold = new Map(before.untold)
  const letters = [...before.letters]
  for (const { table, counts: more, letters: failed, untold: beyond } of report.tables) {
    counts.set(table, addCounts(counts.get(table) ?? NONE, more))
    const room = Math.max(0, MAX_LETTERS - letters.length)
    for (const { id, reason } of failed.slice(0, room)) letters.push({ table, direction, id, reason, at })
    const missing = beyond + Math.max(0, failed.length - room)
    if (missing > 0) untold.set(table, (untold.get(table) ?? 0) + missing)
  }
  return { done: new Set([...before.done, report.shard]), counts, letters, untold }
}

/** What a table has come to by now. */
export function countsOf({ counts }: Gathered, table: string): Counts {
  return counts.get(table) ?? NONE
}

/** The shards of 0 to `of` - 1 that have not reported, in order. */
export function missingShards({ done }: Gathered, of: number): readonly number[] {
  return Array.from({ length: of }, (_, at) => at).filter((at) => !done.has(at))
}

function addCounts(a: Counts, b: Counts): Counts {
  return Object.fromEntries(COUNTS.map((name) => [name, a[name] + b[name]])) as Counts
}

/** As JSON. */
export function encodeGathered({ done, counts, letters, untold }: Gathered): string {
  return JSON.stringify({
    done: formatShards(done),
    counts: [...counts].map(([table, figures]) => [table, ...COUNTS.map((name) => figures[name])]),
    letters: letters.map(({ table, direction, id, reason, at }) => [table, direction, id, reason, at]),
    untold: [...untold],
  })
}

interface Encoded {
  readonly done: string
  readonly counts: readonly (readonly [table: string, ...figures: number[]])[]
  readonly letters: readonly (readonly [string, Direction, string, string, number])[]
  readonly untold: readonly (readonly [string, number])[]
}

/** The other way; text that encodeGathered has written. */
export function decodeGathered(text: string): Gathered {
  const { done, counts, letters, untold }: Encoded = JSON.parse(text)
  return {
    done: parseShards(done),
    counts: new Map(
      counts.map(([table, ...figures]) => [
        table,
        Object.fromEntries(COUNTS.map((name, at) => [name, figures[at] ?? 0])) as Counts,
      ]),
    ),
    letters: letters.map(([table, direction, id, reason, at]) => ({ table, direction, id, reason, at })),
    untold: new Map(untold),
  }
}

// What the state holds of a run whose rows workers carry, so that a service that was restarted goes on with the Job that runs: the steps
// that were planned (one Job each), how far they are, and what the shards of the step under way have reported. Pure.
import type { DbItem, DbSyncRequest, Direction } from '../contract.ts'
import { digest, isMs, isOptional, isText, readJson, writeJson } from '../remembered.ts'
import type { Window } from '../window.ts'

export interface KeptRun {
  /** Of what was asked: another request does not go on with it. */
  readonly request: string
  /** Tells the names of its Jobs from those of other runs: 8 digits. */
  readonly key: string
  /** The moment that its windows were planned at, milliseconds since 1970. */
  readonly plannedAt: number
  /** Between which two stores. */
  readonly sides: string
  readonly steps: readonly Step[]
  /** The step under way. */
  readonly at: number
  /** What became of the tables of the steps before. */
  readonly items: readonly DbItem[]
  /** Of the step under way: all of it, as text; undefined before it was cut into shards. */
  readonly order?: string | undefined
  /** Jobs of the step so far. */
  readonly round: number
  /** The Job that may be there, and the shards that its indexes are. */
  readonly job?: { readonly name: string; readonly shards: string } | undefined
}

/** Tables of one direction that one Job carries. */
export interface Step {
  readonly direction: Direction
  readonly tables: readonly StepTable[]
}

export interface StepTable {
  readonly name: string
  readonly window: Window
  /** Where the saved end was when the window was planned, milliseconds since 1970: set by hand since, it makes the plan void. */
  readonly savedEndMs?: number | undefined
  /** What is saved as the end when the step is done; undefined leaves it. */
  readonly saveEndMs?: number | undefined
}

/** The same for requests that ask for the same. */
export function describeRequest({ tables, direction, begin, end, dryRun }: DbSyncRequest): string {
  return digest(JSON.stringify([tables === undefined ? null : [...tables].sort(), direction, begin, end, dryRun]))
}

export function encodeRun(run: KeptRun): string {
  return writeJson(run)
}

/** Throws UnreadableMemory. */
export function decodeRun(text: string): KeptRun {
  return readJson<KeptRun>(
    text,
    ({ request, key, plannedAt, sides, steps, at, items, order, round }) =>
      isText(request) &&
      isText(key) &&
      isMs(plannedAt) &&
      isText(sides) &&
      Array.isArray(steps) &&
      isMs(at) &&
      Array.isArray(items) &&
      isOptional(order, isText) &&
      isMs(round),
  )
}

/** Whether its windows are still those to be carried: the saved ends are where they were, or where this run has put them. */
export function isStillDue(
  { steps, at }: KeptRun,
  endOf: (table: string, direction: Direction) => number | undefined,
): boolean {
  return steps.every(({ direction, tables }, place) =>
    tables.every(({ name, savedEndMs, saveEndMs }) => {
      const endMs = endOf(name, direction)
      return endMs === savedEndMs || (place <= at && saveEndMs !== undefined && endMs === saveEndMs)
    }),
  )
}

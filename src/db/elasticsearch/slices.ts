// Windows cut by how many documents they have: counts of parts of a window tell where to cut further. Without aggregations, which a
// server need not have.
import { forEachConcurrently } from '../../lib/concurrently.ts'
import type { Split } from '../store.ts'
import { cutWindow, type Window } from '../window.ts'

/** A part of a window, and how many documents it had when it was cut; undefined where nobody has counted. */
export interface Slice extends Window {
  readonly count: number | undefined
}

export type Count = (window: Window) => Promise<number>

/**
 * A slice has about so many documents at most, unless one millisecond alone has more: what is begun again if it cannot be finished. No
 * fewer without need, for documents that are not stored in the order of their dates cost the server twice as much by slices.
 */
export const MAX_PER_SLICE = 250_000
/** Not cut further for the sake of having more slices. */
const MIN_PER_SLICE = 5_000
const PARTS = 32
const COUNTS_AT_ONCE = 4
/** Slices in all shards together: a shard has some all over the window, for the rows of a table are seldom spread evenly over time. */
const SHARD_SLICES = 4_096
const MAX_SLICES_PER_SHARD = 64
/** A few shards have each enough of everything by fewer. */
const SLICES_PER_SHARD_AND_SHARD = 4

/** Cuts a window that has `total` documents; oldest first. Slices without documents are left out. */
export async function cutByCounts(
  window: Window,
  total: number,
  count: Count,
  atLeast: number,
  signal: AbortSignal,
): Promise<readonly Slice[]> {
  if (total === 0) return []
  const limit = Math.min(MAX_PER_SLICE, Math.max(MIN_PER_SLICE, Math.ceil(total / atLeast)))
  const parts = await cutFurther({ ...window, count: total }, limit, count, signal)
  return joinSmall(parts, limit, window)
}

async function cutFurther(
  slice: CountedSlice,
  limit: number,
  count: Count,
  signal: AbortSignal,
): Promise<CountedSlice[]> {
  // A little above the limit is no reason to cut: the parts would be joined to the same again.
  if (slice.count <= limit * 1.2 || slice.endMs - slice.beginMs <= 1) return [slice]
  const parts = cutWindow(slice, PARTS)
  const counted: CountedSlice[][] = []
  await forEachConcurrently(parts.entries(), COUNTS_AT_ONCE, signal, async ([at, part]) => {
    const size = await count(part)
    counted[at] = size === 0 ? [] : await cutFurther({ ...part, count: size }, limit, count, signal)
  })
  return counted.flat()
}

interface CountedSlice extends Slice {
  readonly count: number
}

/** Joins neighbours, and what lies between them, as long as they have no more than `limit` together. They cover the whole window. */
function joinSmall(parts: readonly CountedSlice[], limit: number, window: Window): readonly CountedSlice[] {
  const joined: CountedSlice[] = []
  for (const part of parts) {
    const last = joined.at(-1)
    if (last !== undefined && last.count + part.count <= limit)
      joined[joined.length - 1] = { beginMs: last.beginMs, endMs: part.endMs, count: last.count + part.count }
    else joined.push({ beginMs: last?.endMs ?? window.beginMs, endMs: part.endMs, count: part.count })
  }
  const last = joined.at(-1)
  if (last !== undefined) joined[joined.length - 1] = { ...last, endMs: window.endMs }
  return joined
}

/** The slices of a shard: thin ones, each `of`th of the whole window. The same for everybody, whatever there is in them. */
export function shardWindow(window: Window, index: number, of: number): readonly Slice[] {
  const wanted = of === 1 ? 1 : Math.min(SLICES_PER_SHARD_AND_SHARD * of, MAX_SLICES_PER_SHARD)
  const each = Math.min(wanted, Math.ceil(SHARD_SLICES / of))
  return cutWindow(window, of * each)
    .filter((_, at) => at % of === index)
    .map((part) => ({ ...part, count: undefined }))
}

export function formatSlice({ beginMs, endMs, count }: Slice): Split {
  return count === undefined ? `${beginMs}..${endMs}` : `${beginMs}..${endMs} ${count}`
}

/** Throws RangeError for what formatSlice did not write. */
export function parseSlice(split: Split): Slice {
  const [, begin, end, count] = /^(-?\d{1,16})\.\.(-?\d{1,16})(?: (\d{1,16}))?$/.exec(split) ?? []
  if (begin === undefined || end === undefined) throw new RangeError('no split of a search index')
  return { beginMs: Number(begin), endMs: Number(end), count: count === undefined ? undefined : Number(count) }
}

/** What is in both; undefined where that is nothing. */
export function intersect(slice: Slice, window: Window): Slice | undefined {
  const beginMs = Math.max(slice.beginMs, window.beginMs)
  const endMs = Math.min(slice.endMs, window.endMs)
  if (beginMs >= endMs) return undefined
  const isWhole = beginMs === slice.beginMs && endMs === slice.endMs
  return { beginMs, endMs, count: isWhole ? slice.count : undefined }
}

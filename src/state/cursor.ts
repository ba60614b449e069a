// Pure: where the next page of a list begins, as an opaque text. It names the last entry of the page before, never a number of
// entries: what is added or removed meanwhile moves nothing.
import { InvalidCursor } from './store.ts'

/** `list` tells one list from another: a cursor is of use only in its own. `last`: key of the last entry of the page. */
export function writeCursor(list: string, last: string): string {
  return Buffer.from(JSON.stringify([list, last])).toString('base64url')
}

/** The key that `writeCursor` was given for this list. Throws InvalidCursor for anything that it would not have written. */
export function readCursor(list: string, cursor: string): string {
  const parts = parse(Buffer.from(cursor, 'base64url').toString())
  const [named, last] = Array.isArray(parts) ? parts : []
  // Written again it must be the same text: so nothing is left over, and nothing is read into it.
  if (named !== list || typeof last !== 'string' || writeCursor(list, last) !== cursor) {
    throw new InvalidCursor('the cursor is not the nextCursor of a page of this list')
  }
  return last
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A page out of up to `limit` + 1 entries: the one too many says that there are more. */
export function cutPage<T>(
  list: string,
  entries: readonly T[],
  limit: number,
  keyOf: (entry: T) => string,
): { readonly items: readonly T[]; readonly nextCursor: string | null } {
  const items = entries.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: entries.length > limit && last !== undefined ? writeCursor(list, keyOf(last)) : null }
}

export const RUNS_LIST = 'runs'
export const itemsList = (runId: string): string => `items ${runId}`

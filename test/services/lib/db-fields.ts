// The fields of the tables of the checker on both sides: how users write them, and how they are read back.
import type { Fields } from './db-history.ts'

/** Columns of a table of Cassandra beside id and tmstmp. */
export const COLUMNS = 'payload text, n int, note text, big bigint, tags list<text>'

/** A document with its digits: `big` is beyond what JSON of JavaScript can write. */
export function writeDocument(own: Readonly<Record<string, unknown>>, { big, ...fields }: Fields): string {
  const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
  return `${JSON.stringify({ ...own, ...present }).slice(0, -1)},"big":${big}}`
}

/** JSON with every integer beyond 2^53 as a bigint. */
export function parseExact(text: string): unknown {
  const revive = (_: string, value: unknown, { source }: { readonly source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '')
      ? BigInt(source ?? '')
      : value
  // The third argument is newer than the types.
  return JSON.parse(text, revive as (this: unknown, key: string, value: unknown) => unknown)
}

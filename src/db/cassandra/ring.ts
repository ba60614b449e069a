// The ring of tokens, cut into ranges, and the text of splits. Cut from its least token on, so that no range wraps around the end. Pure.
import type { Split } from '../store.ts'
import { MAX_TOKEN, MIN_TOKEN } from './murmur3.ts'

/** Tokens after `from`, up to and with `to`; from < to. */
export interface TokenRange {
  readonly from: bigint
  readonly to: bigint
}

/** How the rows of a split are found: all are read and those of the window are chosen, or the index on tmstmp is asked. */
export type Access = 'all' | 'index'

export interface RingSplit {
  readonly access: Access
  readonly range: TokenRange
}

export const WHOLE_RING: TokenRange = { from: MIN_TOKEN, to: MAX_TOKEN }
const RING_SIZE = MAX_TOKEN - MIN_TOKEN
const SPLIT = /^(all|index) (-?\d{1,19}) (-?\d{1,19})$/

/** Part `index` (from 0) of the ring in `of` equal ones. Throws RangeError for a part that there is not. */
export function partOfRing(index: number, of: number): TokenRange {
  if (!Number.isSafeInteger(of) || !Number.isSafeInteger(index) || of < 1 || index < 0 || index >= of)
    throw new RangeError(`part ${index} of ${of} is none: it is 0 to one less than their number`)
  const bound = (at: number) => MIN_TOKEN + (RING_SIZE * BigInt(at)) / BigInt(of)
  return { from: bound(index), to: bound(index + 1) }
}

/** The two halves of a range; undefined where it has one token alone. */
export function halveRange({ from, to }: TokenRange): readonly [TokenRange, TokenRange] | undefined {
  if (to - from < 2n) return undefined
  const middle = from + (to - from) / 2n
  return [
    { from, to: middle },
    { from: middle, to },
  ]
}

/** How much of the ring the tokens up to `token` are: above 0, at most 1. */
export function shareUpTo(token: bigint): number {
  // Of 2^64 tokens the first 2^11 cannot be told apart by a number: that many rows do not lie there.
  return Math.max(Number(token - MIN_TOKEN), 1) / Number(RING_SIZE)
}

export function formatSplit({ access, range }: RingSplit): Split {
  return `${access} ${range.from} ${range.to}`
}

/** Throws RangeError for a text that is no split of this store. */
export function parseSplit(split: Split): RingSplit {
  const [, access, start, end] = SPLIT.exec(split) ?? []
  const range = { from: BigInt(start ?? 0), to: BigInt(end ?? 0) }
  if (access === undefined || range.from < MIN_TOKEN || range.to > MAX_TOKEN || range.from >= range.to)
    throw new RangeError(`${JSON.stringify(split)} is no split of a table in Cassandra`)
  return { access: access as Access, range }
}

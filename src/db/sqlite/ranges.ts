// Ranges of ids, as texts: what the splits of a SQLite table are. Pure.
import type { Split } from '../store.ts'

export interface IdRange {
  /** The first text in it; '' for the first of all. */
  readonly from: string
  /** The first text after it; undefined when it goes on to the last of all. */
  readonly to: string | undefined
}

const SPLIT = /^ids ([\da-f-]*)\.\.([\da-f-]*)$/
const WHOLE = { least: 0n, greatest: 2n ** 64n - 1n }

export function formatSplit({ from, to }: IdRange): Split {
  return `ids ${from}..${to ?? ''}`
}

/** Throws RangeError for the split of another store. */
export function parseSplit(split: Split): IdRange {
  const parts = SPLIT.exec(split)
  if (parts === null) throw new RangeError('no split of a SQLite table')
  return { from: parts[1] ?? '', to: parts[2] === '' ? undefined : parts[2] }
}

/**
 * Cuts all texts into at most `parts` (1 or more) ranges in order, of nearly equal width between two ids; the first and the last one go
 * on to either end.
 */
export function cutIds(parts: number, leastId = '', greatestId?: string): readonly IdRange[] {
  const least = leadOf(leastId) ?? WHOLE.least
  const greatest = (greatestId === undefined ? undefined : leadOf(greatestId)) ?? WHOLE.greatest
  const width = greatest - least + 1n
  const bounds = new Set<string>()
  for (let at = 1n; at < BigInt(parts) && width > 0n; at++) {
    const bound = least + (width * at) / BigInt(parts)
    if (bound > least) bounds.add(formatLead(bound))
  }
  const inner = [...bounds]
  return ['', ...inner].map((from, at) => ({ from, to: inner[at] }))
}

/** Range `index` (from 0) of the `of` into which cutIds cuts all texts. */
export function shardOfIds(index: number, of: number): IdRange {
  const boundOf = (at: number) => formatLead((2n ** 64n * BigInt(at)) / BigInt(of))
  return { from: index === 0 ? '' : boundOf(index), to: index === of - 1 ? undefined : boundOf(index + 1) }
}

/** The first 64 bits of a uuid; undefined for other texts. */
function leadOf(id: string): bigint | undefined {
  const digits = id.replaceAll('-', '').slice(0, 16)
  return /^[\da-f]{16}$/.test(digits) ? BigInt(`0x${digits}`) : undefined
}

function formatLead(lead: bigint): string {
  const digits = lead.toString(16).padStart(16, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12)}`
}

// How far another clock is ahead of ours, as far as the header `Date` tells, which has whole seconds only. Pure.

/** The difference is between these, in milliseconds. */
export interface Skew {
  readonly low: number
  readonly high: number
  /** Of the last answer: thousands of answers a second have the same one. */
  readonly date: string
  readonly dateMs: number
}

/**
 * What is known after one more answer. Its date was taken at some moment between `sentAt` and `headAt` (our wall clock,
 * milliseconds), and is less than a second old then. Where that contradicts what was known, a clock was set, and the answer counts
 * alone. A date that cannot be read changes nothing.
 */
export function narrowSkew(known: Skew | undefined, date: string, sentAt: number, headAt: number): Skew | undefined {
  const dateMs = known?.date === date ? known.dateMs : Date.parse(date)
  if (Number.isNaN(dateMs)) return known
  const low = dateMs - headAt
  const high = dateMs + 1_000 - sentAt
  if (known === undefined || low > known.high || high < known.low) return { low, high, date, dateMs }
  return { low: Math.max(low, known.low), high: Math.min(high, known.high), date, dateMs }
}

// How long to wait before the next try: pure, randomness is passed in.
// Full jitter: any moment between now and a bound that doubles, so that those who failed together do not come back together.

export interface BackoffLimits {
  /** Upper bound of the first pause, in milliseconds. */
  readonly baseMs: number
  /** Upper bound of every pause, in milliseconds. */
  readonly capMs: number
}

/**
 * Pause before try `attempt` (0 is the first one after a failure), in whole milliseconds from 0 to `capMs`.
 * `random` gives [0, 1).
 */
export function backoffMs(attempt: number, limits: BackoffLimits, random: () => number): number {
  // Beyond 2^30 the bound has long been the cap, and 2 ** 1024 would be Infinity times zero.
  const bound = Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(30, Math.max(0, attempt)))
  return Math.floor(random() * (bound + 1))
}

/** A pause that the other side asked for, with the jitter added: it is never shortened, and all who were told the same spread out. */
export function backoffAtLeastMs(
  askedMs: number,
  attempt: number,
  limits: BackoffLimits,
  random: () => number,
): number {
  return Math.max(0, askedMs) + backoffMs(attempt, limits, random)
}

/** `Retry-After` (RFC 9110: seconds or a date) as milliseconds from `wallNowMs`; undefined when there is none or it makes no sense. */
export function parseRetryAfterMs(value: string | undefined, wallNowMs: number): number | undefined {
  const text = value?.trim()
  if (text === undefined || text === '') return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  // Date.parse takes far more than dates of HTTP, "-1" for one: only what begins with the name of a day is one.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallNowMs)
}

// All durations of an election or lock, derived from the lease; what could let two lead at once is refused. Pure.
import { InvalidTimings } from './errors.ts'

export interface Timings {
  /** How long a candidate that sees no change waits before it takes over, in milliseconds; Kubernetes counts whole seconds, so it is rounded up there. */
  readonly leaseDurationMs: number
  /** How long after a renewal was sent its leader leads, in milliseconds. */
  readonly renewDeadlineMs: number
  /** From one renewal to the next; at most a third of the lease. */
  readonly renewIntervalMs: number
  /** For one request; at most a third of the lease. */
  readonly requestTimeoutMs: number
  /** Pauses after failures: first upper bound, and upper bound of all; at most a third of the lease. */
  readonly retryBaseMs: number
  readonly retryCapMs: number
  /** Candidates spread their take-overs of an expired Lease over this time; at most 250. */
  readonly jitterMs: number
  /** How far the clocks of two machines may drift apart, as a share: 0.25 allows for one 10 % fast and the other 10 % slow. */
  readonly clockRateError: number
  /** What the work may take to heed its signal. */
  readonly abortBudgetMs: number
  /** A leader looks at the wall clock at least this often; at most half of the 250 ms within which a jump is noticed. */
  readonly tickMs: number
}

const DEFAULT_LEASE_MS = 15_000
const DEFAULT_CLOCK_RATE_ERROR = 0.25
const DEFAULT_ABORT_BUDGET_MS = 250
const MAX_JITTER_MS = 250
const MAX_TICK_MS = 125
/** setTimeout cannot wait any longer. */
const MAX_MS = 2 ** 31 - 1

/** Fills in what was not given. Throws InvalidTimings, saying which setting is wrong and what it may be. */
export function deriveTimings(given: Partial<Timings> = {}): Timings {
  const leaseDurationMs =
    given.leaseDurationMs ?? (given.renewDeadlineMs === undefined ? DEFAULT_LEASE_MS : given.renewDeadlineMs * 1.5)
  const third = leaseDurationMs / 3
  const timings: Timings = {
    leaseDurationMs,
    renewDeadlineMs: given.renewDeadlineMs ?? (leaseDurationMs * 2) / 3,
    renewIntervalMs: given.renewIntervalMs ?? third,
    requestTimeoutMs: given.requestTimeoutMs ?? third,
    retryBaseMs: given.retryBaseMs ?? leaseDurationMs / 60,
    retryCapMs: given.retryCapMs ?? third,
    jitterMs: given.jitterMs ?? Math.min(MAX_JITTER_MS, leaseDurationMs / 12),
    clockRateError: given.clockRateError ?? DEFAULT_CLOCK_RATE_ERROR,
    abortBudgetMs: given.abortBudgetMs ?? DEFAULT_ABORT_BUDGET_MS,
    tickMs: given.tickMs ?? MAX_TICK_MS,
  }
  check(timings)
  return timings
}

function check(timings: Timings): void {
  for (const [name, value] of Object.entries(timings)) {
    const isZeroAllowed = name === 'jitterMs' || name === 'clockRateError' || name === 'abortBudgetMs'
    if (!Number.isFinite(value) || value < 0 || value > MAX_MS || (value === 0 && !isZeroAllowed))
      refuse(`${name} is ${value}; it must be ${isZeroAllowed ? '0 or more' : 'more than 0'}, and at most ${MAX_MS}`)
  }
  const { leaseDurationMs, renewDeadlineMs, clockRateError, abortBudgetMs } = timings
  if (renewDeadlineMs >= leaseDurationMs)
    refuse(`renewDeadlineMs ${renewDeadlineMs} must be less than leaseDurationMs ${leaseDurationMs}`)
  const least = renewDeadlineMs * (1 + clockRateError) + abortBudgetMs
  if (leaseDurationMs < least)
    refuse(
      `leaseDurationMs ${leaseDurationMs} must be at least ${least}: renewDeadlineMs ${renewDeadlineMs} × (1 + clockRateError ${clockRateError}) + abortBudgetMs ${abortBudgetMs}`,
    )
  if (timings.renewIntervalMs >= renewDeadlineMs)
    refuse(`renewIntervalMs ${timings.renewIntervalMs} must be less than renewDeadlineMs ${renewDeadlineMs}`)
  for (const name of ['renewIntervalMs', 'requestTimeoutMs', 'retryBaseMs', 'retryCapMs'] as const) {
    if (timings[name] > leaseDurationMs / 3)
      refuse(`${name} ${timings[name]} must be at most a third of leaseDurationMs, ${leaseDurationMs / 3}`)
  }
  if (timings.jitterMs > MAX_JITTER_MS) refuse(`jitterMs ${timings.jitterMs} must be at most ${MAX_JITTER_MS}`)
  if (timings.tickMs > MAX_TICK_MS) refuse(`tickMs ${timings.tickMs} must be at most ${MAX_TICK_MS}`)
}

function refuse(message: string): never {
  throw new InvalidTimings(message)
}

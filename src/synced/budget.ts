// One budget of probes a second for the whole process: a token bucket. Pure but for its own count.
// A first question may take all of it; asking again leaves half for the first questions of checks that are still to come.

export interface ProbeBudget {
  /** Takes one probe; false when the budget is spent. */
  take(now: number, isFirst: boolean): boolean
  /** Milliseconds until a first question may be asked. */
  pauseMs(now: number): number
}

/** No limit. */
export const unlimited: ProbeBudget = { take: () => true, pauseMs: () => 0 }

/** What may be taken at once after a quiet time, as a part of a second's budget. */
const BURST_SECONDS = 0.1

/** `perSecond` is 1 or more; `now` in milliseconds of a monotonic clock. */
export function createProbeBudget(perSecond: number, startedAt: number): ProbeBudget {
  const capacity = Math.max(1, perSecond * BURST_SECONDS)
  let level = capacity
  let filledAt = startedAt
  const fill = (now: number) => {
    level = Math.min(capacity, level + ((now - filledAt) * perSecond) / 1000)
    filledAt = now
  }
  return {
    take(now, isFirst) {
      fill(now)
      if (level < 1 || (!isFirst && level < capacity / 2)) return false
      level -= 1
      return true
    },
    pauseMs(now) {
      fill(now)
      return level >= 1 ? 0 : ((1 - level) * 1000) / perSecond
    },
  }
}

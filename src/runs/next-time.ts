// When a cron expression comes next. Pure: croner computes it, and sets no timer of its own.
import { Cron } from 'croner'

export interface CronTimes {
  /** Five parts, or six with the seconds first. */
  readonly cron: string
  /** IANA name. */
  readonly timeZone: string
}

/**
 * The first moment after `afterMs` (milliseconds since 1970); undefined when there is none. Where clocks are put forward, a moment
 * that is left out comes when they are; where they are put back, a moment of the day comes once. Throws for an expression that is none.
 */
export function nextTime({ cron, timeZone }: CronTimes, afterMs: number): number | undefined {
  const next = new Cron(cron, { mode: '5-or-6-parts', timezone: timeZone, paused: true }).nextRun(new Date(afterMs))
  return next?.getTime()
}

/** Wall clocks are put right by steps of less than this, in milliseconds: a tick that such a step repeats was meant once. */
const SMALL_STEP_MS = 60_000

export interface Ticking {
  /** Up to this moment everything has been looked at, in milliseconds since 1970. */
  readonly lookedAt: number
  /** The last tick that came; undefined before the first. */
  readonly tickedAt: number | undefined
}

export interface TickLook extends Ticking {
  /** Whether ticks came since: many of them, after the clock has jumped or the machine has slept, are one. */
  readonly isDue: boolean
  readonly nextAt: number | undefined
}

/**
 * Looks at the clock. When it was put back by much, the time that comes again is new time: whoever had a wrong clock for a day does not
 * wait for a day.
 */
export function lookForTick(times: CronTimes, { lookedAt, tickedAt }: Ticking, nowMs: number): TickLook {
  const due = nextTime(times, lookedAt)
  const isDue = due !== undefined && due <= nowMs
  const ticked = isDue ? nowMs : tickedAt
  const from = ticked !== undefined && ticked > nowMs && ticked - nowMs < SMALL_STEP_MS ? ticked : nowMs
  return { isDue, lookedAt: from, tickedAt: ticked, nextAt: nextTime(times, from) }
}

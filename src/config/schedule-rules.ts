// Pure: the rules of schedules, whichever section they are in.
import { Cron, CronPattern } from 'croner'
import type { At } from './rule-parts.ts'
import { readSchedule, type WrittenSchedule } from './schedule-schema.ts'
import type { Problem } from './validate.ts'

/** What is wrong with a schedule at `at`: an expression or a time zone that nobody understands, or that never comes. */
export function checkSchedule(schedule: WrittenSchedule, at: At): Problem[] {
  const { cron, timeZone } = readSchedule(schedule)
  const [atCron, atZone] =
    typeof schedule === 'string'
      ? [at, at]
      : [
          [...at, 'cron'],
          [...at, 'timeZone'],
        ]
  if (!isTimeZone(timeZone)) {
    return [{ at: atZone, message: 'is not a time zone that is known here; use a name such as Europe/Berlin, or UTC' }]
  }
  const fault = findCronFault(cron, timeZone)
  return fault === undefined ? [] : [{ at: atCron, message: fault }]
}

function isTimeZone(name: string): boolean {
  try {
    new Cron('* * * * *', { timezone: name, paused: true }).nextRun()
    return true
  } catch {
    return false
  }
}

function findCronFault(cron: string, timezone: string): string | undefined {
  const mode = '5-or-6-parts'
  try {
    // Cron alone would take a date for an expression.
    new CronPattern(cron, undefined, { mode })
    // No year can be given, so what does not come after this day never comes.
    const first = new Cron(cron, { mode, timezone, paused: true }).nextRun(new Date(Date.UTC(2000, 0, 1)))
    return first === null ? 'is a moment that never comes' : undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)
    return `is not a cron expression of five or six parts: ${reason}`
  }
}

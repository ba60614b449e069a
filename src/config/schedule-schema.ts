// When something is done over and over: a cron expression, alone or with its time zone and jitter. Every section with a schedule uses it.
import { type Static, Type } from 'typebox'
import { type DeepReadonly, Milliseconds, strict } from './schema-parts.ts'

const CronSchema = Type.String({
  minLength: 1,
  maxLength: 256,
  description:
    'Cron expression with five parts (minute, hour, day of month, month, day of week) or six (second first), for example `*/5 * * * *`.',
})

export const ScheduleSchema = Type.Union(
  [
    CronSchema,
    strict({
      cron: CronSchema,
      timeZone: Type.String({
        minLength: 1,
        maxLength: 64,
        default: 'UTC',
        description: 'IANA time zone that the expression is meant in, for example `Europe/Berlin`.',
      }),
      jitterMs: Milliseconds(
        0,
        3_600_000,
        0,
        'Every start is put off by a random time up to this, in milliseconds, so that not all begin at once.',
      ),
    }),
  ],
  {
    description:
      'When it runs by itself: a cron expression (in UTC), or a mapping with `cron`, `timeZone` and `jitterMs`. Left out: never.',
  },
)

/** A schedule in either of the ways to write one. */
export type WrittenSchedule = DeepReadonly<Static<typeof ScheduleSchema>>

/** A schedule with everything said. */
export type ScheduleConfig = Extract<WrittenSchedule, object>

/** Both ways to write a schedule, as one. */
export function readSchedule(written: WrittenSchedule): ScheduleConfig {
  return typeof written === 'string' ? { cron: written, timeZone: 'UTC', jitterMs: 0 } : written
}

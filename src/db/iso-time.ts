// Moments written in ISO 8601, to the millisecond. Pure.

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:Z|([+-])(\d{2})(?::?(\d{2}))?)?)?$/i

export interface Moment {
  /** Whole milliseconds since 1970, what is finer cut off downwards. */
  readonly ms: number
  /** True when nothing was cut off. */
  readonly exact: boolean
}

/**
 * Reads a date, alone or with a time of day (down to nanoseconds) and an offset; UTC where no offset is given.
 * Undefined for other text, and for days and hours that do not exist.
 */
export function parseIso(text: string): Moment | undefined {
  const parts = ISO.exec(text)
  if (parts === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const [fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = parts.slice(7)
  if (hour > 23 || minute > 59 || second > 59 || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined
  // Not Date.UTC, which takes the years 0 to 99 for those of the last century.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  date.setUTCHours(hour, minute, second, Number(fraction.slice(0, 3).padEnd(3, '0')))
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000
  return {
    ms: date.getTime() - (sign === '-' ? -offsetMs : offsetMs),
    exact: !/[1-9]/.test(fraction.slice(3)),
  }
}

// The texts of dates, times, decimals and blobs: one form in which each is written, and all in which it is read.
// Nothing is lost on the way. Every parse function throws ValueError. Pure.
import { parseIso } from './iso-time.ts'
import { describeValue, MAX_INT64, MIN_INT64, NANOSECONDS_PER_DAY, ValueError } from './values.ts'

const MS_PER_DAY = 86_400_000
/** Days from 0000-03-01 to 1970-01-01, and those of 400 years, after which the calendar repeats. */
const DAYS_TO_EPOCH = 719_468
const DAYS_PER_ERA = 146_097
/** Where ISO 8601 has years of four digits: 0000-01-01 to the end of 9999. */
const FIRST_PLAIN_MS = -62_167_219_200_000
const LAST_PLAIN_MS = 253_402_300_799_999

const DATE = /^([+-]?\d{4,7})-(\d{2})-(\d{2})$/
const TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?$/
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i
const DECIMAL = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,10}))?$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Any uuid, in lower case. */
export function parseUuid(text: string): string {
  if (!UUID.test(text)) throw new ValueError(`${describeValue(text)} is no uuid`)
  return text.toLowerCase()
}

/** A uuid of version 1, in lower case. */
export function parseTimeuuidText(text: string): string {
  if (!UUID.test(text) || text[14] !== '1') throw new ValueError(`${describeValue(text)} is no timeuuid`)
  return text.toLowerCase()
}

/** Days since 1970 (32 bits signed) as `2015-01-31`; years beyond four digits get a sign. */
export function formatDate(days: number): string {
  // The year begins in March here, so that the odd day comes last.
  const shifted = days + DAYS_TO_EPOCH
  const era = Math.floor(shifted / DAYS_PER_ERA)
  const dayOfEra = shifted - era * DAYS_PER_ERA
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${formatYear(year)}-${pad2(month)}-${pad2(day)}`
}

/** Days since 1970, of a date alone or of a moment at midnight UTC. */
export function parseDate(text: string): number {
  const parts = DATE.exec(text)
  if (parts === null) {
    const moment = parseIso(text)
    if (moment?.exact && moment.ms % MS_PER_DAY === 0) return moment.ms / MS_PER_DAY
    throw new ValueError(`${describeValue(text)} is no date`)
  }
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const days = daysOf(year, month, day)
  if (
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysOf(year + (month === 12 ? 1 : 0), (month % 12) + 1, 1) - daysOf(year, month, 1)
  )
    throw new ValueError('the calendar has no such day')
  if (days < -(2 ** 31) || days > 2 ** 31 - 1)
    throw new ValueError('the date is outside -5877641-06-23 to +5881580-07-11')
  return days
}

/** Nanoseconds since midnight as `13:30:54.234000000`. */
export function formatTimeOfDay(nanoseconds: number): string {
  const seconds = Math.floor(nanoseconds / 1e9)
  const fraction = String(nanoseconds - seconds * 1e9).padStart(9, '0')
  return `${pad2(Math.floor(seconds / 3_600))}:${pad2(Math.floor(seconds / 60) % 60)}:${pad2(seconds % 60)}.${fraction}`
}

/** Nanoseconds since midnight; the fraction may be shorter than nine digits, or left out. */
export function parseTimeOfDay(text: string): number {
  const parts = TIME.exec(text)
  if (parts === null) throw new ValueError(`${describeValue(text)} is no time of day`)
  const seconds = Number(parts[1]) * 3_600 + Number(parts[2]) * 60 + Number(parts[3])
  return seconds * 1e9 + Number((parts[4] ?? '').padEnd(9, '0'))
}

/** Throws ValueError for nanoseconds beyond a day: a cell can hold them, but they are no time. */
export function checkTimeOfDay(nanoseconds: number): number {
  if (!(nanoseconds >= 0 && nanoseconds < NANOSECONDS_PER_DAY)) throw new ValueError('the time is outside a day')
  return nanoseconds
}

/** JSON of milliseconds since 1970: ISO 8601 in UTC, in quotes; a number outside the years 0 to 9999. */
export function writeTimestampJson(ms: number | bigint): string {
  if (ms < FIRST_PLAIN_MS || ms > LAST_PLAIN_MS) return String(ms)
  return `"${writePlainTime(Number(ms))}"`
}

/** The days that were written of late: documents of one table are of few. */
const DAYS = new Map<number, string>()
const MOST_DAYS = 1_000
const DAY_MS = 86_400_000

/** As Date.toISOString, in a quarter of its time. */
function writePlainTime(ms: number): string {
  const day = Math.floor(ms / DAY_MS)
  const rest = ms - day * DAY_MS
  const [hours, minutes, seconds] = [
    Math.floor(rest / 3_600_000),
    Math.floor(rest / 60_000) % 60,
    Math.floor(rest / 1_000) % 60,
  ]
  return `${writeDay(day)}T${TWO[hours]}:${TWO[minutes]}:${TWO[seconds]}.${THREE[rest % 1_000]}Z`
}

const TWO = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))
const THREE = Array.from({ length: 1_000 }, (_, value) => String(value).padStart(3, '0'))

function writeDay(day: number): string {
  const known = DAYS.get(day)
  if (known !== undefined) return known
  if (DAYS.size >= MOST_DAYS) DAYS.clear()
  const text = new Date(day * DAY_MS).toISOString().slice(0, 10)
  DAYS.set(day, text)
  return text
}

/** Milliseconds since 1970; what is finer is cut off, as Elasticsearch cuts it off in a date. */
export function parseTimestamp(text: string): number | bigint {
  if (/^-?\d{5,19}$/.test(text)) return timestampOf(BigInt(text))
  const moment = parseIso(text)
  if (moment === undefined) throw new ValueError(`${describeValue(text)} is no timestamp`)
  return moment.ms
}

/** The value of so many milliseconds since 1970. Throws ValueError beyond 64 bits. */
export function timestampOf(ms: bigint): number | bigint {
  if (ms < MIN_INT64 || ms > MAX_INT64) throw new ValueError('the timestamp is outside 64 bits')
  const number = Number(ms)
  return Number.isSafeInteger(number) ? number : ms
}

/** unscaled * 10^-scale, with all its zeros: `1.10`, `1E+3`, `0E-7`; another text for every other pair (Java's form). */
export function formatDecimal(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled)
  const sign = unscaled < 0n ? '-' : ''
  if (scale === 0) return sign + digits
  const exponent = digits.length - 1 - scale
  if (scale > 0 && exponent >= -6) {
    const padded = digits.padStart(scale + 1, '0')
    return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
  }
  const point = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits
  return `${sign}${point}E${exponent >= 0 ? '+' : ''}${exponent}`
}

export interface Decimal {
  readonly unscaled: bigint
  /** 32 bits signed. */
  readonly scale: number
}

/** The pair that formatDecimal writes, of any decimal notation. */
export function parseDecimal(text: string): Decimal {
  const parts = DECIMAL.exec(text)
  if (parts === null) throw new ValueError(`${describeValue(text)} is no decimal number`)
  const [, sign = '', whole = '', after = '', only = '', exponent = '0'] = parts
  const fraction = after + only
  const scale = fraction.length - Number(exponent)
  if (scale < -(2 ** 31) || scale > 2 ** 31 - 1) throw new ValueError('the exponent is outside 32 bits')
  const digits = BigInt(whole + fraction)
  return { unscaled: sign === '-' ? -digits : digits, scale: scale === 0 ? 0 : scale }
}

/** Base64 with padding. */
export function formatBlob(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Throws ValueError where Buffer would leave out what it does not know. */
export function parseBlob(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !BASE64.test(text)) throw new ValueError(`${describeValue(text)} is no base64`)
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text)
    throw new ValueError(`${describeValue(text)} is no base64 with zeros in its last bits`)
  return bytes
}

function formatYear(year: number): string {
  if (year >= 0 && year <= 9_999) return String(year).padStart(4, '0')
  return year < 0 ? `-${String(-year).padStart(4, '0')}` : `+${year}`
}

function daysOf(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * DAYS_PER_ERA + dayOfEra - DAYS_TO_EPOCH
}

function pad2(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}

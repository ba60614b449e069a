// Pure: numbers, moments and durations as people read them. Moments that are compared are milliseconds since 1970.

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * A duration in its two largest units: `480 ms`, `4.2 s`, `3 min 20 s`, `2 d 4 h`.
 * @param {number} ms
 */
export function formatDuration(ms) {
  if (!Number.isFinite(ms)) return '–'
  if (ms < 0) return formatDuration(0)
  if (ms < 10) return `${trim(ms, 1)} ms`
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${trim(ms / SECOND, ms < 10 * SECOND ? 1 : 0)} s`
  if (ms < HOUR - 500) return two(ms, MINUTE, 'min', SECOND, 's')
  if (ms < DAY - MINUTE / 2) return two(ms, HOUR, 'h', MINUTE, 'min')
  return two(ms, DAY, 'd', HOUR, 'h')
}

/**
 * A whole number of seconds at least, for what counts by itself while it is looked at.
 * @param {number} ms
 */
export function formatSpan(ms) {
  return formatDuration(Math.max(0, Math.floor(ms / SECOND)) * SECOND).replace(/^0(\.0)? ms$/, '0 s')
}

/**
 * How long ago, or how soon: `now`, `12 s ago`, `in 3 min 20 s`.
 * @param {string | null | undefined} moment ISO 8601
 * @param {number} now
 */
export function formatAgo(moment, now) {
  if (moment === null || moment === undefined) return 'never'
  const ms = now - Date.parse(moment)
  if (Math.abs(ms) < SECOND) return 'now'
  return ms > 0 ? `${formatSpan(ms)} ago` : `in ${formatSpan(-ms)}`
}

/**
 * A moment by the clock of whoever looks: the time, and the day when it is another one.
 * @param {string | number | null | undefined} moment
 * @param {number} now
 * @param {{ locale?: string, timeZone?: string }} [where] of the browser when left out
 */
export function formatMoment(moment, now, { locale, timeZone } = {}) {
  if (moment === null || moment === undefined) return '–'
  const date = new Date(moment)
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone })
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', timeZone })
  return day.format(date) === day.format(new Date(now))
    ? time.format(date)
    : `${day.format(date)}, ${time.format(date)}`
}

/**
 * `1,204` as English has it.
 * @param {number} number
 */
export function formatNumber(number) {
  return new Intl.NumberFormat('en', { maximumFractionDigits: 1 }).format(number)
}

/**
 * `1 token`, `2 tokens`.
 * @param {number} number
 * @param {string} thing
 * @param {string} [things]
 */
export function count(number, thing, things = `${thing}s`) {
  return `${formatNumber(number)} ${number === 1 ? thing : things}`
}

/** @param {number} value @param {number} digits */
const trim = (value, digits) => String(Number(value.toFixed(digits)))

/** @param {number} ms @param {number} large @param {string} largeName @param {number} small @param {string} smallName */
function two(ms, large, largeName, small, smallName) {
  const all = Math.round(ms / small)
  const per = large / small
  const rest = all % per
  return rest === 0 ? `${all / per} ${largeName}` : `${Math.floor(all / per)} ${largeName} ${rest} ${smallName}`
}

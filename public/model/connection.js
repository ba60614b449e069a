// Pure: whether the page still hears from the service, and if not, since when and when it asks again.

/**
 * `blind`: the last questions were not answered; what is shown was so at `heardAt`.
 * @typedef {{ phase: 'connecting' | 'live' | 'blind' | 'locked', heardAt: number | undefined, failures: number, why: string | undefined, nextAt: number }} Connection
 */

/** From one question to the next while all is well, in milliseconds. */
export const EVERY_MS = 2_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 15_000

/** @type {Connection} */
export const CONNECTING = { phase: 'connecting', heardAt: undefined, failures: 0, why: undefined, nextAt: 0 }

/**
 * The service has answered.
 * @param {Connection} _
 * @param {number} now
 * @returns {Connection}
 */
export const answered = (_, now) => ({
  phase: 'live',
  heardAt: now,
  failures: 0,
  why: undefined,
  nextAt: now + EVERY_MS,
})

/**
 * It has not. Pauses double, up to 15 s, and are cut by chance so that many pages do not ask in step.
 * @param {Connection} connection
 * @param {number} now
 * @param {string} why
 * @param {number} chance [0, 1)
 * @returns {Connection}
 */
export function failed({ heardAt, failures }, now, why, chance) {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)
  return { phase: 'blind', heardAt, failures: failures + 1, why, nextAt: now + longest * (0.5 + chance / 2) }
}

/**
 * It asks for other credentials: nothing is asked until they are there.
 * @param {Connection} connection
 * @param {string} why
 * @returns {Connection}
 */
export const refused = ({ heardAt }, why) => ({
  phase: 'locked',
  heardAt,
  failures: 0,
  why,
  nextAt: Number.POSITIVE_INFINITY,
})

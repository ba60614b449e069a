// What an error of the servers or on the way to them means: whether another try may mend it, and what is said of it. Pure.
import { StoreFailed } from '../store.ts'
import { ConnectionBroken, RequestTimedOut } from './connection.ts'
import { CqlError, ERRORS } from './frames.ts'

/** The server is well and asks for another try, or for less. */
const PASSING: ReadonlySet<number> = new Set([
  ERRORS.server,
  ERRORS.unavailable,
  ERRORS.overloaded,
  ERRORS.bootstrapping,
  ERRORS.truncating,
  ERRORS.writeTimeout,
  ERRORS.readTimeout,
  ERRORS.readFailure,
  ERRORS.writeFailure,
  // It forgot it again between being told and being asked.
  ERRORS.unprepared,
])
/** What was asked is more than the server manages in its time. */
const TOO_MUCH: ReadonlySet<number> = new Set([ERRORS.readTimeout, ERRORS.readFailure])
/** Of the system, for what ends by itself; others, such as those of certificates, do not. */
const PASSING_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
])
const MAX_MESSAGE = 300

/**
 * True for what another try may mend. `wasConnected`: credentials, names and certificates were good before, so what is wrong with them
 * now may be mended as well.
 */
export function isPassing(error: unknown, wasConnected: boolean): boolean {
  if (error instanceof RequestTimedOut) return true
  if (error instanceof ConnectionBroken)
    return wasConnected || error.code === undefined || PASSING_CODES.has(error.code)
  if (!(error instanceof CqlError)) return false
  if (error.code === ERRORS.badCredentials)
    return wasConnected || /unable to perform authentication/i.test(error.message)
  return PASSING.has(error.code)
}

/** True where less may succeed: a page with fewer rows, a shorter range. */
export function isTooMuch(error: unknown): boolean {
  return error instanceof RequestTimedOut || (error instanceof CqlError && TOO_MUCH.has(error.code))
}

/** The server has understood and refuses: this very statement, whoever sends it. */
export function isRefusal(error: unknown): error is CqlError {
  return error instanceof CqlError && error.code === ERRORS.invalid
}

/** There is no such table, or none any more: as the server says it, or as the cause of a StoreFailed. */
export function isMissingTable(error: unknown): boolean {
  if (error instanceof StoreFailed) return isMissingTable(error.cause)
  return isRefusal(error) && /unconfigured table|(?:table|keyspace) \S+ does not exist/i.test(error.message)
}

/** What is said of it: what the server said, or what became of the connection. */
export function describeFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const short = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message
  return error instanceof CqlError ? `the server says: ${short}` : short
}

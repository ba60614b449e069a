// Who is calling? The contract of all modes, and what they share: the reading of the header.
// Credentials never appear in an outcome: `detail` is for answers and logs.
import type { Scope } from '../../config/schema.ts'

export type { Scope } from '../../config/schema.ts'

export interface Caller {
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
}

/**
 * `missing`: no credentials; `malformed`: no bearer token; `unknown`: nobody's token; `expired`: not any more;
 * `unavailable`: who could tell cannot be asked right now, so try again.
 */
export type AuthFailureReason = 'missing' | 'malformed' | 'unknown' | 'expired' | 'unavailable'

export interface AuthFailure {
  readonly ok: false
  readonly reason: AuthFailureReason
  readonly detail: string
}

export type AuthOutcome = { readonly ok: true; readonly caller: Caller } | AuthFailure

export interface Authenticator {
  readonly mode: 'none' | 'bearer' | 'oidc' | 'tokenReview'
  /** Whose `Authorization` header this is. Never throws, never rejects; a promise only where somebody must be asked. */
  authenticate(authorization: string | undefined): AuthOutcome | Promise<AuthOutcome>
}

export const failure = (reason: AuthFailureReason, detail: string): AuthFailure =>
  Object.freeze({ ok: false, reason, detail })

const MISSING = failure('missing', 'the Authorization header is missing: send a bearer token')
const MALFORMED = failure('malformed', 'the Authorization header is not "Bearer" and a token')

/** More than any header that Node.js lets through by default. */
const MAX_LENGTH = 16_384

/** The token of a bearer header (RFC 6750; any visible ASCII character is taken), or why there is none. */
export function readBearer(authorization: string | undefined): string | AuthFailure {
  if (authorization === undefined || authorization === '') return MISSING
  if (authorization.length > MAX_LENGTH) return MALFORMED
  return /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1] ?? MALFORMED
}

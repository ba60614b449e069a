// What one probe's answer, or its failure, says of the token. Pure.
import type { TokenState, UnknownReason } from './contract.ts'

/** `present` and `absent` are answers; every other word is a reason why nothing was learned. */
export type Outcome = Exclude<TokenState, 'unknown'> | UnknownReason

/** 200 has the token, 401 has it not; nothing else says anything (a redirect is never followed). */
export function outcomeOfStatus(status: number): Outcome {
  if (status === 200) return 'present'
  if (status === 401) return 'absent'
  if (status === 429) return 'throttled'
  if (status >= 500) return 'server-error'
  if (status >= 300 && status < 400) return 'redirect'
  return 'unexpected-status'
}

const REFUSED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTDOWN',
])
const TLS =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO$)/
const GARBAGE = /^(HPE_|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RESPONSE|UND_ERR_RES_)/

/** Sorts an error of the connection by its code: of the system, of TLS, of the HTTP parser. */
export function outcomeOfError(error: Error): UnknownReason {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'ETIMEDOUT' || code === SILENT) return 'silent'
  if (REFUSED.has(code)) return 'refused'
  if (TLS.test(code)) return 'tls'
  // undici's parser gives its error a name and no code.
  if (error.name === 'HTTPParserError' || GARBAGE.test(code)) return 'garbage'
  return 'reset'
}

/** Code of the errors with which we ourselves give up on a connection that says nothing. */
export const SILENT = 'SYNCER_SILENT'

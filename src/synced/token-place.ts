// Where a probe carries the token, and which tokens that place can carry. Pure.

/** A parsed `probe.token` setting. */
export interface TokenPlace {
  /** Name of the request header that carries it, in lower case. */
  readonly header: string
  /** What stands before the token in the header's value. */
  readonly prefix: string
  /** Tokens that the place can carry. */
  readonly allowed: RegExp
  /** The rule in words, for an error. */
  readonly rule: string
}

/** Longest token that is accepted, in characters. */
export const MAX_TOKEN_LENGTH = 8192

// cookie-octet of RFC 6265: printable ASCII without space, quotes, comma, semicolon and backslash.
const COOKIE_OCTETS = /^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]+$/
// token68 of RFC 9110, what follows `Bearer`.
const TOKEN68 = /^[A-Za-z0-9._~+/-]+=*$/
const VISIBLE_ASCII = /^[\x21-\x7E]+$/

/**
 * Parses `bearer`, `cookie:NAME` or `header:NAME`.
 * Throws RangeError for anything else.
 */
export function parseTokenPlace(setting: string): TokenPlace {
  if (setting === 'bearer') {
    return {
      header: 'authorization',
      prefix: 'Bearer ',
      allowed: TOKEN68,
      rule: 'token68 of RFC 9110 (letters, digits, -._~+/ and = at the end)',
    }
  }
  const separator = setting.indexOf(':')
  const kind = setting.slice(0, separator)
  const name = setting.slice(separator + 1)
  if (kind === 'cookie' && name !== '') {
    return {
      header: 'cookie',
      prefix: `${name}=`,
      allowed: COOKIE_OCTETS,
      rule: 'cookie octets of RFC 6265 (visible ASCII without " , ; and \\)',
    }
  }
  if (kind === 'header' && name !== '') {
    return { header: name.toLowerCase(), prefix: '', allowed: VISIBLE_ASCII, rule: 'visible ASCII' }
  }
  throw new RangeError(`a token place is bearer, cookie:NAME or header:NAME, not ${JSON.stringify(setting)}`)
}

/** Whether a token can be carried there: 1 to 8192 characters that the place allows. */
export function canCarry(place: TokenPlace, token: string): boolean {
  return token.length <= MAX_TOKEN_LENGTH && place.allowed.test(token)
}

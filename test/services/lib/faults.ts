// Every way in which a replica of the tests can misbehave, as data: what it does, and what may be said of it then.
import type { TokenState, UnknownReason } from '../../../src/synced/contract.ts'

/** How a well-formed answer is framed. */
export type Framing = 'length' | 'chunked' | 'http10' | 'until-close' | 'none'

export interface AnswerFault {
  readonly kind: 'answer'
  /** The status; left out, 200 or 401 as the replica has the token or not. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly framing?: Framing
  /** Octets of the body; 3 when left out. */
  readonly bodyBytes?: number
  /** Waits before it answers, in milliseconds. */
  readonly delayMs?: number
  /** Informational answers that come first. */
  readonly informational?: readonly number[]
  /** Says `Connection: close` and closes. */
  readonly close?: boolean
  /** Writes the answer octet by octet with this pause, in milliseconds. */
  readonly dripMs?: number
}

export type Fault =
  | AnswerFault
  /** The port is closed. */
  | { readonly kind: 'refuse' }
  | { readonly kind: 'reset'; readonly at: 'accept' | 'request' | 'half-answer' }
  /** Says nothing (more) from there on. */
  | { readonly kind: 'silent'; readonly at: 'handshake' | 'request' | 'half-answer' }
  /** The connection is ended in good order, without an answer. */
  | { readonly kind: 'hang-up' }
  | { readonly kind: 'garbage'; readonly at: 'handshake' | 'request' }
  | { readonly kind: 'certificate'; readonly flaw: 'otherAuthority' | 'otherName' | 'expired' }

export interface FaultCase {
  readonly name: string
  readonly fault: Fault
  /** What may be said at the deadline of a replica that has the token, and of one that lacks it. */
  readonly whenPresent: TokenState
  readonly whenAbsent: TokenState
  /** The reasons that fit, where the state is unknown. */
  readonly reasons: readonly UnknownReason[]
  /** Makes sense without TLS too. */
  readonly plain: boolean
}

const unknown = (name: string, fault: Fault, ...reasons: UnknownReason[]): FaultCase => ({
  name,
  fault,
  whenPresent: 'unknown',
  whenAbsent: 'unknown',
  reasons,
  plain: !(fault.kind === 'certificate' || ('at' in fault && fault.at === 'handshake')),
})

const harmless = (name: string, fault: AnswerFault): FaultCase => ({
  name,
  fault,
  whenPresent: 'present',
  whenAbsent: 'absent',
  reasons: [],
  plain: true,
})

/** Nothing is ever known of a replica in one of these. */
export const BLINDING: readonly FaultCase[] = [
  unknown('refuses connections', { kind: 'refuse' }, 'refused'),
  unknown('resets after it accepted', { kind: 'reset', at: 'accept' }, 'reset', 'refused'),
  unknown('resets after the request', { kind: 'reset', at: 'request' }, 'reset'),
  unknown('resets in the middle of its answer', { kind: 'reset', at: 'half-answer' }, 'reset', 'garbage'),
  unknown('hangs up after the request', { kind: 'hang-up' }, 'reset'),
  unknown('accepts and stays silent', { kind: 'silent', at: 'request' }, 'silent', 'pending'),
  unknown('never finishes the TLS handshake', { kind: 'silent', at: 'handshake' }, 'silent', 'pending', 'refused'),
  unknown('sends half a header and no more', { kind: 'silent', at: 'half-answer' }, 'silent', 'pending'),
  unknown('drips its header octet by octet', { kind: 'answer', dripMs: 60 }, 'silent', 'pending'),
  unknown('answers 500', { kind: 'answer', status: 500 }, 'server-error'),
  unknown('answers 502 until it closes', { kind: 'answer', status: 502, framing: 'until-close' }, 'server-error'),
  unknown('answers 503', { kind: 'answer', status: 503, headers: { 'retry-after': '1' } }, 'server-error'),
  unknown('answers 429', { kind: 'answer', status: 429, headers: { 'retry-after': '1' } }, 'throttled'),
  unknown(
    'redirects to where 200 is',
    { kind: 'answer', status: 302, headers: { location: '/always-ok' } },
    'redirect',
  ),
  unknown('redirects for good', { kind: 'answer', status: 308, headers: { location: '/always-ok' } }, 'redirect'),
  unknown('answers 204', { kind: 'answer', status: 204, framing: 'none' }, 'unexpected-status'),
  unknown('answers 206', { kind: 'answer', status: 206 }, 'unexpected-status'),
  unknown('answers 304', { kind: 'answer', status: 304, framing: 'none' }, 'unexpected-status', 'redirect'),
  unknown('answers 403', { kind: 'answer', status: 403 }, 'unexpected-status'),
  unknown('answers 404', { kind: 'answer', status: 404 }, 'unexpected-status'),
  unknown('answers with a status of four digits', { kind: 'answer', status: 2000 }, 'garbage', 'unexpected-status'),
  unknown('writes garbage in place of TLS', { kind: 'garbage', at: 'handshake' }, 'garbage', 'tls', 'reset'),
  unknown('writes garbage in place of HTTP', { kind: 'garbage', at: 'request' }, 'garbage'),
  unknown('shows a certificate of another authority', { kind: 'certificate', flaw: 'otherAuthority' }, 'tls'),
  unknown('shows a certificate of another name', { kind: 'certificate', flaw: 'otherName' }, 'tls'),
  unknown('shows a certificate that has expired', { kind: 'certificate', flaw: 'expired' }, 'tls'),
]

/** Odd, but it tells the truth: the service has to understand these. */
export const TRUTHFUL: readonly FaultCase[] = [
  harmless('answers with a length', { kind: 'answer', framing: 'length' }),
  harmless('answers in chunks', { kind: 'answer', framing: 'chunked' }),
  harmless('answers without a body', { kind: 'answer', bodyBytes: 0 }),
  harmless('answers as HTTP/1.0 and closes', { kind: 'answer', framing: 'http10' }),
  harmless('closes to end the body', { kind: 'answer', framing: 'until-close' }),
  harmless('closes after every answer', { kind: 'answer', close: true }),
  harmless('sends a large body', { kind: 'answer', bodyBytes: 2_000_000 }),
  harmless('sends a large body in chunks', { kind: 'answer', bodyBytes: 2_000_000, framing: 'chunked' }),
  harmless('sends 103 first', { kind: 'answer', informational: [103] }),
  harmless('sends 102 twice first', { kind: 'answer', informational: [102, 102] }),
  harmless('takes 90 ms to answer', { kind: 'answer', delayMs: 90 }),
  harmless('drips its header, but fast', { kind: 'answer', dripMs: 1 }),
]

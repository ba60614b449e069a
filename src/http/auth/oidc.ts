// Mode `oidc`: JSON Web Tokens of an OpenID Connect issuer, verified with its public keys.
// A token that was verified is known for a minute (or until it expires, or the keys change): verifying costs a hundred times a hash.
import { errors, type JWTPayload, jwtVerify, type LocalJWKSet } from 'jose'
import type { AuthConfig } from '../../config/schema.ts'
import type { Clock } from '../../lib/clock.ts'
import { type Authenticator, type AuthOutcome, failure, readBearer } from './authenticator.ts'
import { type FetchJson, IssuerKeys, IssuerUnavailable } from './issuer-keys.ts'
import { fingerprint, OutcomeCache } from './outcome-cache.ts'
import { scopesInClaim } from './scopes.ts'

export type OidcConfig = Extract<AuthConfig, { mode: 'oidc' }>

/** Asymmetric only: with a symmetric one, who knows the public key could sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const CLOCK_TOLERANCE_S = 5
const CACHE_LIMIT = 10_000
const CACHE_MS = 60_000
/** Keys that one token is tried with, when it does not say which. */
const MAX_CANDIDATES = 16

const MALFORMED = failure('malformed', 'the bearer token is not a signed JSON Web Token')
const ALGORITHM = failure('unknown', 'the token is signed with an algorithm that is not accepted')
const SIGNATURE = failure('unknown', 'the signature of the token is not the issuer’s')
const KEY = failure('unknown', 'the token is signed with a key that the issuer does not publish')
const EXPIRED = failure('expired', 'the token has expired')

export function createOidcAuthenticator(
  config: OidcConfig,
  { clock, fetchJson }: { readonly clock: Clock; readonly fetchJson: FetchJson },
): Authenticator & AsyncDisposable {
  const keys = new IssuerKeys({ issuer: config.issuer, jwksUri: config.jwksUri, clock, fetchJson })
  const verified = new OutcomeCache(clock, CACHE_LIMIT)
  const inFlight = new Map<string, Promise<AuthOutcome>>()
  let validFor = keys.known
  const cache = (): OutcomeCache => {
    if (validFor !== keys.known) {
      validFor = keys.known
      verified.clear()
    }
    return verified
  }

  const verify = async (token: string, key: string): Promise<AuthOutcome> => {
    let result: Verified
    try {
      result = await verifyWithKeys(token, keys, config, clock)
    } catch (error) {
      return explain(error)
    }
    const outcome: AuthOutcome = { ok: true, caller: callerOf(result.claims, config) }
    const leftMs = ((result.claims.exp ?? 0) + CLOCK_TOLERANCE_S) * 1000 - clock.wallNow()
    if (result.keys === keys.known) cache().set(key, outcome, Math.min(CACHE_MS, leftMs))
    return outcome
  }

  return {
    mode: 'oidc',
    authenticate(authorization) {
      const token = readBearer(authorization)
      if (typeof token !== 'string') return token
      const key = fingerprint(token)
      const kept = cache().get(key) ?? inFlight.get(key)
      if (kept !== undefined) return kept
      const asked = verify(token, key).finally(() => inFlight.delete(key))
      inFlight.set(key, asked)
      return asked
    },
    [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose](),
  }
}

interface Verified {
  readonly claims: JWTPayload
  readonly keys: LocalJWKSet
}

/** The claims of a token that holds; throws an error of jose, or IssuerUnavailable. */
async function verifyWithKeys(token: string, issuer: IssuerKeys, config: OidcConfig, clock: Clock): Promise<Verified> {
  const keys = await issuer.current()
  try {
    return { claims: await verifyToken(token, keys, config, clock), keys }
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
    const newer = await issuer.newer(keys)
    if (newer === undefined) throw error
    return { claims: await verifyToken(token, newer, config, clock), keys: newer }
  }
}

async function verifyToken(token: string, keys: LocalJWKSet, config: OidcConfig, clock: Clock): Promise<JWTPayload> {
  const options = {
    issuer: config.issuer,
    audience: config.audience,
    algorithms: ALGORITHMS,
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['exp'],
    currentDate: new Date(clock.wallNow()),
  }
  try {
    return (await jwtVerify(token, keys, options)).payload
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    let tried = 0
    for await (const key of error) {
      if (++tried > MAX_CANDIDATES) break
      try {
        return (await jwtVerify(token, key, options)).payload
      } catch (other) {
        if (!(other instanceof errors.JWSSignatureVerificationFailed)) throw other
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** The name is for logs: the subject, else the client. */
function callerOf(claims: JWTPayload, config: OidcConfig) {
  const name = [claims.sub, claims['client_id'], claims['azp']].find((one) => typeof one === 'string' && one !== '')
  return {
    name: String(name ?? 'unnamed').slice(0, 256),
    scopes: scopesInClaim(claims, config.scopeClaim, config.scopePrefix),
  }
}

/** jose's errors by what a caller can do about them; their own words are not repeated, some carry the claims. */
function explain(error: unknown): AuthOutcome {
  if (error instanceof IssuerUnavailable) return failure('unavailable', error.message)
  if (error instanceof errors.JWTExpired) return EXPIRED
  if (error instanceof errors.JWTClaimValidationFailed) return failure('unknown', claimDetail(error))
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) return ALGORITHM
  if (error instanceof errors.JWKSNoMatchingKey) return KEY
  if (error instanceof errors.JWSSignatureVerificationFailed) return SIGNATURE
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return MALFORMED
  return failure('unknown', 'the token cannot be verified')
}

function claimDetail({ claim, reason }: { readonly claim: string; readonly reason: string }): string {
  if (claim === 'nbf') return 'the token is not valid yet'
  if (claim === 'iss') return 'the token is of another issuer'
  if (claim === 'aud') return 'the token is not for this service: its audience is another one'
  return `the claim ${claim} of the token is ${reason === 'missing' ? 'missing' : 'not as it should be'}`
}

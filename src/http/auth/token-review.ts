// Mode `tokenReview`: the Kubernetes API server says whose ServiceAccount token it is (authentication.k8s.io/v1 TokenReview).
// Answers are kept briefly, refusals more briefly; they are kept apart, so that a flood of bad tokens pushes no good one out.
import type { AuthConfig } from '../../config/schema.ts'
import type { Clock } from '../../lib/clock.ts'
import { withDeadline } from '../../lib/with-deadline.ts'
import { type Authenticator, type AuthOutcome, failure, readBearer } from './authenticator.ts'
import { fingerprint, OutcomeCache } from './outcome-cache.ts'
import { scopesFor } from './scopes.ts'

export type TokenReviewConfig = Extract<AuthConfig, { mode: 'tokenReview' }>

export interface TokenReviewRequest {
  readonly apiVersion: 'authentication.k8s.io/v1'
  readonly kind: 'TokenReview'
  readonly spec: { readonly token: string; readonly audiences?: readonly string[] }
}

/** POSTs a review to the API server and resolves with the TokenReview it answers, unchecked; rejects when it cannot be asked. */
export type ReviewToken = (body: TokenReviewRequest, signal: AbortSignal) => Promise<unknown>

const CACHE_LIMIT = 10_000
const NEGATIVE_CACHE_MS = 1_000
const REVIEW_TIMEOUT_MS = 5_000
const MAX_REVIEWS = 64

const UNKNOWN = failure('unknown', 'the API server does not know the token')
const EXPIRED = failure('expired', 'the token has expired')
const AUDIENCE = failure('unknown', 'the token is not for this service: its audience is another one')
const NAMELESS = failure('unknown', 'the API server names no user for the token')
const AWAY = failure('unavailable', 'the API server cannot be asked about the token right now')
const BUSY = failure('unavailable', 'too many tokens are being reviewed right now')

export function createTokenReviewAuthenticator(
  config: TokenReviewConfig,
  { clock, review }: { readonly clock: Clock; readonly review: ReviewToken },
): Authenticator & AsyncDisposable {
  const accepted = new OutcomeCache(clock, CACHE_LIMIT)
  const refused = new OutcomeCache(clock, CACHE_LIMIT)
  const inFlight = new Map<string, Promise<AuthOutcome>>()
  const closing = new AbortController()

  const ask = async (token: string, key: string): Promise<AuthOutcome> => {
    const spec = config.audiences.length === 0 ? { token } : { token, audiences: config.audiences }
    const body: TokenReviewRequest = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec }
    let answer: unknown
    try {
      answer = await withDeadline(clock, REVIEW_TIMEOUT_MS, (signal) => review(body, signal), closing.signal)
    } catch {
      return AWAY // without the error: a client may quote the body in it
    }
    const outcome = judge(config, answer)
    if (outcome.ok) accepted.set(key, outcome, config.cacheMs)
    else refused.set(key, outcome, Math.min(config.cacheMs, NEGATIVE_CACHE_MS))
    return outcome
  }

  return {
    mode: 'tokenReview',
    authenticate(authorization) {
      const token = readBearer(authorization)
      if (typeof token !== 'string') return token
      const key = fingerprint(token)
      const kept = accepted.get(key) ?? refused.get(key) ?? inFlight.get(key)
      if (kept !== undefined) return kept
      if (inFlight.size >= MAX_REVIEWS) return BUSY
      const asked = ask(token, key).finally(() => inFlight.delete(key))
      inFlight.set(key, asked)
      return asked
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('the service stops'))
      await Promise.all(inFlight.values())
    },
  }
}

/** Pure: what the API server's answer means. */
export function judge(config: TokenReviewConfig, answer: unknown): AuthOutcome {
  const status = recordIn(answer, 'status')
  if (status['authenticated'] !== true) return /expired/i.test(String(status['error'] ?? '')) ? EXPIRED : UNKNOWN
  // A server that does not know of audiences answers without them and has checked none.
  const audiences = wordsIn(status, 'audiences')
  if (config.audiences.length > 0 && !config.audiences.some((audience) => audiences.includes(audience))) return AUDIENCE
  const user = recordIn(status, 'user')
  const name = user['username']
  if (typeof name !== 'string' || name === '') return NAMELESS
  return { ok: true, caller: { name, scopes: scopesFor(config.grants, name, wordsIn(user, 'groups')) } }
}

function recordIn(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const inner = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
  return typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {}
}

function wordsIn(record: Readonly<Record<string, unknown>>, key: string): readonly string[] {
  const list = record[key]
  return Array.isArray(list) ? list.filter((word) => typeof word === 'string') : []
}

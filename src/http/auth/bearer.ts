// Mode `bearer`: static tokens, of which the configuration knows the SHA-256 only.
// What was sent is hashed and compared with every caller's hash, always with all of them, so that time tells nothing about any.
import { hash, timingSafeEqual } from 'node:crypto'
import type { AuthConfig } from '../../config/schema.ts'
import { type Authenticator, type AuthOutcome, failure, readBearer } from './authenticator.ts'

export type BearerConfig = Extract<AuthConfig, { mode: 'bearer' }>

const UNKNOWN = failure('unknown', 'the bearer token is not known here')

export function createBearerAuthenticator(callers: BearerConfig['callers']): Authenticator {
  const known = callers.map(({ name, sha256, scopes }) => {
    const outcome: AuthOutcome = { ok: true, caller: { name, scopes: new Set(scopes) } }
    return { digest: Buffer.from(sha256, 'hex'), outcome }
  })
  return {
    mode: 'bearer',
    authenticate(authorization) {
      const token = readBearer(authorization)
      if (typeof token !== 'string') return token
      const digest = hash('sha256', token, 'buffer')
      let outcome: AuthOutcome = UNKNOWN
      for (const caller of known) {
        if (timingSafeEqual(digest, caller.digest)) outcome = caller.outcome
      }
      return outcome
    },
  }
}

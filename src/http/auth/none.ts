// Mode `none`: everybody may do everything. The service listens on loopback then, or the mode is written down.
import { SCOPES } from '../../config/schema.ts'
import type { Authenticator, AuthOutcome } from './authenticator.ts'

const ANYBODY: AuthOutcome = { ok: true, caller: { name: 'anonymous', scopes: new Set(SCOPES) } }

export function createNoneAuthenticator(): Authenticator {
  return { mode: 'none', authenticate: () => ANYBODY }
}

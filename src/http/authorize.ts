// May the caller do this? The hook before every operation that needs a scope. It stays synchronous where the authenticator is.
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Scope } from '../config/schema.ts'
import type { Authenticator, AuthFailure, AuthOutcome } from './auth/authenticator.ts'
import { authUnavailable, forbidden, type HttpProblem, unauthorized } from './problems.ts'

/** Lets callers with one of the scopes pass and notes who they are; throws `unauthorized`, `forbidden` or `auth-unavailable` for others. */
export function createAuthorization(authenticator: Authenticator, scopes: readonly Scope[]): onRequestHookHandler {
  const judge = (request: FastifyRequest, outcome: AuthOutcome): HttpProblem | undefined => {
    if (!outcome.ok) return refuse(outcome)
    request.caller = outcome.caller
    return scopes.some((scope) => outcome.caller.scopes.has(scope)) ? undefined : forbidden(...scopes)
  }
  return function authorize(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
    const outcome = authenticator.authenticate(request.headers.authorization)
    if (outcome instanceof Promise) outcome.then((later) => done(judge(request, later)), done)
    else done(judge(request, outcome))
  }
}

function refuse({ reason, detail }: AuthFailure): HttpProblem {
  switch (reason) {
    case 'unavailable':
      return authUnavailable(detail)
    case 'missing':
      return unauthorized(detail)
    case 'malformed':
      return unauthorized(detail, 'invalid_request')
    case 'unknown':
    case 'expired':
      return unauthorized(detail, 'invalid_token')
  }
}

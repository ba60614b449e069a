// Pure: what a caller may do, from grants to users and groups, or from a claim of a token.
import { type AuthConfig, SCOPES, type Scope } from '../../config/schema.ts'

export type Grant = Extract<AuthConfig, { mode: 'tokenReview' }>['grants'][number]

/** The scopes of every grant that names the user or one of the groups. */
export function scopesFor(grants: readonly Grant[], user: string, groups: readonly string[]): ReadonlySet<Scope> {
  const mine = grants.filter(
    (grant) => grant.users?.includes(user) === true || grant.groups?.some((group) => groups.includes(group)) === true,
  )
  return new Set(mine.flatMap((grant) => grant.scopes))
}

/**
 * The scopes in a claim: text separated by spaces, or a list. Only what begins with `prefix` counts; what is no scope of ours is left out.
 * `name`: the claim itself, else a way into nested claims (`realm_access.roles`).
 */
export function scopesInClaim(
  claims: Readonly<Record<string, unknown>>,
  name: string,
  prefix: string,
): ReadonlySet<Scope> {
  const claim = Object.hasOwn(claims, name) ? claims[name] : nested(claims, name.split('.'))
  const words = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : []
  return new Set(SCOPES.filter((scope) => words.includes(prefix + scope)))
}

function nested(claims: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (here, key) =>
      typeof here === 'object' && here !== null && Object.hasOwn(here, key)
        ? (here as Record<string, unknown>)[key]
        : undefined,
    claims,
  )
}

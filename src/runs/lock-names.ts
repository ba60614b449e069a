// What the lock of a cluster or of a pair is called: a Lease of Kubernetes is named by it, so it is made of lower-case letters, digits and hyphens.
// Pure.
import { createHash } from 'node:crypto'

/** Names that are a part of a Lease's name as they stand; the Role of a ServiceAccount then tells what it is for. */
const PLAIN = /^[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?$/
const HASH_DIGITS = 20
const SLUG_LENGTH = 60

/** What a lock's name begins with, by the kind of the resource. */
const PREFIXES: ReadonlyMap<string, string> = new Map([
  ['cluster', 'tokens'],
  ['pair', 'db'],
])

/**
 * Name of the lock of a resource, `cluster:NAME` or `pair:NAME`: `tokens-NAME` or `db-NAME` where that may be, else `tokens--` or `db--`
 * with as much of the name as may be and a hash of it. No two resources have the same: a plain name never begins with a hyphen.
 */
export function lockNameOf(resource: string): string {
  const colon = resource.indexOf(':')
  const prefix = PREFIXES.get(resource.slice(0, colon))
  if (prefix === undefined) throw new TypeError(`there is no lock for ${resource}`)
  const name = resource.slice(colon + 1)
  if (PLAIN.test(name)) return `${prefix}-${name}`
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_LENGTH)
  return `${prefix}--${slug}-${createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS)}`
}

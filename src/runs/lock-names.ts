// What the lock of a cluster is called: a Lease of Kubernetes is named by it, so it is made of lower-case letters, digits and hyphens.
// Pure.
import { createHash } from 'node:crypto'

/** Names that are a part of a Lease's name as they stand; the Role of a ServiceAccount then tells what it is for. */
const PLAIN = /^[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?$/
const HASH_DIGITS = 20
const SLUG_LENGTH = 60

/**
 * Name of the lock of a resource, `cluster:NAME`: `tokens-NAME` where that may be, else `tokens--` with as much of the name as may be and
 * a hash of it. No two names have the same: a plain one never begins with a hyphen.
 */
export function lockNameOf(resource: string): string {
  const name = resource.slice(resource.indexOf(':') + 1)
  if (PLAIN.test(name)) return `tokens-${name}`
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_LENGTH)
  return `tokens--${slug}-${createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS)}`
}

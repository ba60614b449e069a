// Pure: what the rules of several sections are made of.
import type { Problem } from './validate.ts'

export type At = Problem['at']

/** One problem for every entry whose key an earlier entry has. */
export function findDuplicates<T>(
  list: readonly T[],
  keyOf: (entry: T) => string,
  at: (entry: T, index: number) => At,
  what: string,
): Problem[] {
  const first = new Map<string, number>()
  return list.flatMap((entry, index) => {
    const earlier = first.get(keyOf(entry))
    if (earlier !== undefined)
      return [{ at: at(entry, index), message: `has the same ${what} as entry ${earlier + 1}` }]
    first.set(keyOf(entry), index)
    return []
  })
}

/** A client certificate and its key come together or not at all. */
export function checkClientPair(
  tls: { readonly cert?: unknown; readonly key?: unknown } | undefined,
  at: At,
): Problem[] {
  if (tls === undefined || (tls.cert === undefined) === (tls.key === undefined)) return []
  const [absent, present] = tls.cert === undefined ? ['cert', 'key'] : ['key', 'cert']
  return [{ at: [...at, absent], message: `is missing: ${present} needs it` }]
}

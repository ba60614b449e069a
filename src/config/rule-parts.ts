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

/** What is wrong with an address `url` of a server and with the `tls` beside it. */
export function checkAddress(
  text: string,
  tls: { readonly cert?: unknown; readonly key?: unknown } | undefined,
  at: At,
): Problem[] {
  const fault = findUrlFault(text)
  if (fault !== undefined) return [{ at: [...at, 'url'], message: fault }]
  if (tls !== undefined && new URL(text).protocol !== 'https:') {
    return [{ at: [...at, 'tls'], message: 'has no meaning with an http address: remove it, or use https' }]
  }
  return checkClientPair(tls, [...at, 'tls'])
}

/** Never repeats the address: what does not belong there may be a secret. */
function findUrlFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL'
  const { username, password } = new URL(text)
  if (username !== '' || password !== '') return 'must not contain a user name or a password: use authorization'
  return /[?#]/.test(text) ? 'must not contain a query or a fragment' : undefined
}

/** The same for addresses that lead to the same place; what is no URL is only the same as itself. */
export function normaliseAddress(text: string): string {
  return URL.canParse(text) ? new URL(text).href.replace(/\/+$/, '') : text
}

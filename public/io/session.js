// What the browser keeps: the bearer token for this tab alone, gone when it is closed, and the colour scheme for the next visit.

const TOKEN = 'syncer-token'
const SCHEME = 'syncer-scheme'

/** @typedef {'system' | 'light' | 'dark'} Scheme */

/** A browser may forbid to keep anything: then the page does without. @template T @param {() => T} use @param {T} otherwise */
function orElse(use, otherwise) {
  try {
    return use()
  } catch {
    return otherwise
  }
}

/** @returns {string | undefined} */
export const readToken = () => orElse(() => sessionStorage.getItem(TOKEN) ?? undefined, undefined)

/** @param {string | undefined} token */
export function keepToken(token) {
  orElse(
    () => (token === undefined ? sessionStorage.removeItem(TOKEN) : sessionStorage.setItem(TOKEN, token)),
    undefined,
  )
}

/** @returns {Scheme} */
export function readScheme() {
  const kept = orElse(() => localStorage.getItem(SCHEME), null)
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

/** @param {Scheme} scheme */
export function keepScheme(scheme) {
  orElse(() => localStorage.setItem(SCHEME, scheme), undefined)
  if (scheme === 'system') delete document.documentElement.dataset['scheme']
  else document.documentElement.dataset['scheme'] = scheme
}

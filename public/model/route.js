// Pure: which view the address asks for. It stands behind the `#`, so that it reaches no server; tokens are never part of it.

/**
 * @typedef {'overview' | 'gateway' | 'tokens' | 'databases' | 'runs'} ViewName
 * @typedef {{ view: ViewName, id: string | undefined, filter: Readonly<Record<string, string>> }} Route
 */

/** @type {readonly ViewName[]} */
export const VIEWS = ['overview', 'gateway', 'tokens', 'databases', 'runs']

const ID = /^[0-9a-f-]{36}$/

/**
 * The overview for what is no address.
 * @param {string} hash `#/runs/ID`, `#/runs?state=failed`
 * @returns {Route}
 */
export function readRoute(hash) {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [name = '', id] = path.split('/')
  const view = VIEWS.find((one) => one === name) ?? 'overview'
  const filter = view === 'runs' ? Object.fromEntries(new URLSearchParams(query)) : {}
  return { view, id: id !== undefined && ID.test(id) ? id : undefined, filter }
}

/**
 * The address of a view.
 * @param {ViewName} view
 * @param {{ id?: string, filter?: Readonly<Record<string, string | undefined>> }} [more]
 */
export function writeRoute(view, { id, filter = {} } = {}) {
  const set = Object.entries(filter).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [/** @type {[string, string]} */ ([name, value])],
  )
  const query = set.length === 0 ? '' : `?${new URLSearchParams(set)}`
  return `#/${view}${id === undefined ? '' : `/${id}`}${query}`
}

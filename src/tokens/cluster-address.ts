// Addresses of clusters: what is taken for one. Pure.
import type { ClusterUrl } from './contract.ts'

/**
 * The address without slashes at its end; a path stays. Throws TypeError, which says what is allowed and never repeats what may be a
 * password.
 */
export function parseClusterUrl(text: string): ClusterUrl {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('the address of a cluster begins with http:// or https:// and names a host')
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(
      `the address of ${url.host} holds a user name or password: they belong into the header Authorization`,
    )
  }
  if (url.search !== '' || url.hash !== '') {
    throw new TypeError(`the address of ${url.host} has a query or a fragment, which no address of a cluster has`)
  }
  return text.trim().replace(/\/+$/, '')
}

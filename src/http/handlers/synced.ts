// GET /v1/synced: the question in HTTP's words, the verdict in the document's.
import type { CheckResult, Gateway } from '../../synced/contract.ts'
import type { Answer, Handlers } from '../contract.ts'

export function createGetSynced(gateway: () => Gateway): Handlers['getSynced'] {
  return async ({ headers, query }) => {
    const result = await gateway().check({
      token: headers['x-auth-token'],
      origin: headers['x-nginx-origin'],
      expect: query.expect,
      only: query.replica,
    })
    return answerVerdict(result, query.denyStatus)
  }
}

/** Gateways that ask by `auth_request` let any 2xx pass; they have a verdict other than Synced answered with `denyStatus`. */
function answerVerdict(result: CheckResult, denyStatus: 401 | 403 | undefined): Answer<'getSynced'> {
  if (result.status === 'Synced' || denyStatus === undefined) {
    return { status: 200, headers: { 'X-Token-Status': result.status, 'Cache-Control': 'no-store' }, body: result }
  }
  const headers = { 'X-Token-Status': result.status }
  if (denyStatus === 403) return { status: 403, headers, body: result }
  return { status: 401, headers: { ...headers, 'WWW-Authenticate': 'Bearer realm="gateway"' }, body: result }
}

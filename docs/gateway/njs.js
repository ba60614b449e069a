// The end of a login and of a logout, in njs: nothing is handed out before every replica of the gateway knows it.

// A verdict takes at most the deadline of the service; three of them are three ticks of zone_sync.
const TRIES = 3
// Where there is no verdict at all: longer than one tick, so that a healthy gateway has caught up.
const BLIND_WAIT_MS = 1100

async function login(r) {
  const reply = await r.subrequest('/_login', { method: r.method, args: r.variables.args, body: r.requestText })
  if (reply.status !== 200) return r.return(reply.status, reply.responseText)
  const token = reply.headersOut['X-Token']
  if (!token) return r.return(502)
  const status = await settle(r, token, '')
  r.headersOut['X-Token-Status'] = status
  if (status === 'Synced' || status === 'Unasked') {
    r.headersOut['Set-Cookie'] = [`auth_token=${token}; Path=/; Secure; HttpOnly; SameSite=Lax`]
    return r.return(204)
  }
  r.headersOut['Retry-After'] = '1'
  r.return(503, 'The login is not known everywhere yet.\n')
}

async function logout(r) {
  const reply = await r.subrequest('/_logout', { method: r.method })
  if (reply.status !== 200) return r.return(reply.status, reply.responseText)
  const status = await settle(r, reply.headersOut['X-Token'], 'expect=absent')
  r.headersOut['X-Token-Status'] = status
  r.headersOut['Set-Cookie'] = ['auth_token=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax']
  r.return(status === 'Synced' ? 204 : 202)
}

// Asks until every replica has caught up. `Unasked` when no verdict was to be had, and a tick was waited for instead.
async function settle(r, token, args) {
  r.variables.syncer_token = token
  let status
  for (let i = 0; i < TRIES; i++) {
    const reply = await r.subrequest('/_syncer', { args })
    status = reply.headersOut['X-Token-Status']
    if (status === undefined) {
      r.error(`syncer gave no verdict: ${reply.status}`)
      await new Promise((resolve) => setTimeout(resolve, BLIND_WAIT_MS))
      return 'Unasked'
    }
    if (status === 'Synced') return status
  }
  return status
}

export default { login, logout }

// The status page begins here: it puts the parts together, draws whenever something is new, and once a second for what counts by itself.

import { createApi } from './io/api.js'
import { keepScheme, keepToken, readScheme, readToken } from './io/session.js'
import { createStore } from './io/store.js'
import { may, summarize } from './model/health.js'
import { readRoute } from './model/route.js'
import { h, render } from './vendor/preact.js'
import { App } from './views/app.js'

/**
 * What every view is given.
 * @typedef {object} Page
 * @property {import('./io/store.js').Known} known
 * @property {import('./io/api.js').Api} api
 * @property {import('./model/route.js').Route} route
 * @property {number} now milliseconds since 1970
 * @property {import('./io/session.js').Scheme} scheme
 * @property {boolean} hasToken
 * @property {string} said what was last told to those who do not see the page
 * @property {(scope: import('./types.ts').Scope) => boolean} may
 * @property {(text: string) => void} say
 * @property {() => void} askNow
 * @property {(token: string | undefined) => void} signIn undefined signs out
 * @property {(scheme: import('./io/session.js').Scheme) => void} setScheme
 */

const root = /** @type {HTMLElement} */ (document.getElementById('app'))
let token = readToken()
let scheme = readScheme()
let said = ''

const now = () => Date.now()
const api = createApi({ fetch: globalThis.fetch.bind(globalThis), token: () => token })
const store = createStore(api, { now, random: Math.random, onChange: draw })

function draw() {
  const known = store.known()
  document.title = titleOf(known)
  /** @type {Page} */
  const page = {
    ...{ known, api, scheme, said, now: now(), route: readRoute(location.hash), hasToken: token !== undefined },
    may: (scope) => may(known.status, scope),
    say(text) {
      said = text
      draw()
    },
    askNow: () => store.askNow(),
    signIn(next) {
      token = next
      keepToken(next)
      store.askNow({ forget: true })
    },
    setScheme(next) {
      scheme = next
      keepScheme(next)
      draw()
    },
  }
  render(h(App, { page }), root)
}

/** A tab among others tells how things are by its title. @param {import('./io/store.js').Known} known */
function titleOf({ status, connection }) {
  if (connection.phase === 'blind') return 'No answer – Syncer'
  return status === undefined ? 'Syncer' : `${summarize(status).headline} – Syncer`
}

keepScheme(scheme)
root.replaceChildren()
draw()
addEventListener('hashchange', draw)
addEventListener('online', () => store.askNow())
setInterval(() => {
  store.tick()
  draw()
}, 1_000)
store.tick()

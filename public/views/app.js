// The frame around all views: who this is, whether it is heard, where one can go, and what has to be known at once.
/** @import { Page } from '../app.js' */
import { html } from '../dom.js'
import { formatMoment, formatSpan } from '../model/format.js'
import { viewsOf } from '../model/health.js'
import { writeRoute } from '../model/route.js'
import { useEffect, useRef, useState } from '../vendor/hooks.js'
import { DatabasesView } from './databases.js'
import { GatewayView } from './gateway.js'
import { OverviewView } from './overview.js'
import { Badge } from './parts.js'
import { RunView } from './run.js'
import { RunsView } from './runs.js'
import { SignInDialog } from './sign-in.js'
import { TokensView } from './tokens.js'

/** @type {Readonly<Record<import('../model/route.js').ViewName, string>>} */
const TITLES = { overview: 'Overview', gateway: 'Gateway', tokens: 'Tokens', databases: 'Databases', runs: 'Runs' }

/** @param {{ page: Page }} props */
export function App({ page }) {
  const { known, route, now } = page
  const { status, connection } = known
  const [asks, setAsks] = useState(false)
  const isLocked = connection.phase === 'locked'
  useEffect(() => setAsks(isLocked), [isLocked, connection.why])
  const main = /** @type {{ current: HTMLElement | null }} */ (useRef(null))
  useFocusOnMove(main, `${route.view} ${route.id ?? ''}`)
  /** @param {Event} event */
  const skip = (event) => {
    event.preventDefault()
    main.current?.focus()
  }
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Header} page=${page} onSignIn=${() => setAsks(true)} />
    <${Banner} page=${page} />
    <main id="main" ref=${main} tabindex="-1" class=${connection.phase === 'blind' ? 'stale' : ''}>
      ${
        status === undefined
          ? html`<${Nothing} page=${page} onSignIn=${() => setAsks(true)} />`
          : html`<${View} page=${page} status=${status} />`
      }
    </main>
    <footer>
      ${
        status &&
        html`<p>
          Syncer ${status.service.version} on ${status.service.instance}, up for${' '}
          ${formatSpan(now - Date.parse(status.service.startedAt))}. <a href="../swagger-ui">API</a>${
            // A link cannot carry a token.
            !page.hasToken &&
            html`. All of this as JSON: <a href="../v1/status">status</a>${
              status.gateway && html`, <a href="../v1/gateway/history">history</a>`
            }`
          }
        </p>`
      }
    </footer>
    <div class="hidden" role="status" id="said">${page.said}</div>
    ${
      asks &&
      html`<${SignInDialog}
        why=${isLocked && page.hasToken ? connection.why : undefined}
        onToken=${page.signIn}
        onClose=${() => setAsks(false)}
      />`
    }
  `
}

/** Whoever goes to another view is taken there: a screen reader would stay where the link was. @param {{ current: HTMLElement | null }} main @param {string} place */
function useFocusOnMove(main, place) {
  const before = useRef(place)
  useEffect(() => {
    if (before.current === place) return
    before.current = place
    scrollTo(0, 0)
    main.current?.focus({ preventScroll: true })
  }, [place])
}

/** @param {{ page: Page, status: import('../types.ts').Status }} props */
function View({ page, status }) {
  const { view, id } = page.route
  if (id !== undefined) return html`<${RunView} key=${id} page=${page} id=${id} />`
  if (view === 'gateway' && status.gateway) return html`<${GatewayView} page=${page} gateway=${status.gateway} />`
  if (view === 'tokens' && status.tokens) return html`<${TokensView} page=${page} tokens=${status.tokens} />`
  if (view === 'databases' && status.db) return html`<${DatabasesView} page=${page} pairs=${status.db.pairs} />`
  if (view === 'runs' && status.schedules) return html`<${RunsView} page=${page} />`
  return html`<${OverviewView} page=${page} status=${status} />`
}

/** @param {{ page: Page, onSignIn: () => void }} props */
function Header({ page, onSignIn }) {
  const { known, route, scheme, hasToken } = page
  const caller = known.status?.caller
  /** @param {Event & { currentTarget: HTMLSelectElement }} event */
  const choose = (event) => page.setScheme(/** @type {typeof scheme} */ (event.currentTarget.value))
  return html`<header>
    <a class="brand" href="#/overview"><img src="icon.svg" alt="" width="24" height="24" />Syncer</a>
    <nav aria-label="Views">
      <ul>
        ${viewsOf(known.status).map(
          (name) =>
            html`<li key=${name}>
              <a href=${writeRoute(name)} aria-current=${route.view === name ? 'page' : undefined}>${TITLES[name]}</a>
            </li>`,
        )}
      </ul>
    </nav>
    <div class="session">
      <${Pulse} page=${page} />
      <label>
        <span class="hidden">Colours</span>
        <select value=${scheme} onChange=${choose}>
          <option value="system">System colours</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      ${
        hasToken
          ? html`<button type="button" onClick=${() => page.signIn(undefined)}>
              Sign out${caller && html` <span class="caller">${caller.name}</span>`}
            </button>`
          : // Whoever is let in without a token needs none.
            known.status === undefined && html`<button type="button" onClick=${onSignIn}>Sign in</button>`
      }
    </div>
  </header>`
}

/** @param {{ page: Page }} props */
function Pulse({ page }) {
  const { phase } = page.known.connection
  if (phase === 'live') return html`<span class="pulse"><${Badge} tone="good" word="live" /></span>`
  if (phase === 'blind') return html`<span class="pulse"><${Badge} tone="bad" word="no answer" /></span>`
  return html`<span class="pulse"><${Badge} tone="idle" word=${phase === 'locked' ? 'signed out' : 'connecting'} /></span>`
}

/** Says once, for those who listen, that nothing is heard; what counts by itself is for those who look. @param {{ page: Page }} props */
function Banner({ page }) {
  const { connection } = page.known
  const { phase, heardAt, why, nextAt } = connection
  const isBlind = phase === 'blind'
  const since = heardAt === undefined ? 'No answer yet' : `No answer since ${formatMoment(heardAt, page.now)}`
  return html`<div class=${isBlind ? 'banner' : ''}>
    <div role="status">${isBlind && html`<strong>${since}</strong>: ${why}. ${heardAt !== undefined && 'What is shown was so then.'}`}</div>
    ${
      isBlind &&
      html`<span aria-hidden="true">
          ${heardAt !== undefined && html`${formatSpan(page.now - heardAt)} ago. `}Asking again in ${formatSpan(nextAt - page.now)}.
        </span>
        <button type="button" onClick=${page.askNow}>Ask now</button>`
    }
  </div>`
}

/** @param {{ page: Page, onSignIn: () => void }} props */
function Nothing({ page, onSignIn }) {
  const { phase } = page.known.connection
  if (phase !== 'locked') return html`<h1>${phase === 'blind' ? 'Nothing is known yet' : 'One moment'}</h1>`
  return html`<h1>Sign in to see how things are</h1>
    <p>The service shows its status to those with the scope <code>read</code>.</p>
    <p><button type="button" class="primary" onClick=${onSignIn}>Sign in</button></p>`
}

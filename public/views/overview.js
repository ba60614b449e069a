// The view for the wall: one sentence about everything, what is wrong, a few large figures, who leads, and what the clock starts next.
/** @import { Page } from '../app.js' */
/** @import { DbPairStatus, LeaderStatus, RunOutline, ScheduleStatus, Status, Tone } from '../types.ts' */
import { html } from '../dom.js'
import { count, formatDuration, formatMoment, formatNumber, formatSpan } from '../model/format.js'
import { findTroubles, summarize } from '../model/health.js'
import { newestLag, sumVerdicts } from '../model/history.js'
import { describeRunState } from '../model/words.js'
import { GatewayCharts } from './gateway.js'
import { Ago, Badge, Facts, Figure, Panel, Table } from './parts.js'

/** @param {{ page: Page, status: Status }} props */
export function OverviewView({ page, status }) {
  const { tone, headline } = headlineOf(page, status)
  const troubles = findTroubles(status)
  return html`<div class=${`headline ${tone}`}>
      <div role="status"><h1>${headline}</h1></div>
      ${
        troubles.length > 1 &&
        html`<ul>
          ${troubles.map(
            ({ text, tone: one, href }, index) =>
              html`<li key=${index}><${Badge} tone=${one} word=${one === 'bad' ? 'wrong' : 'look'} />${' '}
                ${href === undefined ? text : html`<a href=${href}>${text}</a>`}</li>`,
          )}
        </ul>`
      }
    </div>
    <div class="tiles">
      ${status.gateway && html`<${GatewayTiles} page=${page} status=${status} />`}
      ${status.tokens && html`<${TokensTile} page=${page} status=${status} />`}
      ${status.db?.pairs.map((pair) => html`<${PairTile} key=${pair.name} page=${page} pair=${pair} />`)}
    </div>
    ${status.gateway && html`<${GatewayCharts} page=${page} gateway=${status.gateway} />`}
    <div class="columns">
      <${LeadershipPanel} leader=${status.leader} />
      ${status.schedules && html`<${SchedulesPanel} page=${page} schedules=${status.schedules} />`}
    </div>`
}

/** What was so may not be so any more: a service that is not heard is not well. @param {Page} page @param {Status} status */
function headlineOf({ known: { connection }, now }, status) {
  const { tone, headline } = summarize(status)
  if (connection.phase !== 'blind') return { tone, headline }
  return { tone: 'bad', headline: `No answer since ${formatMoment(connection.heardAt, now)}. Until then: ${headline}` }
}

/** @param {{ page: Page, status: Status }} props */
function GatewayTiles({ page, status }) {
  const { history } = page.known
  const replicas = status.gateway?.replicas ?? []
  const up = replicas.filter(({ state }) => state === 'up').length
  const unknown = replicas.filter(({ state }) => state === 'unknown').length
  const lag = history && newestLag(history)
  const sum = history && sumVerdicts(history)
  const checks = sum === undefined ? 0 : Object.values(sum).reduce((all, one) => all + one, 0)
  const tone =
    replicas.length === 0 || replicas.some(({ state }) => state === 'down') ? 'bad' : up > 0 ? 'good' : 'idle'
  // Probes are sent when somebody asks for a verdict: before, nothing is known and nothing is wrong.
  const value =
    replicas.length > 0 && unknown === replicas.length
      ? html`${replicas.length}<small> not asked yet</small>`
      : html`${up}<small> of ${replicas.length} up</small>`
  return html`
    <${Figure}
      name="Gateway replicas"
      tone=${tone}
      value=${value}
      note=${html`<a href="#/gateway">Gateway</a>${unknown > 0 && unknown < replicas.length && `, ${unknown} not asked yet`}`}
    />
    <${Figure}
      name="Replication lag"
      value=${lag ? html`${formatDuration(lag.p50Ms)}` : '–'}
      note=${lag ? `p50 of the last arrivals; p99 ${formatDuration(lag.p99Ms)}` : 'no token seen to arrive yet'}
    />
    <${Figure}
      name="Checks in 15 minutes"
      value=${formatNumber(checks)}
      note=${sum && checks > 0 ? `${formatNumber(sum.Synced)} Synced, ${formatNumber(checks - sum.Synced)} not` : 'none'}
    />
  `
}

/** @param {{ page: Page, status: Status }} props */
function TokensTile({ page, status }) {
  const run = status.tokens?.lastRun
  return html`<${Figure}
    name="Token sync"
    tone=${toneOf(run)}
    value=${html`<span class="word">${wordOf(run)}</span>`}
    note=${html`<a href="#/tokens">${count(status.tokens?.clusters.length ?? 0, 'cluster')}</a>, <${Ago} moment=${run?.endedAt ?? run?.createdAt} now=${page.now} />`}
  />`
}

/** @param {{ page: Page, pair: DbPairStatus }} props */
function PairTile({ page, pair }) {
  const run = pair.lastRun
  return html`<${Figure}
    name=${`Database pair ${pair.name}`}
    tone=${toneOf(run)}
    value=${html`<span class="word">${wordOf(run)}</span>`}
    note=${html`<a href="#/databases">Databases</a>, <${Ago} moment=${run?.endedAt ?? run?.createdAt} now=${page.now} />`}
  />`
}

/** @param {RunOutline | null | undefined} run @returns {Tone} */
const toneOf = (run) => (run ? describeRunState(run).tone : 'idle')
/** @param {RunOutline | null | undefined} run */
const wordOf = (run) => (run ? describeRunState(run).word : 'no run yet')

/** @param {{ leader: LeaderStatus }} props */
function LeadershipPanel({ leader }) {
  const { driver, name, isLeader, term, expiresInMs, problem } = leader
  const alone = driver === 'memory'
  return html`<${Panel} title="Leadership">
    <${Facts}
      facts=${[
        ['Leader', name === null ? 'nobody is known to lead' : name],
        [
          'This instance',
          isLeader ? html`<${Badge} tone="good" word="leads" />` : html`<${Badge} tone="idle" word="follows" />`,
        ],
        ['Term', term ?? (alone ? 'none needed: there is one instance' : 'known to the leader alone')],
        [
          'Until',
          expiresInMs === null ? (alone ? 'always' : '–') : `${formatSpan(expiresInMs)} from now, unless renewed`,
        ],
        ...(problem === undefined ? [] : [['Problem', problem]]),
      ]}
    />
  <//>`
}

/** @param {{ page: Page, schedules: readonly ScheduleStatus[] }} props */
function SchedulesPanel({ page, schedules }) {
  const { now } = page
  return html`<${Panel} title="Schedules">
    <${Table}
      caption="What is started by the clock"
      rows=${schedules}
      keyOf=${(/** @type {ScheduleStatus} */ { name }) => name}
      empty="Nothing is started by the clock."
      columns=${[
        { title: 'Schedule', heads: true, cell: (/** @type {ScheduleStatus} */ { name }) => name },
        {
          title: 'Expression',
          cell: (/** @type {ScheduleStatus} */ { cron, timeZone }) =>
            html`<code>${cron}</code> <span class="soft">${timeZone}</span>`,
        },
        {
          title: 'Next run',
          cell: (/** @type {ScheduleStatus} */ { nextAt }) =>
            nextAt === null ? 'by the leader' : html`<${Ago} moment=${nextAt} now=${now} />`,
        },
        {
          title: 'Last run',
          cell: (/** @type {ScheduleStatus} */ { lastRun }) =>
            lastRun === null
              ? 'none yet'
              : html`<a href=${`#/runs/${lastRun.id}`}><${Badge} ...${describeRunState(lastRun)} /></a>${' '}
                  <${Ago} moment=${lastRun.endedAt ?? lastRun.createdAt} now=${now} />`,
        },
        { title: 'Missed', numeric: true, cell: (/** @type {ScheduleStatus} */ { missed }) => formatNumber(missed) },
      ]}
    />
  <//>`
}

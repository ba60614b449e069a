// The gateway: its replicas, how long tokens took to arrive and what checks said over the last quarter of an hour, and a check by hand.
/** @import { Page } from '../app.js' */
/** @import { GatewayHistory, GatewayStatus, Replica } from '../types.ts' */
import { html } from '../dom.js'
import { formatDuration, formatMoment, formatNumber } from '../model/format.js'
import { describeChecks, describeLag, lagColumns, sumVerdicts, verdictColumns } from '../model/history.js'
import { describeReason, describeReplica, describeVerdict, VERDICTS } from '../model/words.js'
import { useMemo } from '../vendor/hooks.js'
import { Chart } from './chart.js'
import { CheckForm } from './check-form.js'
import { Ago, Badge, Panel, Table } from './parts.js'

/** @param {{ page: Page, gateway: GatewayStatus }} props */
export function GatewayView({ page, gateway }) {
  return html`<h1>Gateway</h1>
    <${Panel} title="Replicas">
      <p class="soft">${describeSource(gateway.source)}</p>
      <${ReplicaTable} page=${page} replicas=${gateway.replicas} />
    <//>
    <${GatewayCharts} page=${page} gateway=${gateway} />
    ${page.may('synced') && html`<${CheckForm} page=${page} replicas=${gateway.replicas} />`}`
}

/** The last quarter of an hour. @param {{ page: Page, gateway: GatewayStatus }} props */
export function GatewayCharts({ page, gateway }) {
  const { history } = page.known
  if (history === undefined) return null
  return html`<div class="columns">
    <${Panel} title="Replication lag"><${LagChart} page=${page} history=${history} /><//>
    <${Panel} title="Checks"><${ChecksChart} page=${page} history=${history} gateway=${gateway} /><//>
  </div>`
}

/** @param {GatewayStatus['source']} source */
function describeSource({ kind, ageMs, problem }) {
  const list = { static: 'a fixed list', dns: 'the addresses of a name', kubernetes: 'Kubernetes' }[kind] ?? kind
  const age =
    ageMs === null ? 'There is no list yet' : ageMs < 1_000 ? 'Confirmed now' : `Confirmed ${formatDuration(ageMs)} ago`
  return `From ${list}. ${age}.${problem === undefined ? '' : ` It cannot be read right now: ${problem}`}`
}

/** @param {{ page: Page, replicas: readonly Replica[] }} props */
function ReplicaTable({ page, replicas }) {
  const { now } = page
  return html`<${Table}
    caption="Replicas of the gateway"
    rows=${replicas}
    keyOf=${(/** @type {Replica} */ { name }) => name}
    empty="There are no replicas."
    columns=${[
      { title: 'Replica', heads: true, cell: (/** @type {Replica} */ { name }) => name },
      { title: 'State', cell: (/** @type {Replica} */ replica) => html`<${Badge} ...${describeReplica(replica)} />` },
      { title: 'Reason', cell: (/** @type {Replica} */ { reason }) => describeReason(reason) || '–' },
      { title: 'Since', cell: (/** @type {Replica} */ { since }) => html`<${Ago} moment=${since} now=${now} />` },
      {
        title: 'Last seen',
        cell: (/** @type {Replica} */ { lastSeen }) => html`<${Ago} moment=${lastSeen} now=${now} />`,
      },
      {
        title: 'Lag p50',
        numeric: true,
        cell: (/** @type {Replica} */ { lag }) => (lag === null ? '–' : formatDuration(lag.p50Ms)),
      },
      {
        title: 'Lag p99',
        numeric: true,
        cell: (/** @type {Replica} */ { lag }) => (lag === null ? '–' : formatDuration(lag.p99Ms)),
      },
      { title: 'Address', cell: (/** @type {Replica} */ { address, port }) => html`<code>${address}:${port}</code>` },
    ]}
  />`
}

/** @param {{ page: Page, history: GatewayHistory }} props */
function LagChart({ page, history }) {
  const columns = useMemo(() => lagColumns(history), [history])
  const rows = history.items.filter(({ lag }) => lag !== null).toReversed()
  return html`<${Chart}
      label=${describeLag(history)}
      columns=${columns}
      series=${[
        { name: 'p50', colour: '--good', kind: 'line' },
        { name: 'p99', colour: '--warn', kind: 'line', dash: [6, 4] },
      ]}
      format=${formatDuration}
      scheme=${page.scheme}
    />
    <ul class="legend">
      <li><span class="swatch line good"></span>p50: half of the tokens arrived within it</li>
      <li><span class="swatch line dashed warn"></span>p99</li>
    </ul>
    <details>
      <summary>As a table</summary>
      <${Table}
        caption="Replication lag, in steps of ten seconds"
        rows=${rows}
        keyOf=${startOf}
        empty="No token was seen to arrive."
        columns=${[
          {
            title: 'From',
            heads: true,
            cell: (/** @type {Step} */ { startedAt }) => formatMoment(startedAt, page.now),
          },
          { title: 'p50', numeric: true, cell: (/** @type {Step} */ { lag }) => formatDuration(lag?.p50Ms ?? 0) },
          { title: 'p99', numeric: true, cell: (/** @type {Step} */ { lag }) => formatDuration(lag?.p99Ms ?? 0) },
          { title: 'Arrivals', numeric: true, cell: (/** @type {Step} */ { lag }) => formatNumber(lag?.samples ?? 0) },
        ]}
      />
    </details>`
}

/** @typedef {GatewayHistory['items'][number]} Step */

/** @param {{ page: Page, history: GatewayHistory, gateway: GatewayStatus }} props */
function ChecksChart({ page, history, gateway }) {
  const columns = useMemo(() => verdictColumns(history), [history])
  const sum = sumVerdicts(history)
  const rows = history.items.filter(({ checks }) => VERDICTS.some((verdict) => checks[verdict] > 0)).toReversed()
  return html`<${Chart}
      label=${describeChecks(history)}
      columns=${columns}
      series=${VERDICTS.map((verdict, index) => ({
        ...{ name: verdict, kind: 'bars', stripes: index },
        colour: `--verdict-${index}`,
      }))}
      format=${formatNumber}
      scheme=${page.scheme}
    />
    <ul class="legend">
      ${VERDICTS.map(
        (verdict, index) =>
          html`<li key=${verdict}>
            <span class=${`swatch verdict-${index}`}></span>${verdict} <b>${formatNumber(sum[verdict])}</b>${' '}
            <span class="soft">(${formatNumber(gateway.verdicts[verdict])} since the start)</span>
          </li>`,
      )}
    </ul>
    <details>
      <summary>As a table</summary>
      <${Table}
        caption="Checks by verdict, in steps of ten seconds"
        rows=${rows}
        keyOf=${startOf}
        empty="There was no check."
        columns=${[
          {
            title: 'From',
            heads: true,
            cell: (/** @type {Step} */ { startedAt }) => formatMoment(startedAt, page.now),
          },
          ...VERDICTS.map((verdict) => ({
            ...{ title: describeVerdict(verdict).word, numeric: true },
            cell: (/** @type {Step} */ { checks }) => formatNumber(checks[verdict]),
          })),
        ]}
      />
    </details>`
}

/** @param {Step} step */
const startOf = ({ startedAt }) => startedAt

// The databases: each pair with its sides, what was carried until when, and what can be done with it.
/** @import { Page } from '../app.js' */
/** @import { DbPairStatus, Run } from '../types.ts' */
import { html } from '../dom.js'
import { formatMoment, formatNumber } from '../model/format.js'
import { writeRoute } from '../model/route.js'
import { isEnded } from '../model/words.js'
import { useState } from '../vendor/hooks.js'
import { Ago, Complaint, Facts, Panel, Table } from './parts.js'
import { LiveRun } from './progress.js'
import { LastRun } from './run-parts.js'
import { ConfirmDialog } from './sign-in.js'
import { useAction } from './use-run.js'

/** @param {{ page: Page, pairs: readonly DbPairStatus[] }} props */
export const DatabasesView = ({ page, pairs }) =>
  html`<h1>Databases</h1>
    ${pairs.map((pair) => html`<${Pair} key=${pair.name} page=${page} pair=${pair} />`)}`

/** @param {{ page: Page, pair: DbPairStatus }} props */
function Pair({ page, pair }) {
  const { name, left, right, tables, execution, deadLetters, lastRun, problem } = pair
  return html`<${Panel} title=${`Pair ${name}`} actions=${page.may('db') && html`<${PairActions} page=${page} name=${name} />`}>
    ${problem !== undefined && html`<p class="complaint">${problem}</p>`}
    <${Facts}
      facts=${[
        ['Left', html`<code>${left.address}</code>`],
        ['Right', html`<code>${right.address}</code>`],
        ['Tables', tables === 'all' ? 'all' : tables.join(', ')],
        ['Carried out', execution === 'process' ? 'in the process of the service' : 'by workers in Pods of Kubernetes'],
        ['Rows to be tried again', deadLetters === null ? 'unknown' : formatNumber(deadLetters)],
        ['Last run', html`<${LastRun} page=${page} run=${lastRun} view="databases" />`],
      ]}
    />
    ${lastRun && !isEnded(lastRun) && html`<${LiveRun} key=${lastRun.id} page=${page} id=${lastRun.id} />`}
    <h3>Windows</h3>
    <${SavedEnds} page=${page} pair=${pair} />
  <//>`
}

/** @typedef {DbPairStatus['savedEnds'][number]} SavedEnd */

/** @param {{ page: Page, pair: DbPairStatus }} props */
function SavedEnds({ page, pair }) {
  const { now } = page
  return html`<${Table}
    caption=${`Up to when the tables of ${pair.name} have been carried`}
    rows=${pair.savedEnds}
    keyOf=${(/** @type {SavedEnd} */ { table, direction }) => `${table} ${direction}`}
    empty="No window is complete yet: the next sync reads all rows."
    columns=${[
      { title: 'Table', heads: true, cell: (/** @type {SavedEnd} */ { table }) => table },
      { title: 'Direction', cell: (/** @type {SavedEnd} */ { direction }) => direction.replaceAll('-', ' ') },
      {
        title: 'Complete up to',
        cell: (/** @type {SavedEnd} */ { end }) =>
          end === null
            ? 'nothing yet'
            : html`${formatMoment(end, now)} <span class="soft"><${Ago} moment=${end} now=${now} /></span>`,
      },
      {
        title: 'Half done',
        cell: (/** @type {SavedEnd} */ { open }) =>
          open === undefined ? '–' : `${formatNumber(open.done)} of ${formatNumber(open.total)} parts`,
      },
    ]}
  />`
}

/** @param {{ page: Page, name: string }} props */
function PairActions({ page, name }) {
  const [asks, setAsks] = useState(false)
  const { busy, complaint, run } = useAction(page)
  /** @param {() => Promise<Run>} start */
  const begin = (start) =>
    run(async () => {
      const { id } = await start()
      location.hash = writeRoute('databases', { id })
    })
  const { syncDb, verifyDb } = page.api
  return html`
    <button type="button" disabled=${busy} aria-label=${`Verify ${name}`} onClick=${() => begin(() => verifyDb({ pair: name }))}>Verify</button>
    <button type="button" disabled=${busy} aria-label=${`Dry run of ${name}`} onClick=${() => begin(() => syncDb({ pair: name, dryRun: true }))}>
      Dry run
    </button>
    <button type="button" class="primary" disabled=${busy} aria-label=${`Sync ${name}`} onClick=${() => setAsks(true)}>Sync</button>
    <${Complaint} text=${complaint} />
    ${
      asks &&
      html`<${ConfirmDialog}
        title=${`Sync ${name}?`}
        action="Sync"
        onConfirm=${() => begin(() => syncDb({ pair: name }))}
        onClose=${() => setAsks(false)}
      >
        <p>Rows that are new since the last complete window are carried to the other side where they are newer than what is there.</p>
      <//>`
    }
  `
}

// How far a run is: a bar, the rate and the time that is left, as the run itself tells it.
/** @import { Page } from '../app.js' */
/** @import { FollowedRun } from '../model/events.js' */
/** @import { RunProgress } from '../types.ts' */
import { html } from '../dom.js'
import { formatDuration, formatNumber } from '../model/format.js'
import { describeProgress } from '../model/progress.js'
import { Table } from './parts.js'
import { useRun } from './use-run.js'

/** A run that is followed for its progress alone. @param {{ page: Page, id: string }} props */
export function LiveRun({ page, id }) {
  const { followed } = useRun(page, id)
  return followed ? html`<${Progress} followed=${followed} />` : null
}

/** @param {{ followed: FollowedRun }} props */
export function Progress({ followed }) {
  const { progress } = followed.run
  const { share, perSecond, leftMs } = describeProgress(progress, followed.samples)
  if (progress === null) return html`<p class="soft">It has not told yet how far it is.</p>`
  const rows = progress.figures?.['rowsPerSecond']
  const told = [
    progress.total === undefined
      ? `${formatNumber(progress.done)} done`
      : `${formatNumber(progress.done)} of ${formatNumber(progress.total)}`,
    ...(rows !== undefined
      ? [`${formatNumber(rows)} rows a second`]
      : perSecond !== undefined
        ? [`${formatNumber(perSecond)} a second`]
        : []),
    ...(leftMs === undefined ? [] : [`about ${formatDuration(leftMs)} left`]),
    ...(progress.message === undefined ? [] : [progress.message]),
  ]
  return html`<div class="progress">
    <progress aria-label="Progress of the run" max="1" value=${share}></progress>
    <p>${told.join(' · ')}</p>
    ${progress.tables && html`<${TableProgress} tables=${progress.tables} />`}
  </div>`
}

/** @typedef {NonNullable<RunProgress['tables']>[number]} OneTable */

/** @param {{ tables: readonly OneTable[] }} props */
const TableProgress = ({ tables }) =>
  html`<${Table}
    caption="How far each table is"
    rows=${tables}
    keyOf=${(/** @type {OneTable} */ { table, direction }) => `${table} ${direction}`}
    columns=${[
      { title: 'Table', heads: true, cell: (/** @type {OneTable} */ { table }) => table },
      { title: 'Direction', cell: (/** @type {OneTable} */ { direction }) => direction.replaceAll('-', ' ') },
      {
        title: 'Parts',
        numeric: true,
        cell: (/** @type {OneTable} */ { done, total }) => `${formatNumber(done)} of ${formatNumber(total)}`,
      },
      { title: 'Read', numeric: true, cell: (/** @type {OneTable} */ { read }) => formatNumber(read) },
      { title: 'Written', numeric: true, cell: (/** @type {OneTable} */ { applied }) => formatNumber(applied) },
      { title: 'Failed', numeric: true, cell: (/** @type {OneTable} */ { failed }) => formatNumber(failed) },
    ]}
  />`

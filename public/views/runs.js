// Runs, the newest first, with filters that stand in the address, page by page. The newest page keeps itself up to date.
/** @import { Page } from '../app.js' */
/** @import { Run, RunPage } from '../types.ts' */
import { html } from '../dom.js'
import { describeError } from '../io/api.js'
import { describeOutcome, describeTook } from '../model/outcome.js'
import { writeRoute } from '../model/route.js'
import { describeKind, describeRunState, describeTrigger, RUN_STATES } from '../model/words.js'
import { useEffect, useState } from '../vendor/hooks.js'
import { Ago, Badge, Complaint, Panel, Table } from './parts.js'
import { CancelButton } from './run-parts.js'

const EVERY_MS = 2_000
const LIMIT = '25'

/** @param {{ page: Page }} props */
export function RunsView({ page }) {
  const { filter } = page.route
  const [cursors, setCursors] = useState(/** @type {readonly string[]} */ ([]))
  const chosen = { kind: filter['kind'] ?? '', state: filter['state'] ?? '' }
  useEffect(() => setCursors([]), [chosen.kind, chosen.state])
  const { shown, complaint } = useRuns(page, chosen, cursors.at(-1))
  /** @param {string} name */
  const choose = (name) => (/** @type {Event & { currentTarget: HTMLSelectElement }} */ event) => {
    location.hash = writeRoute('runs', { filter: { ...chosen, [name]: event.currentTarget.value } })
  }
  return html`<h1>Runs</h1>
    <${Panel} title="History">
      <div class="row">
        <${Choice} label="Kind" value=${chosen.kind} options=${['tokens', 'db']} onChange=${choose('kind')} />
        <${Choice} label="State" value=${chosen.state} options=${RUN_STATES} onChange=${choose('state')} />
      </div>
      <${Complaint} text=${complaint} />
      ${shown && html`<${RunTable} page=${page} runs=${shown.items} />`}
      <div class="actions">
        ${cursors.length > 0 && html`<button type="button" onClick=${() => setCursors(cursors.slice(0, -1))}>Newer</button>`}
        ${
          shown?.nextCursor &&
          html`<button type="button" onClick=${() => setCursors([...cursors, shown.nextCursor ?? ''])}>Older</button>`
        }
      </div>
    <//>`
}

/**
 * The page of runs after a cursor; the newest one is asked for again and again.
 * @param {Page} page
 * @param {{ kind: string, state: string }} chosen
 * @param {string | undefined} cursor
 */
function useRuns(page, { kind, state }, cursor) {
  const [shown, setShown] = useState(/** @type {RunPage | undefined} */ (undefined))
  const [complaint, setComplaint] = useState(/** @type {string | undefined} */ (undefined))
  useEffect(() => {
    const leaving = new AbortController()
    const { signal } = leaving
    const query = { limit: LIMIT, ...(kind && { kind }), ...(state && { state }), ...(cursor && { cursor }) }
    const look = async () => {
      try {
        const next = await page.api.runs(query, signal)
        if (signal.aborted) return
        setShown(next)
        setComplaint(undefined)
      } catch (error) {
        if (!signal.aborted) setComplaint(describeError(error))
      }
      if (!signal.aborted && cursor === undefined) timer = setTimeout(look, EVERY_MS)
    }
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer
    look()
    return () => {
      leaving.abort()
      clearTimeout(timer)
    }
  }, [kind, state, cursor])
  return { shown, complaint }
}

/** @param {{ label: string, value: string, options: readonly string[], onChange: (event: never) => void }} props */
const Choice = ({ label, value, options, onChange }) =>
  html`<label class="field">
    <span>${label}</span>
    <select value=${value} onChange=${onChange}>
      <option value="">all</option>
      ${options.map((option) => html`<option key=${option} value=${option}>${option}</option>`)}
    </select>
  </label>`

/** @param {{ page: Page, runs: readonly Run[] }} props */
function RunTable({ page, runs }) {
  const { now } = page
  return html`<${Table}
    caption="Runs, the newest first"
    rows=${runs}
    keyOf=${(/** @type {Run} */ { id }) => id}
    empty="No run is like this."
    columns=${[
      {
        title: 'Run',
        heads: true,
        cell: (/** @type {Run} */ run) => html`<a href=${writeRoute('runs', { id: run.id })}>${describeKind(run)}</a>`,
      },
      { title: 'State', cell: (/** @type {Run} */ run) => html`<${Badge} ...${describeRunState(run)} />` },
      { title: 'Outcome', cell: (/** @type {Run} */ run) => describeOutcome(run) || '–' },
      { title: 'By', cell: (/** @type {Run} */ { trigger }) => describeTrigger(trigger) },
      { title: 'Created', cell: (/** @type {Run} */ { createdAt }) => html`<${Ago} moment=${createdAt} now=${now} />` },
      { title: 'Took', numeric: true, cell: (/** @type {Run} */ run) => describeTook(run, now) },
      ...(runs.some(({ endedAt }) => endedAt === null)
        ? [{ title: 'Action', cell: (/** @type {Run} */ run) => html`<${CancelButton} page=${page} run=${run} />` }]
        : []),
    ]}
  />`
}

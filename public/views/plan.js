// The plan of a run of tokens as tables: deletes, changes, and what failed or was left alone, with a search over all of it.
/** @import { Page } from '../app.js' */
/** @import { RunItem } from '../types.ts' */
/** @import { PlanRow, PlanSection } from '../model/plan.js' */
import { html } from '../dom.js'
import { count, formatNumber } from '../model/format.js'
import { planSections, searchRows } from '../model/plan.js'
import { useMemo, useState } from '../vendor/hooks.js'
import { Badge, Table } from './parts.js'

/** So many rows of a section are shown at first, and so many more each time. */
const ROWS = 200

/** @param {{ page: Page, items: ReadonlyMap<string, RunItem>, dryRun: boolean, ended: boolean }} props */
export function Plan({ page, items, dryRun, ended }) {
  const [search, setSearch] = useState('')
  const clusters = JSON.stringify(page.known.status?.tokens?.clusters ?? [])
  // Every second draws the page anew, and there may be thousands of rows.
  const sections = useMemo(() => {
    const names = new Map(
      JSON.parse(clusters).map((/** @type {{ name: string, url: string }} */ { name, url }) => [url, name]),
    )
    return planSections(items.values(), { dryRun, nameOf: (url) => names.get(url) ?? url })
  }, [items, dryRun, clusters])
  if (sections.length === 0)
    return html`<p class="empty">${ended ? 'Every token is in step: there is nothing to do.' : 'Nothing yet.'}</p>`
  const found = sections.map((section) => ({ ...section, rows: searchRows(section.rows, search) }))
  return html`<${Search} value=${search} onInput=${setSearch} found=${found.reduce((sum, { rows }) => sum + rows.length, 0)} />
    ${found.map((section) => section.rows.length > 0 && html`<${Section} key=${section.name} section=${section} />`)}`
}

/** @param {{ value: string, found: number, onInput: (text: string) => void }} props */
export function Search({ value, found, onInput }) {
  /** @param {Event & { currentTarget: HTMLInputElement }} event */
  const input = (event) => onInput(event.currentTarget.value)
  return html`<div class="row">
    <label class="field grow">
      <span>Search</span>
      <input type="search" autocomplete="off" value=${value} onInput=${input} />
    </label>
    <p class="found" role="status">${count(found, 'row')}</p>
  </div>`
}

/** @param {{ section: PlanSection }} props */
function Section({ section }) {
  const { name, title, rows } = section
  const [shown, setShown] = useState(ROWS)
  return html`<div class=${`plan-section ${name}`}>
    <h3>${title} <span class="soft">${formatNumber(rows.length)}</span></h3>
    <${Table}
      caption=${title}
      rows=${rows.slice(0, shown)}
      keyOf=${(/** @type {PlanRow} */ { token, cluster }) => `${token} ${cluster}`}
      columns=${[
        { title: 'Token', heads: true, cell: (/** @type {PlanRow} */ { token }) => token },
        { title: 'Where', cell: (/** @type {PlanRow} */ { cluster }) => cluster },
        {
          title: 'What',
          cell: (/** @type {PlanRow} */ { what, tone }) => html`<${Badge} tone=${tone} word=${what} />`,
        },
        { title: 'Why', cell: (/** @type {PlanRow} */ { why }) => why },
      ]}
    />
    ${
      rows.length > shown &&
      html`<button type="button" onClick=${() => setShown(shown + ROWS)}>Show ${formatNumber(Math.min(ROWS, rows.length - shown))} more</button>`
    }
  </div>`
}

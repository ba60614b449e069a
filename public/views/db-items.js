// What happened to the tables of a pair in a sync, how they compare in a verify, and the first rows that differ.
/** @import { DbItem, DbVerifyItem, DbVerifySummary, RunItem } from '../types.ts' */
import { html } from '../dom.js'
import { formatDuration, formatNumber } from '../model/format.js'
import { searchRows } from '../model/plan.js'
import { describeDifference } from '../model/words.js'
import { useState } from '../vendor/hooks.js'
import { Badge, Table } from './parts.js'
import { Search } from './plan.js'

/** @type {Readonly<Record<string, import('../types.ts').Tone>>} */
const TONES = { unmodified: 'good', updated: 'busy', failed: 'bad' }

/** @param {{ items: ReadonlyMap<string, RunItem> }} props */
export function TableItems({ items }) {
  const [search, setSearch] = useState('')
  const all = [...items.values()]
  const synced = searchRows(all.filter(isSync), search)
  const verified = searchRows(all.filter(isVerify), search)
  if (all.length === 0) return html`<p class="empty">No table is done yet.</p>`
  return html`<${Search} value=${search} onInput=${setSearch} found=${synced.length + verified.length} />
    ${synced.length > 0 && html`<${SyncTable} rows=${synced} />`}
    ${verified.length > 0 && html`<${VerifyTable} rows=${verified} />`}`
}

/** @param {RunItem} item @returns {item is DbItem} */
const isSync = (item) => 'direction' in item
/** @param {RunItem} item @returns {item is DbVerifyItem} */
const isVerify = (item) => 'table' in item && !('direction' in item)

/** @param {{ rows: readonly DbItem[] }} props */
const SyncTable = ({ rows }) =>
  html`<${Table}
    caption="Tables and directions"
    rows=${rows}
    keyOf=${(/** @type {DbItem} */ { table, direction }) => `${table} ${direction}`}
    columns=${[
      { title: 'Table', heads: true, cell: (/** @type {DbItem} */ { table }) => table },
      { title: 'Direction', cell: (/** @type {DbItem} */ { direction }) => direction.replaceAll('-', ' ') },
      statusColumn(),
      ...['read', 'applied', 'older', 'equal', 'echoed', 'failed'].map((name) => ({
        ...{ title: name === 'applied' ? 'Written' : name.charAt(0).toUpperCase() + name.slice(1), numeric: true },
        cell: (/** @type {DbItem} */ item) => formatNumber(/** @type {number} */ (item[/** @type {'read'} */ (name)])),
      })),
      { title: 'Took', numeric: true, cell: (/** @type {DbItem} */ { ms }) => formatDuration(ms) },
      ...(rows.some(({ note }) => note !== undefined)
        ? [{ title: 'Note', cell: (/** @type {DbItem} */ { note }) => note ?? '' }]
        : []),
    ]}
  />`

/** @param {{ rows: readonly DbVerifyItem[] }} props */
const VerifyTable = ({ rows }) =>
  html`<${Table}
    caption="How the tables compare"
    rows=${rows}
    keyOf=${(/** @type {DbVerifyItem} */ { table }) => table}
    columns=${[
      { title: 'Table', heads: true, cell: (/** @type {DbVerifyItem} */ { table }) => table },
      statusColumn(),
      .../** @type {const} */ (['equal', 'leftNewer', 'rightNewer', 'onlyLeft', 'onlyRight', 'differs']).map(
        (name) => ({
          ...{ title: name === 'equal' ? 'equal' : describeDifference(name), numeric: true },
          cell: (/** @type {DbVerifyItem} */ { counts }) => formatNumber(counts[name]),
        }),
      ),
      { title: 'Took', numeric: true, cell: (/** @type {DbVerifyItem} */ { ms }) => formatDuration(ms) },
    ]}
  />`

const statusColumn = () => ({
  title: 'Status',
  cell: (/** @type {DbItem | DbVerifyItem} */ { status }) =>
    html`<${Badge} tone=${TONES[status] ?? 'idle'} word=${status} />`,
})

/** @typedef {DbVerifySummary['differences'][number]} Difference */

/** @param {{ summary: DbVerifySummary }} props */
export function Differences({ summary }) {
  const { counts, differences } = summary
  const { equal: _, ...other } = counts
  const all = Object.values(other).reduce((sum, number) => sum + number, 0)
  return html`${all > differences.length && html`<p>The first ${formatNumber(differences.length)} of ${formatNumber(all)}.</p>`}
    <${Table}
      caption="Rows that are not the same on both sides"
      rows=${differences}
      keyOf=${(/** @type {Difference} */ { table, id }) => `${table} ${id}`}
      empty="Both sides are the same."
      columns=${[
        { title: 'Table', heads: true, cell: (/** @type {Difference} */ { table }) => table },
        { title: 'Row', cell: (/** @type {Difference} */ { id }) => html`<code>${id}</code>` },
        {
          title: 'How',
          cell: (/** @type {Difference} */ { kind }) => html`<${Badge} tone="warn" word=${describeDifference(kind)} />`,
        },
      ]}
    />`
}

// What views are made of: words with a sign and a colour, panels, lists of facts, and tables that become cards on narrow screens.
/** @import { Tone } from '../types.ts' */
/** @import { Children } from '../dom.js' */
import { html } from '../dom.js'
import { formatAgo, formatMoment } from '../model/format.js'

/** For those who see no colours: each tone has a sign of its own. @type {Readonly<Record<Tone, string>>} */
const SIGNS = { good: '✓', busy: '↻', warn: '!', bad: '✕', idle: '·' }

/** @param {{ tone: Tone, word: string }} props */
export const Badge = ({ tone, word }) =>
  html`<span class=${`badge ${tone}`}><span class="sign" aria-hidden="true">${SIGNS[tone]}</span><span>${word}</span></span>`

/** How long ago; the moment itself for those who point at it. @param {{ moment: string | null | undefined, now: number }} props */
export const Ago = ({ moment, now }) =>
  moment === null || moment === undefined
    ? html`<span>never</span>`
    : html`<time datetime=${moment} title=${formatMoment(moment, now)}>${formatAgo(moment, now)}</time>`

/** @param {{ title: string, children?: Children, actions?: Children, level?: 2 | 3 }} props */
export function Panel({ title, children, actions, level = 2 }) {
  const id = `panel-${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`
  return html`<section class="panel" aria-labelledby=${id}>
    <div class="panel-head">
      ${level === 2 ? html`<h2 id=${id}>${title}</h2>` : html`<h3 id=${id}>${title}</h3>`}
      ${actions && html`<div class="actions">${actions}</div>`}
    </div>
    ${children}
  </section>`
}

/** @param {{ facts: readonly (readonly [string, Children])[] }} props */
export const Facts = ({ facts }) =>
  html`<dl class="facts">
    ${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`

/**
 * @template Row
 * @typedef {{ title: string, cell: (row: Row) => Children, numeric?: boolean, heads?: boolean }} Column `heads`: names its row
 */

/**
 * Roles are written out: as cards, its parts would lose them.
 * @template Row
 * @param {{ caption: string, columns: readonly Column<Row>[], rows: readonly Row[], keyOf: (row: Row) => string, empty?: string }} props
 */
export function Table({ caption, columns, rows, keyOf, empty = 'None.' }) {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`
  return html`<table role="table">
    <caption class="hidden">${caption}</caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(
          ({ title, numeric }) =>
            html`<th key=${title} role="columnheader" scope="col" class=${numeric ? 'numeric' : ''}>${title}</th>`,
        )}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr key=${keyOf(row)} role="row">
            ${columns.map(({ title, cell, numeric, heads }) =>
              heads
                ? html`<th key=${title} role="rowheader" scope="row" data-label=${title}>${cell(row)}</th>`
                : html`<td key=${title} role="cell" data-label=${title} class=${numeric ? 'numeric' : ''}>${cell(row)}</td>`,
            )}
          </tr>`,
      )}
    </tbody>
  </table>`
}

/** What went wrong with what somebody has asked for. @param {{ text: string | undefined }} props */
export const Complaint = ({ text }) =>
  html`<div role="alert">${text && html`<p class="complaint"><${Badge} tone="bad" word="Failed" /> ${text}</p>`}</div>`

/** @param {{ name: string, value: Children, note?: Children, tone?: Tone }} props */
export const Figure = ({ name, value, note, tone = 'idle' }) =>
  html`<div class=${`figure ${tone}`}>
    <div class="figure-name">${name}</div>
    <div class="figure-value">${value}</div>
    ${note && html`<div class="figure-note">${note}</div>`}
  </div>`

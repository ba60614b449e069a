// Carries out what a dry run has found, that and nothing else: tokens that have changed since are refused by the service.
/** @import { Page } from '../app.js' */
/** @import { Run } from '../types.ts' */
import { html } from '../dom.js'
import { count } from '../model/format.js'
import { isTokensSummary } from '../model/outcome.js'
import { writeRoute } from '../model/route.js'
import { useState } from '../vendor/hooks.js'
import { Complaint } from './parts.js'
import { ConfirmDialog } from './sign-in.js'
import { useAction } from './use-run.js'

/** @param {{ page: Page, run: Run }} props */
export function ApplyPlan({ page, run }) {
  const [asks, setAsks] = useState(false)
  const { busy, complaint, run: act } = useAction(page)
  const { writes, deletes } = countWrites(run)
  if (writes === 0) return null
  const apply = () =>
    act(async () => {
      const { id } = await page.api.syncTokens({ plan: run.id })
      location.hash = writeRoute('tokens', { id })
    })
  return html`<button type="button" class="primary" disabled=${busy} onClick=${() => setAsks(true)}>Apply exactly this</button>
    <${Complaint} text=${complaint} />
    ${
      asks &&
      html`<${ConfirmDialog} title="Apply exactly this?" action=${`Write ${count(writes, 'change')}`} danger=${deletes > 0} onConfirm=${apply} onClose=${() => setAsks(false)}>
        <p>
          ${count(writes, 'change')} will be written${deletes > 0 && html`, <strong>${count(deletes, 'delete')} among them</strong>`}. What
          has changed since the dry run is refused.
        </p>
      <//>`
    }`
}

/** @param {Run} run */
function countWrites({ summary }) {
  if (!isTokensSummary(summary)) return { writes: 0, deletes: 0 }
  const { create, update, softDelete, hardDelete } = summary.counts
  return { writes: create + update + softDelete + hardDelete, deletes: softDelete + hardDelete }
}

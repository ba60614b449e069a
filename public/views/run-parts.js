// Parts of views that show runs.
/** @import { Page } from '../app.js' */
/** @import { Run, RunOutline } from '../types.ts' */
/** @import { ViewName } from '../model/route.js' */
import { html } from '../dom.js'
import { describeTook } from '../model/outcome.js'
import { writeRoute } from '../model/route.js'
import { describeKind, describeRunState, describeTrigger, isEnded } from '../model/words.js'
import { Ago, Badge, Complaint } from './parts.js'
import { useAction } from './use-run.js'

/** A run in a line. @param {{ page: Page, run: RunOutline | null, view: ViewName }} props */
export function LastRun({ page, run, view }) {
  if (run === null) return html`<span>none yet</span>`
  const { now } = page
  return html`<span>
    <${Badge} ...${describeRunState(run)} /> <a href=${writeRoute(view, { id: run.id })}>${describeKind(run)}</a>
    ${' '}by ${describeTrigger(run.trigger)}, <${Ago} moment=${run.startedAt ?? run.createdAt} now=${now} />, took ${describeTook(run, now)}
  </span>`
}

/** Asks a run to end; there for those who may, while it lasts. @param {{ page: Page, run: Run, onRun?: (run: Run) => void }} props */
export function CancelButton({ page, run }) {
  const { busy, complaint, run: act } = useAction(page)
  if (isEnded(run) || !page.may(run.kind)) return null
  const cancel = () =>
    act(async () => {
      await page.api.cancel(run.id)
      page.say('The run was asked to end.')
    })
  return html`<button type="button" class="danger" disabled=${busy} onClick=${cancel}>Cancel run</button><${Complaint} text=${complaint} />`
}

// One run: how it is, how far, what came of it, what happened to each part of it, and for a dry run of tokens the way to carry it out.
/** @import { Page } from '../app.js' */
/** @import { FollowedRun } from '../model/events.js' */
/** @import { Run } from '../types.ts' */
import { html } from '../dom.js'
import { formatMoment } from '../model/format.js'
import { describeOutcome, describeTook, isVerifySummary } from '../model/outcome.js'
import { VIEWS, writeRoute } from '../model/route.js'
import { describeKind, describeRunState, describeTrigger, isEnded } from '../model/words.js'
import { ApplyPlan } from './apply-plan.js'
import { Differences, TableItems } from './db-items.js'
import { Badge, Complaint, Facts, Panel } from './parts.js'
import { Plan } from './plan.js'
import { Progress } from './progress.js'
import { CancelButton } from './run-parts.js'
import { useRun } from './use-run.js'

/** @param {{ page: Page, id: string }} props */
export function RunView({ page, id }) {
  const { followed, complaint } = useRun(page, id)
  const view = VIEWS.find((name) => name === page.route.view) ?? 'runs'
  const back = html`<p class="back"><a href=${writeRoute(view)}>← All ${view === 'runs' ? 'runs' : `of ${view}`}</a></p>`
  if (followed === undefined) return html`${back}<h1>Run</h1><${Complaint} text=${complaint} />`
  const { run } = followed
  return html`${back}
    <h1>${capital(describeKind(run))}</h1>
    <${Complaint} text=${complaint} />
    <${Panel} title="Run" actions=${html`<${CancelButton} page=${page} run=${run} />`}>
      <p class="state" role="status"><${Badge} ...${describeRunState(run)} /> ${describeOutcome(run)}</p>
      ${!isEnded(run) && html`<${Progress} followed=${followed} />`}
      <${RunFacts} page=${page} run=${run} />
    <//>
    ${run.kind === 'tokens' ? html`<${TokenRun} page=${page} followed=${followed} />` : html`<${DbRun} followed=${followed} />`}`
}

/** @param {{ page: Page, run: Run }} props */
function RunFacts({ page, run }) {
  const { now } = page
  const request = Object.entries(run.request).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return html`<${Facts}
    facts=${[
      ['Started by', describeTrigger(run.trigger)],
      ['Created', formatMoment(run.createdAt, now)],
      ['Started', formatMoment(run.startedAt, now)],
      ['Ended', run.endedAt === null ? 'not yet' : formatMoment(run.endedAt, now)],
      ['Took', describeTook(run, now)],
      ['Request', html`<code>${request.join(', ') || 'nothing but the configuration'}</code>`],
      ['Id', html`<code>${run.id}</code>`],
      ...(run.takesUp === undefined
        ? []
        : [['Takes up', html`<a href=${writeRoute('runs', { id: run.takesUp })}>${run.takesUp}</a>`]]),
    ]}
  />`
}

/** @param {{ page: Page, followed: FollowedRun }} props */
function TokenRun({ page, followed }) {
  const { run, items } = followed
  const canApply = run.dryRun && run.state === 'succeeded' && page.may('tokens')
  return html`<${Panel}
    title=${run.dryRun ? 'Plan' : 'Tokens'}
    actions=${canApply && html`<${ApplyPlan} page=${page} run=${run} />`}
  >
    <${Plan} page=${page} items=${items} dryRun=${run.dryRun} ended=${isEnded(run)} />
  <//>`
}

/** @param {{ followed: FollowedRun }} props */
function DbRun({ followed }) {
  const { run, items } = followed
  return html`
    ${isVerifySummary(run.summary) && html`<${Panel} title="Differences"><${Differences} summary=${run.summary} /><//>`}
    <${Panel} title="Tables"><${TableItems} items=${items} /><//>
  `
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1)

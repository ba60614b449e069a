// The tokens: the clusters that are kept in step, what the last run did, and a dry run, whose plan can then be carried out.
/** @import { Page } from '../app.js' */
/** @import { TokensStatus } from '../types.ts' */
import { html } from '../dom.js'
import { writeRoute } from '../model/route.js'
import { isEnded } from '../model/words.js'
import { useState } from '../vendor/hooks.js'
import { Complaint, Panel, Table } from './parts.js'
import { LiveRun } from './progress.js'
import { LastRun } from './run-parts.js'
import { useAction } from './use-run.js'

/** @typedef {TokensStatus['clusters'][number]} Cluster */

/** @param {{ page: Page, tokens: TokensStatus }} props */
export function TokensView({ page, tokens }) {
  const { clusters, lastRun, problem } = tokens
  return html`<h1>Tokens</h1>
    ${page.may('tokens') && html`<${DryRun} page=${page} clusters=${clusters} />`}
    <div class="columns">
      <${Panel} title="Clusters">
        <${Table}
          caption="Waiter clusters"
          rows=${clusters}
          keyOf=${(/** @type {Cluster} */ { name }) => name}
          columns=${[
            { title: 'Cluster', heads: true, cell: (/** @type {Cluster} */ { name }) => name },
            { title: 'Address', cell: (/** @type {Cluster} */ { url }) => html`<code>${url}</code>` },
          ]}
        />
      <//>
      <${Panel} title="Last run">
        ${problem !== undefined && html`<p class="complaint">${problem}</p>`}
        <${LastRun} page=${page} run=${lastRun} view="tokens" />
        ${lastRun && !isEnded(lastRun) && html`<${LiveRun} key=${lastRun.id} page=${page} id=${lastRun.id} />`}
      <//>
    </div>`
}

/** @param {{ page: Page, clusters: readonly Cluster[] }} props */
function DryRun({ page, clusters }) {
  const [left, setLeft] = useState(/** @type {readonly string[]} */ ([]))
  const { busy, complaint, run } = useAction(page)
  const chosen = clusters.map(({ name }) => name).filter((name) => !left.includes(name))
  const plan = () =>
    run(async () => {
      const { id } = await page.api.syncTokens({ dryRun: true, ...(left.length > 0 && { clusters: chosen }) })
      location.hash = writeRoute('tokens', { id })
    })
  /** @param {string} name */
  const toggle = (name) => setLeft(left.includes(name) ? left.filter((one) => one !== name) : [...left, name])
  return html`<${Panel} title="Plan a sync">
    <p>A dry run writes nothing: it shows what would change where and why. Its plan can then be carried out exactly as shown.</p>
    <div class="row">
      <fieldset>
        <legend>Clusters</legend>
        ${clusters.map(
          ({ name }) =>
            html`<label key=${name} class="tick">
              <input type="checkbox" checked=${!left.includes(name)} onChange=${() => toggle(name)} />${name}
            </label>`,
        )}
      </fieldset>
      <button type="button" class="primary" disabled=${busy || chosen.length < 2} onClick=${plan}>Dry run</button>
    </div>
    ${chosen.length < 2 && html`<p class="soft">A sync needs two clusters at least.</p>`}
    <${Complaint} text=${complaint} />
  <//>`
}

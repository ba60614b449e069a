// A check by hand: a token and where it was stored in, the verdict and what each replica said out. The token is sent in a header and is
// kept nowhere but in the field.
/** @import { Page } from '../app.js' */
/** @import { CheckResult, Replica } from '../types.ts' */
import { html } from '../dom.js'
import { describeError } from '../io/api.js'
import { count, formatDuration } from '../model/format.js'
import { describeReason, describeVerdict } from '../model/words.js'
import { useState } from '../vendor/hooks.js'
import { Badge, Complaint, Panel, Table } from './parts.js'

/** What a header can carry. */
const TOKEN = /^[\x20-\x7e]{1,8192}$/

/** @param {{ page: Page, replicas: readonly Replica[] }} props */
export function CheckForm({ page, replicas }) {
  const [asking, setAsking] = useState(false)
  const [complaint, setComplaint] = useState(/** @type {string | undefined} */ (undefined))
  const [result, setResult] = useState(/** @type {CheckResult | undefined} */ (undefined))
  /** @param {SubmitEvent & { currentTarget: HTMLFormElement }} event */
  const submit = async (event) => {
    event.preventDefault()
    const { elements } = event.currentTarget
    const read = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (elements.namedItem(name)).value
    const token = read('token')
    setResult(undefined)
    if (!TOKEN.test(token)) return setComplaint('A token has 1 to 8192 printable ASCII characters.')
    setComplaint(undefined)
    setAsking(true)
    try {
      const expect = read('expect') === 'absent' ? 'absent' : 'present'
      setResult(await page.api.check({ token, origin: read('origin'), expect }))
      page.askNow()
    } catch (error) {
      setComplaint(describeError(error))
    } finally {
      setAsking(false)
    }
  }
  return html`<${Panel} title="Check a token">
    <form class="row" onSubmit=${submit} autocomplete="off">
      <label class="field grow">
        <span>Token</span>
        <input name="token" type="password" autocomplete="off" spellcheck=${false} required />
      </label>
      <label class="field">
        <span>Stored at</span>
        <select name="origin">
          ${replicas.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select>
      </label>
      <label class="field">
        <span>Question</span>
        <select name="expect">
          <option value="present">Has it arrived?</option>
          <option value="absent">Is it forgotten?</option>
        </select>
      </label>
      <button type="submit" class="primary" disabled=${asking}>${asking ? 'Asking…' : 'Check'}</button>
    </form>
    <${Complaint} text=${complaint} />
    <div role="status">${result && html`<${Verdict} result=${result} />`}</div>
    ${result && html`<${Answers} result=${result} />`}
  <//>`
}

/** @param {{ result: CheckResult }} props */
function Verdict({ result }) {
  const { word, tone, means } = describeVerdict(result.status)
  return html`<p class="verdict">
    <${Badge} tone=${tone} word=${word} /> after ${formatDuration(result.ms)}: ${means}${' '}
    (${count(result.replicas.length, 'replica')} asked, not ${result.origin}).
  </p>`
}

/** @typedef {CheckResult['replicas'][number]} Answer */

/** @param {{ result: CheckResult }} props */
function Answers({ result }) {
  return html`<${Table}
    caption="What each replica said"
    rows=${result.replicas}
    keyOf=${(/** @type {Answer} */ { name }) => name}
    columns=${[
      { title: 'Replica', heads: true, cell: (/** @type {Answer} */ { name }) => name },
      {
        title: 'Says',
        cell: (/** @type {Answer} */ answer) => html`<${Badge} tone=${toneOf(answer, result)} word=${answer.state} />`,
      },
      { title: 'Reason', cell: (/** @type {Answer} */ { reason }) => describeReason(reason) || '–' },
      {
        title: 'After',
        numeric: true,
        cell: (/** @type {Answer} */ { ms }) => (ms === null ? '–' : formatDuration(ms)),
      },
      { title: 'Probes', numeric: true, cell: (/** @type {Answer} */ { attempts }) => attempts },
      { title: 'Counts', cell: (/** @type {Answer} */ { counted }) => (counted ? 'yes' : 'no, it is leaving') },
    ]}
  />`
}

/** @param {Answer} answer @param {CheckResult} result */
const toneOf = ({ state }, { expect }) => (state === 'unknown' ? 'warn' : state === expect ? 'good' : 'bad')

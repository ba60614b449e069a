// Dialogs: the one that asks for a bearer token, and the one that asks whether somebody means it. The browser keeps the focus inside.
/** @import { Children } from '../dom.js' */
import { html } from '../dom.js'
import { useEffect, useRef, useState } from '../vendor/hooks.js'

/** @param {{ title: string, onClose: () => void, children?: Children }} props */
function Dialog({ title, onClose, children }) {
  const dialog = /** @type {{ current: HTMLDialogElement | null }} */ (useRef(null))
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      // The element goes, and with it what the browser would have given the focus back to.
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return html`<dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${onClose}>
    <h2 id="dialog-title">${title}</h2>
    ${children}
  </dialog>`
}

/** What a header can carry. */
const TOKEN = /^[\x21-\x7e]{1,16000}$/

/** @param {{ why: string | undefined, onToken: (token: string) => void, onClose: () => void }} props */
export function SignInDialog({ why, onToken, onClose }) {
  const [complaint, setComplaint] = useState(why)
  useEffect(() => setComplaint(why), [why])
  /** @param {SubmitEvent & { currentTarget: HTMLFormElement }} event */
  const submit = (event) => {
    event.preventDefault()
    const field = /** @type {HTMLInputElement} */ (event.currentTarget.elements.namedItem('bearer'))
    const token = field.value.trim().replace(/^Bearer\s+/i, '')
    if (!TOKEN.test(token)) return setComplaint('That is no bearer token: it has visible characters without spaces.')
    onToken(token)
    onClose()
  }
  return html`<${Dialog} title="Sign in" onClose=${onClose}>
    <form onSubmit=${submit} autocomplete="off">
      <p>The token is kept for this tab alone, and is gone when it is closed.</p>
      <label class="field">
        <span>Bearer token</span>
        <input name="bearer" type="password" autocomplete="off" spellcheck=${false} required aria-describedby="bearer-complaint" />
      </label>
      <p id="bearer-complaint" class="complaint" role="alert">${complaint}</p>
      <div class="actions">
        <button type="button" onClick=${onClose}>Not now</button>
        <button type="submit" class="primary">Sign in</button>
      </div>
    </form>
  <//>`
}

/** @param {{ title: string, action: string, danger?: boolean, onConfirm: () => void, onClose: () => void, children?: Children }} props */
export function ConfirmDialog({ title, action, danger = false, onConfirm, onClose, children }) {
  const confirm = () => {
    onClose()
    onConfirm()
  }
  return html`<${Dialog} title=${title} onClose=${onClose}>
    ${children}
    <div class="actions">
      <button type="button" onClick=${onClose}>Leave it</button>
      <button type="button" class=${danger ? 'danger' : 'primary'} onClick=${confirm}>${action}</button>
    </div>
  <//>`
}

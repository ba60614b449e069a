// How views are written: markup in template strings, which Preact turns into elements. Whatever is put in is text, never markup.
import htm from './vendor/htm.js'
import { h } from './vendor/preact.js'

/** @typedef {import('./vendor/preact.js').ComponentChildren} Children */

export const html =
  /** @type {(strings: TemplateStringsArray, ...values: unknown[]) => import('./vendor/preact.js').VNode} */ (
    /** @type {unknown} */ (htm.bind(h))
  )

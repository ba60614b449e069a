// The body of a watch, from text to events: one JSON object a line, cut anywhere by the network. Pure.
import { codeOfStatus, KubeError, oneLine } from './error.ts'
import { isKubeObject, isObject, type KubeObject } from './object.ts'

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'put'; readonly object: T }
  | { readonly type: 'delete'; readonly object: T }
  /** A sign of life: all up to `revision` has been sent. `initialEnd`: the first part, all that there is, is complete. */
  | { readonly type: 'bookmark'; readonly revision: string; readonly initialEnd: boolean }
  /** The stream cannot be followed any further. */
  | { readonly type: 'error'; readonly error: KubeError }

/** An object may have a few megabytes; what is much longer without a line end is no watch. */
const MAX_LINE_CHARS = 16 * 1_048_576

export interface SplitText {
  /** Complete lines, without empty ones. */
  readonly lines: readonly string[]
  /** The beginning of a line whose end is still to come. */
  readonly rest: string
}

/** Cuts `rest` and what came after it into lines. Throws KubeError `garbage` when no line ends. */
export function splitLines(rest: string, text: string): SplitText {
  const parts = (rest + text).split('\n')
  const last = parts.pop() ?? ''
  if (last.length > MAX_LINE_CHARS)
    throw new KubeError('garbage', `a line of the watch is longer than ${MAX_LINE_CHARS} characters`)
  return { lines: parts.filter((line) => line.trim() !== ''), rest: last }
}

/** What a line says. One that cannot be understood is an `error`: events may have been lost. */
export function parseWatchEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return garbage('a line that is not JSON')
  }
  if (!isObject(parsed)) return garbage('a line that is not an object')
  const { type, object } = parsed
  if (type === 'ERROR') return { type: 'error', error: errorOfStatus(object) }
  if (type === 'BOOKMARK') return parseBookmark(object)
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')
    return garbage(`an event of type ${oneLine(String(type)).slice(0, 40)}`)
  if (!isKubeObject(object)) return garbage('an object without a name')
  // The server checks objects against their schema before it stores them: their shape is taken on trust.
  return { type: type === 'DELETED' ? 'delete' : 'put', object: object as T }
}

function parseBookmark<T extends KubeObject>(object: unknown): WatchEvent<T> {
  const metadata = isObject(object) ? object['metadata'] : undefined
  const revision = isObject(metadata) ? metadata['resourceVersion'] : undefined
  if (!isObject(metadata) || typeof revision !== 'string') return garbage('a bookmark without a resourceVersion')
  const annotations = metadata['annotations']
  return {
    type: 'bookmark',
    revision,
    initialEnd: isObject(annotations) && annotations['k8s.io/initial-events-end'] === 'true',
  }
}

/** An ERROR event carries a Status object: an expired resourceVersion comes this way, in an answer that began with 200. */
function errorOfStatus(status: unknown): KubeError {
  const { code, message, details } = isObject(status) ? status : {}
  if (typeof code !== 'number') return new KubeError('garbage', 'the watch sent an ERROR event without a code')
  const seconds = isObject(details) ? details['retryAfterSeconds'] : undefined
  const text = `the watch ended with ${code}${typeof message === 'string' ? `: ${oneLine(message)}` : ''}`
  return new KubeError(codeOfStatus(code), text, {
    status: code,
    retryAfterMs: typeof seconds === 'number' ? seconds * 1_000 : undefined,
  })
}

function garbage<T extends KubeObject>(what: string): WatchEvent<T> {
  return { type: 'error', error: new KubeError('garbage', `the watch sent ${what}`) }
}

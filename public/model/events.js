// Pure: server-sent events out of the text of a stream (HTML standard, 9.2), and a run as its events have made it.
/** @import { Run, RunItem, RunProgress } from '../types.ts' */

/** @typedef {{ event: string, id: string | undefined, data: string }} StreamEvent */

/**
 * Takes the text of a stream in whatever pieces it comes, gives the events that have ended by then.
 * @returns {(text: string) => StreamEvent[]}
 */
export function createEventReader() {
  let rest = ''
  return (text) => {
    const blocks = (rest + text).replaceAll('\r\n', '\n').split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks.flatMap(readBlock)
  }
}

/** @param {string} block @returns {StreamEvent[]} */
function readBlock(block) {
  /** @type {Record<string, string[]>} */
  const fields = {}
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    // A comment keeps the connection alive and says nothing.
    if (colon === 0) continue
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    fields[name] = [...(fields[name] ?? []), value]
  }
  const { data, event, id } = fields
  if (data === undefined) return []
  return [{ event: event?.at(-1) ?? 'message', id: id?.at(-1), data: data.join('\n') }]
}

/**
 * A run as far as it is known: `items` by key, `lastEventId` of the newest one, from which a stream is taken up.
 * @typedef {{ run: Run, items: ReadonlyMap<string, RunItem>, lastEventId: string | undefined, samples: readonly Sample[] }} FollowedRun
 * @typedef {{ at: number, done: number }} Sample
 */

/** @param {Run} run @returns {FollowedRun} */
export const beginFollowing = (run) => ({ run, items: new Map(), lastEventId: undefined, samples: [] })

/** So many samples of the progress are kept for the rate, and none older than this. */
const MAX_SAMPLES = 120
const SAMPLES_MS = 30_000

/**
 * What is known after some events.
 * @param {FollowedRun} followed
 * @param {readonly StreamEvent[]} events
 * @param {number} now
 * @returns {FollowedRun}
 */
export function applyEvents(followed, events, now) {
  const items = new Map(followed.items)
  let { run, lastEventId, samples } = followed
  for (const { event, id, data } of events) {
    if (event === 'item') {
      const item = /** @type {RunItem} */ (JSON.parse(data))
      items.set(keyOf(item), item)
      lastEventId = id ?? lastEventId
    } else if (event === 'progress') {
      const progress = /** @type {RunProgress} */ (JSON.parse(data))
      // What makes progress runs, whatever it was when it was read.
      run = { ...run, state: run.state === 'queued' ? 'running' : run.state, progress }
      samples = [...samples.filter(({ at }) => now - at <= SAMPLES_MS), { at: now, done: progress.done }].slice(
        -MAX_SAMPLES,
      )
    } else if (event === 'end') run = /** @type {Run} */ (JSON.parse(data))
  }
  return { run, items, lastEventId, samples }
}

/**
 * What an item is of: a token, or a table and direction.
 * @param {RunItem} item
 */
export function keyOf(item) {
  if ('id' in item) return item.id
  return 'direction' in item ? `${item.table} ${item.direction}` : item.table
}

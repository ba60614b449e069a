// Follows one run by its events until it has ended; takes the stream up again where it broke off.
/** @import { Api } from './api.js' */
/** @import { FollowedRun } from '../model/events.js' */
import { CONNECTING, failed } from '../model/connection.js'
import { applyEvents, beginFollowing, createEventReader } from '../model/events.js'
import { ProblemAnswer } from './api.js'

/**
 * Tells of every change. Resolves when the run has ended or `signal` aborts; throws ProblemAnswer when there is no such run.
 * @param {Api} api
 * @param {string} id
 * @param {object} surroundings
 * @param {AbortSignal} surroundings.signal
 * @param {() => number} surroundings.now
 * @param {(followed: FollowedRun) => void} surroundings.onChange
 */
export async function followRun(api, id, { signal, now, onChange }) {
  /** @type {FollowedRun | undefined} */
  let followed
  for (let connection = CONNECTING; !signal.aborted; ) {
    try {
      followed ??= beginFollowing(await api.run(id, signal))
      onChange(followed)
      const read = createEventReader()
      for await (const text of api.events(id, followed.lastEventId, signal)) {
        const events = read(text)
        if (events.length === 0) continue
        connection = CONNECTING
        followed = applyEvents(followed, events, now())
        onChange(followed)
        if (events.some(({ event }) => event === 'end')) return
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ProblemAnswer && error.status < 500) throw error
    }
    connection = failed(connection, now(), '', Math.random())
    await pause(connection.nextAt - now(), signal)
  }
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

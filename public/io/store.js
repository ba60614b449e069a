// What the page knows of the service, and the loop that asks for it: every two seconds while it answers, with growing pauses while it
// does not, never while it wants other credentials.
/** @import { GatewayHistory, Status } from '../types.ts' */
/** @import { Api } from './api.js' */
/** @import { Connection } from '../model/connection.js' */
import { answered, CONNECTING, failed, refused } from '../model/connection.js'
import { describeError, ProblemAnswer } from './api.js'

/** The history has a new step that often, in milliseconds. */
const HISTORY_EVERY_MS = 5_000

/**
 * @typedef {object} Known
 * @property {Status | undefined} status
 * @property {GatewayHistory | undefined} history
 * @property {Connection} connection
 */

/**
 * @param {Api} api
 * @param {object} surroundings
 * @param {() => number} surroundings.now
 * @param {() => number} surroundings.random
 * @param {() => void} surroundings.onChange
 */
export function createStore(api, { now, random, onChange }) {
  /** @type {Known} */
  let known = { status: undefined, history: undefined, connection: CONNECTING }
  let historyAt = Number.NEGATIVE_INFINITY
  /** @type {AbortController | undefined} */
  let asking

  const look = async () => {
    asking = new AbortController()
    const { signal } = asking
    try {
      const status = await api.status(signal)
      const history =
        status.gateway !== undefined && now() - historyAt >= HISTORY_EVERY_MS ? await api.history(signal) : undefined
      if (signal.aborted) return
      if (history !== undefined) historyAt = now()
      known = { status, history: history ?? known.history, connection: answered(known.connection, now()) }
    } catch (error) {
      if (signal.aborted) return
      known = { ...known, connection: afterError(known.connection, error) }
    } finally {
      if (asking?.signal === signal) asking = undefined
    }
    onChange()
  }

  /** @param {Connection} connection @param {unknown} error */
  const afterError = (connection, error) => {
    const locked = error instanceof ProblemAnswer && (error.status === 401 || error.status === 403)
    return locked ? refused(connection, error.message) : failed(connection, now(), describeError(error), random())
  }

  return {
    known: () => known,
    /** Asks if it is time to. */
    tick() {
      if (asking === undefined && now() >= known.connection.nextAt) void look()
    },
    /** Asks now, whatever was to come; with other credentials perhaps. `forget` what the old ones have shown. */
    askNow({ forget = false } = {}) {
      asking?.abort()
      historyAt = Number.NEGATIVE_INFINITY
      if (forget) known = { status: undefined, history: undefined, connection: CONNECTING }
      void look()
      onChange()
    },
  }
}

/** @typedef {ReturnType<typeof createStore>} Store */

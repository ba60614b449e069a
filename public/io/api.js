// Asks the service: with the caller's bearer token in a header, never in an address, and with a deadline.
/** @import { CheckResult, GatewayHistory, Problem, Run, RunPage, Status } from '../types.ts' */

const DEADLINE_MS = 10_000
/** Where the service is, seen from /status/: other than that when a proxy puts something before its paths. */
const BASE = '../'

/** The service has answered with a problem. */
export class ProblemAnswer extends Error {
  /** @param {number} status @param {Partial<Problem>} problem */
  constructor(status, problem) {
    const where = problem.errors?.map(
      ({ pointer, header, query, detail }) => `${pointer ?? header ?? query ?? ''} ${detail}`,
    )
    super(
      [problem.detail ?? problem.title ?? `the service answered ${status}`, ...(where ?? [])].join(' ').slice(0, 2_000),
    )
    this.name = 'ProblemAnswer'
    this.status = status
    this.type = problem.type
    /** The run that is in the way. */
    this.run = problem.run
  }
}

/**
 * @typedef {object} Asking
 * @property {'GET' | 'POST'} [method]
 * @property {Readonly<Record<string, string>>} [headers]
 * @property {object} [body]
 * @property {AbortSignal} [signal]
 */

/**
 * @param {object} surroundings
 * @param {typeof globalThis.fetch} surroundings.fetch
 * @param {() => string | undefined} surroundings.token of the caller
 */
export function createApi({ fetch, token }) {
  /** @param {string} path @param {Asking} asking @param {AbortSignal} signal */
  const send = async (path, { method = 'GET', headers = {}, body }, signal) => {
    const bearer = token()
    const answer = await fetch(BASE + path, {
      method,
      signal,
      cache: 'no-store',
      credentials: 'same-origin',
      headers: {
        ...headers,
        ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (answer.ok) return answer
    throw new ProblemAnswer(answer.status, await answer.json().catch(() => ({})))
  }
  /** @param {string} path @param {Asking} [asking] */
  const ask = async (path, asking = {}) => {
    const deadline = AbortSignal.timeout(DEADLINE_MS)
    const signal = asking.signal === undefined ? deadline : AbortSignal.any([asking.signal, deadline])
    return (await send(path, asking, signal)).json()
  }
  /** A start is asked for once, whatever becomes of its answer. @param {string} path @param {object} body */
  const start = (path, body) =>
    /** @type {Promise<Run>} */ (ask(path, { method: 'POST', body, headers: { 'Idempotency-Key': newKey() } }))
  return {
    /** @param {AbortSignal} [signal] @returns {Promise<Status>} */
    status: (signal) => ask('v1/status', { ...(signal && { signal }) }),
    /** @param {AbortSignal} [signal] @returns {Promise<GatewayHistory>} */
    history: (signal) => ask('v1/gateway/history', { ...(signal && { signal }) }),
    /**
     * @param {{ token: string, origin: string, expect: 'present' | 'absent' }} question
     * @returns {Promise<CheckResult>}
     */
    check: ({ token: asked, origin, expect }) =>
      ask(`v1/synced?expect=${expect}`, { headers: { 'X-Auth-Token': asked, 'X-Nginx-Origin': origin } }),
    /** @param {Readonly<Record<string, string>>} query @param {AbortSignal} signal @returns {Promise<RunPage>} */
    runs: (query, signal) => ask(`v1/runs?${new URLSearchParams(query)}`, { signal }),
    /** @param {string} id @param {AbortSignal} signal @returns {Promise<Run>} */
    run: (id, signal) => ask(`v1/runs/${encodeURIComponent(id)}`, { signal }),
    /** @param {string} id @returns {Promise<Run>} */
    cancel: (id) => ask(`v1/runs/${encodeURIComponent(id)}/cancel`, { method: 'POST' }),
    /** @param {object} body */
    syncTokens: (body) => start('v1/tokens/sync', body),
    /** @param {object} body */
    syncDb: (body) => start('v1/db/sync', body),
    /** @param {object} body */
    verifyDb: (body) => start('v1/db/verify', body),
    /**
     * The text of a run's events, piece by piece, those after `lastEventId`. Not by EventSource, which cannot send credentials.
     * @param {string} id
     * @param {string | undefined} lastEventId
     * @param {AbortSignal} signal
     */
    async *events(id, lastEventId, signal) {
      const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }
      const answer = await send(`v1/runs/${encodeURIComponent(id)}/events`, { headers }, signal)
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
      if (reader === undefined) return
      try {
        for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
      } finally {
        reader.cancel().catch(() => undefined)
      }
    },
  }
}

/** Not by crypto.randomUUID, which a page that came over plain HTTP does not have. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** @typedef {ReturnType<typeof createApi>} Api */

/**
 * What to tell of an error.
 * @param {unknown} error
 */
export function describeError(error) {
  if (error instanceof ProblemAnswer) return error.message
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'the service does not answer in time'
  return 'the service cannot be reached'
}

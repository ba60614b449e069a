// Pure: how everything is, in one sentence that can be read from the other side of the room, and what is wrong, one thing a line.
/** @import { RunOutline, Status, Tone } from '../types.ts' */
import { count } from './format.js'
import { describeReason } from './words.js'

/** @typedef {{ tone: Tone, text: string, href?: string }} Finding */

/**
 * What somebody should look at, the worst first; nothing when all is well.
 * @param {Status} status
 * @returns {readonly Finding[]}
 */
export function findTroubles(status) {
  const found = [...gatewayTroubles(status), ...workTroubles(status), ...leaderTroubles(status)]
  return found.toSorted((a, b) => WEIGHT[a.tone] - WEIGHT[b.tone])
}

/** @type {Readonly<Record<Tone, number>>} */
const WEIGHT = { bad: 0, warn: 1, busy: 2, idle: 3, good: 4 }

/**
 * @param {Status} status
 * @returns {{ tone: Tone, headline: string }}
 */
export function summarize(status) {
  const troubles = findTroubles(status)
  const worst = troubles[0]
  if (worst === undefined) return { tone: 'good', headline: 'All is well' }
  const more = troubles.length - 1
  return { tone: worst.tone, headline: more === 0 ? worst.text : `${worst.text}, and ${count(more, 'more thing')}` }
}

/** @param {Status} status @returns {Finding[]} */
function gatewayTroubles({ gateway }) {
  if (gateway === undefined) return []
  const { replicas, source } = gateway
  const href = '#/gateway'
  /** @type {Finding[]} */
  const found = replicas
    .filter(({ state }) => state === 'down')
    .map(({ name, reason, terminating }) => ({
      ...{ tone: terminating ? 'warn' : 'bad', href },
      text: `${name} ${describeReason(reason) || 'is down'}`,
    }))
  if (source.ageMs === null) found.push({ tone: 'bad', text: 'There is no list of replicas yet', href })
  else if (replicas.length === 0) found.push({ tone: 'bad', text: 'The list of replicas is empty', href })
  if (source.problem !== undefined)
    found.push({ tone: 'warn', text: `The list of replicas cannot be read: ${source.problem}`, href })
  return found
}

/** @param {Status} status @returns {Finding[]} */
function workTroubles({ tokens, db }) {
  /** @type {Finding[]} */
  const found = []
  if (tokens?.problem !== undefined) found.push({ tone: 'bad', text: tokens.problem, href: '#/tokens' })
  found.push(...runTroubles(tokens?.lastRun, 'tokens', 'The last token sync'))
  for (const { name, problem, deadLetters, lastRun } of db?.pairs ?? []) {
    if (problem !== undefined) found.push({ tone: 'bad', text: `${name}: ${problem}`, href: '#/databases' })
    found.push(...runTroubles(lastRun, 'databases', `The last run of ${name}`))
    if ((deadLetters ?? 0) > 0)
      found.push({
        tone: 'warn',
        text: `${count(deadLetters ?? 0, 'row')} of ${name} could not be carried`,
        href: '#/databases',
      })
  }
  return found
}

/**
 * @param {RunOutline | null | undefined} run
 * @param {string} view
 * @param {string} what
 * @returns {Finding[]}
 */
function runTroubles(run, view, what) {
  if (run?.state !== 'failed' && run?.state !== 'interrupted') return []
  const text = `${what} ${run.state === 'failed' ? 'failed' : 'was interrupted'}`
  return [{ tone: run.state === 'failed' ? 'bad' : 'warn', text, href: `#/${view}/${run.id}` }]
}

/** @param {Status} status @returns {Finding[]} */
function leaderTroubles({ leader }) {
  if (leader.problem !== undefined) return [{ tone: 'warn', text: `Who leads cannot be asked: ${leader.problem}` }]
  return leader.name === null ? [{ tone: 'warn', text: 'Nobody is known to lead' }] : []
}

/**
 * Which views there is anything to show in.
 * @param {Status | undefined} status
 * @returns {readonly import('./route.js').ViewName[]}
 */
export function viewsOf(status) {
  if (status === undefined) return ['overview']
  return [
    'overview',
    ...(status.gateway === undefined ? [] : /** @type {const} */ (['gateway'])),
    ...(status.tokens === undefined ? [] : /** @type {const} */ (['tokens'])),
    ...(status.db === undefined ? [] : /** @type {const} */ (['databases'])),
    ...(status.schedules === undefined ? [] : /** @type {const} */ (['runs'])),
  ]
}

/**
 * Whether the caller may do this; a service that does not say who calls lets everybody try.
 * @param {Status | undefined} status
 * @param {import('../types.ts').Scope} scope
 */
export const may = (status, scope) => status?.caller === undefined || status.caller.scopes.includes(scope)

// Pure: the last quarter of an hour as columns for a chart, as sums, and in a sentence for those who do not see one.
/** @import { GatewayHistory, TokenStatus } from '../types.ts' */
import { count, formatDuration, formatNumber } from './format.js'
import { VERDICTS } from './words.js'

/**
 * Moments in seconds, as charts want them, then p50 and p99 in milliseconds, null where nothing arrived.
 * @param {GatewayHistory} history
 * @returns {[number[], (number | null)[], (number | null)[]]}
 */
export const lagColumns = (history) => [
  momentsOf(history),
  [null, ...history.items.map(({ lag }) => lag?.p50Ms ?? null)],
  [null, ...history.items.map(({ lag }) => lag?.p99Ms ?? null)],
]

/**
 * Moments in seconds, then one column a verdict, each on top of those before it: all of them, without the first, …, the last alone.
 * @param {GatewayHistory} history
 * @returns {[number[], ...number[][]]}
 */
export function verdictColumns(history) {
  const stacked = VERDICTS.map((_, from) => [
    0,
    ...history.items.map(({ checks }) => VERDICTS.slice(from).reduce((sum, verdict) => sum + checks[verdict], 0)),
  ])
  return [momentsOf(history), ...stacked]
}

/** With a step before all of them, in which nothing was: a chart draws no single point. @param {GatewayHistory} history */
function momentsOf({ items, stepMs }) {
  const moments = items.map(({ startedAt }) => Date.parse(startedAt) / 1_000)
  return [(moments[0] ?? 0) - stepMs / 1_000, ...moments]
}

/**
 * @param {GatewayHistory} history
 * @returns {Record<TokenStatus, number>}
 */
export function sumVerdicts({ items }) {
  const sum = { Synced: 0, Partialy: 0, NotSynced: 0, Timeout: 0 }
  for (const { checks } of items) for (const verdict of VERDICTS) sum[verdict] += checks[verdict]
  return sum
}

/**
 * The lag of the newest step in which a token arrived.
 * @param {GatewayHistory} history
 */
export const newestLag = ({ items }) => items.findLast(({ lag }) => lag !== null)?.lag ?? null

/** @param {GatewayHistory} history */
export function describeLag({ items }) {
  const lags = items.flatMap(({ lag }) => (lag === null ? [] : [lag]))
  if (lags.length === 0) return 'No token was seen to arrive in the last quarter of an hour.'
  const most = Math.max(...lags.map(({ p99Ms }) => p99Ms))
  const samples = lags.reduce((sum, lag) => sum + lag.samples, 0)
  return `Replication lag over the last quarter of an hour: ${count(samples, 'arrival')}, p99 at most ${formatDuration(most)}.`
}

/** @param {GatewayHistory} history */
export function describeChecks(history) {
  const sum = sumVerdicts(history)
  const told = VERDICTS.map((verdict) => `${formatNumber(sum[verdict])} ${verdict}`)
  return `Checks of the last quarter of an hour: ${told.join(', ')}.`
}

// Pure: what came of a run, in one line.
/** @import { DbSummary, DbVerifySummary, Run, RunOutline, TokensSummary } from '../types.ts' */
import { count, formatDuration, formatNumber } from './format.js'

/** @param {unknown} summary @returns {summary is TokensSummary} */
export const isTokensSummary = (summary) => typeof summary === 'object' && summary !== null && 'sync' in summary
/** @param {unknown} summary @returns {summary is DbSummary} */
export const isDbSummary = (summary) => typeof summary === 'object' && summary !== null && 'deadLetters' in summary
/** @param {unknown} summary @returns {summary is DbVerifySummary} */
export const isVerifySummary = (summary) => typeof summary === 'object' && summary !== null && 'differences' in summary

/**
 * What came of it, how far it is, or why it failed.
 * @param {Run} run
 */
export function describeOutcome({ summary, progress, problem, dryRun, endedAt }) {
  const parts = []
  if (problem !== undefined)
    parts.push(problem.title === problem.detail ? problem.title : `${problem.title}: ${problem.detail}`)
  if (summary !== null) parts.push(describeSummary(summary, dryRun))
  else if (progress !== null && endedAt === null) parts.push(describeDone(progress))
  return parts.join('; ')
}

/** @param {NonNullable<Run['progress']>} progress */
const describeDone = ({ done, total }) =>
  total === undefined ? formatNumber(done) : `${formatNumber(done)} of ${formatNumber(total)}`

/** @param {NonNullable<Run['summary']>} summary @param {boolean} dryRun */
function describeSummary(summary, dryRun) {
  const would = dryRun ? 'to be ' : ''
  if (isTokensSummary(summary)) {
    const { create, update, softDelete, hardDelete, conflict } = summary.counts
    const told = tellCounts([
      [create, `${would}created`],
      [update, `${would}overwritten`],
      [softDelete, `${would}marked as deleted`],
      [hardDelete, `${would}removed for good`],
      [conflict, 'in dispute'],
      [summary.sync.failed.length, 'failed'],
    ])
    return told || `all ${count(summary.tokens.total, 'token')} in step`
  }
  if (isVerifySummary(summary)) {
    const { equal, ...other } = summary.counts
    const differences = Object.values(other).reduce((sum, number) => sum + number, 0)
    return differences === 0
      ? `all ${count(equal, 'row')} in step`
      : `${count(differences, 'difference')}, ${formatNumber(equal)} equal`
  }
  const { read, applied, failed } = summary.counts
  const told = tellCounts([
    [applied, `${would}written`],
    [failed, 'failed'],
  ])
  return `${count(read, 'row')} read, ${told || 'nothing to write'}`
}

/** @param {readonly (readonly [number, string])[]} counts */
const tellCounts = (counts) =>
  counts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${formatNumber(number)} ${what}`)
    .join(', ')

/**
 * How long it took, or has taken so far.
 * @param {Pick<RunOutline, 'startedAt' | 'endedAt'>} run
 * @param {number} now
 */
export function describeTook({ startedAt, endedAt }, now) {
  if (startedAt === null) return '–'
  return formatDuration((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt))
}

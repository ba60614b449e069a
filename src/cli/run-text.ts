// Pure: runs as people read them, one a line or one a page, and what a run of tokens says in the words of a sync.
import type { components, RunItem } from '../../generated/client.ts'
import { countsText } from './db-text.ts'
import { clean, type ShownSync, type ShownToken } from './plan-text.ts'
import { tableLines } from './text-table.ts'

export type Run = components['schemas']['Run']
export type TokenItem = components['schemas']['TokenItem']

export type { RunItem } from '../../generated/client.ts'

const HEAD = ['RUN', 'KIND', 'STATE', 'BY', 'CREATED', 'TOOK', 'OUTCOME'] as const

/** A table of runs. Ends with a newline. */
export function runsText(runs: readonly Run[]): string {
  if (runs.length === 0) return 'no runs\n'
  const rows = runs.map((run) => [
    run.id,
    run.dryRun ? `${run.kind}, dry run` : run.kind,
    run.state,
    run.trigger,
    run.createdAt,
    tookText(run),
    outcomeText(run),
  ])
  return `${tableLines([HEAD, ...rows], 0).join('\n')}\n`
}

/** One run, a line for each thing that is known of it. Ends with a newline. */
export function runText(run: Run): string {
  const rows = [
    ['run', run.id],
    ['kind', run.dryRun ? `${run.kind}, dry run` : run.kind],
    ['state', run.cancelRequested ? `${run.state}, asked to end` : run.state],
    ['started by', run.trigger],
    ['request', clean(JSON.stringify(run.request))],
    ...(run.takesUp === undefined ? [] : [['takes up', run.takesUp]]),
    ['created', run.createdAt],
    ['started', run.startedAt ?? 'not yet'],
    ['ended', run.endedAt ?? 'not yet'],
    ['took', tookText(run)],
    ['outcome', outcomeText(run)],
  ]
  return `${tableLines(rows, 0).join('\n')}\n`
}

function tookText({ startedAt, endedAt }: Run): string {
  if (startedAt === null || endedAt === null) return '-'
  const ms = Date.parse(endedAt) - Date.parse(startedAt)
  return ms < 10_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(0)} s`
}

/** What came of it, or how far it is, in a few words. */
function outcomeText({ summary, progress, problem, dryRun }: Run): string {
  const parts: string[] = []
  if (problem !== undefined) parts.push(`${clean(problem.title)}: ${clean(problem.detail)}`)
  if (summary !== null) parts.push(summaryText(summary, dryRun))
  else if (progress !== null && problem === undefined) {
    const { done, total, message } = progress
    parts.push(
      `${done}${total === undefined ? '' : ` of ${total}`}${message === undefined ? '' : `, ${clean(message)}`}`,
    )
  }
  return parts.join('; ') || '-'
}

function summaryText(summary: NonNullable<Run['summary']>, dryRun: boolean): string {
  if (isTokensSummary(summary)) {
    const { unmodified, updated, failed } = summary.sync
    return `${unmodified.length} unmodified, ${updated.length} ${dryRun ? 'to update' : 'updated'}, ${failed.length} failed`
  }
  return countsText(summary.counts, dryRun)
}

type TokensSummary = components['schemas']['TokensSummary']

const isTokensSummary = (summary: NonNullable<Run['summary']>): summary is TokensSummary => 'sync' in summary

/** A run of tokens with its items, as a sync is shown; undefined when it ended too early to have a summary. */
export function showRun(run: Run, items: readonly RunItem[]): ShownSync | undefined {
  if (run.summary === null || !isTokensSummary(run.summary)) return undefined
  const { sync, tokens, counts, clockSkew } = run.summary
  return {
    mode: run.request['mode'] === 'compat' ? 'compat' : 'safe',
    dryRun: run.dryRun,
    tokens: tokenItemsOf(items).map(showItem),
    sync: { unmodified: sync.unmodified.length, updated: sync.updated.length, failed: sync.failed.length },
    counts,
    totals: { ...tokens, previouslySynced: tokens['previously-synced'] },
    clockSkew: clockSkew ?? [],
  }
}

/** The items of a run of tokens. */
export const tokenItemsOf = (items: readonly RunItem[]): readonly TokenItem[] =>
  items.filter((item) => 'latest' in item)

export function showItem({ id, latest, results }: TokenItem): ShownToken {
  return {
    token: id,
    latest,
    results: Object.entries(results).map(([cluster, { code, effect, details }]) => {
      const message = details?.['message']
      return { cluster, code, effect, ...(typeof message === 'string' && { message }) }
    }),
  }
}

/** The same run as the original prints a sync: of tokens that have no item a service tells the number only. */
export function seedObjectOf(run: Run, items: readonly RunItem[]): object | undefined {
  if (run.summary === null || !isTokensSummary(run.summary)) return undefined
  const { sync, tokens, counts } = run.summary
  const dealtWith = tokenItemsOf(items)
  const names = dealtWith.map((item) => item.id)
  return {
    summary: {
      sync,
      tokens: {
        pending: { count: tokens.pending },
        'previously-synced': { count: tokens['previously-synced'] },
        processed: { count: tokens.processed, value: names },
        selected: { count: tokens.selected, value: names },
        total: { count: tokens.total },
      },
      counts,
    },
    details: Object.fromEntries(dealtWith.map(({ id, status, latest, results }) => [id, { status, latest, results }])),
  }
}

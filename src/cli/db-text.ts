// Pure: what a sync or a verify of two databases found and did, as people read it.
import type { components } from '../../generated/client.ts'
import { clean } from './plan-text.ts'
import type { RunItem } from './run-text.ts'
import { tableLines } from './text-table.ts'

type Schemas = components['schemas']
export type SyncItem = Schemas['DbItem']
export type VerifyItem = Schemas['DbVerifyItem']

const COUNTS = ['read', 'applied', 'older', 'equal', 'echoed', 'failed'] as const
const VERDICTS = ['equal', 'leftNewer', 'rightNewer', 'onlyLeft', 'onlyRight', 'differs'] as const

/** What a verify counts, in words. */
const VERDICT_WORDS: Readonly<Record<(typeof VERDICTS)[number], string>> = {
  equal: 'equal',
  leftNewer: 'newer on the left',
  rightNewer: 'newer on the right',
  onlyLeft: 'only on the left',
  onlyRight: 'only on the right',
  differs: 'different',
}

export const isSyncItem = (item: RunItem): item is SyncItem => 'direction' in item
export const isVerifyItem = (item: RunItem): item is VerifyItem => 'table' in item && !('direction' in item)

/** Each table and direction, a line. Ends with a newline. */
export function syncItemsText(items: readonly SyncItem[], dryRun: boolean): string {
  if (items.length === 0) return 'no tables\n'
  const head = [
    'TABLE',
    'DIRECTION',
    ...COUNTS.map((name) => (dryRun && name === 'applied' ? 'TO APPLY' : name.toUpperCase())),
    'TOOK',
  ]
  const rows = items.map((item) => [
    clean(item.table),
    directionText(item.direction),
    ...COUNTS.map((name) => String(item[name])),
    tookText(item.ms),
  ])
  const notes = items.flatMap(({ table, direction, note }) =>
    note === undefined ? [] : [`  ${clean(table)}, ${directionText(direction)}: ${clean(note)}`],
  )
  return `${[...tableLines([head, ...rows], 0), ...notes].join('\n')}\n`
}

/** Each table that was compared, a line. Ends with a newline. */
export function verifyItemsText(items: readonly VerifyItem[]): string {
  if (items.length === 0) return 'no tables\n'
  const head = ['TABLE', ...VERDICTS.map((name) => VERDICT_WORDS[name].toUpperCase()), 'TOOK']
  const rows = items.map(({ table, counts, ms }) => [
    clean(table),
    ...VERDICTS.map((name) => String(counts[name])),
    tookText(ms),
  ])
  return `${tableLines([head, ...rows], 0).join('\n')}\n`
}

/** What came of it, or would, in one line without a newline. */
export function countsText(counts: Schemas['DbCounts'] | Schemas['DbVerdictCounts'], dryRun = false): string {
  const words = Object.entries(counts).flatMap(([name, count]) => {
    const done = (VERDICT_WORDS as Readonly<Record<string, string>>)[name] ?? name
    const word = dryRun && done === 'applied' ? 'to apply' : done
    return count > 0 && name !== 'read' ? [`${count} ${word}`] : []
  })
  return words.join(', ') || 'no rows'
}

/** The first differences, a line each; empty when there are none. */
export function differencesText(differences: readonly Schemas['DbDifference'][], all: number): string {
  if (differences.length === 0) return ''
  const rows = differences.map(({ table, id, kind }) => [clean(table), clean(id), VERDICT_WORDS[kind]])
  const more = all - differences.length
  const rest = more > 0 ? `  and ${more} more\n` : ''
  return `\n${tableLines(rows).join('\n')}\n${rest}`
}

export const directionText = (direction: Schemas['DbDirection']): string => direction.replaceAll('-', ' ')

export const windowText = ({ begin, end }: Schemas['DbWindow']): string => `rows from ${begin} (not included) to ${end}`

const tookText = (ms: number): string => (ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(0)} s`)

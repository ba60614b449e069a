// Pure: runs and items as the databases have them, and back. Both have the same columns; truth is 0 and 1 in one of them, whole
// numbers are text in the other.
import type { RunDraft, RunItem, RunKind, RunLock, RunRecord, RunState, RunTrigger, StoredItem } from './store.ts'

export type Row = Readonly<Record<string, unknown>>

/** What a draft fills, in the order of `draftValues`. */
export const DRAFT_COLUMNS = 'id, kind, state, started_by, resources, request, dry_run, owner, takes_up, created_at'
export const RUN_COLUMNS = `${DRAFT_COLUMNS}, started_at, ended_at, progress, summary, problem, locks, cancel_requested`

/** What a draft says, for DRAFT_COLUMNS; booleans as 0 and 1. */
export function draftValues(draft: RunDraft): (string | number | null)[] {
  const { id, kind, trigger, resources, request, dryRun, owner, takesUp, createdAt } = draft
  return [id, kind, 'queued', trigger, JSON.stringify(resources), request, Number(dryRun), owner, takesUp, createdAt]
}

/** A row with RUN_COLUMNS. */
export function toRun(row: Row): RunRecord {
  return {
    id: String(row['id']),
    kind: row['kind'] as RunKind,
    state: row['state'] as RunState,
    trigger: row['started_by'] as RunTrigger,
    resources: JSON.parse(String(row['resources'])) as string[],
    request: String(row['request']),
    dryRun: Boolean(row['dry_run']),
    progress: textOf(row['progress']),
    summary: textOf(row['summary']),
    problem: textOf(row['problem']),
    locks: JSON.parse(String(row['locks'])) as RunLock[],
    owner: String(row['owner']),
    cancelRequested: Boolean(row['cancel_requested']),
    takesUp: textOf(row['takes_up']),
    createdAt: Number(row['created_at']),
    startedAt: numberOf(row['started_at']),
    endedAt: numberOf(row['ended_at']),
  }
}

/** A row with key, status, body and plan. */
export function toItem(row: Row): RunItem {
  const { key, status, body, plan } = row
  return {
    key: String(key),
    status: String(status),
    body: String(body),
    ...(typeof plan === 'string' && { plan }),
  }
}

/** A row of an item with its seq. */
export const toStoredItem = (row: Row): StoredItem => ({ ...toItem(row), seq: Number(row['seq']) })

/** Of several items with one key the last, each with its place among all: what putting them one after the other comes to. */
export function lastOfEachKey(items: readonly RunItem[]): readonly (readonly [place: number, item: RunItem])[] {
  return [...new Map(items.map((item, index) => [item.key, [index + 1, item] as const])).values()]
}

const textOf = (value: unknown): string | null => (value === null ? null : String(value))
const numberOf = (value: unknown): number | null => (value === null ? null : Number(value))

// What happened to one token, and to all of them: as data, as the items and summaries of runs have it, and as the original prints it.
// Pure.
import type {
  ClusterUrl,
  Counts,
  Effect,
  ItemStatus,
  StepResult,
  SyncSummary,
  TokenItem,
  TokenPlan,
} from './contract.ts'
import { compareUrls, lastUpdateMs } from './description.ts'
import { fromPlain, type JsonValue, type PlainJson } from './json.ts'

const NO_COUNTS: Counts = { create: 0, update: 0, softDelete: 0, hardDelete: 0, skip: 0, conflict: 0 }
const CHANGES = ['create', 'update', 'softDelete', 'hardDelete'] as const satisfies readonly Effect[]
const DISPUTES: readonly string[] = ['error/root-mismatch', 'error/conflict']
/** Dates reach from here to there, in milliseconds since 1970. */
const MAX_DATE_MS = 8.64e15

/** What the results of a token add up to: the same everywhere, all well, or not. Skips count as updated. */
export function statusOf(results: Iterable<StepResult>): ItemStatus {
  const codes = Array.from(results, ({ code }) => code)
  if (codes.every((code) => code === 'success/token-match')) return 'unmodified'
  return codes.every((code) => code.startsWith('success/')) ? 'updated' : 'failed'
}

/** What happened to a token. `results`: one for each step of the plan. */
export function itemOf({ token, latest }: TokenPlan, results: ReadonlyMap<ClusterUrl, StepResult>): TokenItem {
  const updatedMs = lastUpdateMs(latest.description)
  return {
    token,
    status: statusOf(results.values()),
    latest: {
      cluster: latest.cluster,
      ...(latest.etag !== undefined && { etag: latest.etag }),
      ...(updatedMs !== 0 &&
        Math.abs(updatedMs) <= MAX_DATE_MS && { lastUpdateTime: new Date(updatedMs).toISOString() }),
    },
    results: new Map([...results].sort(([a], [b]) => compareUrls(a, b))),
  }
}

/** Writes that were made, or in a dry run would be. */
export function pendingChanges(counts: Counts): number {
  return CHANGES.reduce((sum, effect) => sum + counts[effect], 0)
}

type Tally = { -readonly [Key in keyof Counts]: number }
type Counted = Pick<StepResult, 'code' | 'effect'>

/** What these results, or steps of a plan, add up to. */
export function countResults(results: Iterable<Counted>): Counts {
  const counts: Tally = { ...NO_COUNTS }
  for (const result of results) count(counts, result)
  return counts
}

function count(counts: Tally, { code, effect }: Counted): void {
  if (effect !== undefined) counts[effect]++
  if (code.startsWith('success/skip-')) counts.skip++
  if (DISPUTES.includes(code)) counts.conflict++
}

/** Adds items up; keeps names, not the items. */
export interface SummaryBuilder {
  add(item: TokenItem): void
  finish(clockSkew: SyncSummary['clockSkew']): SyncSummary
}

/** `lists`: names, each list sorted. Items may be added in any order. */
export function createSummary(lists: Omit<SyncSummary['tokens'], 'processed'>): SummaryBuilder {
  const { pending, previouslySynced, selected, total } = lists
  const sync: Record<ItemStatus, string[]> = { unmodified: [], updated: [], failed: [] }
  const counts: Tally = { ...NO_COUNTS }
  return {
    add({ token, status, results }) {
      sync[status].push(token)
      for (const result of results.values()) count(counts, result)
    },
    finish: (clockSkew) => ({
      sync: {
        unmodified: sync.unmodified.toSorted(),
        updated: sync.updated.toSorted(),
        failed: sync.failed.toSorted(),
      },
      tokens: {
        pending,
        previouslySynced,
        processed: [...sync.unmodified, ...sync.updated, ...sync.failed].sort(),
        selected,
        total,
      },
      counts: { ...counts },
      clockSkew,
    }),
  }
}

/** An item as runs show it. */
export function asRunItem({ token, status, latest, results }: TokenItem): JsonValue {
  return fromPlain({
    id: token,
    status,
    latest: { ...latest },
    results: new Map([...results].map(([cluster, result]) => [cluster, { ...result }])),
  })
}

/** A summary as runs show it: how many tokens there were, and the names of those that were looked at. */
export function asRunSummary(summary: SyncSummary): JsonValue {
  return summarize(summary, (names) => names.length)
}

/** Summary and items as the original prints them: names beside their number, and details by token. */
export function asSeedObject(summary: SyncSummary, items: Iterable<TokenItem>): JsonValue {
  return fromPlain({
    summary: summarize(summary, (names) => ({ count: names.length, value: names })),
    details: new Map(Array.from(items, (item) => [item.token, asRunItem(item)])),
  })
}

function summarize(
  { sync, tokens, counts, clockSkew }: SyncSummary,
  tell: (names: readonly string[]) => PlainJson,
): JsonValue {
  return fromPlain({
    sync: { failed: sync.failed, unmodified: sync.unmodified, updated: sync.updated },
    tokens: {
      pending: tell(tokens.pending),
      'previously-synced': tell(tokens.previouslySynced),
      processed: tell(tokens.processed),
      selected: tell(tokens.selected),
      total: tell(tokens.total),
    },
    counts: { ...counts },
    clockSkew: clockSkew.length > 0 ? clockSkew.map((skew) => ({ ...skew })) : undefined,
  })
}

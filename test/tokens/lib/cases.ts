// The example cases with the answers of the original token-syncer, and the whole of a compat run over one of them without a network:
// list, select, read, plan, write, add up. What comes out has the form of `expected`, so that a run over HTTP can be held to it too.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describeStep, type WriteStep } from '../../../src/tokens/apply.ts'
import type {
  ClusterUrl,
  IndexEntry,
  Step,
  StepResult,
  SyncSummary,
  TokenItem,
  TokenRead,
} from '../../../src/tokens/contract.ts'
import { isDeleted } from '../../../src/tokens/description.ts'
import { buildIndex, selectTokens } from '../../../src/tokens/index-plan.ts'
import {
  fromPlain,
  type JsonValue,
  type PlainJson,
  parseJson,
  writeJson,
  writeSortedJson,
} from '../../../src/tokens/json.ts'
import { planToken } from '../../../src/tokens/plan.ts'
import { createSummary, itemOf } from '../../../src/tokens/summary.ts'
import { type CaseWrite, readCase, type TokenSyncCase } from '../../fakes/waiter-case.ts'

const FILE = join(import.meta.dirname, '../../fixtures/token-sync-cases.jsonl.gz')

/** All cases of the file. */
export function loadCases(): readonly TokenSyncCase[] {
  return gunzipSync(readFileSync(FILE)).toString('utf8').trim().split('\n').map(readCase)
}

/** The list that the cluster gives. */
export function listOf(one: TokenSyncCase, cluster: ClusterUrl): readonly IndexEntry[] {
  return [...one.tokens].flatMap(([token, entries]) => {
    const entry = entries.get(cluster)
    if (entry === undefined) return []
    const etag = entry.indexEtagMissing ? null : (entry.etag ?? null)
    return [{ token, deleted: isDeleted(entry.description), etag }]
  })
}

/** What reading the token from the cluster gives. */
export function readOf(one: TokenSyncCase, token: string, cluster: ClusterUrl): TokenRead {
  const entry = one.tokens.get(token)?.get(cluster)
  if (entry?.readBroken) return { kind: 'broken', message: 'the connection broke' }
  if (entry === undefined || entry.vanished) return { kind: 'answered', status: 404, description: new Map() }
  const { description, etag } = entry
  return { kind: 'answered', status: 200, description, ...(etag !== undefined && { etag }) }
}

/** What all clusters of the case say of the token. */
export function readsOf(one: TokenSyncCase, token: string): ReadonlyMap<ClusterUrl, TokenRead> {
  return new Map(one.clusters.map((cluster) => [cluster, readOf(one, token, cluster)]))
}

/** What a run over a case came to. */
export interface CaseOutcome {
  readonly summary: SyncSummary
  readonly items: readonly TokenItem[]
  /** In any order. */
  readonly writes: readonly CaseWrite[]
}

/** Runs the case in compat mode, with writes that are answered as the case has it. */
export function runCase(one: TokenSyncCase): CaseOutcome {
  const index = buildIndex(new Map(one.clusters.map((cluster) => [cluster, listOf(one, cluster)])))
  const { selected } = selectTokens(index.pending, one.limit)
  const summary = createSummary({ ...index, selected })
  const items: TokenItem[] = []
  const writes: CaseWrite[] = []
  for (const token of selected) {
    const plan = planToken(token, readsOf(one, token), {
      mode: 'compat',
      optOutMetadataName: one.optOutMetadataName,
      onConflict: 'newest',
    })
    for (const step of plan.steps) if (step.do !== 'nothing') writes.push(writeOf(token, step))
    const results = new Map(plan.steps.map((step) => [step.cluster, answerTo(one, token, step)]))
    const item = itemOf(plan, results)
    summary.add(item)
    items.push(item)
  }
  return { summary: summary.finish([]), items, writes }
}

/** The outcome in the form of `expected`, writes sorted; by `writeSortedJson` both can be compared as text. */
export function tellOutcome({ summary, items, writes }: CaseOutcome): JsonValue {
  const { sync, tokens } = summary
  return fromPlain({
    summary: {
      sync: { ...sync },
      tokens: {
        pending: tokens.pending.length,
        'previously-synced': tokens.previouslySynced.length,
        processed: tokens.processed.length,
        selected: tokens.selected.length,
        total: tokens.total.length,
      },
    },
    tokenCodes: new Map(items.map((item) => [item.token, tellItem(item)])),
    writes: tellWrites(writes),
    exitCode: sync.failed.length > 0 ? 1 : 0,
  })
}

/** `expected` of the case as `tellOutcome` has it. */
export function tellExpected({ expected }: TokenSyncCase): JsonValue {
  const writes = expected.get('writes')
  if (!Array.isArray(writes)) throw new TypeError('a case expects writes')
  return new Map([...expected, ['writes', sortWrites(writes)]])
}

function tellItem({ latest, results }: TokenItem): PlainJson {
  const codes = [...results].map(([cluster, { code }]) => [cluster, code] as const)
  return { latestCluster: latest.cluster, results: new Map(codes) }
}

/** Writes in the form of `expected`, sorted. */
export const tellWrites = (writes: readonly CaseWrite[]): JsonValue => sortWrites(writes.map(tellWrite))

function tellWrite({ op, cluster, token, ifMatch, body }: CaseWrite): JsonValue {
  return fromPlain({ op, cluster, token, ifMatch, body: body === undefined ? undefined : parseJson(body) })
}

const sortWrites = (writes: readonly JsonValue[]): JsonValue =>
  [...writes].sort((a, b) => (writeSortedJson(a) < writeSortedJson(b) ? -1 : 1))

function writeOf(token: string, step: WriteStep): CaseWrite {
  const write = { cluster: step.cluster, token, ifMatch: step.ifMatch ?? null }
  if (step.do === 'hardDelete') return { ...write, op: 'hard-delete' }
  return { ...write, op: 'store', body: writeJson(new Map([...step.description, ['token', token]])) }
}

function answerTo(one: TokenSyncCase, token: string, step: Step): StepResult {
  if (step.do === 'nothing') return describeStep(step)
  const entry = one.tokens.get(token)?.get(step.cluster)
  const status = (step.do === 'store' ? entry?.storeStatus : entry?.deleteStatus) ?? 200
  return status < 300 ? describeStep(step) : { code: step.failure }
}

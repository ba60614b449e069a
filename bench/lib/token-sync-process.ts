// One token sync under benchmark, in a process of its own so that its memory can be told: `node token-sync-process.ts ours|original URL…`.
// `original` does what the original token-syncer does: one request after the other, everything read before anything is written.
import { systemClock } from '../../src/lib/clock.ts'
import { applySteps, writesOf } from '../../src/tokens/apply.ts'
import type { TokenRead, WaiterCluster } from '../../src/tokens/contract.ts'
import { buildIndex, selectTokens } from '../../src/tokens/index-plan.ts'
import { planToken } from '../../src/tokens/plan.ts'
import { syncTokens } from '../../src/tokens/sync.ts'
import { createWaiterCluster } from '../../src/tokens/waiter.ts'
import { withReadRetries } from '../../src/tokens/waiter-retry.ts'

export interface SyncFigures {
  readonly wallMs: number
  readonly cpuMs: number
  /** Resident memory at most, in MiB, over what the process had before the sync. */
  readonly peakMiB: number
  readonly updated: number
}

const LIMIT = 10_000
const [, , algorithm, ...urls] = process.argv
const clusters = urls.map((url) => createWaiterCluster({ url, clock: systemClock }))
const baseMiB = process.resourceUsage().maxRSS / 1_024
const cpuBefore = process.cpuUsage()
const startedAt = performance.now()
const updated = algorithm === 'original' ? await syncAsOriginal(clusters) : await syncAsWeDo(clusters)
const wallMs = performance.now() - startedAt
const { user, system } = process.cpuUsage(cpuBefore)
const peakMiB = process.resourceUsage().maxRSS / 1_024 - baseMiB
process.stdout.write(JSON.stringify({ wallMs, cpuMs: (user + system) / 1_000, peakMiB, updated } satisfies SyncFigures))
for (const cluster of clusters) await cluster[Symbol.asyncDispose]()

async function syncAsWeDo(list: readonly WaiterCluster[]): Promise<number> {
  const summary = await syncTokens(
    {
      mode: 'safe',
      dryRun: false,
      limit: LIMIT,
      optOutMetadataName: undefined,
      onUnreachable: 'fail',
      onConflict: 'newest',
      maxDeletes: { percent: 20, atLeast: 5 },
      allowEmpty: [],
    },
    {
      clusters: list.map((cluster) => withReadRetries(cluster, { clock: systemClock, random: Math.random })),
      signal: new AbortController().signal,
      clock: systemClock,
      random: Math.random,
      memory: undefined,
      remember: async () => {},
      keepForUndo: async () => {},
      onItem: async () => {},
      onProgress: () => {},
    },
  )
  if (summary.sync.failed.length > 0) throw new Error(`${summary.sync.failed.length} tokens failed`)
  return summary.sync.updated.length
}

async function syncAsOriginal(list: readonly WaiterCluster[]): Promise<number> {
  const { signal } = new AbortController()
  const lists = new Map<string, Awaited<ReturnType<WaiterCluster['list']>>>()
  for (const cluster of list) lists.set(cluster.url, await cluster.list(signal))
  const { selected } = selectTokens(buildIndex(lists).pending, LIMIT)
  const held = new Map<string, ReadonlyMap<string, TokenRead>>()
  for (const token of selected) {
    const reads = new Map<string, TokenRead>()
    for (const cluster of list) reads.set(cluster.url, await cluster.read(token, signal))
    held.set(token, reads)
  }
  const byUrl = new Map(list.map((cluster) => [cluster.url, cluster]))
  let count = 0
  for (const [token, reads] of held) {
    const plan = planToken(token, reads, { mode: 'compat', optOutMetadataName: undefined, onConflict: 'newest' })
    const outcomes = await applySteps(plan, writesOf(plan), reads, {
      clusters: byUrl,
      signal,
      inOrder: true,
      keepForUndo: async () => {},
    })
    if ([...outcomes.values()].every(({ result }) => result.code === 'success/sync-update')) count++
  }
  return count
}

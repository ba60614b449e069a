// One token in `safe` mode: read everywhere, plan, look at the source again, write; and when a cluster turns out not to be as it was
// read, or a write was not answered, the same from the beginning. Every write is conditional, so that doing it again is safe.
import { backoffMs } from '../lib/backoff.ts'
import { delay } from '../lib/clock.ts'
import { type ApplyOptions, applySteps, describe, describeStep, writesOf } from './apply.ts'
import type {
  ClusterUrl,
  PlanPolicy,
  SealedPlan,
  StepResult,
  SyncSurroundings,
  TokenItem,
  TokenPlan,
  TokenRead,
  WaiterCluster,
} from './contract.ts'
import { equalJson } from './json.ts'
import { planToken } from './plan.ts'
import { type Reads, readEverywhere } from './reads.ts'
import { sealPlan } from './seal.ts'
import { itemOf } from './summary.ts'

/** Most times that one token is read and planned in a run. */
const MAX_ROUNDS = 4
const PAUSE = { baseMs: 50, capMs: 1_000 }

export interface SettleOptions extends Omit<ApplyOptions, 'inOrder'>, Pick<SyncSurroundings, 'clock' | 'random'> {
  /** Aborts reads and pauses, and no write begins any more. */
  readonly stopping: AbortSignal
  /** The clusters of the run, sorted by URL. */
  readonly list: readonly WaiterCluster[]
  readonly unlisted: ReadonlySet<ClusterUrl>
  readonly policy: PlanPolicy
  readonly dryRun: boolean
  /** Asked before a token is deleted anywhere; false when that would be one too many. */
  mayDelete(token: string): boolean
  /** Why this plan must not be carried out; undefined when it may. `written`: the clusters that this token was written to already. */
  refuse?(plan: TokenPlan, reads: Reads, written: ReadonlySet<ClusterUrl>): StepResult | undefined
}

export interface Settled {
  readonly item: TokenItem
  /** There in a dry run. */
  readonly sealed: SealedPlan | undefined
}

type Results = Map<ClusterUrl, StepResult>

/** What one round came to. `unsettled`: another one may do better. */
interface Round {
  readonly results: Results
  readonly unsettled: boolean
}

interface Refusal {
  readonly result: StepResult
  readonly unsettled: boolean
}

/** Brings one token in step. Throws the reason of `stopping` when that aborts before anything was written. */
export async function settleToken(token: string, options: SettleOptions): Promise<Settled> {
  const { list, unlisted, policy, clock, random, stopping } = options
  const written: Results = new Map()
  let settled: Settled | undefined
  try {
    for (let round = 1; ; round++) {
      const reads = await readEverywhere(token, list, unlisted, stopping)
      const plan = planToken(token, reads, policy)
      if (options.dryRun) return { item: itemOf(plan, plannedResults(plan)), sealed: sealPlan(plan, reads) }
      const { results, unsettled } = await tryOnce(plan, reads, written, options)
      settled = { item: itemOf(plan, results), sealed: undefined }
      if (!unsettled || round === MAX_ROUNDS) return settled
      await delay(clock, backoffMs(round, PAUSE, random), stopping)
    }
  } catch (error) {
    // Cut short between two rounds: what the last one did is told.
    if (settled === undefined || !stopping.aborted) throw error
    return settled
  }
}

/** What a dry run says of each cluster. */
export const plannedResults = (plan: TokenPlan): Results =>
  new Map(plan.steps.map((step) => [step.cluster, describeStep(step)]))

async function tryOnce(plan: TokenPlan, reads: Reads, written: Results, options: SettleOptions): Promise<Round> {
  const results = plannedResults(plan)
  const writes = writesOf(plan)
  let unsettled = false
  if (writes.length > 0) {
    const refusal = await findRefusal(plan, reads, written, options)
    if (refusal === undefined) {
      for (const [cluster, outcome] of await applySteps(plan, writes, reads, { ...options, inOrder: false })) {
        results.set(cluster, outcome.result)
        unsettled ||= outcome.unsettled
        if (outcome.result.effect !== undefined) written.set(cluster, outcome.result)
      }
    } else {
      unsettled = refusal.unsettled
      for (const { cluster } of writes) results.set(cluster, refusal.result)
    }
  }
  // What an earlier round wrote is told, though the token matches there by now.
  for (const [cluster, result] of written) {
    if (results.get(cluster)?.code.startsWith('success/') !== false) results.set(cluster, result)
  }
  return { results, unsettled }
}

async function findRefusal(
  plan: TokenPlan,
  reads: Reads,
  written: Results,
  options: SettleOptions,
): Promise<Refusal | undefined> {
  const refused = options.refuse?.(plan, reads, new Set(written.keys()))
  if (refused !== undefined) return { result: refused, unsettled: false }
  if (deletes(plan) && !options.mayDelete(plan.token)) {
    return { result: { code: 'error/max-deletes', details: describe({ message: TOO_LATE }) }, unsettled: false }
  }
  const source = options.clusters.get(plan.latest.cluster)
  if (source === undefined) throw new RangeError(`the plan is from ${plan.latest.cluster}, which is not in the run`)
  const now = await source.read(plan.token, options.stopping)
  options.stopping.throwIfAborted()
  if (isSameVersion(reads.get(source.url), now)) return undefined
  if (now.kind === 'broken') {
    const message = `${source.url} did not answer again: ${now.message}`
    return { result: { code: 'error/token-read', details: describe({ message }) }, unsettled: false }
  }
  const message = `the token has changed on ${source.url} meanwhile`
  return { result: { code: 'error/token-sync', details: describe({ message }) }, unsettled: true }
}

const TOO_LATE = 'the token was deleted after the run began, and one more delete is more than maxDeletes allows'

/** Whether the plan deletes the token anywhere. */
export const deletes = (plan: TokenPlan): boolean =>
  writesOf(plan).some(({ effect }) => effect === 'softDelete' || effect === 'hardDelete')

/** Whether the source is as it was read: by its version, and where it has none (a tombstone) by what it says. */
function isSameVersion(before: TokenRead | undefined, now: TokenRead): boolean {
  if (before?.kind !== 'answered' || now.kind !== 'answered') return false
  if (before.status !== now.status || before.etag !== now.etag) return false
  return before.etag !== undefined || equalJson(before.description, now.description)
}

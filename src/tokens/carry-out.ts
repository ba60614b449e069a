// Carries out a plan that a dry run left: exactly that, and nothing for a token that is not any more as it was seen then.
import { describe } from './apply.ts'
import {
  type ClusterUrl,
  type PlanFile,
  type SealedPlan,
  type StepResult,
  type SyncSummary,
  type SyncSurroundings,
  TooManyDeletes,
} from './contract.ts'
import { allowedDeletes } from './index-plan.ts'
import { findSkew, type Lists, openWriteSignal, sortClusters } from './run.ts'
import { matchesSeal, sealPlan } from './seal.ts'
import { createSummary } from './summary.ts'
import { createSettleOptions, isDelete, settleAll } from './sync-safe.ts'

/**
 * Carries out what a dry run found, exactly: a token that is not any more as it was seen then is refused with `error/plan-outdated`.
 * Throws TooManyDeletes before anything is written, RangeError when a cluster of the plan is missing, and the reason of `signal`.
 */
export async function applyPlan(file: PlanFile, surroundings: SyncSurroundings): Promise<SyncSummary> {
  const list = sortClusters(surroundings.clusters)
  for (const url of file.clusters) {
    if (!list.some((cluster) => cluster.url === url)) throw new RangeError(`the plan needs the cluster ${url}`)
  }
  const allowed = allowedDeletes(file.request.maxDeletes, file.total)
  const deletions = file.tokens.filter(({ steps }) => steps.some(isDelete)).length
  if (deletions > allowed) throw new TooManyDeletes(deletions, allowed)

  const names = file.tokens.map(({ token }) => token)
  const summary = createSummary({ total: names, pending: names, previouslySynced: [], selected: names })
  using writing = openWriteSignal(surroundings)
  const request = { ...file.request, dryRun: false }
  const run = { request, surroundings, list, lists: NO_LISTS, summary, writeSignal: writing.signal }
  const plans = new Map(file.tokens.map((plan) => [plan.token, plan]))
  surroundings.onProgress(0, names.length)
  await settleAll(names, run, {
    ...createSettleOptions(run, () => true),
    refuse: (plan, reads, written) => {
      const sealed = plans.get(plan.token)
      if (sealed === undefined || !isAsPlanned(sealed, sealPlan(plan, reads), written)) return OUTDATED
      return undefined
    },
  })
  return summary.finish(findSkew(list))
}

const NO_LISTS: Lists = { given: new Map(), failed: [] }

const OUTDATED: StepResult = {
  code: 'error/plan-outdated',
  details: describe({ message: 'the token has changed since the plan was made' }),
}

/** Whether what is to be written now is what the plan has, over what it saw; clusters that were written to have moved on. */
function isAsPlanned(sealed: SealedPlan, now: SealedPlan, written: ReadonlySet<ClusterUrl>): boolean {
  const codes = new Map(sealed.steps.map(({ cluster, code }) => [cluster, code]))
  return (
    matchesSeal(sealed, now, written) &&
    now.steps.every(({ cluster, code }) => written.has(cluster) || codes.get(cluster) === code)
  )
}

// The original's algorithm: everything is read, then everything is written, one after the other.
import { forEachConcurrently } from '../lib/concurrently.ts'
import { applySteps, writesOf } from './apply.ts'
import type { TokenPlan } from './contract.ts'
import { planToken } from './plan.ts'
import { type Reads, readEverywhere } from './reads.ts'
import { applyOptionsOf, policyOf, type Run, TOKENS_AT_ONCE } from './run.ts'
import { sealPlan } from './seal.ts'
import { plannedResults } from './settle.ts'
import { itemOf } from './summary.ts'

/** Brings the selected tokens in step as the original does. Throws the reason of the run's signal. */
export async function syncAsOriginal(run: Run, selected: readonly string[]): Promise<undefined> {
  const { request, surroundings, list, summary } = run
  const policy = policyOf(request)
  const plans = new Map<string, { readonly reads: Reads; readonly plan: TokenPlan }>()
  const planOne = async (token: string) => {
    const reads = await readEverywhere(token, list, new Set(), surroundings.signal)
    return { reads, plan: planToken(token, reads, policy) }
  }
  await forEachConcurrently(selected, TOKENS_AT_ONCE, surroundings.signal, async (token) => {
    plans.set(token, await planOne(token))
  })
  let done = 0
  for (const token of selected) {
    surroundings.signal.throwIfAborted()
    const planned = plans.get(token)
    if (planned === undefined) continue
    plans.delete(token)
    const { plan, reads } = planned
    const results = plannedResults(plan)
    if (!request.dryRun) {
      const outcomes = await applySteps(plan, writesOf(plan), reads, { ...applyOptionsOf(run), inOrder: true })
      for (const [cluster, { result }] of outcomes) results.set(cluster, result)
    }
    const item = itemOf(plan, results)
    summary.add(item)
    await surroundings.onItem(item, request.dryRun ? sealPlan(plan, reads) : undefined)
    surroundings.onProgress(++done, selected.length)
  }
  return undefined
}

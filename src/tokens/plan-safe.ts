// As plan-compat.ts, where that cannot lose anything. A cluster is known when it served the token (200) or said that there is none
// (404); with any other answer from any cluster nothing is written for the token. What is latest the histories say first, then clocks.
import { traceAncestry } from './ancestry.ts'
import type { OnConflict, PlanPolicy, Step, TokenPlan } from './contract.ts'
import { compareUrls, isDeleted, lastUpdateMs } from './description.ts'
import { newestOf } from './plan-compat.ts'
import {
  type Copy,
  decideStep,
  dispute,
  hardDelete,
  isDeletedEverywhere,
  nothing,
  planOf,
  type Rows,
  storeLatest,
} from './plan-rows.ts'

/** `copies`: at least one, by URL. */
export function planSafe(token: string, copies: readonly [Copy, ...Copy[]], policy: PlanPolicy): TokenPlan {
  const unknown = copies.filter((copy) => !isKnown(copy))
  const [first, ...others] = copies.filter(isKnown)
  if (first === undefined) return planOf(token, copies[0], unknown.map(reportUnknown))
  const plan = planKnown(token, [first, ...others], policy)
  if (unknown.length === 0) return plan
  const steps = [...plan.steps.map((step) => withhold(step, unknown)), ...unknown.map(reportUnknown)]
  return { ...plan, steps: steps.sort((a, b) => compareUrls(a.cluster, b.cluster)) }
}

function planKnown(token: string, copies: readonly [Copy, ...Copy[]], policy: PlanPolicy): TokenPlan {
  const [first, ...more] = copies.filter(({ description }) => description.size > 0)
  if (first === undefined) {
    return planOf(
      token,
      copies[0],
      copies.slice(1).map(({ cluster }) => nothing(cluster, 'success/skip-missing')),
    )
  }
  const present = [first, ...more] as const
  const ancestry = traceAncestry(present)
  const latest = chooseLatest(ancestry.heads, policy.onConflict)
  if (isDeletedEverywhere(copies)) return planOf(token, latest, copies.map(removeTombstone))
  const rows: Rows = {
    optOutMetadataName: policy.optOutMetadataName,
    // Another copy lives: without the tombstone it would come back.
    removeOptedOut: ({ cluster }) => nothing(cluster, 'success/skip-opt-out'),
    overwrite: (_latest, here) => {
      const isConcurrent = here.description.size > 0 && !ancestry.isKnownTo(here, latest)
      return isConcurrent && policy.onConflict === 'fail'
        ? dispute('error/conflict', latest, here)
        : storeLatest(latest, here)
    },
  }
  const others = copies.filter((here) => here !== latest)
  return planOf(
    token,
    latest,
    others.map((here) => decideStep(latest, here, rows)),
  )
}

function chooseLatest(heads: readonly [Copy, ...Copy[]], onConflict: OnConflict): Copy {
  if (typeof onConflict !== 'object') return newestOf(heads)
  const preferred = heads.find(({ cluster }) => cluster === onConflict.prefer)
  // A version without a time gets another one from every cluster that stores it: preferred again and again, it would never be the same.
  const isStable = preferred !== undefined && lastUpdateMs(preferred.description) > 0
  return isStable ? preferred : newestOf(heads)
}

function removeTombstone(here: Copy): Step {
  if (!isDeleted(here.description)) return nothing(here.cluster, 'success/skip-hard-delete')
  return hardDelete(here, here.etag, 'error/hard-delete')
}

function isKnown({ read }: Copy): boolean {
  if (read.kind === 'broken') return false
  return read.status === 404 || (read.status === 200 && read.description.size > 0)
}

function reportUnknown({ cluster, read }: Copy): Step {
  const message =
    read.kind === 'broken' ? read.message : `answered ${read.status}: neither the token nor that there is none`
  return nothing(cluster, 'error/token-read', { message })
}

/** What would have been written has to wait until every cluster has said what it holds. */
function withhold(step: Step, unknown: readonly Copy[]): Step {
  if (step.do === 'nothing') return step
  const names = unknown.map(({ cluster }) => cluster).join(', ')
  const message = `nothing is written before every cluster has answered for the token; missing: ${names}`
  return nothing(step.cluster, 'error/token-read', { message })
}

// A plan without the descriptions: enough to tell later whether everything still is as it was, and nothing of what tokens say. Pure.
import { createHash } from 'node:crypto'
import type { ClusterUrl, SealedPlan, SealedRead, TokenPlan, TokenRead } from './contract.ts'
import { compareUrls } from './description.ts'
import { writeSortedJson } from './json.ts'

/** The plan as it is kept. `reads`: what it was made from. */
export function sealPlan(plan: TokenPlan, reads: ReadonlyMap<ClusterUrl, TokenRead>): SealedPlan {
  const seen = [...reads].sort(([a], [b]) => compareUrls(a, b)).map(([cluster, read]) => [cluster, sealRead(read)])
  return {
    token: plan.token,
    seen: Object.fromEntries(seen),
    latest: plan.latest.cluster,
    steps: plan.steps.map((step) => ({
      cluster: step.cluster,
      code: step.code,
      ...(step.do !== 'nothing' && { effect: step.effect }),
    })),
  }
}

/** Whether both plans saw the same on every cluster; those in `written` may have moved on. */
export function matchesSeal(
  { seen: before }: SealedPlan,
  { seen: now }: SealedPlan,
  written: ReadonlySet<ClusterUrl> = new Set(),
): boolean {
  const clusters = Object.keys(before)
  return (
    clusters.length === Object.keys(now).length &&
    clusters.every((cluster) => isSame(before[cluster], now[cluster], written.has(cluster)))
  )
}

function sealRead(read: TokenRead): SealedRead {
  if (read.kind === 'broken') return { broken: true }
  const { status, etag, description } = read
  const sha256 = createHash('sha256').update(writeSortedJson(description)).digest('hex')
  return { status, ...(etag !== undefined && { etag }), sha256 }
}

function isSame(before: SealedRead | undefined, now: SealedRead | undefined, mayDiffer: boolean): boolean {
  if (before === undefined || now === undefined) return false
  if (mayDiffer) return true
  if ('broken' in before || 'broken' in now) return 'broken' in before && 'broken' in now
  return before.status === now.status && before.etag === now.etag && before.sha256 === now.sha256
}

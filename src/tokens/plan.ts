// What is to be done about one token, from what every cluster said of it. Pure: no clock, no randomness, and the order in which
// the clusters are given changes nothing.
//
//                                      compat                              safe
//   a cluster did not answer           counts as missing                   is unknown: nothing is written anywhere
//   the latest version                 the greatest time, then the URL     of those that no other has in its history: likewise
//   only tombstones are left           hard-deleted, by the latest's etag  hard-deleted, each by its own
//   everything else                    row by row, as plan-rows.ts has it: the same in both
import type { ClusterUrl, PlanPolicy, TokenPlan, TokenRead } from './contract.ts'
import { compareUrls } from './description.ts'
import { planCompat } from './plan-compat.ts'
import type { Copy } from './plan-rows.ts'
import { planSafe } from './plan-safe.ts'

/**
 * The plan of a token. `reads`: what each cluster of the run said, at least one. Steps are sorted by URL; the latest cluster has one
 * only where something happens to it or nobody knows what it holds.
 */
export function planToken(token: string, reads: ReadonlyMap<ClusterUrl, TokenRead>, policy: PlanPolicy): TokenPlan {
  const [first, ...others] = [...reads].sort(([a], [b]) => compareUrls(a, b)).map(toCopy)
  if (first === undefined) throw new RangeError(`${token}: no cluster was asked`)
  if (policy.mode === 'compat') return planCompat(token, [first, ...others], policy.optOutMetadataName)
  return planSafe(token, [first, ...others], policy)
}

function toCopy([cluster, read]: readonly [ClusterUrl, TokenRead]): Copy {
  if (read.kind === 'broken') return { cluster, read, description: new Map(), etag: undefined }
  const etag = read.etag?.trim() === '' ? undefined : read.etag
  return { cluster, read, description: read.description, etag }
}

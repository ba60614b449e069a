// What one cluster gets when the latest version of a token is known. Pure. The first row that holds:
//
//   1  the read broke                                                            error/token-read
//   2  the latest and this one are empty                                         success/skip-missing
//   3  the latest has no root                                                    error/token-read
//   4  they are equal, their history too                                         success/token-match
//   5  both are deleted                                                          error/tokens-deleted
//   6  either has opted out:  opted out and deleted here                         hard-delete (compat)
//                             else                                               success/skip-opt-out
//   7  not empty here, and another root, another user, other content             error/root-mismatch
//   8  they differ:           edits that do not know of each other, and onConflict is fail (safe)   error/conflict
//                             the latest is deleted                              store, success/soft-delete
//                             else                                               store, success/sync-update
import type { ClusterUrl, Description, ErrorCode, Step, SuccessCode, TokenPlan, TokenRead } from './contract.ts'
import { hasOptedOut, isDeleted, rootOf, userOf, without } from './description.ts'
import { equalJson, fromPlain, isObject, type JsonObject, type PlainJson } from './json.ts'

/** What one cluster holds, as far as it is known. */
export interface Copy {
  readonly cluster: ClusterUrl
  readonly read: TokenRead
  /** Empty where there is no token, and where nobody knows. */
  readonly description: Description
  /** Undefined where there is none, or a blank one. */
  readonly etag: string | undefined
}

/** Where the modes part. */
export interface Rows {
  readonly optOutMetadataName: string | undefined
  /** Row 6 for a tombstone that has opted out. */
  removeOptedOut(here: Copy): Step
  /** Row 8. */
  overwrite(latest: Copy, here: Copy): Step
}

/** Keys that may differ between two clusters without the content of the token being another. */
const NO_CONTENT = ['cluster', 'last-update-time', 'last-update-user', 'previous', 'root']

/** What a cluster other than the latest one gets. */
export function decideStep(latest: Copy, here: Copy, rows: Rows): Step {
  const { description, read, cluster } = here
  if (read.kind === 'broken') return nothing(cluster, 'error/token-read', { message: read.message })
  if (latest.description.size === 0 && description.size === 0) return nothing(cluster, 'success/skip-missing')
  if (rootOf(latest.description) === null) {
    return nothing(cluster, 'error/token-read', {
      message: `the latest version, on ${latest.cluster}, has no root`,
    })
  }
  if (equalJson(latest.description, description)) return nothing(cluster, 'success/token-match')
  if (isDeleted(latest.description) && isDeleted(description)) {
    return nothing(cluster, 'error/tokens-deleted', {
      message: 'deleted here and where it is latest, while another cluster still has it or did not answer',
    })
  }
  if (hasEitherOptedOut(latest, here, rows.optOutMetadataName)) {
    const isOptedOutTombstone = isDeleted(description) && isOptedOut(here, rows.optOutMetadataName)
    return isOptedOutTombstone ? rows.removeOptedOut(here) : nothing(cluster, 'success/skip-opt-out')
  }
  if (haveDifferentRoots(latest, here)) return dispute('error/root-mismatch', latest, here)
  return rows.overwrite(latest, here)
}

/** The cluster gets the latest version, provided that it still is as it was read. */
export function storeLatest(latest: Copy, here: Copy): Step {
  const common = {
    do: 'store',
    cluster: here.cluster,
    ifMatch: here.etag,
    description: latest.description,
    failure: 'error/token-sync',
  } as const
  if (isDeleted(latest.description)) return { ...common, effect: 'softDelete', code: 'success/soft-delete' }
  return { ...common, effect: here.description.size === 0 ? 'create' : 'update', code: 'success/sync-update' }
}

/** The token goes from this cluster for good. */
export function hardDelete(
  here: Copy,
  ifMatch: string | undefined,
  failure: 'error/hard-delete' | 'error/token-sync',
): Step {
  return {
    do: 'hardDelete',
    cluster: here.cluster,
    effect: 'hardDelete',
    ifMatch,
    code: 'success/hard-delete',
    failure,
  }
}

/** The cluster is left as it is. */
export function nothing(
  cluster: ClusterUrl,
  code: SuccessCode | ErrorCode,
  details?: { readonly [key: string]: PlainJson },
): Step {
  return { do: 'nothing', cluster, code, ...(details !== undefined && { details: toDetails(details) }) }
}

/** Two versions of which a person has to choose one. */
export function dispute(code: 'error/root-mismatch' | 'error/conflict', latest: Copy, here: Copy): Step {
  return nothing(here.cluster, code, { cluster: here.description, latest: latest.description })
}

/** The plan of a token, its steps in the order of the copies. */
export function planOf(token: string, { cluster, description, etag }: Copy, steps: readonly Step[]): TokenPlan {
  return { token, latest: { cluster, description, etag }, steps }
}

/** Whether every copy that there is has been deleted, and there is one. */
export function isDeletedEverywhere(copies: readonly Copy[]): boolean {
  const present = copies.filter(({ description }) => description.size > 0)
  return present.length > 0 && present.every(({ description }) => isDeleted(description))
}

function hasEitherOptedOut(latest: Copy, here: Copy, name: string | undefined): boolean {
  return isOptedOut(latest, name) || isOptedOut(here, name)
}

function isOptedOut({ description }: Copy, name: string | undefined): boolean {
  return name !== undefined && hasOptedOut(description, name)
}

function haveDifferentRoots({ description: latest }: Copy, { description: here }: Copy): boolean {
  return (
    here.size > 0 &&
    !equalJson(rootOf(latest), rootOf(here)) &&
    !equalJson(userOf(latest), userOf(here)) &&
    !equalJson(without(latest, NO_CONTENT), without(here, NO_CONTENT))
  )
}

function toDetails(details: { readonly [key: string]: PlainJson }): JsonObject {
  const json = fromPlain(details)
  return isObject(json) ? json : new Map()
}

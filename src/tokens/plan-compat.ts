// The decisions of the original token-syncer, to the letter: what did not answer counts as missing, and clocks alone say what is latest.
import type { TokenPlan } from './contract.ts'
import { isDeleted, lastUpdateMs } from './description.ts'
import {
  type Copy,
  decideStep,
  hardDelete,
  isDeletedEverywhere,
  nothing,
  planOf,
  type Rows,
  storeLatest,
} from './plan-rows.ts'

/** `copies`: at least one, by URL. */
export function planCompat(
  token: string,
  copies: readonly [Copy, ...Copy[]],
  optOutMetadataName: string | undefined,
): TokenPlan {
  const latest = newestOf(copies)
  if (isDeletedEverywhere(copies)) {
    const steps = copies.map((here) =>
      isDeleted(here.description)
        ? hardDelete(here, latest.etag, 'error/hard-delete')
        : nothing(here.cluster, 'success/skip-hard-delete'),
    )
    return planOf(token, latest, steps)
  }
  const rows: Rows = {
    optOutMetadataName,
    removeOptedOut: (here) => hardDelete(here, here.etag, 'error/token-sync'),
    overwrite: storeLatest,
  }
  const others = copies.filter((here) => here !== latest)
  return planOf(
    token,
    latest,
    others.map((here) => decideStep(latest, here, rows)),
  )
}

/** The copy with the greatest time, the first of those that share it. */
export function newestOf(copies: readonly [Copy, ...Copy[]]): Copy {
  return copies.reduce((latest, here) =>
    lastUpdateMs(here.description) > lastUpdateMs(latest.description) ? here : latest,
  )
}

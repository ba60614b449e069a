// What a token sync is asked for, with the settings for what is left out: the request that the run keeps, by the names of the body of
// `POST /v1/tokens/sync`, and from it what src/tokens takes. Pure.
import type { MaxDeletes, OnConflict, SyncRequest } from '../tokens/contract.ts'
import { InvalidRunRequest, type SyncTokensBody } from './contract.ts'

/** The clusters and what a request may leave out, as the configuration has them. */
export interface TokenSettings {
  readonly clusters: readonly { readonly name: string; readonly url: string }[]
  readonly mode: 'safe' | 'compat'
  readonly limit: number
  readonly optOutMetadataName?: string | undefined
  readonly onUnreachable: 'fail' | 'skip-writes'
  /** `newest`, `fail`, or `prefer:NAME`. */
  readonly onConflict: string
  /** A number of tokens, or `"5%"`; 20 %, and at least 5, when it is left out. */
  readonly maxDeletes?: number | string | undefined
  readonly connectionTimeoutMs: number
  readonly idleTimeoutMs: number
}

interface TimeOuts {
  /** Milliseconds. */
  readonly connectionTimeoutMs: number
  /** Milliseconds. */
  readonly idleTimeoutMs: number
}

/** The request of a run that compares clusters: nothing is left to the configuration any more. */
export interface SyncRunRequest extends TimeOuts {
  readonly clusters: readonly string[]
  readonly mode: 'safe' | 'compat'
  readonly dryRun: boolean
  readonly limit: number
  readonly optOutMetadataName?: string
  readonly onUnreachable: 'fail' | 'skip-writes'
  readonly onConflict: string
  readonly maxDeletes?: number | string
  readonly allowEmpty?: readonly string[]
}

/** The request of a run that carries out what a dry run found. */
export interface PlanRunRequest extends TimeOuts {
  readonly plan: string
}

export type TokensRunRequest = SyncRunRequest | PlanRunRequest

const DEFAULT_MAX_DELETES: MaxDeletes = { percent: 20, atLeast: 5 }
const BESIDE_PLAN = ['plan', 'connectionTimeoutMs', 'idleTimeoutMs']

/** Throws InvalidRunRequest when a cluster is unknown or comes twice, for fewer than two, and for anything beside a plan. */
export function resolveRequest(body: SyncTokensBody, settings: TokenSettings): TokensRunRequest {
  const { connectionTimeoutMs = settings.connectionTimeoutMs, idleTimeoutMs = settings.idleTimeoutMs } = body
  const timeOuts = { connectionTimeoutMs, idleTimeoutMs }
  if (body.plan !== undefined) {
    refuseBesidePlan(body)
    return { plan: body.plan, ...timeOuts }
  }
  const clusters = findClusters(body, settings)
  const { mode = settings.mode, limit = settings.limit, dryRun = false, allowEmpty } = body
  const { onUnreachable = settings.onUnreachable, onConflict = settings.onConflict } = body
  const { optOutMetadataName = settings.optOutMetadataName, maxDeletes = settings.maxDeletes } = body
  // The original knows no preference, and heeds none.
  if (mode === 'safe' || body.onConflict !== undefined) refusePreference(onConflict, clusters)
  allowEmpty?.forEach((name, at) => {
    refuseOutsider(name, clusters, `/allowEmpty/${at}`)
  })
  return {
    ...{ clusters, mode, dryRun, limit },
    ...(optOutMetadataName !== undefined && { optOutMetadataName }),
    ...{ onUnreachable, onConflict },
    ...(maxDeletes !== undefined && { maxDeletes }),
    ...(allowEmpty !== undefined && { allowEmpty }),
    ...timeOuts,
  }
}

/** What src/tokens takes. `urlOf` gives the address of a cluster of the run. */
export function toSyncRequest(request: SyncRunRequest, urlOf: (name: string) => string): SyncRequest {
  const { mode, dryRun, limit, optOutMetadataName, onUnreachable, onConflict, maxDeletes, allowEmpty = [] } = request
  return {
    ...{ mode, dryRun, limit, optOutMetadataName, onUnreachable },
    onConflict: toOnConflict(onConflict, urlOf),
    maxDeletes: maxDeletes === undefined ? DEFAULT_MAX_DELETES : toMaxDeletes(maxDeletes),
    allowEmpty: allowEmpty.map(urlOf),
  }
}

export const isPlanRequest = (request: TokensRunRequest): request is PlanRunRequest => 'plan' in request

function refuseBesidePlan(body: SyncTokensBody): void {
  const other = Object.keys(body).find((key) => !BESIDE_PLAN.includes(key))
  if (other !== undefined) {
    throw new InvalidRunRequest(
      `/${other}`,
      'has no meaning with a plan: what is done was decided in its dry run; allowed beside plan are connectionTimeoutMs and idleTimeoutMs',
    )
  }
}

function findClusters({ clusters: asked }: SyncTokensBody, { clusters }: TokenSettings): readonly string[] {
  const known = clusters.map(({ name }) => name)
  const names = asked ?? known
  names.forEach((name, at) => {
    if (!known.includes(name)) {
      throw new InvalidRunRequest(`/clusters/${at}`, `is no cluster of the configuration: they are ${known.join(', ')}`)
    }
    if (names.indexOf(name) < at) throw new InvalidRunRequest(`/clusters/${at}`, 'names a cluster a second time')
  })
  if (names.length < 2) throw new InvalidRunRequest('/clusters', 'must name two clusters at least')
  return names
}

function refusePreference(onConflict: string, clusters: readonly string[]): void {
  const preferred = preferredOf(onConflict)
  if (preferred !== undefined) refuseOutsider(preferred, clusters, '/onConflict')
}

function refuseOutsider(name: string, clusters: readonly string[], pointer: string): void {
  if (!clusters.includes(name)) {
    throw new InvalidRunRequest(pointer, `${name} is no cluster of this run: they are ${clusters.join(', ')}`)
  }
}

const preferredOf = (onConflict: string): string | undefined => /^prefer:(.*)$/.exec(onConflict)?.[1]

function toOnConflict(onConflict: string, urlOf: (name: string) => string): OnConflict {
  const preferred = preferredOf(onConflict)
  if (preferred !== undefined) return { prefer: urlOf(preferred) }
  return onConflict === 'fail' ? 'fail' : 'newest'
}

/** A share that was asked for is meant as it stands: also when that is less than one token. */
const toMaxDeletes = (written: number | string): MaxDeletes =>
  typeof written === 'number' ? { count: written } : { percent: Number(written.replace('%', '')), atLeast: 0 }

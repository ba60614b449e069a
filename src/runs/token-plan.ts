// The plan of a dry run, as its items have it: found again, and put together to be carried out.
import type { Page, RunItem, RunRecord, StateStore } from '../state/store.ts'
import type { PlanFile, SealedPlan } from '../tokens/contract.ts'
import { InvalidRunRequest } from './contract.ts'
import { PlanOutdated } from './problems.ts'
import { isPlanRequest, type SyncRunRequest, type TokensRunRequest, toSyncRequest } from './token-request.ts'

const PAGE = 1_000

interface DryRun {
  readonly run: RunRecord
  readonly request: SyncRunRequest
  /** Tokens that there were on all clusters together. */
  readonly total: number
}

/** The dry run whose plan is asked for. Throws InvalidRunRequest when it is none, or did not come to its end. */
export async function findDryRun(store: Pick<StateStore, 'getRun'>, id: string): Promise<DryRun> {
  const run = await store.getRun(id)
  if (run === undefined) throw refuse('is no run that is remembered')
  if (run.kind !== 'tokens' || !run.dryRun) throw refuse('is no dry run of a token sync')
  if ((run.state !== 'succeeded' && run.state !== 'failed') || run.summary === null) {
    throw refuse(`has no whole plan: it is ${run.state}`)
  }
  const request = JSON.parse(run.request) as TokensRunRequest
  if (isPlanRequest(request)) throw refuse('is no dry run of a token sync')
  const { tokens } = JSON.parse(run.summary) as { readonly tokens: { readonly total: number } }
  return { run, request, total: tokens.total }
}

const refuse = (why: string) => new InvalidRunRequest('/plan', why)

/** The whole plan. Throws PlanOutdated when it is of other addresses than the clusters have now. */
export async function readPlan(
  store: Pick<StateStore, 'listItems'>,
  { run, request, total }: DryRun,
  urlOf: (name: string) => string,
): Promise<PlanFile> {
  const tokens: SealedPlan[] = []
  let cursor: string | null | undefined
  do {
    const page: Page<RunItem> = await store.listItems(run.id, { limit: PAGE, ...(cursor && { cursor }) })
    tokens.push(...page.items.map(readSealedPlan))
    cursor = page.nextCursor
  } while (cursor !== null)
  const clusters = request.clusters.map(urlOf).sort()
  const seen = new Set(tokens.flatMap((plan) => Object.keys(plan.seen)))
  for (const url of seen) {
    if (!clusters.includes(url)) throw new PlanOutdated(`The plan is for ${url}, which is no cluster of it any more.`)
  }
  tokens.sort((a, b) => (a.token < b.token ? -1 : 1))
  return { version: 1, request: toSyncRequest(request, urlOf), clusters, total, tokens }
}

function readSealedPlan({ key, plan }: RunItem): SealedPlan {
  if (plan === undefined) throw new PlanOutdated(`The dry run has kept no plan for ${key}.`)
  return JSON.parse(plan) as SealedPlan
}

// GET /v1/status: what this instance knows, one section for each capability that is configured.
import type { components } from '../../../generated/openapi.ts'
import { SCOPES } from '../../config/schema.ts'
import type { SavedEnd } from '../../db/checkpoint.ts'
import type { Leadership } from '../../lib/leadership.ts'
import type { DbRuns, DescribedPair, Runs, ScheduleStatus, TokenRuns } from '../../runs/contract.ts'
import type { RunRecord } from '../../state/store.ts'
import type { Gateway } from '../../synced/contract.ts'
import type { Caller } from '../auth/authenticator.ts'
import type { Handlers } from '../contract.ts'
import type { AppDependencies } from '../dependencies.ts'
import { toProblem } from '../problems.ts'
import { outlineRun, toIso } from '../run-answers.ts'
import { describeReplica, describeSource } from './replicas.ts'

type Schemas = components['schemas']
/** More than anybody's tables, and as many as the document allows. */
const MAX_SAVED_ENDS = 10_000

type Known = Pick<AppDependencies, 'version' | 'instance' | 'leadership' | 'gateway' | 'runs' | 'tokens' | 'db'>

/** `startedAt`: milliseconds since 1970. */
export function createGetStatus(known: Known, startedAt: number): Handlers['getStatus'] {
  const { version, instance, leadership, gateway } = known
  const service = { version, instance, startedAt: new Date(startedAt).toISOString() }
  return async (_request, { caller }) => ({
    status: 200,
    body: {
      service,
      ...(caller && { caller: describeCaller(caller) }),
      leader: describeLeader(leadership),
      ...(gateway && { gateway: describeGateway(gateway) }),
      ...(await describeRuns(known)),
    },
  })
}

/** A name that an issuer gave may be of any length. */
function describeCaller({ name, scopes }: Caller): Schemas['CallerStatus'] {
  return { name: name.slice(0, 512), scopes: SCOPES.filter((scope) => scopes.has(scope)) }
}

function describeLeader({ driver, leader, isLeader, term, problem }: Leadership): Schemas['LeaderStatus'] {
  return {
    driver,
    name: leader ?? null,
    isLeader,
    // A fencing token may be larger than a JSON number is exact.
    term: term === undefined ? null : String(term.token),
    expiresInMs: term === undefined ? null : Math.round(term.remainingMs),
    ...(problem !== undefined && { problem: problem.slice(0, 2048) }),
  }
}

function describeGateway(gateway: Gateway): Schemas['GatewayStatus'] {
  const list = gateway.replicas()
  return { source: describeSource(list), replicas: list.replicas.map(describeReplica), verdicts: gateway.verdicts() }
}

async function describeRuns({
  runs,
  tokens,
  db,
}: Known): Promise<Pick<Schemas['Status'], 'tokens' | 'db' | 'schedules'>> {
  if (runs === undefined) return {}
  const [tokensStatus, dbStatus, schedules] = await Promise.all([
    tokens && describeTokens(tokens, runs),
    db && describeDb(db),
    Promise.all(runs.schedules().map((schedule) => describeSchedule(schedule, runs))),
  ])
  return { ...(tokensStatus && { tokens: tokensStatus }), ...(dbStatus && { db: dbStatus }), schedules }
}

async function describeDb(db: DbRuns): Promise<Schemas['DbStatus']> {
  return { pairs: await Promise.all(db.pairs.map((pair) => describePair(pair, db))) }
}

async function describePair(pair: DescribedPair, db: DbRuns): Promise<Schemas['DbPairStatus']> {
  const { value: kept, problem } = await readState(() => db.readKept(pair.name))
  return {
    ...pair,
    savedEnds: kept?.savedEnds.slice(0, MAX_SAVED_ENDS).map(describeSavedEnd) ?? [],
    deadLetters: kept?.deadLetters ?? null,
    lastRun: kept?.lastRun === undefined ? null : outlineRun(kept.lastRun),
    ...(problem !== undefined && { problem }),
  }
}

function describeSavedEnd({ table, direction, endMs, open }: SavedEnd): Schemas['DbSavedEnd'] {
  const window = open && {
    begin: new Date(open.window.beginMs).toISOString(),
    end: new Date(open.window.endMs).toISOString(),
  }
  return {
    ...{ table, direction, end: toIso(endMs ?? null) },
    ...(open && window && { open: { window, done: open.done, total: open.total } }),
  }
}

async function describeTokens({ clusters }: TokenRuns, runs: Runs): Promise<Schemas['TokensStatus']> {
  const last = await readRun(async () => (await runs.list({ kind: 'tokens', limit: 1 })).items[0])
  return { clusters: clusters.map(({ name, url }) => ({ name, url })), ...last }
}

async function describeSchedule(
  { lastRunId, nextAt, ...schedule }: ScheduleStatus,
  runs: Runs,
): Promise<Schemas['ScheduleStatus']> {
  const { lastRun } = await readRun(async () => (lastRunId === null ? undefined : runs.get(lastRunId)))
  return { ...schedule, nextAt: toIso(nextAt), lastRun }
}

async function readRun(read: () => Promise<RunRecord | undefined>): Promise<Omit<Schemas['TokensStatus'], 'clusters'>> {
  const { value: run, problem } = await readState(read)
  return { lastRun: run === undefined ? null : outlineRun(run), ...(problem !== undefined && { problem }) }
}

/** A state that cannot be reached right now must not hide all the rest. */
async function readState<T>(read: () => Promise<T>): Promise<{ readonly value?: T; readonly problem?: string }> {
  try {
    return { value: await read() }
  } catch (error) {
    const { kind, message } = toProblem(error)
    if (kind !== 'state-unavailable') throw error
    return { problem: message }
  }
}

// GET /v1/status: what this instance knows, one section for each capability that is configured.
import type { components } from '../../../generated/openapi.ts'
import type { Leadership } from '../../lib/leadership.ts'
import type { Runs, ScheduleStatus, TokenRuns } from '../../runs/contract.ts'
import type { RunRecord } from '../../state/store.ts'
import type { Gateway } from '../../synced/contract.ts'
import type { Handlers } from '../contract.ts'
import type { AppDependencies } from '../dependencies.ts'
import { toProblem } from '../problems.ts'
import { outlineRun, toIso } from '../run-answers.ts'
import { describeReplica, describeSource } from './replicas.ts'

type Schemas = components['schemas']
type Known = Pick<AppDependencies, 'version' | 'instance' | 'leadership' | 'gateway' | 'runs' | 'tokens'>

/** `startedAt`: milliseconds since 1970. */
export function createGetStatus(known: Known, startedAt: number): Handlers['getStatus'] {
  const { version, instance, leadership, gateway } = known
  const service = { version, instance, startedAt: new Date(startedAt).toISOString() }
  return async () => ({
    status: 200,
    body: {
      service,
      leader: describeLeader(leadership),
      ...(gateway && { gateway: describeGateway(gateway) }),
      ...(await describeRuns(known)),
    },
  })
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

async function describeRuns({ runs, tokens }: Known): Promise<Pick<Schemas['Status'], 'tokens' | 'schedules'>> {
  if (runs === undefined) return {}
  const [tokensStatus, schedules] = await Promise.all([
    tokens && describeTokens(tokens, runs),
    Promise.all(runs.schedules().map((schedule) => describeSchedule(schedule, runs))),
  ])
  return { ...(tokensStatus && { tokens: tokensStatus }), schedules }
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

/** A state that cannot be reached right now must not hide all the rest. */
async function readRun(read: () => Promise<RunRecord | undefined>): Promise<Omit<Schemas['TokensStatus'], 'clusters'>> {
  try {
    const run = await read()
    return { lastRun: run === undefined ? null : outlineRun(run) }
  } catch (error) {
    const { kind, message } = toProblem(error)
    if (kind !== 'state-unavailable') throw error
    return { lastRun: null, problem: message }
  }
}

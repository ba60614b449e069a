// Why a run ended as it did: what jobs throw and what stops them, by the name of the class, as the problem that the run shows. Pure.
import type { EndedState } from '../state/store.ts'
import type { RunProblem } from './contract.ts'

/** Somebody asked for the run to end. */
export class RunCancelled extends Error {
  override readonly name = 'RunCancelled'
}

/** The store of runs could not be written to for too long: what a run does would go on unrecorded. */
export class StateUnreachable extends Error {
  override readonly name = 'StateUnreachable'
}

/** Somebody else has a lock that the run needs, and did not give it back in time. */
export class LocksUnavailable extends Error {
  override readonly name = 'LocksUnavailable'
}

/** The plan that is to be carried out is not there any more, or not for these clusters. */
export class PlanOutdated extends Error {
  override readonly name = 'PlanOutdated'
}

/** A run is for a pair that the configuration does not have any more. */
export class PairGone extends Error {
  override readonly name = 'PairGone'
}

/** Kinds of problems by what was thrown. Their messages are written for people, and are shown. */
export const RUN_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ClusterUnreachable', 'cluster-unreachable'],
  ['TooManyDeletes', 'too-many-deletes'],
  ['EmptyList', 'empty-list'],
  ['PlanOutdated', 'plan-outdated'],
  ['StoreFailed', 'store-failed'],
  ['JobsUnusable', 'workers-failed'],
  ['TableRefusedError', 'table-refused'],
  ['InvalidDbRequest', 'not-possible'],
  ['PairGone', 'no-such-pair'],
  ['LocksUnavailable', 'locked'],
  ['LockLost', 'lock-lost'],
  ['OwnerLost', 'interrupted'],
  ['StateUnreachable', 'interrupted'],
  ['StateUnavailable', 'state-unavailable'],
  ['RunsStopping', 'interrupted'],
])

/** What a run gets whose process is gone. */
export const ORPHANED: RunProblem = {
  kind: 'interrupted',
  detail: 'The process that carried it out is gone: what it did until then is among its items.',
}

const MAX_DETAIL = 2048

/** Undefined for an error that nobody expected: it is a defect, and its words are not for everybody. */
export function findProblem(error: unknown): RunProblem | undefined {
  if (!(error instanceof Error)) return undefined
  const kind = RUN_PROBLEMS.get(error.name)
  return kind === undefined ? undefined : { kind, detail: error.message.slice(0, MAX_DETAIL) || kind }
}

export interface Ending {
  readonly state: EndedState
  /** JSON. */
  readonly summary: string | null
  readonly problem: RunProblem | undefined
}

/** How a run ends that met what nobody expected. */
export const DEFECT: Ending = {
  state: 'failed',
  summary: null,
  problem: {
    kind: 'internal-error',
    detail: 'A defect of the service ended the run; its log has the reason under the id of the run.',
  },
}

/** How a run ends that was stopped (`reason` of its signal), or whose job threw. */
export function judgeFailure(error: unknown, signal: AbortSignal): Ending {
  if (!signal.aborted) return { ...DEFECT, problem: findProblem(error) ?? DEFECT.problem }
  const { reason } = signal
  if (reason instanceof RunCancelled) return { state: 'cancelled', summary: null, problem: undefined }
  const problem = findProblem(reason)
  return problem === undefined ? DEFECT : { state: 'interrupted', summary: null, problem }
}

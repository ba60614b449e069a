// Carries out the steps of one token's plan: what is to be overwritten is kept first, then each cluster is written to once.
import type {
  ClusterUrl,
  Step,
  StepResult,
  SyncSurroundings,
  TokenPlan,
  UndoEntry,
  WaiterCluster,
  WriteAnswer,
} from './contract.ts'
import { JsonNumber, type JsonObject, type JsonValue } from './json.ts'
import type { Reads } from './reads.ts'

export type WriteStep = Exclude<Step, { readonly do: 'nothing' }>

/** How one write ended. `unsettled`: the cluster was not as the plan has it, or it is not known what the write did. */
export interface WriteOutcome {
  readonly result: StepResult
  readonly unsettled: boolean
}

export interface ApplyOptions extends Pick<SyncSurroundings, 'keepForUndo'> {
  readonly clusters: ReadonlyMap<ClusterUrl, WaiterCluster>
  /** Aborts writes under way. */
  readonly signal: AbortSignal
  /** One write after the other, in the order of the steps. */
  readonly inOrder: boolean
}

export const isWrite = (step: Step): step is WriteStep => step.do !== 'nothing'

/** The writes of a plan. */
export const writesOf = (plan: TokenPlan): readonly WriteStep[] => plan.steps.filter(isWrite)

/** What a dry run says of a step. */
export function describeStep(step: Step): StepResult {
  if (step.do !== 'nothing') return { code: step.code, effect: step.effect }
  return { code: step.code, ...(step.details && { details: step.details }) }
}

/**
 * Writes to every cluster that has a step, and resolves with how each write ended, by URL. A hard-delete on the latest cluster comes
 * last: when the run is cut short in between, the tombstone is still there for the next one.
 */
export async function applySteps(
  plan: TokenPlan,
  steps: readonly WriteStep[],
  reads: Reads,
  options: ApplyOptions,
): Promise<ReadonlyMap<ClusterUrl, WriteOutcome>> {
  const undo = steps.flatMap((step) => undoEntryOf(plan.token, step.cluster, reads))
  if (undo.length > 0) await options.keepForUndo(undo)
  const outcomes = new Map<ClusterUrl, WriteOutcome>()
  const write = async (step: WriteStep): Promise<void> => {
    outcomes.set(step.cluster, outcomeOf(step, await send(plan.token, step, options)))
  }
  if (options.inOrder) for (const step of steps) await write(step)
  else {
    await Promise.all(steps.filter(({ cluster }) => cluster !== plan.latest.cluster).map(write))
    for (const step of steps) if (step.cluster === plan.latest.cluster) await write(step)
  }
  return outcomes
}

function undoEntryOf(token: string, cluster: ClusterUrl, reads: Reads): UndoEntry[] {
  const read = reads.get(cluster)
  if (read?.kind !== 'answered' || read.description.size === 0) return []
  return [{ cluster, token, etag: read.etag, description: read.description }]
}

function send(token: string, step: WriteStep, { clusters, signal }: ApplyOptions): Promise<WriteAnswer> {
  const cluster = clusters.get(step.cluster)
  if (cluster === undefined) throw new RangeError(`the plan writes to ${step.cluster}, which is not in the run`)
  return step.do === 'store'
    ? cluster.store(token, step.description, step.ifMatch, signal)
    : cluster.hardDelete(token, step.ifMatch, signal)
}

function outcomeOf(step: WriteStep, answer: WriteAnswer): WriteOutcome {
  if (answer.kind === 'unknown') {
    return { result: { code: step.failure, details: describe({ message: answer.message }) }, unsettled: true }
  }
  const { status, etag, message } = answer
  if (status >= 200 && status < 300) {
    return { result: { code: step.code, effect: step.effect, details: describe({ status, etag }) }, unsettled: false }
  }
  return {
    result: { code: step.failure, details: describe({ status, message: message ?? `answered ${status}` }) },
    unsettled: isVersionMismatch(step, status),
  }
}

/** 412, and 400 where no version was sent: there is a live token where none was, and it wants its version named. */
function isVersionMismatch(step: WriteStep, status: number): boolean {
  return (
    status === 412 || (status === 400 && step.ifMatch === undefined) || (status === 404 && step.do === 'hardDelete')
  )
}

/** Details as JSON, without what is undefined. */
export function describe(details: Readonly<Record<string, string | number | undefined>>): JsonObject {
  return new Map(
    Object.entries(details).flatMap(([key, value]): [string, JsonValue][] =>
      value === undefined ? [] : [[key, typeof value === 'number' ? new JsonNumber(String(value)) : value]],
    ),
  )
}

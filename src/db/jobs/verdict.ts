// What a Job and its Pods say: has it ended and how, what have its workers reported, and what do they wait for. Pure.
import type { Condition, ContainerState, KubeJob, KubePod } from './objects.ts'
import { countIndexes, shardOfIndex, type WorkOrder } from './order.ts'
import { decodeFailure, decodeReport, type ShardReport } from './report.ts'
import { parseShards } from './shard-set.ts'

/**
 *   complete   Kubernetes says that every index has succeeded. Whether each has told what it did is another question
 *   failed     it will do nothing more, and not all is done
 *   gone       there is no such Job (any more), or it is on its way out
 */
export type JobState = 'running' | 'complete' | 'failed' | 'gone'

/** Only the conditions Complete and Failed are an end: before those, Pods of it may still run. */
export function stateOfJob(job: KubeJob | undefined): JobState {
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) return 'gone'
  if (isTrue(job, 'Complete')) return 'complete'
  return isTrue(job, 'Failed') ? 'failed' : 'running'
}

/** The reports of all workers that have succeeded and told what they did. */
export function reportsOf(order: WorkOrder, pods: readonly KubePod[]): readonly ShardReport[] {
  return pods.flatMap((pod) => {
    if (pod.status?.phase !== 'Succeeded') return []
    const report = decodeReport(order, terminated(pod)?.message ?? '')
    return report !== undefined && report.shard === shardOfPod(order, pod) ? [report] : []
  })
}

/** Why the Job has failed, for people: which shards, and what their workers said last. */
export function describeFailure(order: WorkOrder, job: KubeJob, pods: readonly KubePod[]): string {
  const { reason, message } = job.status?.conditions?.find(({ type }) => type === 'Failed') ?? {}
  const shards = [...parseShards(job.status?.failedIndexes ?? '')].map((index) => safeShard(order, index) ?? index)
  const said = pods.flatMap((pod) => {
    if (pod.status?.phase !== 'Failed') return []
    const shard = shardOfPod(order, pod)
    return [`shard ${shard ?? '?'}: ${describeEnd(pod)}`]
  })
  const parts = [
    shards.length === 0 ? '' : `${shards.length === 1 ? 'shard' : 'shards'} ${listShort(shards)} failed`,
    [...new Set(said)].slice(-3).join('; '),
    [reason, message].filter(Boolean).join(': '),
  ]
  return parts.filter((part) => part !== '').join('; ')
}

function describeEnd(pod: KubePod): string {
  const end = terminated(pod)
  if (end === undefined)
    return [pod.status?.reason, pod.status?.message].filter(Boolean).join(': ') || 'no reason given'
  return decodeFailure(end.message ?? '') ?? [`exit ${end.exitCode}`, end.reason].filter(Boolean).join(' ')
}

/** What changes when something moves. Pods that try and try again to get their image do not. */
export function movementOf(job: KubeJob | undefined, pods: readonly KubePod[]): string {
  const phases = { Pending: 0, Running: 0, Succeeded: 0, Failed: 0 }
  for (const { status } of pods) {
    const phase = status?.phase ?? 'Pending'
    if (Object.hasOwn(phases, phase)) phases[phase as keyof typeof phases]++
  }
  return JSON.stringify([stateOfJob(job), job?.spec?.suspend === true, phases])
}

/** Whether it runs, or may yet. */
export function isAlive({ status }: KubePod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed'
}

/** What the Job waits for, in a few words: told when nothing moves for long. */
export function describeWait(job: KubeJob | undefined, pods: readonly KubePod[]): string {
  if (job === undefined) return 'the Job is not there'
  if (job.spec?.suspend === true) return 'the Job is suspended'
  const alive = pods.filter(isAlive)
  const running = alive.filter(({ status }) => status?.phase === 'Running').length
  if (running > 0) return `${running} of its Pods run`
  const reasons = alive.map(describePending).filter((reason) => reason !== undefined)
  if (alive.length > 0) return `${alive.length} of its Pods wait${reasons[0] === undefined ? '' : `: ${reasons[0]}`}`
  return 'none of its Pods is there: they wait after a failure, or cannot be created'
}

function describePending(pod: KubePod): string | undefined {
  const waiting = waitingOf(pod.status)
  if (waiting?.reason !== undefined && waiting.reason !== 'ContainerCreating')
    return [waiting.reason, waiting.message].filter(Boolean).join(': ')
  const blocked = pod.status?.conditions?.find(({ status, reason }) => status === 'False' && reason !== undefined)
  if (blocked !== undefined) return describeCondition(blocked)
  return waiting?.reason
}

const describeCondition = ({ reason, message }: Condition): string => [reason, message].filter(Boolean).join(': ')

const waitingOf = (status: KubePod['status']): ContainerState['waiting'] =>
  status?.containerStatuses?.map(({ state }) => state?.waiting).find((waiting) => waiting !== undefined)

const terminated = (pod: KubePod): ContainerState['terminated'] =>
  pod.status?.containerStatuses?.map(({ state }) => state?.terminated).find((end) => end !== undefined)

const INDEX = 'batch.kubernetes.io/job-completion-index'

function shardOfPod(order: WorkOrder, { metadata: { annotations, labels } }: KubePod): number | undefined {
  const index = annotations?.[INDEX] ?? labels?.[INDEX]
  return index === undefined || !/^\d{1,9}$/.test(index) ? undefined : safeShard(order, Number(index))
}

const safeShard = (order: WorkOrder, index: number): number | undefined =>
  index < countIndexes(order) ? shardOfIndex(order, index) : undefined

const listShort = (shards: readonly number[]): string =>
  shards.length <= 10 ? shards.join(', ') : `${shards.slice(0, 10).join(', ')} and ${shards.length - 10} more`

const isTrue = (job: KubeJob, type: string): boolean =>
  job.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false

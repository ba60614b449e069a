import { describe, expect, it } from 'vitest'
import type { KubeJob, KubePod } from '../../../src/db/jobs/objects.ts'
import type { WorkOrder } from '../../../src/db/jobs/order.ts'
import { encodeFailure, encodeReport } from '../../../src/db/jobs/report.ts'
import { describeFailure, describeWait, movementOf, reportsOf, stateOfJob } from '../../../src/db/jobs/verdict.ts'

const ORDER: WorkOrder = {
  ...{ pair: 'shop', direction: 'left-to-right', dryRun: false, of: 8, shards: [2, 5] },
  tables: [{ name: 'carts', window: { beginMs: 0, endMs: 1 } }],
}
const message = (shard: number) => encodeReport(ORDER, shard, [])

const job = (...conditions: string[]): KubeJob => ({
  metadata: { name: 'job' },
  status: { conditions: conditions.map((type) => ({ type, status: 'True' })) },
})

interface End {
  readonly exitCode: number
  readonly message?: string
}

function pod(index: number, phase: string, end?: End): KubePod {
  return {
    metadata: { name: `job-${index}`, annotations: { 'batch.kubernetes.io/job-completion-index': String(index) } },
    status: { phase, containerStatuses: [{ name: 'worker', state: end === undefined ? {} : { terminated: end } }] },
  }
}

describe('a Job', () => {
  it.each([
    ['runs without conditions', job(), 'running'],
    ['runs while its success is only foreseen', job('SuccessCriteriaMet'), 'running'],
    ['runs while its failure is only foreseen', job('FailureTarget'), 'running'],
    ['is complete', job('SuccessCriteriaMet', 'Complete'), 'complete'],
    ['has failed', job('FailureTarget', 'Failed'), 'failed'],
    ['is gone', undefined, 'gone'],
    [
      'is gone as soon as it is deleted',
      { metadata: { name: 'job', deletionTimestamp: '2026-01-01T00:00:00Z' } },
      'gone',
    ],
    [
      'runs when a condition is False',
      { ...job(), status: { conditions: [{ type: 'Complete', status: 'False' }] } },
      'running',
    ],
  ] as const)('%s', (_, given, state) => {
    expect(stateOfJob(given)).toBe(state)
  })
})

describe('the reports of Pods', () => {
  it('are those of workers that have succeeded, by the shard that their index is', () => {
    const pods = [
      pod(0, 'Succeeded', { exitCode: 0, message: message(2) }),
      pod(1, 'Succeeded', { exitCode: 0, message: message(5) }),
    ]
    expect(reportsOf(ORDER, pods).map(({ shard }) => shard)).toEqual([2, 5])
  })

  it.each([
    ['still run', pod(0, 'Running')],
    ['have failed, whatever they say', pod(0, 'Failed', { exitCode: 1, message: message(2) })],
    ['have ended without a word', pod(0, 'Succeeded', { exitCode: 0 })],
    ['tell of another shard', pod(0, 'Succeeded', { exitCode: 0, message: message(5) })],
    ['have no index of the Job', pod(7, 'Succeeded', { exitCode: 0, message: message(2) })],
    ['have no status', { metadata: { name: 'job-0' } }],
  ])('are none of Pods that %s', (_, one) => {
    expect(reportsOf(ORDER, [one])).toEqual([])
  })
})

describe('why a Job has failed', () => {
  it('is told with the shards, what their workers said, and what Kubernetes says', () => {
    const failed: KubeJob = {
      metadata: { name: 'job' },
      status: {
        failedIndexes: '1',
        conditions: [{ type: 'Failed', status: 'True', reason: 'FailedIndexes', message: 'Job has failed indexes' }],
      },
    }
    const pods = [
      pod(0, 'Succeeded', { exitCode: 0, message: message(2) }),
      pod(1, 'Failed', { exitCode: 2, message: encodeFailure('table carts cannot be synced: it has no column id') }),
    ]
    expect(describeFailure(ORDER, failed, pods)).toBe(
      'shard 5 failed; shard 5: table carts cannot be synced: it has no column id; FailedIndexes: Job has failed indexes',
    )
  })

  it('is the exit code of a worker that was killed', () => {
    expect(describeFailure(ORDER, job('Failed'), [pod(1, 'Failed', { exitCode: 137 })])).toBe('shard 5: exit 137')
  })
})

describe('what a Job waits for', () => {
  const pending = (status: KubePod['status']): KubePod => ({
    metadata: { name: 'job-0' },
    status: { phase: 'Pending', ...status },
  })
  const waiting = (reason: string, words?: string) =>
    pending({
      containerStatuses: [{ name: 'worker', state: { waiting: { reason, ...(words && { message: words }) } } }],
    })

  it.each([
    ['the Job is not there', undefined, []],
    ['the Job is suspended', { ...job(), spec: { suspend: true } }, []],
    ['1 of its Pods run', job(), [pod(0, 'Running'), waiting('ImagePullBackOff')]],
    ['1 of its Pods wait: ImagePullBackOff: no such image', job(), [waiting('ImagePullBackOff', 'no such image')]],
    ['1 of its Pods wait: ContainerCreating', job(), [waiting('ContainerCreating')]],
    [
      '1 of its Pods wait: Unschedulable: 0/3 nodes are available',
      job(),
      [
        pending({
          conditions: [
            { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
          ],
        }),
      ],
    ],
    ['none of its Pods is there: they wait after a failure, or cannot be created', job(), [pod(0, 'Failed')]],
  ])('%s', (says, given, pods) => {
    expect(describeWait(given, pods)).toBe(says)
  })

  it('moves with phases, and not with tries to get an image', () => {
    expect(movementOf(job(), [waiting('ErrImagePull')])).toBe(movementOf(job(), [waiting('ImagePullBackOff')]))
    expect(movementOf(job(), [pod(0, 'Running')])).not.toBe(movementOf(job(), [pod(0, 'Succeeded')]))
    expect(movementOf(job(), [])).not.toBe(movementOf(job('Complete'), []))
  })
})

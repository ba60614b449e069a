import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createJob, deleteJob, isJobThere, type JobsOptions, readOwnPod } from '../../../src/db/jobs/api.ts'
import { buildJob, templateOfImage } from '../../../src/db/jobs/manifest.ts'
import { statusBody } from '../../fakes/kube-api.ts'
import { JOBS, JobsBench, PODS } from './jobs-bench.ts'

const SIGNAL = new AbortController().signal
const JOB = { spec: { backoffLimitPerIndex: 1, podReplacementPolicy: 'Failed' }, metadata: { name: 'one' } }

let bench: JobsBench
let options: JobsOptions

beforeEach(async () => {
  bench = await JobsBench.open()
  bench.hasRoom = false
  options = { client: bench.client, namespace: 'syncer', clock: bench.sync.clock, random: () => 0.5 }
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  expect(bench.api.unexpected).toEqual([])
})

describe('the Pod that the service runs in', () => {
  const spec = { containers: [{ name: 'syncer', image: 'syncer:1' }] }

  it('is found by the name of its host, with the right to list alone', async () => {
    bench.api.put(PODS, { metadata: { name: 'syncer-0' }, spec } as never)
    bench.api.put(PODS, { metadata: { name: 'syncer-1' }, spec: { containers: [] } } as never)
    expect(await readOwnPod(options, 'syncer-0', SIGNAL)).toEqual(spec)
    expect(bench.api.seen.map(({ path, query }) => [path, query.get('fieldSelector')])).toEqual([
      [PODS, 'metadata.name=syncer-0'],
    ])
  })

  it('is asked for in words where there is none', async () => {
    await expect(readOwnPod(options, 'laptop', SIGNAL)).rejects.toThrow(
      'workers run what this Pod runs, and there is no Pod laptop in the namespace syncer: set execution.image',
    )
  })
})

describe('a Job', () => {
  it('is made in place of one whose quota two have counted at once', async () => {
    let conflicts = 2
    const { answer } = bench.api
    bench.api.answer = (request) =>
      request.method === 'POST' && conflicts-- > 0
        ? { status: 409, body: statusBody(409, 'Operation cannot be fulfilled on resourcequotas "q"') }
        : answer(request)
    const order = { pair: 'a', direction: 'left-to-right', dryRun: false, of: 1, tables: [] } as const
    const template = templateOfImage('syncer:1', { pair: 'a', configPath: '' })
    const settings = { parallelism: 1, retries: 1, maxFailedShards: 1 }
    const job = await createJob(options, 'one', buildJob('one', order, settings, template), SIGNAL)
    expect(job.metadata.name).toBe('one')
    expect(bench.api.seen.filter(({ method }) => method === 'POST').length).toBe(3)
  })

  it('is there until it is deleted, or on its way out', async () => {
    expect(await isJobThere(options, 'one', SIGNAL)).toBe(false)
    bench.api.put(JOBS, JOB)
    expect(await isJobThere(options, 'one', SIGNAL)).toBe(true)
    bench.api.put(JOBS, { metadata: { name: 'one', deletionTimestamp: '2026-01-01T00:00:00Z' } })
    expect(await isJobThere(options, 'one', SIGNAL)).toBe(false)
  })

  it('that is gone is deleted', async () => {
    await deleteJob(options, 'one', SIGNAL)
    expect(bench.deleted).toEqual([])
  })

  it.each([
    ['429', { status: 429, headers: { 'retry-after': '2' } }],
    ['503', { status: 503 }],
    ['a connection that breaks', 'reset' as const],
  ])('is asked about again after %s, and until five minutes are over', async (_, fault) => {
    bench.api.put(JOBS, JOB)
    bench.api.fault = () => (bench.api.seen.length < 4 ? fault : undefined)
    const asked = isJobThere(options, 'one', SIGNAL)
    await passTime(() => bench.api.seen.length >= 4)
    expect(await asked).toBe(true)
    bench.api.fault = () => fault
    let failure: unknown
    const never = isJobThere(options, 'one', SIGNAL).catch((error: unknown) => {
      failure = error
    })
    const beganAt = bench.sync.clock.now()
    await passTime(() => failure !== undefined)
    await never
    expect(failure).toMatchObject({ name: 'JobsUnusable' })
    expect(bench.sync.clock.now() - beganAt).toBeGreaterThan(290_000)
  })

  it('is not asked about again where that is not allowed', async () => {
    bench.api.fault = () => ({ status: 403 })
    await expect(isJobThere(options, 'one', SIGNAL)).rejects.toThrow(/roles\/db-jobs\.yaml/)
    expect(bench.api.seen).toHaveLength(1)
  })
})

/** Lets time pass, a while after each answer, until it is so. */
async function passTime(isSo: () => boolean): Promise<void> {
  const { clock } = bench.sync
  for (let tries = 0; tries < 20_000 && !isSo(); tries++) {
    await new Promise((resolve) => setImmediate(resolve))
    const next = clock.nextAt
    // A request under way has a deadline of 15 s: time stands still meanwhile.
    if (next !== undefined && next - clock.now() < 14_000) await clock.advance(Math.max(1, next - clock.now()))
  }
}

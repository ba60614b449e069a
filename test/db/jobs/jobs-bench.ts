// Jobs over an API server of our own: what the Job controller and the kubelets make of a Job is played here, over databases in memory,
// and a test says of each index how it ends. Time stands still unless a test lets it pass.
import type { DbSummary, DbSurroundings, DbSyncRequest } from '../../../src/db/contract.ts'
import { templateOfImage } from '../../../src/db/jobs/manifest.ts'
import type { KubeJob, KubePod } from '../../../src/db/jobs/objects.ts'
import { decodeOrder, shardOfIndex, type WorkOrder } from '../../../src/db/jobs/order.ts'
import { runPairAsJobs } from '../../../src/db/jobs/run-pair.ts'
import type { JobsPlace } from '../../../src/db/jobs/step.ts'
import { workOff } from '../../../src/db/jobs/work.ts'
import { createKubeClient, type KubeClient } from '../../../src/lib/kube/client.ts'
import { createGivenCredentials } from '../../../src/lib/kube/credentials.ts'
import { FakeKubeApi, type SeenRequest, statusBody } from '../../fakes/kube-api.ts'
import { type RunOptions, SyncBench } from '../sync-bench.ts'

export const JOBS = '/apis/batch/v1/namespaces/syncer/jobs'
export const PODS = '/api/v1/namespaces/syncer/pods'
const EVENTS = '/api/v1/namespaces/syncer/events'
export const CANCELLED = new Error('cancelled')

/** How the Pod of an index ends: as its worker does, without its message, badly, or not yet. */
export type End = 'done' | 'silent' | 'running' | { readonly exitCode: number; readonly message: string }

export class JobsBench implements AsyncDisposable {
  readonly sync = new SyncBench()
  readonly api: FakeKubeApi
  readonly client: KubeClient
  /** Every Job that was made. */
  readonly made: { readonly name: string; readonly order: WorkOrder; readonly job: KubeJob }[] = []
  readonly deleted: { readonly name: string; readonly propagation: string | null }[] = []
  version: object = { major: '1', minor: '29+', gitVersion: 'v1.29.3-gke.1' }
  /** Of shard `shard` in the Job number `round` (from 1). */
  endOf: (shard: number, round: number) => End = () => 'done'
  /** What the server keeps of a Job. */
  store: (job: KubeJob) => KubeJob = (job) => job
  /** Whether Jobs get Pods at all. */
  hasRoom = true
  /** Whether Pods end as soon as their Job is deleted. */
  endsPods = true
  warning: string | undefined
  #uid = 0
  readonly #working = new Set<Promise<void>>()

  private constructor(api: FakeKubeApi) {
    this.api = api
    api.define(JOBS)
    api.define(PODS)
    api.answer = (request) => this.#answer(request)
    const credentials = createGivenCredentials({
      ...{ namespace: 'syncer', server: api.origin, ca: api.ca.cert, token: () => api.token },
    })
    this.client = createKubeClient({ credentials, clock: this.sync.clock })
  }

  static async open(): Promise<JobsBench> {
    return new JobsBench(await FakeKubeApi.start())
  }

  run(
    request: Partial<DbSyncRequest> = {},
    options: RunOptions & { readonly place?: Partial<JobsPlace>; readonly memory?: DbSurroundings['memory'] } = {},
  ): Promise<DbSummary> {
    const { sync } = this
    const surroundings: DbSurroundings = {
      ...{
        memory: options.memory ?? sync.memory,
        clock: sync.clock,
        signal: options.signal ?? new AbortController().signal,
      },
      onProgress: (progress) => sync.progress.push(progress),
      onItem: async (item) => void sync.items.push(item),
      onDeadLetters: async (letters) => {
        sync.letters = letters
      },
    }
    const place: JobsPlace = {
      ...{ client: this.client, namespace: 'syncer', clock: sync.clock, random: () => 0.5 },
      ...{ pairName: 'app', shards: 4, quietMs: 60_000 },
      settings: { parallelism: 2, retries: 3, maxFailedShards: 5 },
      template: templateOfImage('syncer:1', { pair: 'app', configPath: '/etc/syncer/syncer.yaml' }),
      isFinal: (reason) => reason === CANCELLED,
      ...options.place,
    }
    const asked = { direction: 'both', dryRun: false, ...request } as const
    return runPairAsJobs(sync.pair(options), asked, surroundings, place)
  }

  /** Plays the end of Pods that still run, and of their Job. */
  finish(name = this.made.at(-1)?.name ?? ''): void {
    const made = this.made.find((one) => one.name === name)
    if (made === undefined) throw new Error(`there is no Job ${name}`)
    this.#track(this.#play(made.job, made.order, () => 'done'))
  }

  removePods(): void {
    for (const { metadata } of this.api.all(PODS)) this.api.remove(PODS, metadata.name)
  }

  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settled()
    await this.client[Symbol.asyncDispose]()
    await this.api[Symbol.asyncDispose]()
  }

  #answer({ method, path, query, body }: SeenRequest): { readonly status: number; readonly body: string } | undefined {
    if (path === '/version') return { status: 200, body: JSON.stringify(this.version) }
    if (path === EVENTS) {
      if (this.warning === undefined) return { status: 403, body: statusBody(403, 'events is forbidden') }
      const items = [{ reason: 'FailedCreate', message: this.warning }]
      return { status: 200, body: JSON.stringify({ items }) }
    }
    if (method === 'POST' && path === JOBS) return this.#create(JSON.parse(body))
    if (method === 'DELETE' && path.startsWith(`${JOBS}/`))
      return this.#delete(path.slice(JOBS.length + 1), query.get('propagationPolicy'))
    return undefined
  }

  #create(given: KubeJob): { readonly status: number; readonly body: string } {
    const { name } = given.metadata
    if (this.api.all(JOBS).some(({ metadata }) => metadata.name === name))
      return { status: 409, body: statusBody(409, `jobs.batch "${name}" already exists`) }
    const job = this.api.put(JOBS, { ...this.store(given), metadata: { name, uid: `uid-${++this.#uid}` } }) as KubeJob
    const env = given.spec?.template?.spec?.containers[0]?.env
    const order = decodeOrder(env?.find((one) => one.name === 'SYNCER_DB_ORDER')?.value ?? '')
    this.made.push({ name, order, job })
    const round = this.made.length
    if (this.hasRoom) this.#track(this.#play(job, order, (shard) => this.endOf(shard, round)))
    return { status: 201, body: JSON.stringify(job) }
  }

  #delete(name: string, propagation: string | null): { readonly status: number; readonly body: string } {
    if (!this.api.all(JOBS).some(({ metadata }) => metadata.name === name))
      return { status: 404, body: statusBody(404, `jobs.batch "${name}" not found`) }
    this.api.remove(JOBS, name)
    this.deleted.push({ name, propagation })
    if (this.endsPods) this.removePods()
    return { status: 200, body: '{}' }
  }

  #track(work: Promise<void>): void {
    this.#working.add(work)
    void work.finally(() => this.#working.delete(work))
  }

  /** Every Pod to its end, then the Job to its own. */
  async #play(job: KubeJob, order: WorkOrder, endOf: (shard: number) => End): Promise<void> {
    const { name } = job.metadata
    const failed: number[] = []
    let isOver = true
    for (let index = 0; index < (job.spec?.completions ?? 0); index++) {
      const end = endOf(shardOfIndex(order, index))
      if (end === 'running') isOver = false
      if (typeof end === 'object' && end.exitCode !== 0) failed.push(index)
      const pod = await this.#podOf(order, name, index, end)
      this.api.put(PODS, pod)
    }
    if (!isOver || !this.api.all(JOBS).some(({ metadata }) => metadata.name === name)) return
    const condition = { type: failed.length === 0 ? 'Complete' : 'Failed', status: 'True', reason: 'FailedIndexes' }
    const status = { conditions: [condition], failedIndexes: failed.join() }
    this.api.put(JOBS, { ...job, status } as KubeJob)
  }

  async #podOf(order: WorkOrder, job: string, index: number, end: End): Promise<KubePod> {
    const metadata = {
      ...{ name: `${job}-${index}`, uid: `${job}-${index}`, labels: { 'batch.kubernetes.io/job-name': job } },
      annotations: { 'batch.kubernetes.io/job-completion-index': String(index) },
    }
    if (end === 'running') return { metadata, status: { phase: 'Running' } }
    const surroundings = { clock: this.sync.clock, signal: new AbortController().signal, onProgress: () => {} }
    const exitCode = typeof end === 'object' ? end.exitCode : 0
    const message = typeof end === 'object' ? end.message : await workOff(this.sync.pair(), order, index, surroundings)
    const terminated = { exitCode, message: end === 'silent' ? '' : message }
    const phase = exitCode === 0 ? 'Succeeded' : 'Failed'
    return { metadata, status: { phase, containerStatuses: [{ name: 'worker', state: { terminated } }] } }
  }
}

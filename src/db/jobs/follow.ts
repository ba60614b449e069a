// Follows one Job to its end over two watches, of the Job and of its Pods, whatever the API server does meanwhile: each watch begins
// with all there is, so that a service that was restarted, or a server, loses nothing but what vanished in between.
import type { Timer } from '../../lib/clock.ts'
import { KubeError, oneLine } from '../../lib/kube/error.ts'
import { createKubeWatch, type KubeWatch } from '../../lib/kube/watch.ts'
import { type JobsOptions, jobsPath, podsOfJob, podsPath, readWarning, retry } from './api.ts'
import type { KubeJob, KubePod } from './objects.ts'
import type { WorkOrder } from './order.ts'
import type { ShardReport } from './report.ts'
import { describeFailure, describeWait, type JobState, movementOf, reportsOf, stateOfJob } from './verdict.ts'

export interface FollowOptions extends JobsOptions {
  readonly name: string
  readonly order: WorkOrder
  /** When nothing has moved for this long, `onWait` says what is waited for, in milliseconds. */
  readonly quietMs: number
  readonly signal: AbortSignal
  /** Called with what workers report, each report once, as soon as it is seen. */
  readonly onReports: (reports: readonly ShardReport[]) => void
  /** Undefined: something moves again. */
  readonly onWait: (reason: string | undefined) => void
}

export interface JobEnd {
  readonly state: Exclude<JobState, 'running'>
  /** Why, when it has failed. */
  readonly reason: string
}

/** For the last look at the Pods, in milliseconds. */
const LIST_MS = 15_000

/**
 * Resolves when the Job has ended or is gone, after everything that its Pods have to say was told. Rejects with the reason of
 * `signal`; the Job is left as it is.
 */
export async function followJob(options: FollowOptions): Promise<JobEnd> {
  await using follower = new Follower(options)
  return await follower.end()
}

class Follower implements AsyncDisposable {
  readonly #options: FollowOptions
  readonly #jobs: KubeWatch<KubeJob>
  readonly #pods: KubeWatch<KubePod>
  readonly #ended = Promise.withResolvers<void>()
  /** Of Pods whose reports were told. */
  readonly #told = new Set<string>()
  readonly #stopping = new AbortController()
  #movement: string | undefined
  #movedAt: number
  #quiet: Timer | undefined
  #isWaiting = false

  constructor(options: FollowOptions) {
    const { client, clock, random, namespace, name } = options
    this.#options = options
    this.#movedAt = clock.now()
    this.#jobs = createKubeWatch({ client, clock, random, target: { path: jobsPath(namespace), name } })
    const target = { path: podsPath(namespace), labelSelector: podsOfJob(name) }
    this.#pods = createKubeWatch({ client, clock, random, target })
  }

  async end(): Promise<JobEnd> {
    const { signal } = this.#options
    const onAbort = () => this.#ended.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      this.#expectMovement()
      this.#jobs.start(() => this.#look())
      this.#pods.start(() => this.#look())
      await this.#ended.promise
      return await this.#judge()
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#quiet?.cancel()
    this.#stopping.abort(new KubeError('closed', 'the Job is not followed any more'))
    await Promise.all([this.#jobs.stop(), this.#pods.stop()])
  }

  #look(): void {
    const { items: jobs } = this.#jobs
    const pods = this.#pods.items ?? []
    this.#tell(pods)
    if (jobs === undefined) return
    const [job] = jobs
    if (stateOfJob(job) !== 'running') this.#ended.resolve()
    const movement = movementOf(job, pods)
    if (movement === this.#movement) return
    this.#movement = movement
    this.#expectMovement()
  }

  #tell(pods: readonly KubePod[]): void {
    const fresh = pods.filter(
      ({ metadata, status }) => status?.phase === 'Succeeded' && !this.#told.has(keyOf(metadata)),
    )
    for (const { metadata } of fresh) this.#told.add(keyOf(metadata))
    const reports = reportsOf(this.#options.order, fresh)
    if (reports.length > 0) this.#options.onReports(reports)
  }

  /** What the Job's watch tells may be ahead of what the Pods' does: a list is as new as can be. */
  async #judge(): Promise<JobEnd> {
    const [job] = this.#jobs.items ?? []
    const state = stateOfJob(job)
    if (state === 'running') throw new Error('a Job that has ended does not run')
    const { signal } = this.#options
    await retry(this.#options, signal, () => this.#pods.read(LIST_MS, signal))
    const pods = this.#pods.items ?? []
    this.#tell(pods)
    const reason = job === undefined || state !== 'failed' ? '' : describeFailure(this.#options.order, job, pods)
    return { state, reason: oneLine(reason) }
  }

  #expectMovement(): void {
    const { clock, quietMs, onWait } = this.#options
    this.#movedAt = clock.now()
    if (this.#isWaiting) onWait(undefined)
    this.#isWaiting = false
    this.#startTimer(quietMs)
  }

  #startTimer(delayMs: number): void {
    this.#quiet?.cancel()
    this.#quiet = this.#options.clock.setTimer(delayMs, () => void this.#tellWait())
  }

  async #tellWait(): Promise<void> {
    const { clock, quietMs, onWait } = this.#options
    this.#startTimer(quietMs)
    const before = this.#movedAt
    const reason = await this.#findReason()
    if (this.#movedAt !== before || this.#stopping.signal.aborted) return
    this.#isWaiting = true
    const minutes = (clock.now() - before) / 60_000
    onWait(`no progress for ${minutes < 1 ? `${Math.round(minutes * 60)} s` : `${Math.floor(minutes)} min`}: ${reason}`)
  }

  async #findReason(): Promise<string> {
    const problem = this.#jobs.problem ?? this.#pods.problem
    if (problem !== undefined) return problem
    const [job] = this.#jobs.items ?? []
    const pods = this.#pods.items ?? []
    const wait = describeWait(job, pods)
    if (job === undefined || pods.length > 0) return wait
    const warning = await readWarning(this.#options, job, this.#stopping.signal).catch(() => undefined)
    return oneLine(warning === undefined ? wait : `${wait} (${warning})`)
  }
}

const keyOf = ({ uid, name }: KubePod['metadata']): string => uid ?? name

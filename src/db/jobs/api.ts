// What is asked of the Kubernetes API server for Jobs: may it be used, create, delete. What another try may mend is tried again; the
// Role is jobs create, get, watch, delete and pods list, watch.
import { backoffAtLeastMs } from '../../lib/backoff.ts'
import { type Clock, delay } from '../../lib/clock.ts'
import type { KubeClient, KubeRequest } from '../../lib/kube/client.ts'
import { KubeError, type KubeErrorCode, oneLine } from '../../lib/kube/error.ts'
import { isKubeObject, isObject, type KubeObject } from '../../lib/kube/object.ts'
import { createKubeWatch } from '../../lib/kube/watch.ts'
import { GRACE_SECONDS } from './manifest.ts'
import type { KubeJob, KubePod, PodSpec } from './objects.ts'
import { isAlive } from './verdict.ts'

/** The cluster cannot run a pair's Jobs as they are wanted, or does not answer: says what, and what is needed. */
export class JobsUnusable extends Error {
  override readonly name = 'JobsUnusable'
}

export interface JobsOptions {
  /** Stays the caller's. */
  readonly client: KubeClient
  readonly namespace: string
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
}

/** backoffLimitPerIndex and podReplacementPolicy are there and switched on since this one. */
const OLDEST = { major: 1, minor: 29 }
const REQUEST_MS = 15_000
/** How long an API server that is away is asked again, in milliseconds. */
const RETRY_FOR_MS = 300_000
const MAX_CONFLICTS = 5
const RETRY = { baseMs: 200, capMs: 10_000 }
const TRANSIENT: readonly KubeErrorCode[] = ['throttled', 'server-error', 'timeout', 'unreachable', 'unauthorized']
/** Beyond the grace of the workers themselves, in milliseconds. */
const GONE_SLACK_MS = 90_000

export const jobsPath = (namespace: string): string => `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}/jobs`
export const podsPath = (namespace: string): string => `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
export const podsOfJob = (name: string): string => `batch.kubernetes.io/job-name=${name}`

/** Throws JobsUnusable for an API server that is too old, and when it does not answer. */
export async function checkVersion(options: JobsOptions, signal: AbortSignal): Promise<void> {
  const answer = await ask(options, { method: 'GET', path: '/version' }, signal)
  const { major, minor, gitVersion } = isObject(answer) ? answer : {}
  // Some clouds write 29+.
  const [own, next] = [Number.parseInt(String(major), 10), Number.parseInt(String(minor), 10)]
  if (own > OLDEST.major || (own === OLDEST.major && next >= OLDEST.minor)) return
  throw new JobsUnusable(
    `execution kubernetes-job needs Kubernetes ${OLDEST.major}.${OLDEST.minor} or newer; this API server is ${oneLine(String(gitVersion ?? `${major}.${minor}`))}`,
  )
}

/**
 * Creates the Job, or takes the one of that name for it: this one's answer was lost, or this process is not the first one.
 * Throws JobsUnusable: not allowed, refused, an API server that drops fields, or that does not answer.
 */
export async function createJob(
  options: JobsOptions,
  name: string,
  manifest: object,
  signal: AbortSignal,
): Promise<KubeJob> {
  const path = jobsPath(options.namespace)
  for (let attempt = 1; ; attempt++) {
    try {
      return checkJob(name, await ask(options, { method: 'POST', path, body: manifest }, signal))
    } catch (error) {
      if (!isOf('conflict', error) || attempt === MAX_CONFLICTS) throw error
    }
    try {
      return checkJob(name, await ask(options, { method: 'GET', path: `${path}/${name}` }, signal))
    } catch (error) {
      // Of a quota that two have counted at once, not of the name.
      if (!isOf('not-found', error)) throw error
    }
  }
}

/** A server whose gates for them are off takes the Job and forgets these fields: a failure would then end it, or double its Pods. */
function checkJob(name: string, answer: unknown): KubeJob {
  if (!isKubeObject(answer)) throw new JobsUnusable(`the API server did not answer with the Job ${name}`)
  const job: KubeJob = answer
  const dropped = (['backoffLimitPerIndex', 'podReplacementPolicy'] as const).filter(
    (key) => job.spec?.[key] === undefined,
  )
  if (dropped.length > 0)
    throw new JobsUnusable(
      `the API server has dropped ${dropped.join(' and ')} of the Job ${name}: its feature gate is off`,
    )
  return job
}

/** Deletes the Job; Kubernetes ends its Pods after it. One that is gone is fine. Throws JobsUnusable. */
export async function deleteJob(options: JobsOptions, name: string, signal: AbortSignal): Promise<void> {
  try {
    await ask(
      options,
      {
        method: 'DELETE',
        path: `${jobsPath(options.namespace)}/${name}`,
        // Without it the Pods would stay, and go on writing.
        query: { propagationPolicy: 'Background' },
      },
      signal,
    )
  } catch (error) {
    if (!isOf('not-found', error)) throw error
  }
}

/** Whether there is a Job of this name that is not on its way out. Throws JobsUnusable. */
export async function isJobThere(options: JobsOptions, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    const job = await ask(options, { method: 'GET', path: `${jobsPath(options.namespace)}/${name}` }, signal)
    return isKubeObject(job) && job.metadata.deletionTimestamp === undefined
  } catch (error) {
    if (isOf('not-found', error)) return false
    throw error
  }
}

/**
 * Deletes the Job and resolves when none of its Pods runs any more. Throws JobsUnusable when that takes longer than two minutes: the
 * message names Pods that are still there.
 */
export async function endJob(options: JobsOptions, name: string): Promise<void> {
  const { client, namespace, clock, random } = options
  await deleteJob(options, name, new AbortController().signal)
  const ended = Promise.withResolvers<void>()
  const target = { path: podsPath(namespace), labelSelector: podsOfJob(name) }
  const watch = createKubeWatch<KubePod>({ client, clock, random, target })
  const limitMs = GRACE_SECONDS * 1_000 + GONE_SLACK_MS
  const timer = clock.setTimer(limitMs, () => ended.reject(new JobsUnusable(describeLeft(name, watch.items, limitMs))))
  try {
    watch.start((pods) => {
      if (!pods.some(isAlive)) ended.resolve()
    })
    await ended.promise
  } finally {
    timer.cancel()
    await watch.stop()
  }
}

function describeLeft(name: string, pods: readonly KubePod[] | undefined, limitMs: number): string {
  const left = pods?.filter(isAlive).map(({ metadata }) => metadata.name)
  const which =
    left === undefined ? 'whether its Pods run is not known' : `these Pods run on: ${left.slice(0, 5).join(', ')}`
  return `the Job ${name} was deleted, and ${limitMs / 1_000} s later ${which}`
}

/** The Pod that this process runs in, by the name that is the name of its host. Throws JobsUnusable when there is none. */
export async function readOwnPod(options: JobsOptions, hostname: string, signal: AbortSignal): Promise<PodSpec> {
  const { namespace } = options.client
  const answer = await ask(
    options,
    // Not a get of it: to list is what the Role has.
    { method: 'GET', path: podsPath(namespace), query: { fieldSelector: `metadata.name=${hostname}` } },
    signal,
  )
  const [pod] = isObject(answer) && Array.isArray(answer['items']) ? answer['items'].filter(isKubeObject) : []
  const { spec }: KubePod = pod ?? { metadata: { name: hostname } }
  if (spec !== undefined) return spec
  throw new JobsUnusable(
    `workers run what this Pod runs, and there is no Pod ${hostname} in the namespace ${namespace}: set execution.image where the service runs elsewhere`,
  )
}

/** The last warning about the Job; undefined when there is none, and a hint where they may not be read. */
export async function readWarning(
  options: JobsOptions,
  job: KubeObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { client, namespace } = options
  try {
    const answer = await client.request({
      method: 'GET',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`,
      query: { fieldSelector: `involvedObject.uid=${job.metadata.uid},type=Warning`, limit: '100' },
      timeoutMs: REQUEST_MS,
      signal,
    })
    const items: readonly unknown[] = isObject(answer) && Array.isArray(answer['items']) ? answer['items'] : []
    const last = items.at(-1)
    return isObject(last) ? oneLine(`${last['reason']}: ${last['message']}`) : undefined
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    return `\`kubectl -n ${namespace} describe job ${job.metadata.name}\` tells more`
  }
}

type Question = Pick<KubeRequest, 'method' | 'path' | 'query' | 'body'>

function ask(options: JobsOptions, question: Question, signal: AbortSignal): Promise<unknown> {
  return retry(options, signal, () => options.client.request({ ...question, timeoutMs: REQUEST_MS, signal }))
}

/** `fn`, again as long as another try may help. Throws JobsUnusable with the KubeError as its cause, or the reason of `signal`. */
export async function retry<T>({ clock, random }: JobsOptions, signal: AbortSignal, fn: () => Promise<T>): Promise<T> {
  const giveUpAt = clock.now() + RETRY_FOR_MS
  for (let attempt = 0; ; attempt++) {
    try {
      return await fn()
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      const pauseMs = backoffAtLeastMs(error.retryAfterMs ?? 0, attempt, RETRY, random)
      if (!TRANSIENT.includes(error.code) || clock.now() + pauseMs > giveUpAt)
        throw new JobsUnusable(describeError(error), { cause: error })
      await delay(clock, pauseMs, signal)
    }
  }
}

function describeError({ code, message }: KubeError): string {
  return code === 'forbidden'
    ? `${message}; the Role in roles/db-jobs.yaml is missing or of another namespace`
    : message
}

const isOf = (code: KubeErrorCode, error: unknown): boolean =>
  error instanceof JobsUnusable && error.cause instanceof KubeError && error.cause.code === code

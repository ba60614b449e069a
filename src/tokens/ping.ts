// `ping`: whether the service behind a token answers its health check, on each of some clusters.
import type { ClusterUrl } from './contract.ts'
import { compareUrls, isDeleted } from './description.ts'
import type { WaiterClient } from './waiter.ts'

export interface PingOptions {
  readonly token: string
  readonly clusters: readonly Pick<WaiterClient, 'url' | 'read' | 'checkHealth'>[]
  /** How long a request may wait for an instance of the service, in milliseconds; 12000 when left out. */
  readonly queueTimeoutMs?: number | undefined
  readonly signal: AbortSignal
}

export interface PingAnswer {
  readonly isHealthy: boolean
  /** Of the health check; undefined when there was none, or no answer. */
  readonly status: number | undefined
  readonly message: string
}

export interface PingResult {
  readonly token: string
  /** Number of clusters where it is not healthy, as the original; 0 when all is well. */
  readonly exitCode: number
  readonly message: string
  /** By URL, sorted. */
  readonly details: ReadonlyMap<ClusterUrl, PingAnswer>
}

const TOKEN_NAME = /^[a-zA-Z][a-zA-Z0-9\-_$.]+$/

/** Whether this may be the name of a token. */
export const isTokenName = (text: string): boolean => TOKEN_NAME.test(text)

/** Asks all clusters at once. Throws RangeError for what is no name of a token, and the reason of `signal`. */
export async function pingToken(options: PingOptions): Promise<PingResult> {
  const { token, clusters, queueTimeoutMs = 12_000, signal } = options
  if (!isTokenName(token))
    throw new RangeError('the name of a token is a letter, then letters, digits and any of - _ $ .')
  const sorted = [...clusters].sort((a, b) => compareUrls(a.url, b.url))
  const answers = await Promise.all(sorted.map((cluster) => ping(cluster, token, queueTimeoutMs, signal)))
  const details = new Map(sorted.map(({ url }, index) => [url, answers[index] ?? NOT_ASKED]))
  const exitCode = [...details.values()].filter(({ isHealthy }) => !isHealthy).length
  const outcome = exitCode === 0 ? 'was successful' : 'failed'
  return { token, exitCode, message: `pinging token ${token} on ${[...details.keys()].join(' ')} ${outcome}`, details }
}

const NOT_ASKED: PingAnswer = { isHealthy: false, status: undefined, message: 'not asked' }

async function ping(
  cluster: PingOptions['clusters'][number],
  token: string,
  queueTimeoutMs: number,
  signal: AbortSignal,
): Promise<PingAnswer> {
  const unable = (reason: string, status?: number): PingAnswer => ({
    isHealthy: false,
    status,
    message: `unable to ping token ${token} on ${cluster.url}, reason: ${reason}`,
  })
  const read = await cluster.read(token, signal)
  if (read.kind === 'broken') return unable(read.message)
  if (read.description.size === 0)
    return unable(read.status === 404 ? 'there is no such token' : `answered ${read.status}`)
  if (isDeleted(read.description)) return unable('the token is soft-deleted')
  const path = read.description.get('health-check-url')
  if (typeof path !== 'string' || path.trim() === '') return unable('the token has no health-check-url')
  const answer = await cluster.checkHealth(token, path, queueTimeoutMs, signal)
  if (answer.kind === 'broken') return unable(answer.message)
  const { status } = answer
  if (status < 200 || status > 299) return unable(`health check returned status code ${status}`, status)
  const message = `successfully pinged token ${token} on ${cluster.url}, reason: health check returned status code ${status}`
  return { isHealthy: true, status, message }
}

// A cluster whose lists and reads are tried again where that may help. Writes are never repeated: after an unknown outcome the one who
// asked reads the token and decides.
import { type BackoffLimits, backoffAtLeastMs } from '../lib/backoff.ts'
import { type Clock, delay } from '../lib/clock.ts'
import { ClusterUnreachable, type IndexEntry, type TokenRead, type WaiterCluster } from './contract.ts'
import { ListRefused } from './waiter.ts'

export interface RetryOptions {
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  /** Most tries of one read, the first one among them; 3 when left out. */
  readonly attempts?: number
  /** Pauses, in milliseconds; from up to 100 to up to 2000 when left out. */
  readonly limits?: BackoffLimits
  /** A cluster that wants to be left alone for longer is not asked again, in milliseconds; 10000 when left out. */
  readonly maxRetryAfterMs?: number
}

/** A cluster by what its index says. */
export interface ListedAs<E extends IndexEntry> extends WaiterCluster {
  list(signal: AbortSignal): Promise<readonly E[]>
}

/** How a try ended, as far as it decides about another one. */
interface Ending {
  /** Undefined when there was no answer. */
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
}

const TRANSIENT = new Set([429, 502, 503, 504])
/** No later try changes these; what a proxy says in HTML is meant as well. */
const FINAL = new Set([401, 403, 404])

/**
 * The same cluster; a call that failed in the end answers or throws what its last try did. Whoever made the cluster still ends it.
 */
export function withReadRetries<E extends IndexEntry>(cluster: ListedAs<E>, options: RetryOptions): ListedAs<E> {
  const { clock, random, attempts = 3, limits = { baseMs: 100, capMs: 2_000 }, maxRetryAfterMs = 10_000 } = options

  /** Waits for the next try; false when there is none. */
  const pause = async (attempt: number, { retryAfterMs = 0 }: Ending, signal: AbortSignal): Promise<boolean> => {
    if (attempt + 1 >= attempts || retryAfterMs > maxRetryAfterMs) return false
    await delay(clock, backoffAtLeastMs(retryAfterMs, attempt, limits, random), signal)
    return true
  }
  const list = async (signal: AbortSignal): Promise<readonly E[]> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await cluster.list(signal)
      } catch (error) {
        const ending = endingOfList(error)
        if (ending === undefined || !(await pause(attempt, ending, signal))) throw error
      }
    }
  }
  const read = async (token: string, signal: AbortSignal): Promise<TokenRead> => {
    for (let attempt = 0; ; attempt++) {
      const answer = await cluster.read(token, signal)
      const ending = endingOfRead(answer)
      if (ending === undefined || !(await pause(attempt, ending, signal))) return answer
    }
  }
  return {
    url: cluster.url,
    get skewMs() {
      return cluster.skewMs
    },
    list,
    read,
    store: (token, description, ifMatch, signal) => cluster.store(token, description, ifMatch, signal),
    hardDelete: (token, ifMatch, signal) => cluster.hardDelete(token, ifMatch, signal),
  }
}

function endingOfRead(read: TokenRead): Ending | undefined {
  if (read.kind === 'answered' && !TRANSIENT.has(read.status)) return undefined
  return read.status !== undefined && FINAL.has(read.status)
    ? undefined
    : { status: read.status, retryAfterMs: read.retryAfterMs }
}

function endingOfList(error: unknown): Ending | undefined {
  if (!(error instanceof ClusterUnreachable)) return undefined
  if (!(error instanceof ListRefused)) return { status: undefined, retryAfterMs: undefined }
  const { status, retryAfterMs } = error
  // A page in place of a list is like no answer at all.
  const isOver = FINAL.has(status) || (status >= 300 && !TRANSIENT.has(status))
  return isOver ? undefined : { status, retryAfterMs }
}

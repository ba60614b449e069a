// What dsync needs of a store of Leases. Two drivers keep this contract, and one suite (test/conformance/dsync-driver.ts) tests both.
import type { LeaseRecord } from './lease.ts'

export interface LeasePlace {
  /** Left out: the driver's own. */
  readonly namespace?: string | undefined
  readonly name: string
}

/** A Lease as it was at some moment. */
export interface LeaseSight {
  readonly record: LeaseRecord
  /** Grows with every write of any Lease, over deletion too: a number in decimal digits. */
  readonly version: string
  /** Another one when the Lease was deleted and made again. */
  readonly uid: string
}

export interface RequestLimits {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface WatchListener {
  /** The Lease as it is (undefined: there is none): once at the beginning, after every change, and after an interruption in which it changed. */
  readonly sight: (sight: LeaseSight | undefined) => void
  /** The server cannot be followed right now; the driver goes on trying by itself. */
  readonly failed: (error: unknown) => void
}

export interface WatchLimits {
  /** Of each request and each pause after a failure, in milliseconds. */
  readonly pauseMs: number
  readonly signal: AbortSignal
}

export interface Driver {
  /** The Lease as a majority of the store has it; undefined when there is none. Throws DriverError, never `conflict`, or the reason of the signal. */
  get(place: LeasePlace, limits: RequestLimits): Promise<LeaseSight | undefined>
  /**
   * Writes, if the Lease is still `base` (same uid and version), or, without `base`, if there is none.
   * Throws DriverError (`conflict` when it is not so), or the reason of the signal.
   */
  put(
    place: LeasePlace,
    record: LeaseRecord,
    base: Pick<LeaseSight, 'uid' | 'version'> | undefined,
    limits: RequestLimits,
  ): Promise<LeaseSight>
  /** Follows one Lease until the signal aborts, through all failures. Never throws; calls nothing after the signal aborted. */
  watch(place: LeasePlace, listener: WatchListener, limits: WatchLimits): void
}

/**
 *   conflict      nothing was written: the Lease is not what the writer believes
 *   refused       nothing was written: 400, 401, 403, 422, 429 and the like
 *   unavailable   it may have been written or not: 5xx, a connection that broke
 *   timeout       the same: no answer in time
 */
export type DriverErrorCode = 'conflict' | 'refused' | 'unavailable' | 'timeout'

export class DriverError extends Error {
  override readonly name = 'DriverError'
  readonly code: DriverErrorCode
  /** How long the server asked to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: DriverErrorCode,
    message: string,
    details: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    this.code = code
    this.retryAfterMs = details.retryAfterMs
  }
}

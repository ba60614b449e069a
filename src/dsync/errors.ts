// What dsync throws: classes with a stable `code`, so that callers need not compare texts.

export type DsyncErrorCode =
  | 'LostLeadership'
  | 'LockLost'
  | 'NotHeld'
  | 'Aborted'
  | 'InvalidResource'
  | 'InvalidTimings'

export abstract class DsyncError extends Error {
  abstract readonly code: DsyncErrorCode
}

/** The term is over: what it guarded must stop. Reason of the signal that `whenElected` hands out, and thrown by `term.check()`. */
export class LostLeadership extends DsyncError {
  override readonly name = 'LostLeadership'
  readonly code = 'LostLeadership'
}

/** The lock was lost before it was unlocked. Reason of the lock's signal, and thrown by `check()`. */
export class LockLost extends DsyncError {
  override readonly name = 'LockLost'
  readonly code = 'LockLost'
}

/** Somebody unlocks, or checks, what they do not hold. */
export class NotHeld extends DsyncError {
  override readonly name = 'NotHeld'
  readonly code = 'NotHeld'
}

/** The caller's signal, or `stop()`, ended the wait for a lock. */
export class Aborted extends DsyncError {
  override readonly name = 'Aborted'
  readonly code = 'Aborted'
}

/** A name that Kubernetes would refuse. */
export class InvalidResource extends DsyncError {
  override readonly name = 'InvalidResource'
  readonly code = 'InvalidResource'
}

/** Durations with which two candidates could lead at once, or nobody for long. */
export class InvalidTimings extends DsyncError {
  override readonly name = 'InvalidTimings'
  readonly code = 'InvalidTimings'
}

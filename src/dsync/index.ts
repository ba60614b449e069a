// Leader election and locks over Leases of Kubernetes, usable alone. Importing this loads neither a client for Kubernetes nor a
// server: the driver's parts are loaded when one is made.
import type { Driver } from './driver.ts'
import type { KubernetesDriverOptions } from './kubernetes-driver.ts'

export { type Driver, DriverError, type DriverErrorCode, type LeasePlace, type LeaseSight } from './driver.ts'
export { Dsync, type DsyncOptions } from './dsync.ts'
export type { ElectedFunction, Election, ElectionState, StopOptions } from './election.ts'
export { configFromEnv, type EnvironmentConfig, type EnvironmentNames } from './environment.ts'
export {
  Aborted,
  DsyncError,
  type DsyncErrorCode,
  InvalidResource,
  InvalidTimings,
  LockLost,
  LostLeadership,
  NotHeld,
} from './errors.ts'
export type { LeaseRecord } from './lease.ts'
export type { HeldLock, Lock, LockedFunction, LockOptions } from './lock.ts'
export { createMemoryDriver, type MemoryDriver } from './memory-driver.ts'
export { Resource, type ResourceParts } from './resource.ts'
export type { TermHandle } from './tenure.ts'
export { deriveTimings, type Timings } from './timings.ts'
export type { KubernetesDriverOptions }

/** A driver for the API server of a cluster. Throws KubeError `credentials` when it cannot be known which, or as whom. */
export async function createKubernetesDriver(options: KubernetesDriverOptions = {}): Promise<Driver & AsyncDisposable> {
  const { createKubernetesDriver: create } = await import('./kubernetes-driver.ts')
  return create(options)
}

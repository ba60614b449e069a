// A Lease as dsync reads and writes it, and its form in the API of Kubernetes (coordination.k8s.io/v1). Pure.

export interface LeaseRecord {
  /** Empty: nobody holds it. */
  readonly holder: string
  /** How long others wait when they see no change, in milliseconds: whole seconds. */
  readonly durationMs: number
  /** When the holder's term began, by its own clock, as MicroTime: a mark of the term, never compared with a clock. */
  readonly acquireTime: string | undefined
  /** The mark of one write, in the same form. */
  readonly renewTime: string | undefined
  readonly transitions: number
  /** What else the object holds, and keeps at every write: `spec.strategy`, `spec.preferredHolder`, labels, annotations. */
  readonly kept: KeptFields
}

export interface KeptFields {
  readonly spec?: Readonly<Record<string, unknown>>
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** What is sent to, and comes from, the API. */
export interface LeaseObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly spec: Readonly<Record<string, unknown>>
}

export interface DecodedLease {
  readonly record: LeaseRecord
  readonly version: string
  readonly uid: string
}

/** Wall-clock milliseconds as MicroTime: exactly six digits, or the API server cannot read it. `micros` from 0 to 999 tells writes of one millisecond apart. */
export function toMicroTime(wallMs: number, micros: number): string {
  return new Date(wallMs).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`)
}

/** Kubernetes counts in whole seconds, at least one. */
export function toWholeSeconds(durationMs: number): number {
  return Math.max(1, Math.ceil(durationMs / 1_000))
}

export interface Write {
  readonly holder: string
  readonly leaseDurationMs: number
  /** From `toMicroTime`; no other write of this holder has it. */
  readonly mark: string
}

/** The record with which a term begins. `before`: the one that it follows. */
export function beginTenure(before: LeaseRecord | undefined, { holder, leaseDurationMs, mark }: Write): LeaseRecord {
  return {
    holder,
    durationMs: toWholeSeconds(leaseDurationMs) * 1_000,
    acquireTime: mark,
    renewTime: mark,
    transitions: before === undefined ? 0 : before.transitions + 1,
    kept: before?.kept ?? {},
  }
}

/** The record of a renewal or, with an empty holder, of a release. */
export function continueTenure(before: LeaseRecord, { holder, leaseDurationMs, mark }: Write): LeaseRecord {
  return { ...before, holder, durationMs: toWholeSeconds(leaseDurationMs) * 1_000, renewTime: mark }
}

/** Do two records say the same about who holds the Lease, and how fresh that is? */
export function isSameTenure(a: LeaseRecord, b: LeaseRecord): boolean {
  return (
    a.holder === b.holder &&
    a.renewTime === b.renewTime &&
    a.acquireTime === b.acquireTime &&
    a.durationMs === b.durationMs &&
    a.transitions === b.transitions
  )
}

/** The object of a PUT. With `base` it carries uid and resourceVersion: without the uid a PUT brings a deleted Lease back to life. */
export function encodeLease(
  name: string,
  namespace: string,
  record: LeaseRecord,
  base: { readonly uid: string; readonly version: string } | undefined,
): LeaseObject {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...record.kept.metadata,
      name,
      namespace,
      ...(base === undefined ? {} : { uid: base.uid, resourceVersion: base.version }),
    },
    spec: {
      ...record.kept.spec,
      holderIdentity: record.holder,
      leaseDurationSeconds: toWholeSeconds(record.durationMs),
      ...(record.acquireTime === undefined ? {} : { acquireTime: record.acquireTime }),
      ...(record.renewTime === undefined ? {} : { renewTime: record.renewTime }),
      leaseTransitions: record.transitions,
    },
  }
}

/** Reads an object of the API. Undefined when it is none: no uid, or no resourceVersion that can be compared. */
export function decodeLease(value: unknown): DecodedLease | undefined {
  const { metadata, spec } = isObject(value) ? value : {}
  if (!isObject(metadata)) return undefined
  const { uid, resourceVersion, labels, annotations, finalizers, ownerReferences } = metadata
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string' || !/^\d{1,40}$/.test(resourceVersion))
    return undefined
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions, ...others } = isObject(spec)
    ? spec
    : {}
  return {
    uid,
    version: resourceVersion,
    record: {
      holder: typeof holderIdentity === 'string' ? holderIdentity : '',
      durationMs: typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1_000 : 0,
      acquireTime: typeof acquireTime === 'string' ? acquireTime : undefined,
      renewTime: typeof renewTime === 'string' ? renewTime : undefined,
      transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
      kept: { spec: others, metadata: withoutUndefined({ labels, annotations, finalizers, ownerReferences }) },
    },
  }
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

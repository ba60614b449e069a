// The part that all Kubernetes objects have in common, as far as it is read here.

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  /** Opaque, except that larger means later: numbers, compared as such. */
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** Present on an object that is being deleted. */
  readonly deletionTimestamp?: string
}

export interface KubeObject {
  readonly metadata: ObjectMeta
}

/** Objects of one collection are told apart by this. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Has it the metadata without which nothing can be done with it? */
export function isKubeObject(value: unknown): value is KubeObject {
  return isObject(value) && isObject(value['metadata']) && typeof value['metadata']['name'] === 'string'
}

/**
 * Which of two resourceVersions is later: negative, zero or positive; undefined when they cannot be compared.
 * API servers number their writes, and the numbers may outgrow what a JavaScript number holds.
 */
export function compareRevisions(a: string | undefined, b: string | undefined): number | undefined {
  if (a === undefined || b === undefined || !isRevision(a) || !isRevision(b)) return undefined
  const difference = BigInt(a) - BigInt(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const isRevision = (text: string) => /^\d{1,40}$/.test(text)

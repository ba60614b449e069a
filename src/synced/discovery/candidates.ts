// What slices and Pods offer, settled into a list of replicas in which nobody is twice. Pure.
import type { Replica } from '../replica.ts'

/** Perhaps a replica; perhaps one that another candidate tells of too. */
export interface Candidate {
  /** Name of the Pod. */
  readonly name: string | undefined
  readonly hostName: string | undefined
  /** Identity of the Pod. */
  readonly uid: string | undefined
  readonly address: string
  readonly port: number
  readonly terminating: boolean
  /** Of two that are the same, the lower one is taken. */
  readonly rank: number
}

/**
 * Each replica once, sorted by name. The same Pod may be told of twice, by slices of two address families or while it moves
 * from one slice to another: then the one that counts is taken, so that a verdict is never too good.
 */
export function settle(candidates: readonly Candidate[]): readonly Replica[] {
  const uids = new Set<string>()
  const places = new Set<string>()
  const names = new Set<string>()
  const replicas: Replica[] = []
  for (const { uid, address, port, terminating, ...one } of [...candidates].sort(compareCandidates)) {
    const place = JSON.stringify([address, port])
    // Two Pods of one name do not live at the same time, so one of them is old news; host names are anybody's.
    const isKnown =
      (uid !== undefined && uids.has(uid)) || places.has(place) || (one.name !== undefined && names.has(one.name))
    if (isKnown) continue
    const name = one.name ?? (one.hostName === undefined || names.has(one.hostName) ? address : one.hostName)
    if (uid !== undefined) uids.add(uid)
    places.add(place)
    names.add(name)
    replicas.push({ name, address, port, terminating })
  }
  return replicas.sort(compareReplicas)
}

/** By name, then by address and port: every list of replicas is in this order. */
export function compareReplicas(a: Replica, b: Replica): number {
  return compareText(a.name, b.name) || compareText(a.address, b.address) || a.port - b.port
}

export function isSameList(a: readonly Replica[] | undefined, b: readonly Replica[]): boolean {
  return (
    a !== undefined &&
    a.length === b.length &&
    a.every((one, index) => {
      const other = b[index]
      return other !== undefined && compareReplicas(one, other) === 0 && one.terminating === other.terminating
    })
  )
}

/** The number of the named port; undefined when there is none of that name. */
export function choosePort<P extends { readonly name?: string | null }>(
  ports: readonly P[],
  { portName, defaultPort }: { readonly portName: string | undefined; readonly defaultPort: number },
  numberOf: (port: P) => number | null | undefined,
): number | undefined {
  if (portName === undefined) return defaultPort
  const found = ports.find((one) => one.name === portName)
  return found === undefined ? undefined : (numberOf(found) ?? undefined)
}

function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    Number(a.terminating) - Number(b.terminating) ||
    a.rank - b.rank ||
    compareText(a.name ?? '', b.name ?? '') ||
    compareText(a.hostName ?? '', b.hostName ?? '') ||
    compareText(a.address, b.address) ||
    a.port - b.port ||
    compareText(a.uid ?? '', b.uid ?? '')
  )
}

/** By code unit: the same everywhere, whatever the locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

// Which version of a token came out of which, by the histories that they carry: clocks may be wrong, histories are not. Pure.
import type { Description } from './contract.ts'
import { previousVersions, versionOf, without } from './description.ts'
import { equalJson } from './json.ts'
import type { Copy } from './plan-rows.ts'

/** Keys that a cluster fills in when it serves a version, and that the history may lack. */
const FILLED_IN = ['cluster', 'root']

export interface Ancestry {
  /** Whether `elder` is the same version as `younger`, or one that it came out of. */
  isKnownTo(elder: Copy, younger: Copy): boolean
  /** Copies that none came out of; where histories name each other in a circle, all of the circle. At least one. */
  readonly heads: readonly [Copy, ...Copy[]]
}

/** `copies`: at least one, none empty; their order is kept. */
export function traceAncestry(copies: readonly [Copy, ...Copy[]]): Ancestry {
  const eldersOf = new Map(copies.map((younger) => [younger, findElders(younger, copies)]))
  closeOver(eldersOf)
  const isElder = (elder: Copy, younger: Copy) => eldersOf.get(younger)?.has(elder) === true
  const isHead = (copy: Copy) => copies.every((other) => !isElder(copy, other) || isElder(other, copy))
  const [first, ...others] = copies.filter(isHead)
  return {
    isKnownTo: (elder, younger) => isElder(elder, younger) || isSameVersion(elder, younger),
    // There always is one, be it in a circle; the type does not know.
    heads: first === undefined ? copies : [first, ...others],
  }
}

function findElders({ description }: Copy, copies: readonly Copy[]): Set<Copy> {
  const history = previousVersions(description)
  return new Set(copies.filter((elder) => history.some((entry) => isEntryOf(entry, versionOf(elder.description)))))
}

function isSameVersion(a: Copy, b: Copy): boolean {
  return equalJson(versionOf(a.description), versionOf(b.description))
}

/** Histories are cut after some versions: what an elder came out of, the younger one came out of too. */
function closeOver(eldersOf: ReadonlyMap<Copy, Set<Copy>>): void {
  for (const [middle, eldest] of eldersOf) {
    for (const elders of eldersOf.values()) {
      if (elders.has(middle)) for (const elder of eldest) elders.add(elder)
    }
  }
}

/** Whether a history names this version. */
function isEntryOf(entry: Description, version: Description): boolean {
  const lacking = FILLED_IN.filter((key) => !entry.has(key))
  return equalJson(without(version, lacking), entry)
}

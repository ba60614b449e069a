// Which version of a token came out of which, by the histories that they carry: clocks may be wrong, histories are not. Pure.
import type { Description } from './contract.ts'
import { previousVersions, versionOf } from './description.ts'
import { equalJson, type JsonValue } from './json.ts'
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
  const known = new Map(copies.map((younger) => [younger, knownTo(younger, copies)]))
  closeOver(known)
  const isKnownTo = (elder: Copy, younger: Copy) => known.get(younger)?.has(elder) === true
  const isHead = (copy: Copy) => copies.every((other) => !isKnownTo(copy, other) || isKnownTo(other, copy))
  const [first, ...others] = copies.filter(isHead)
  // There always is one, be it in a circle; the type does not know.
  return { isKnownTo, heads: first === undefined ? copies : [first, ...others] }
}

function knownTo(younger: Copy, copies: readonly Copy[]): Set<Copy> {
  const own = versionOf(younger.description)
  const history = previousVersions(younger.description)
  return new Set(
    copies.filter(({ description }) => {
      const version = versionOf(description)
      return equalJson(version, own) || history.some((entry) => isSameVersion(version, entry))
    }),
  )
}

/** Histories are cut after some versions: what the elder one came out of, the younger one came out of too. */
function closeOver(known: ReadonlyMap<Copy, Set<Copy>>): void {
  for (const [middle, elders] of known) {
    for (const mine of known.values()) {
      if (mine.has(middle)) for (const elder of elders) mine.add(elder)
    }
  }
}

function isSameVersion(version: Description, entry: Description): boolean {
  const lacking = FILLED_IN.filter((key) => !entry.has(key))
  const compared: [string, JsonValue][] = [...version].filter(([key]) => !lacking.includes(key))
  return equalJson(new Map(compared), entry)
}

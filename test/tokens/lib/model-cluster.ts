// What one token is on a Waiter cluster, in memory: the rules of its API that a plan relies on, and nothing else.
import type { Description, Step, TokenRead } from '../../../src/tokens/contract.ts'
import { isDeleted, versionOf } from '../../../src/tokens/description.ts'
import { isObject, JsonNumber, type JsonValue, writeSortedJson } from '../../../src/tokens/json.ts'

/** Versions that a cluster keeps behind the one that counts. */
const HISTORY = 4

export interface ModelCluster {
  read(): TokenRead
  /** The status of the answer. `nowMs`: the cluster's clock. */
  carryOut(step: Step, nowMs: number): number
}

/** A cluster of this name that holds `held` (times in milliseconds), or nothing. */
export function createModelCluster(name: string, held: Description | undefined): ModelCluster {
  let current = held === undefined ? undefined : cut(held, HISTORY)

  // A token that is deleted or missing has no version.
  const version = () =>
    current === undefined || isDeleted(current) ? undefined : `E-${writeSortedJson(versionOf(current))}`

  const refuse = (ifMatch: string | undefined): number | undefined => {
    if (ifMatch !== undefined && ifMatch !== version()) return 412
    return ifMatch === undefined && version() !== undefined ? 400 : undefined
  }

  const store = (description: Description, nowMs: number): number => {
    const stored = new Map(description)
    if (!stored.has('last-update-time')) stored.set('last-update-time', new JsonNumber(String(nowMs)))
    if (!stored.has('previous')) stored.set('previous', current ?? new Map<string, JsonValue>())
    current = cut(stored, HISTORY)
    return 200
  }

  return {
    read() {
      if (current === undefined) return { kind: 'answered', status: 404, description: new Map() }
      const filledIn: Description = new Map<string, JsonValue>([['cluster', name], ['root', name], ...current])
      const etag = version()
      return { kind: 'answered', status: 200, description: filledIn, ...(etag !== undefined && { etag }) }
    },
    carryOut(step, nowMs) {
      if (step.do === 'nothing') return 200
      const refused = refuse(step.ifMatch)
      if (step.do === 'store') return refused ?? store(step.description, nowMs)
      if (current === undefined) return 404
      if (refused === undefined) current = undefined
      return refused ?? 200
    },
  }
}

/** The description with at most so many versions behind it. */
function cut(description: Description, levels: number): Description {
  const previous = description.get('previous')
  if (!isObject(previous)) return description
  if (levels === 0) return versionOf(description)
  return new Map([...description, ['previous', cut(previous, levels - 1)]])
}

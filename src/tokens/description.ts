// What the sync reads out of the description of a token. Pure.
import type { ClusterUrl, Description } from './contract.ts'
import { isObject, JsonNumber, type JsonValue } from './json.ts'

const TIME = 'last-update-time'
const PREVIOUS = 'previous'
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/

/**
 * The description with its times, and those of all nested `previous`, as milliseconds since 1970: clusters serve ISO-8601 and want
 * milliseconds back. A number stays as it is. Throws RangeError for a time that is neither.
 */
export function toMilliseconds(description: Description): Description {
  const changed = new Map(description)
  const time = description.get(TIME)
  if (time !== undefined && time !== null) changed.set(TIME, parseTime(time))
  const previous = description.get(PREVIOUS)
  if (isObject(previous)) changed.set(PREVIOUS, toMilliseconds(previous))
  return changed
}

function parseTime(time: JsonValue): JsonNumber {
  if (time instanceof JsonNumber) return time
  const ms = typeof time === 'string' && ISO_TIME.test(time) ? Date.parse(time) : Number.NaN
  if (Number.isNaN(ms)) throw new RangeError(`${TIME} is neither an ISO-8601 time nor a number`)
  return new JsonNumber(String(ms))
}

/** Milliseconds since 1970; 0 where the description has no time, or an empty one. */
export function lastUpdateMs(description: Description): number {
  const time = description.get(TIME)
  return time instanceof JsonNumber ? Number(time.source) : 0
}

/** Whether it is soft-deleted. As in the original only false, null and nothing are no: the text "false" is yes. */
export function isDeleted(description: Description): boolean {
  const deleted = description.get('deleted')
  return deleted !== undefined && deleted !== null && deleted !== false
}

/** The cluster that the token comes from, null where the description has none. */
export function rootOf(description: Description): JsonValue {
  return description.get('root') ?? null
}

/** Who changed it last, null where the description does not say. */
export function userOf(description: Description): JsonValue {
  return description.get('last-update-user') ?? null
}

/** The description without these keys at its top. */
export function without(description: Description, keys: readonly string[]): Description {
  return new Map([...description].filter(([key]) => !keys.includes(key)))
}

/** The description without its history. */
export function versionOf(description: Description): Description {
  return without(description, [PREVIOUS])
}

/** The versions before this one, newest first, each without its own history. An empty one says that there was none before. */
export function previousVersions(description: Description): readonly Description[] {
  const versions: Description[] = []
  let previous = description.get(PREVIOUS)
  while (isObject(previous)) {
    if (previous.size > 0) versions.push(versionOf(previous))
    previous = previous.get(PREVIOUS)
  }
  return versions
}

/** Whether the token's metadata has this name at "true". */
export function hasOptedOut(description: Description, name: string): boolean {
  const metadata = description.get('metadata')
  return isObject(metadata) && metadata.get(name) === 'true'
}

/** Order of clusters, and of names of tokens: by UTF-16 code unit. */
export function compareUrls(a: ClusterUrl, b: ClusterUrl): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

// What a token may consist of, and what its version is. Pure.
import { createHash } from 'node:crypto'
import type { Description } from '../../tokens/contract.ts'
import { isDeleted } from '../../tokens/description.ts'
import { isObject, JsonNumber, type JsonValue } from '../../tokens/json.ts'
import { clojureSetStr, clojureStr } from './clojure-text.ts'

/** Parameters of the service behind a token. */
const SERVICE_KEYS = new Set(
  `allowed-params authentication backend-proto blacklist-on-503 cmd cmd-type concurrency-level cpus distribution-scheme env
  expired-instance-restart-rate grace-period-secs health-check-authentication health-check-interval-secs
  health-check-max-consecutive-failures health-check-port-index health-check-proto health-check-url idle-timeout-mins image
  instance-expiry-mins interstitial-secs jitter-threshold liveness-check-authentication liveness-check-interval-secs
  liveness-check-max-consecutive-failures liveness-check-port-index liveness-check-proto liveness-check-url load-balancing
  max-instances max-queue-length mem metadata metric-group min-instances name namespace permitted-user ports profile
  restart-backoff-factor run-as-user scale-down-factor scale-factor scale-up-factor scheduler termination-grace-period-secs
  version`.split(/\s+/),
)
/** What users say about the token itself. */
const USER_METADATA_KEYS = new Set(
  'cors-rules editor fallback-period-secs https-redirect maintenance owner service-mapping stale-timeout-mins'.split(
    ' ',
  ),
)
/** What the cluster keeps about the token. */
const SYSTEM_METADATA_KEYS = new Set('cluster deleted last-update-time last-update-user previous root'.split(' '))

export const isUserKey = (key: string): boolean => SERVICE_KEYS.has(key) || USER_METADATA_KEYS.has(key)
export const isTokenKey = (key: string): boolean => isUserKey(key) || SYSTEM_METADATA_KEYS.has(key)
export const isServiceKey = (key: string): boolean => SERVICE_KEYS.has(key)

/** Levels of `previous` that are kept. */
const HISTORY_LEVELS = 4

/** Version of a token's data: undefined when there is none, or when it is deleted. */
export function versionOf(data: Description | undefined): string | undefined {
  if (data === undefined || data.size === 0 || isDeleted(data)) return undefined
  const hash = createHash('md5')
  const keys = [...data.keys()].filter((key) => isTokenKey(key) && key !== 'previous').sort()
  for (const key of keys) hash.update(key).update(textOf(key, data.get(key) ?? null))
  return `E-${hash.digest('hex')}`
}

function textOf(key: string, value: JsonValue): string {
  return key === 'allowed-params' && isListOfStrings(value) ? clojureSetStr(value) : clojureStr(value)
}

const isListOfStrings = (value: JsonValue): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

/** The data without what is nested deeper in `previous` than the history goes. */
export function cutHistory(data: Description, levels: number = HISTORY_LEVELS): Description {
  const previous = data.get('previous')
  if (!isObject(previous)) return data
  const copy = new Map(data)
  if (levels === 0) copy.delete('previous')
  else copy.set('previous', cutHistory(previous, levels - 1))
  return copy
}

/** Milliseconds since 1970 as the cluster shows them; what is no number stays. */
export function toIso(value: JsonValue): JsonValue {
  return value instanceof JsonNumber ? new Date(Number(value.source)).toISOString() : value
}

/** The data with its times as the cluster shows them, through `previous` as far as each level has a time. */
export function withIsoTimes(data: Description): Description {
  const time = data.get('last-update-time')
  if (time === undefined || time === null || time === false) return data
  const copy = new Map(data).set('last-update-time', toIso(time))
  const previous = data.get('previous')
  if (isObject(previous)) copy.set('previous', withIsoTimes(previous))
  return copy
}

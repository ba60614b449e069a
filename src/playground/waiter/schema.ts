// What a Waiter cluster refuses in the body of a POST before it looks at what it holds. Pure.
import type { Description } from '../../tokens/contract.ts'
import { isObject, JsonNumber, type JsonValue } from '../../tokens/json.ts'
import { isTokenKey, isUserKey } from './token-data.ts'

const NAME_PATTERN = /^[a-zA-Z][a-zA-Z0-9\-_$.]+$/
const REQUIRED = ['cmd', 'cpus', 'mem', 'run-as-user', 'version'] as const

type Check = (value: JsonValue) => boolean

const isText: Check = (value) => typeof value === 'string' && value !== ''
const isPositive: Check = (value) => value instanceof JsonNumber && Number(value.source) > 0
const isBoolean: Check = (value) => typeof value === 'boolean'
const isWithin =
  (low: number, high: number): Check =>
  (value) =>
    value instanceof JsonNumber &&
    /^-?\d+$/.test(value.source) &&
    Number(value.source) >= low &&
    Number(value.source) <= high
const isMapOfTexts =
  (key: RegExp): Check =>
  (value) =>
    isObject(value) &&
    value.size < 100 &&
    [...value].every(([name, text]) => key.test(name) && typeof text === 'string')

const CHECKS: Readonly<Record<string, Check>> = {
  cmd: isText,
  'cmd-type': isText,
  cpus: isPositive,
  mem: isPositive,
  name: isText,
  owner: isText,
  'permitted-user': isText,
  'run-as-user': isText,
  version: isText,
  'health-check-url': isText,
  'allowed-params': (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  env: isMapOfTexts(/^[A-Za-z][A-Za-z0-9_]*$/),
  metadata: isMapOfTexts(/^[a-z][a-z0-9-]*$/),
  ports: isWithin(1, 10),
  'concurrency-level': isWithin(1, 10_000),
  'grace-period-secs': isWithin(1, 3_600),
  'idle-timeout-mins': isWithin(0, 43_200),
  'interstitial-secs': isWithin(0, 3_600),
  'min-instances': isWithin(0, 1_000),
  'max-instances': isWithin(1, 1_000),
  'fallback-period-secs': isWithin(0, 86_400),
  'stale-timeout-mins': isWithin(0, 240),
  'https-redirect': isBoolean,
  maintenance: (value) => isObject(value) && isText(value.get('message') ?? null),
}

/** Why the body is refused with 400, or undefined; `name` is what it calls the token. */
export function findSchemaFault(name: JsonValue | undefined, body: Description): string | undefined {
  if (typeof name !== 'string' || name.trim() === '') return 'Must provide the token'
  const keys = [...body.keys()].filter((key) => key !== 'token')
  if (!keys.some(isUserKey)) return `No parameters provided for ${name}`
  if (!NAME_PATTERN.test(name)) return 'Token must match pattern'
  const wrong = keys.find((key) => CHECKS[key]?.(body.get(key) ?? null) === false)
  if (wrong !== undefined) return `Service description using waiter headers/token improperly configured: ${wrong}`
  const unknown = keys.filter((key) => !isTokenKey(key))
  if (unknown.length > 0) return `Unsupported key(s) in token: [${unknown.map((key) => `"${key}"`).join(' ')}]`
  return findDependentFault(body)
}

function findDependentFault(body: Description): string | undefined {
  const isComplete = REQUIRED.every((key) => body.has(key))
  if (body.get('authentication') === 'disabled') {
    if (body.get('permitted-user') !== '*') {
      return 'Tokens with authentication disabled must specify permitted-user as *'
    }
    if (!isComplete) return 'Tokens with authentication disabled must specify all required parameters'
  }
  if (body.has('interstitial-secs') && !isComplete) {
    return 'Tokens with missing required parameters cannot use interstitial support'
  }
  return undefined
}

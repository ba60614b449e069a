// What Clojure's `str` makes of a value that came as JSON: a Waiter cluster hashes that text, so that `1` and `1.0` are two versions.
// A map of more than eight entries has the order of Clojure's hash maps, as there. Pure.
import { JsonNumber, type JsonObject, type JsonValue } from '../../tokens/json.ts'

/** `(str value)`: nothing for nil, a string as it is, everything else as it is printed. */
export function clojureStr(value: JsonValue): string {
  if (value === null) return ''
  if (typeof value === 'string') return value
  // A whole number beyond a long is printed with an N, but not by `str`.
  if (value instanceof JsonNumber) return numberText(value.source)
  return print(value)
}

/** `(str (set strings))`: what the parameter `allowed-params` is hashed as. */
export function clojureSetStr(values: readonly string[]): string {
  return `#{${[...new Set(values)].sort(compareHashes).map(quote).join(' ')}}`
}

function print(value: JsonValue): string {
  if (value === null) return 'nil'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quote(value)
  if (value instanceof JsonNumber) {
    return isWhole(value.source) && !isLong(value.source) ? `${numberText(value.source)}N` : numberText(value.source)
  }
  if (isList(value)) return `[${value.map(print).join(' ')}]`
  return `{${printedEntries(value).join(', ')}}`
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value)

/** Up to eight entries are an array map, in the order in which they came. */
const MAX_ARRAY_MAP = 8

function printedEntries(map: JsonObject): string[] {
  const entries = [...map]
  if (entries.length > MAX_ARRAY_MAP) entries.sort(([a], [b]) => compareHashes(a, b))
  return entries.map(([key, value]) => `${quote(key)} ${print(value)}`)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\f': '\\f',
  '\b': '\\b',
}

const quote = (text: string): string => `"${text.replace(/["\\\n\t\r\f\b]/g, (one) => ESCAPES[one] ?? one)}"`

const isWhole = (source: string): boolean => /^-?\d+$/.test(source)

function isLong(source: string): boolean {
  const value = BigInt(source)
  return BigInt.asIntN(64, value) === value
}

function numberText(source: string): string {
  return isWhole(source) ? BigInt(source).toString() : doubleText(Number(source))
}

/** `Double.toString` of Java: plain from a thousandth to ten million, else with an exponent; always with a decimal point. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const size = Math.abs(value)
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}

/** The order of a hash map of Clojure: by five bits of the hash of the key at a time, the lowest first. */
function compareHashes(a: string, b: string): number {
  const [left, right] = [hashOf(a), hashOf(b)]
  for (let shift = 0; shift < 32; shift += 5) {
    const difference = ((left >>> shift) & 31) - ((right >>> shift) & 31)
    if (difference !== 0) return difference
  }
  return 0
}

/** Clojure's hash of a string: Murmur3 (32 bits, seed 0) over Java's own hash of it. */
function hashOf(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  if (hash === 0) return 0
  let mixed = Math.imul(hash, 0xcc9e2d51)
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
  mixed = (mixed << 13) | (mixed >>> 19)
  mixed = (Math.imul(mixed, 5) + 0xe6546b64) ^ 4
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

// JSON in which no number loses a digit: those that a double cannot hold, or would write otherwise, come as ExactNumber. Pure.
import { describeValue } from './values.ts'

/** A number with the digits that it came with. */
export class ExactNumber {
  readonly source: string

  /** `source`: a JSON number. */
  constructor(source: string) {
    this.source = source
  }
}

/** Digits of an integer that a double may not hold. */
const LONG = 16
/** What comes before a number. */
const BEFORE_NUMBER = /[[:,\s]/
/** Where fractions matter as well: any number that is not a plain integer, where a value can begin. Texts with times do not match. */
const NO_PLAIN_INTEGER = /(?:"\s*:|[[,]|^)\s*(?:-0|-?\d+[.eE]|-?\d{16})/

const WHOLE = /^-?\d+$/

/**
 * As JSON.parse, with ExactNumbers. `fractions`: also for numbers with a point or an exponent (`1.10`, `1e3`), which only decimals need;
 * without, those are doubles as ever. Throws SyntaxError for what is no JSON.
 */
export function parseExactJson(text: string, { fractions }: { readonly fractions: boolean }): unknown {
  // A reviver costs ten times as much as a search, and most texts need none.
  if (!mayLoseDigits(text, fractions)) return JSON.parse(text)
  return parseWithSource(text, (_, value, { source }) => {
    if (typeof value !== 'number' || source === undefined || isHeldBy(value, source)) return value
    return fractions || WHOLE.test(source) ? new ExactNumber(source) : value
  })
}

/** False where JSON.parse loses no digit of any number in the text. */
export function mayLoseDigits(text: string, fractions: boolean): boolean {
  return fractions ? NO_PLAIN_INTEGER.test(text) : hasLongInteger(text)
}

/**
 * Where only integers matter: 16 digits or more that stand where a number can begin. Strings may match too: that costs time only. Looks at
 * each sixteenth character, for as many digits cannot lie between: texts are long.
 */
function hasLongInteger(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigitAt(text, at)) continue
    let first = at
    while (isDigitAt(text, first - 1)) first--
    let end = at + 1
    while (isDigitAt(text, end)) end++
    // What ends here is not looked at again: it may be a million digits.
    at = end
    if (end - first < LONG) continue
    const before = text[first - 1] === '-' ? first - 2 : first - 1
    if (before < 0 || BEFORE_NUMBER.test(text[before] ?? '')) return true
  }
  return false
}

function isDigitAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}

/** True for a double that says all that its text does. One beyond 2^53 does not: nobody could see that nothing was rounded. */
function isHeldBy(value: number, source: string): boolean {
  return String(value) === source && (Number.isSafeInteger(value) || !Number.isInteger(value))
}

type SourceReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

/** JSON.parse as ECMAScript has it by now, and TypeScript not yet: the reviver sees the text of numbers. */
const parseWithSource = JSON.parse as (text: string, reviver: SourceReviver) => unknown

/**
 * JSON text with the keys of all objects sorted and numbers in one notation each: the same for documents that say the same,
 * whoever wrote or re-arranged them. Takes what parseExactJson gives. Throws TypeError for anything else.
 */
export function writeCanonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return writeNumber(value)
  if (value instanceof ExactNumber) return writeExactNumber(value.source)
  if (Array.isArray(value)) return `[${value.map(writeCanonicalJson).join(',')}]`
  if (!isJsonObject(value)) throw new TypeError(`${describeValue(value)} is no JSON`)
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${writeCanonicalJson(value[key])}`)
  return `{${members.join(',')}}`
}

/** JSON text of what parseExactJson gives, with every number as it came. Throws TypeError for anything else. */
export function writeExactJson(value: unknown): string {
  if (value instanceof ExactNumber) return value.source
  if (Array.isArray(value)) return `[${value.map(writeExactJson).join(',')}]`
  if (isJsonObject(value)) {
    const members = Object.keys(value).map((key) => `${JSON.stringify(key)}:${writeExactJson(value[key])}`)
    return `{${members.join(',')}}`
  }
  return value === null || typeof value === 'boolean' ? String(value) : writeScalar(value)
}

function writeScalar(value: unknown): string {
  if (typeof value === 'string' || Number.isFinite(value)) return JSON.stringify(value)
  throw new TypeError(`${describeValue(value)} is no JSON`)
}

/** True for an object of JSON; its keys are its own, `__proto__` among them. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}

/** Integers beyond 2^53 keep their digits; everything else is the double that it names. */
function writeExactNumber(source: string): string {
  const number = Number(source)
  return Number.isSafeInteger(number) || !WHOLE.test(source) ? writeNumber(number) : source
}

function writeNumber(value: number): string {
  return Object.is(value, -0) ? '0' : JSON.stringify(value)
}

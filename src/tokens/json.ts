// JSON as it was written: numbers keep their digits (`1` is not `1.0`), objects keep the order of their keys, whatever the keys are
// (JavaScript's own objects put "2" before "b", and lose `__proto__`). Pure.

/** A number with the digits that it came with. */
export class JsonNumber {
  readonly source: string

  /** `source`: a JSON number. */
  constructor(source: string) {
    this.source = source
  }
}

export type JsonObject = ReadonlyMap<string, JsonValue>
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject

/** What `fromPlain` takes: JavaScript's own values, with JsonValues anywhere in them. What is undefined is left out. */
export type PlainJson =
  | JsonValue
  | number
  | readonly PlainJson[]
  | ReadonlyMap<string, PlainJson>
  | { readonly [key: string]: PlainJson | undefined }

/** Arrays and objects in one another; deeper text is refused before it can exhaust the stack. */
const MAX_DEPTH = 512

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in a string
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y
const WORD = /true|false|null/y
const WORDS: Readonly<Record<string, null | boolean>> = { true: true, false: false, null: null }

/**
 * Throws SyntaxError for what is no JSON, and for more than 512 arrays and objects in one another; it says where, and repeats
 * nothing of the text. Of a key that comes twice the last value counts.
 */
export function parseJson(text: string): JsonValue {
  const reader = new Reader(text)
  const value = reader.readValue(0)
  reader.expectEnd()
  return value
}

/** Compact text; what parseJson read comes out with the same numbers and the same order. */
export function writeJson(value: JsonValue): string {
  return write(value, (object) => [...object])
}

/** As writeJson, with the keys of every object sorted by UTF-16 code unit: the same text for equal objects whatever their order. */
export function writeSortedJson(value: JsonValue): string {
  return write(value, (object) => [...object].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * Equality as the original compares (Clojure's `=`): maps whatever their order, whole numbers by value, decimals by value as doubles,
 * a whole number never with a decimal (`1`, `1.0`).
 */
export function equalJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true
  if (a instanceof JsonNumber) return b instanceof JsonNumber && equalNumbers(a.source, b.source)
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((item, at) => equalJson(item, b[at] ?? null))
  if (!isObject(a) || !isObject(b) || a.size !== b.size) return false
  return [...a].every(([key, value]) => {
    const other = b.get(key)
    return other !== undefined && equalJson(value, other)
  })
}

/** The same as JsonValue. Throws RangeError for a number that JSON cannot say. */
export function fromPlain(value: PlainJson): JsonValue {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`${value} is no number of JSON`)
    return new JsonNumber(JSON.stringify(value))
  }
  if (value === null || typeof value !== 'object' || value instanceof JsonNumber) return value
  if (Array.isArray(value)) return value.map(fromPlain)
  const entries: Iterable<[string, PlainJson | undefined]> = value instanceof Map ? value : Object.entries(value)
  return new Map(
    Iterator.from(entries).flatMap(([key, one]) => (one === undefined ? [] : [[key, fromPlain(one)] as const])),
  )
}

/** True for an object of JSON. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map
}

/** Array.isArray knows no readonly arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

function equalNumbers(a: string, b: string): boolean {
  const whole = isWhole(a)
  if (whole !== isWhole(b)) return false
  return whole ? BigInt(a) === BigInt(b) : Number(a) === Number(b)
}

function isWhole(source: string): boolean {
  return !/[.eE]/.test(source)
}

function write(value: JsonValue, entriesOf: (object: JsonObject) => (readonly [string, JsonValue])[]): string {
  if (value instanceof JsonNumber) return value.source
  if (isArray(value)) return `[${value.map((item) => write(item, entriesOf)).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  return `{${entriesOf(value)
    .map(([key, one]) => `${JSON.stringify(key)}:${write(one, entriesOf)}`)
    .join(',')}}`
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  readValue(depth: number): JsonValue {
    this.#take(SPACE)
    switch (this.#text[this.#at]) {
      case '{':
        return this.#readObject(depth + 1)
      case '[':
        return this.#readArray(depth + 1)
      case '"':
        return this.#readString()
      case 't':
      case 'f':
      case 'n':
        return this.#readWord()
      default:
        return new JsonNumber(this.#take(NUMBER) ?? this.#fail('a value'))
    }
  }

  expectEnd(): void {
    this.#take(SPACE)
    if (this.#at < this.#text.length) this.#fail('the end')
  }

  #readObject(depth: number): JsonObject {
    const object = new Map<string, JsonValue>()
    this.#readList('}', depth, () => {
      const key = this.#readString()
      this.#take(SPACE)
      if (!this.#takeMark(':')) this.#fail('":"')
      object.set(key, this.readValue(depth))
    })
    return object
  }

  #readArray(depth: number): readonly JsonValue[] {
    const array: JsonValue[] = []
    this.#readList(']', depth, () => array.push(this.readValue(depth)))
    return array
  }

  /** What stands between the bracket that comes now and `end`, with commas in between. */
  #readList(end: string, depth: number, readOne: () => void): void {
    if (depth > MAX_DEPTH) this.#fail(`at most ${MAX_DEPTH} arrays and objects in one another`)
    this.#at++
    this.#take(SPACE)
    if (this.#takeMark(end)) return
    do {
      this.#take(SPACE)
      readOne()
      this.#take(SPACE)
    } while (this.#takeMark(','))
    if (!this.#takeMark(end)) this.#fail(`"," or "${end}"`)
  }

  #readString(): string {
    const quoted = this.#take(STRING) ?? this.#fail('a string')
    return quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1)
  }

  #readWord(): null | boolean {
    return WORDS[this.#take(WORD) ?? this.#fail('a value')] ?? null
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #takeMark(mark: string): boolean {
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    return true
  }

  #fail(expected: string): never {
    throw new SyntaxError(`no JSON: ${expected} expected at character ${this.#at} of ${this.#text.length}`)
  }
}

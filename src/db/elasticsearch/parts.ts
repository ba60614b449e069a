// Long answers taken apart without parsing them whole: the elements of the one array that matters come as texts, so that a number
// beyond 2^53 in one document costs an exact reading of that document alone. Pure.

/** What came is no answer of a search server, or half of one: it may come whole the next time. */
export class BrokenAnswer extends Error {
  override readonly name = 'BrokenAnswer'
  /** True where the server is as it should be and some of its parts are away: that takes as long as it takes. */
  readonly passes: boolean

  constructor(message: string, { passes = false } = {}) {
    super(message)
    this.passes = passes
  }
}

export interface AnswerParts {
  /** The answer with that array empty, as text. */
  readonly rest: string
  /** JSON of each object in the array. */
  readonly items: readonly string[]
}

const QUOTE = 34
const BACKSLASH = 92
const OPEN = 123
const CLOSE = 125
const CLOSE_ARRAY = 93

/**
 * Takes the first array of objects that `name` is the key of out of JSON text. In what the servers write, no text can be mistaken for
 * `"name":[`, for quotes in texts are escaped. Throws BrokenAnswer where there is none, or no end of it.
 */
export function takeArray(text: string, name: string): AnswerParts {
  const key = `"${name}":[`
  const found = text.indexOf(key)
  if (found === -1) throw new BrokenAnswer(`the answer has no ${name}`)
  const begin = found + key.length
  const items: string[] = []
  let at = begin
  for (;;) {
    const start = nextItem(text, at)
    if (start === undefined) break
    at = endOfObject(text, start)
    items.push(text.slice(start, at))
  }
  const end = text.indexOf(']', at)
  if (end === -1) throw new BrokenAnswer('the answer ends in the middle')
  return { rest: text.slice(0, begin) + text.slice(end), items }
}

export interface CutArray {
  /** The answer with that array empty, as text. */
  readonly rest: string
  /** Elements of the array with commas between them; the commas between the pieces are left out. */
  readonly pieces: readonly string[]
}

/**
 * As takeArray for the last array of the answer, which is cut into pieces of about `length` characters without looking at what is in
 * them: before every so manyth `separator`, which begins with the end of an element and a comma. Whatever else has the separator in it,
 * a piece that ends there has one bracket too few. Throws BrokenAnswer where there is no such array.
 */
export function cutArray(
  text: string,
  name: string,
  { separator, length }: { readonly separator: string; readonly length: number },
): CutArray {
  const key = `"${name}":[`
  const found = text.indexOf(key)
  const begin = found + key.length
  const end = text.lastIndexOf(']')
  if (found === -1 || end < begin) throw new BrokenAnswer(`the answer has no ${name}`)
  const pieces: string[] = []
  let at = begin
  // The last one is no shorter than the others.
  while (end - at >= 2 * length) {
    const cut = text.indexOf(separator, at + length)
    if (cut === -1 || end - cut < length) break
    pieces.push(text.slice(at, cut + 1))
    at = cut + 2
  }
  pieces.push(text.slice(at, end))
  return { rest: text.slice(0, begin) + text.slice(end), pieces }
}

/** Where the next object begins; undefined at the end of the array. */
function nextItem(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === OPEN) return at
    if (code === CLOSE_ARRAY) return undefined
  }
  throw new BrokenAnswer('the answer ends in the middle')
}

function endOfObject(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfText(text, at)
    else if (code === OPEN) depth++
    else if (code === CLOSE && --depth === 0) return at + 1
  }
  throw new BrokenAnswer('the answer ends in the middle')
}

/** Where the quote is that ends a text. */
function endOfText(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end === -1) throw new BrokenAnswer('the answer ends in the middle')
    let before = end - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((end - before) % 2 === 1) return end
  }
}

/** JSON as an object. Throws BrokenAnswer for anything else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BrokenAnswer('the answer is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BrokenAnswer('the answer is no object')
  return value as Readonly<Record<string, unknown>>
}

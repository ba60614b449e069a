// What a Waiter cluster streams while its tokens are watched: JSON objects with nothing between them, the whole index first, then
// what changes. Pure.
import { type IndexRecord, isRecord, readIndexRecord } from './answers.ts'

/** Cuts a stream of text into its JSON objects, wherever the pieces end. */
export class ObjectCutter {
  readonly #maxCharacters: number
  #text = ''
  /** How far the text was looked at. */
  #at = 0
  #depth = 0
  #isInString = false

  /** A longer object is refused. */
  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters
  }

  /** The objects that are complete with this piece. Throws SyntaxError for what is no object, or a too long one. */
  push(piece: string): readonly string[] {
    this.#text += piece
    const found: string[] = []
    let start = 0
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text.charCodeAt(this.#at)
      if (this.#isInString) {
        if (character === BACKSLASH) this.#at++
        else if (character === QUOTE) this.#isInString = false
      } else if (character === OPEN) {
        if (this.#depth++ === 0) start = this.#at
      } else if (this.#depth === 0) {
        if (!isSpace(character)) throw new SyntaxError('what is streamed is no JSON object')
        start = this.#at + 1
      } else if (character === QUOTE) this.#isInString = true
      else if (character === CLOSE && --this.#depth === 0) {
        found.push(this.#text.slice(start, this.#at + 1))
        start = this.#at + 1
      }
    }
    this.#text = this.#text.slice(start)
    this.#at -= start
    if (this.#text.length > this.#maxCharacters) {
      throw new SyntaxError(`an object of the stream is longer than ${this.#maxCharacters} characters`)
    }
    return found
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const isSpace = (character: number): boolean => character === 0x20 || (character >= 0x09 && character <= 0x0d)

export type WatchEvent =
  | { readonly type: 'index'; readonly records: readonly IndexRecord[] }
  | { readonly type: 'changes'; readonly changed: readonly IndexRecord[]; readonly gone: readonly string[] }

/** What an object of the stream says; undefined for a kind that is not known. Throws SyntaxError for what makes no sense. */
export function parseWatchEvent(text: string): WatchEvent | undefined {
  const event: unknown = JSON.parse(text)
  if (!isRecord(event)) throw new SyntaxError('an event of the stream is no object')
  const { type, object } = event
  if (type !== 'INITIAL' && type !== 'EVENTS') return undefined
  const list: unknown[] = Array.isArray(object) ? object : []
  if (!Array.isArray(object) || !list.every(isRecord)) throw new SyntaxError(`an event ${type} has no list of objects`)
  if (type === 'INITIAL') return { type: 'index', records: list.flatMap(recordIn) }
  const inside = (kind: string) =>
    list.flatMap((one) => (one['type'] === kind && isRecord(one['object']) ? [one['object']] : []))
  return {
    type: 'changes',
    changed: inside('UPDATE').flatMap(recordIn),
    gone: inside('DELETE').flatMap(({ token }) => (typeof token === 'string' ? [token] : [])),
  }
}

function recordIn(entry: Readonly<Record<string, unknown>>): readonly IndexRecord[] {
  const record = readIndexRecord(entry)
  return record === undefined ? [] : [record]
}

/** What is known of a cluster's tokens, from one stream to the next. */
export class WatchedIndex {
  #versions: Map<string, string> | undefined

  /** Takes the event in; names of the tokens that are not as they were before it, sorted. The first index changes nothing. */
  apply(event: WatchEvent): readonly string[] {
    if (event.type === 'index') return this.#replace(event.records)
    const versions = this.#versions ?? new Map<string, string>()
    this.#versions = versions
    const changed = event.changed.filter((record) => versions.get(record.token) !== versionOf(record))
    for (const record of changed) versions.set(record.token, versionOf(record))
    const gone = event.gone.filter((token) => versions.delete(token))
    return sorted([...changed.map(({ token }) => token), ...gone])
  }

  #replace(records: readonly IndexRecord[]): readonly string[] {
    const before = this.#versions
    const now = new Map(records.map((record) => [record.token, versionOf(record)]))
    this.#versions = now
    if (before === undefined) return []
    const changed = [...now].flatMap(([token, version]) => (before.get(token) === version ? [] : [token]))
    return sorted([...changed, ...[...before.keys()].filter((token) => !now.has(token))])
  }
}

const versionOf = ({ etag, deleted, lastUpdateMs }: IndexRecord): string => `${etag} ${deleted} ${lastUpdateMs}`

const sorted = (tokens: readonly string[]): readonly string[] => [...new Set(tokens)].sort()

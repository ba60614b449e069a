// The ids of a slice, to know those that were read already: 16 bytes for each uuid while nobody asks, 32 or so from then on, where a Set
// of texts takes 100. Pure.
import { tryWriteLowerUuid } from '../uuid-bytes.ts'

const FIRST_CAPACITY = 1_024
const WORDS = 4
const UUID_BYTES = 16

export class IdSet {
  /** What is no uuid in lower case. */
  readonly #others = new Set<string>()
  readonly #bytes = new Uint8Array(WORDS * 4)
  readonly #id = new Uint32Array(this.#bytes.buffer)
  /** Open addressing: four words an id, all zero where there is none. */
  #table = new Uint32Array(FIRST_CAPACITY * WORDS)
  #size = 0
  /** One uuid after the other, not looked at yet. */
  #noted = new Uint8Array(0)
  #notedLength = 0

  /** Adds one that was not added before: cheaper, as long as `add` is not called. */
  note(id: string): void {
    if (this.#notedLength === this.#noted.length) {
      const grown = new Uint8Array(Math.max(FIRST_CAPACITY, this.#noted.length * 2))
      grown.set(this.#noted)
      this.#noted = grown
    }
    if (isUuid(id, this.#noted, this.#notedLength)) this.#notedLength += UUID_BYTES
    else this.#others.add(id)
  }

  /** False for one that was added before. */
  add(id: string): boolean {
    this.#takeNoted()
    if (isUuid(id, this.#bytes, 0)) return this.#addBytes()
    if (this.#others.has(id)) return false
    this.#others.add(id)
    return true
  }

  #takeNoted(): void {
    for (let at = 0; at < this.#notedLength; at += UUID_BYTES) {
      this.#bytes.set(this.#noted.subarray(at, at + UUID_BYTES))
      this.#addBytes()
    }
    this.#notedLength = 0
    this.#noted = new Uint8Array(0)
  }

  #addBytes(): boolean {
    if (!this.#insert(this.#id)) return false
    if (++this.#size * 2 > this.#table.length / WORDS) this.#grow()
    return true
  }

  #insert(id: Uint32Array): boolean {
    const table = this.#table
    const mask = table.length / WORDS - 1
    const [a = 0, b = 0, c = 0, d = 0] = id
    for (let place = mix(a, b, c, d) & mask; ; place = (place + 1) & mask) {
      const at = place * WORDS
      if (isFree(table, at)) {
        table.set(id, at)
        return true
      }
      if (table[at] === a && table[at + 1] === b && table[at + 2] === c && table[at + 3] === d) return false
    }
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Uint32Array(old.length * 2)
    for (let at = 0; at < old.length; at += WORDS) if (!isFree(old, at)) this.#insert(old.subarray(at, at + WORDS))
  }
}

/** Writes one in lower case that is not nil, which stands for none in the table. */
function isUuid(id: string, bytes: Uint8Array, at: number): boolean {
  return tryWriteLowerUuid(id, bytes, at) && id !== NIL
}

const NIL = '00000000-0000-0000-0000-000000000000'

function isFree(table: Uint32Array, at: number): boolean {
  return table[at] === 0 && table[at + 1] === 0 && table[at + 2] === 0 && table[at + 3] === 0
}

/** Ids that somebody has counted up are spread as well as random ones. */
function mix(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

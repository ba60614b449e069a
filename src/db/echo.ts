// Which rows this run has written left to right, so that they are recognised when they come back: a Bloom filter, for a set would grow
// with the table. It may take a row for an echo that is none (1 in 10,000 at a million rows, 1 in 50 at five million), so nothing is
// decided by it: it tells `echoed` from `equal`, rows that are the same on both sides either way. Pure.
import type { Version } from './timeuuid.ts'

export interface Echo {
  add(id: string, version: Version): void
  /** True for every row that was added, and for few others. */
  has(id: string, version: Version): boolean
  /** Gives its memory back: nothing was added. */
  clear(): void
}

/** 4 MiB, a power of two. Made with the first row: most tables have nothing new. */
const BITS = 2 ** 25
/** Bits a row. */
const PROBES = 6

export function createEcho(): Echo {
  let words: Uint32Array | undefined
  return {
    add(id, version) {
      words ??= new Uint32Array(BITS / 32)
      hashRow(id, version)
      for (let probe = 0; probe < PROBES; probe++) {
        const bit = (first + Math.imul(step, probe)) & (BITS - 1)
        words[bit >>> 5] = (words[bit >>> 5] ?? 0) | (1 << (bit & 31))
      }
    },
    has(id, version) {
      if (words === undefined) return false
      hashRow(id, version)
      for (let probe = 0; probe < PROBES; probe++) {
        const bit = (first + Math.imul(step, probe)) & (BITS - 1)
        if (((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false
      }
      return true
    },
    clear() {
      words = undefined
    },
  }
}

// Of the row that was hashed last: what returns two words without an object.
let first = 0
let step = 0

/**
 * Two times 32 bits of id and version: FNV-1a by two primes, with the last steps of MurmurHash3, without which neighbouring versions have
 * neighbouring hashes.
 */
function hashRow(id: string, { high, low, tieHigh, tieLow }: Version): void {
  let [one, other] = [0x811c9dc5 | 0, 0x9747b28c | 0]
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at)
    one = Math.imul(one ^ code, 0x01000193)
    other = Math.imul(other ^ code, 0x27d4eb2f)
  }
  first = mix(mix(mix(Math.imul(one ^ high, 0x01000193) ^ low) ^ tieHigh) ^ tieLow)
  step = mix(mix(mix(Math.imul(other ^ high, 0x27d4eb2f) ^ low) ^ tieHigh) ^ tieLow) | 1
}

function mix(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return twice ^ (twice >>> 16)
}

// Tokens that were seen, by their upper halves: a Bloom filter, for a set would grow with the table. It may take one for seen that was
// not (1 in 2,000 at a million), and never the other way round. All bits of a word are next to each other, and words come nearly sorted,
// so that hardly any leaves the processor's own memory. Pure.

/** 512 bits, what a processor reads at once. */
const BLOCK_WORDS = 16
/** 4 MiB. Made with the first word: most tables are not empty. */
const BLOCK_BITS = 16
const PROBES = 4

export class TokenFilter {
  #bits: Uint32Array | undefined

  /** Adds a word of 32 bits; true when it was seen before. */
  add(word: number): boolean {
    this.#bits ??= new Uint32Array(BLOCK_WORDS << BLOCK_BITS)
    const block = (word >>> (32 - BLOCK_BITS)) * BLOCK_WORDS
    let wasThere = true
    // Nine bits a probe out of all 32: neighbours share the upper ones.
    let hash = mix(word)
    for (let probe = 0; probe < PROBES; probe++) {
      const at = block + ((hash >>> 5) & (BLOCK_WORDS - 1))
      const bit = 1 << (hash & 31)
      const bits = this.#bits[at] ?? 0
      if ((bits & bit) === 0) {
        wasThere = false
        this.#bits[at] = bits | bit
      }
      hash = probe === 2 ? mix(hash ^ 0x9e3779b9) : hash >>> 9
    }
    return wasThere
  }
}

/** The last steps of MurmurHash3. */
function mix(word: number): number {
  const once = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return twice ^ (twice >>> 16)
}

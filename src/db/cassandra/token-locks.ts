// Who reads, compares and writes rows is alone with them, in this process: others who want one of them wait, in the order in which they
// came. Rows go by the upper halves of their tokens, sorted: two that share one by chance, which is seldom, wait without need.

interface Held {
  readonly words: Int32Array
  readonly released: Promise<void>
}

export class TokenLocks {
  readonly #held = new Set<Held>()

  /** Resolves when nobody who came before has one of the words; disposing lets go. Throws the signal's reason. */
  async take(words: Int32Array, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted()
    const before = [...this.#held].filter((other) => hasCommon(words, other.words))
    const { promise, resolve } = Promise.withResolvers<void>()
    const own: Held = { words, released: promise }
    this.#held.add(own)
    const release = () => {
      this.#held.delete(own)
      resolve()
    }
    // Whoever leaves waits as well: those behind count on it.
    await Promise.all(before.map((other) => other.released))
    if (!signal.aborted) return { [Symbol.dispose]: release }
    release()
    throw signal.reason
  }
}

/** True for two sorted lists that share a number. */
function hasCommon(one: Int32Array, other: Int32Array): boolean {
  let [at, otherAt] = [0, 0]
  while (at < one.length && otherAt < other.length) {
    const difference = (one[at] ?? 0) - (other[otherAt] ?? 0)
    if (difference === 0) return true
    if (difference < 0) at++
    else otherAt++
  }
  return false
}

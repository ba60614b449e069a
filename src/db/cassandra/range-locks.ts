// Who reads, compares and writes in a range of tokens is alone in it, in this process: others whose range overlaps wait, in the order in
// which they came.

interface Held {
  readonly from: number
  readonly to: number
  readonly released: Promise<void>
}

export class RangeLocks {
  readonly #held = new Set<Held>()

  /** From and to are both part of it. Resolves when nobody who came before overlaps; disposing lets go. Throws the signal's reason. */
  async take(from: number, to: number, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted()
    const before = [...this.#held].filter((other) => other.from <= to && from <= other.to)
    const { promise, resolve } = Promise.withResolvers<void>()
    const own: Held = { from, to, released: promise }
    this.#held.add(own)
    const release = () => {
      this.#held.delete(own)
      resolve()
    }
    await Promise.all(before.map((other) => other.released))
    if (!signal.aborted) return { [Symbol.dispose]: release }
    release()
    throw signal.reason
  }
}

// Whose turn it is: so many at once, the others in the order in which they came.

/** Gives turns, at most `max` (1 or more) at a time. */
export class Turns {
  #max: number
  readonly #waiting: (() => void)[] = []
  #taken = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Resolves with the turn; disposing of it ends it. Rejects with the reason of `signal` when it aborts first. */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted()
    if (this.#taken < this.#max) this.#taken++
    else await this.#wait(signal)
    let isOver = false
    return {
      [Symbol.dispose]: () => {
        if (isOver) return
        isOver = true
        this.#next()
      },
    }
  }

  /** From now on at most `max` (1 or more): more begin at once, and with fewer those that are under way go on. */
  resize(max: number): void {
    this.#max = max
    while (this.#taken < max && this.#waiting.length > 0) {
      this.#taken++
      this.#waiting.shift()?.()
    }
  }

  /** The turn of one who ends goes to the next in the row: it is never free in between. */
  #next(): void {
    const next = this.#taken > this.#max ? undefined : this.#waiting.shift()
    if (next === undefined) this.#taken--
    else next()
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(onTurn), 1)
        reject(signal.reason)
      }
      this.#waiting.push(onTurn)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}

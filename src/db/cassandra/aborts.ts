// Leaving many promises when one signal aborts: one listener a signal, for one a promise would cost more than most requests.

export class Aborts {
  readonly #bySignal = new Map<AbortSignal, Set<(reason: unknown) => void>>()

  /** `promise`, or at once the reason of `signal` when that aborts first. */
  follow<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        promise.catch(() => undefined)
        return reject(signal.reason)
      }
      const followed = this.#followed(signal)
      followed.add(reject)
      const leave = () => {
        followed.delete(reject)
        if (followed.size === 0 && this.#bySignal.get(signal) === followed) {
          this.#bySignal.delete(signal)
          signal.removeEventListener('abort', this.#onAbort)
        }
      }
      promise.then(
        (value) => {
          leave()
          resolve(value)
        },
        (error) => {
          leave()
          reject(error)
        },
      )
    })
  }

  #followed(signal: AbortSignal): Set<(reason: unknown) => void> {
    const known = this.#bySignal.get(signal)
    if (known !== undefined) return known
    const followed = new Set<(reason: unknown) => void>()
    this.#bySignal.set(signal, followed)
    signal.addEventListener('abort', this.#onAbort, { once: true })
    return followed
  }

  readonly #onAbort = (event: Event): void => {
    const signal = event.target as AbortSignal
    const followed = this.#bySignal.get(signal)
    this.#bySignal.delete(signal)
    for (const reject of followed ?? []) reject(signal.reason)
  }
}

// A small file that may be replaced under the running process: looked at again when it is read, at most once a second.
// Kubernetes swaps a symbolic link to publish a new version, so what is compared is what the path leads to: inode, size, times.
// Calls are synchronous on purpose: a stat of a local mount costs microseconds, and a reader on a hot path stays synchronous.
import { readFileSync, statSync } from 'node:fs'
import type { Clock, Timer } from './clock.ts'

/** Longest file that is taken, in bytes: a secret or a bundle of certificates is far smaller. */
const MAX_BYTES = 1_048_576

export interface WatchedFileOptions {
  readonly path: string
  readonly clock: Clock
  /** How long a look at the file holds, in milliseconds; 1000 when left out. */
  readonly checkEveryMs?: number
  /** Says why a content cannot be used (then the last good one stays), or undefined. Must not repeat the content. */
  readonly refuse?: (content: string) => string | undefined
}

export class WatchedFile {
  readonly path: string
  readonly #clock: Clock
  readonly #checkEveryMs: number
  readonly #refuse: (content: string) => string | undefined
  #content: string
  #stamp: string
  #checkedAt: number
  #problem: string | undefined

  /** Reads the file; throws an Error that names the path and the reason when it cannot be used. */
  constructor(options: WatchedFileOptions) {
    this.path = options.path
    this.#clock = options.clock
    this.#checkEveryMs = options.checkEveryMs ?? 1_000
    this.#refuse = options.refuse ?? (() => undefined)
    this.#stamp = stampOf(this.path)
    this.#content = this.#load()
    this.#checkedAt = this.#clock.now()
  }

  /** The newest content that could be used. Never throws: see `problem`. */
  read(): string {
    const now = this.#clock.now()
    if (now - this.#checkedAt >= this.#checkEveryMs) {
      this.#checkedAt = now
      this.#look()
    }
    return this.#content
  }

  /** Why the file as it is now cannot be used, in one line; undefined when all is well. As of the last look. */
  get problem(): string | undefined {
    return this.#problem
  }

  #look(): void {
    try {
      const stamp = stampOf(this.path)
      if (stamp === this.#stamp) {
        this.#problem = undefined
        return
      }
      // The stamp is older than the content and kept only for a good one: what changes meanwhile is seen at the next look.
      this.#content = this.#load()
      this.#stamp = stamp
      this.#problem = undefined
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
    }
  }

  #load(): string {
    let content: string
    try {
      content = readFileSync(this.path, 'utf8')
    } catch (error) {
      throw unreadable(this.path, error)
    }
    const reason = this.#refuse(content)
    if (reason !== undefined) throw new Error(`file ${this.path} ${reason}`)
    return content
  }
}

/** Calls `fn` every `everyMs` until the result is disposed of. */
export function every(clock: Clock, everyMs: number, fn: () => void): Disposable {
  let timer: Timer
  const next = () => {
    timer = clock.setTimer(everyMs, () => {
      next()
      fn()
    })
  }
  next()
  return { [Symbol.dispose]: () => timer.cancel() }
}

function stampOf(path: string): string {
  let stat: ReturnType<typeof statBig>
  try {
    stat = statBig(path)
  } catch (error) {
    throw unreadable(path, error)
  }
  if (!stat.isFile()) throw new Error(`file ${path} is not a regular file`)
  if (stat.size > MAX_BYTES) throw new Error(`file ${path} is longer than ${MAX_BYTES} bytes`)
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`
}

const statBig = (path: string) => statSync(path, { bigint: true })

function unreadable(path: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  const why = { ENOENT: 'does not exist', EACCES: 'may not be read', EISDIR: 'is a directory' }[code]
  return new Error(`file ${path} ${why ?? `cannot be read (${code})`}`)
}

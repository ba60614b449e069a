// Runs that this process carries out: how to stop each, and when there is news of it.
import type { RunKind, RunRecord } from '../state/store.ts'

export class UnderWay {
  readonly run: RunRecord
  readonly stop = new AbortController()
  /** Whether it waits for its turn. */
  isWaiting = true
  readonly #ended = Promise.withResolvers<void>()
  #news = Promise.withResolvers<void>()

  constructor(run: RunRecord) {
    this.run = run
  }

  /** Resolves when its end is recorded, and nothing of it is left. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Resolves at the next news. */
  get news(): Promise<void> {
    return this.#news.promise
  }

  tell(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers<void>()
  }

  end(): void {
    this.tell()
    this.#ended.resolve()
  }
}

/** All of them, by id. */
export class RunsUnderWay {
  readonly #runs = new Map<string, UnderWay>()

  get size(): number {
    return this.#runs.size
  }

  add(run: RunRecord): UnderWay {
    const one = new UnderWay(run)
    this.#runs.set(run.id, one)
    return one
  }

  remove(one: UnderWay): void {
    this.#runs.delete(one.run.id)
    one.end()
  }

  get(id: string): UnderWay | undefined {
    return this.#runs.get(id)
  }

  count(kind: RunKind): number {
    return [...this.#runs.values()].filter(({ run }) => run.kind === kind).length
  }

  /** Stops every one, for the same reason. */
  stopAll(reason: Error): void {
    for (const { stop } of this.#runs.values()) stop.abort(reason)
  }

  /** Stops those that have not had their turn yet. */
  stopWaiting(reason: Error): void {
    for (const { isWaiting, stop } of this.#runs.values()) if (isWaiting) stop.abort(reason)
  }

  /** Resolves when there is none left. */
  async allEnded(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all([...this.#runs.values()].map(({ ended }) => ended))
  }
}

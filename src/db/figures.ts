// How far one table and direction of a run is: what it tells as it goes, and its item in the end.
import type { Clock } from '../lib/clock.ts'
import type { DbItem, DbProgress, Direction } from './contract.ts'
import { createTally, type Label } from './counts.ts'
import type { Window } from './window.ts'

/** Between two words about one table and direction, in milliseconds. */
const PROGRESS_EVERY_MS = 250

export interface FiguresOptions {
  readonly table: string
  readonly direction: Direction
  readonly window: Window
  readonly clock: Clock
  readonly onProgress: (progress: DbProgress) => void
}

export class Figures {
  readonly #options: FiguresOptions
  readonly #tally = createTally()
  #beganAt: number | undefined
  #endedAt: number | undefined
  #isDone = false
  #toldAt = Number.NEGATIVE_INFINITY
  #done = 0
  #total = 0
  #note: string | undefined

  constructor(options: FiguresOptions) {
    this.#options = options
  }

  begin(): void {
    this.#beganAt = this.#options.clock.now()
  }

  /** Tells the last of it. `isDone`: it has not ended badly. */
  end(isDone: boolean): void {
    this.#endedAt = this.#options.clock.now()
    this.#isDone = isDone
    this.#tell()
  }

  get state(): 'waiting' | 'begun' | 'done' {
    if (this.#isDone) return 'done'
    return this.#beganAt === undefined ? 'waiting' : 'begun'
  }

  /** A row of the window: see counts.ts. */
  addRow(id: string, label: Label): void {
    this.#tally.addRow(id, label)
    this.#tellNowAndThen()
  }

  /** Older versions that were read beside the newest ones. */
  addHistory(rows: number): void {
    this.#tally.add('older', rows)
  }

  /** A row that failed in an earlier run. */
  addRetried(id: string, label: Label): void {
    this.#tally.addRetried(id, label)
    this.#tellNowAndThen()
  }

  /** So many more splits there are, and so many of them are done. */
  addSplits(total: number, done: number): void {
    this.#total += total
    this.#done += done
    this.#tellNowAndThen()
  }

  finishSplit(): void {
    this.#done++
    this.#tellNowAndThen()
  }

  setNote(note: string): void {
    this.#note = note
  }

  /** Undefined before it has begun. */
  get item(): DbItem | undefined {
    if (this.#beganAt === undefined) return undefined
    const { table, direction, window, clock } = this.#options
    return {
      ...{ table, direction, window },
      ...this.#tally.counts(),
      ms: Math.round((this.#endedAt ?? clock.now()) - this.#beganAt),
      ...(this.#note !== undefined && { note: this.#note }),
    }
  }

  /** Splits done and all of them, in words. */
  get standing(): string {
    const { table, direction } = this.#options
    return `${table} ${direction}, ${this.parts}`
  }

  /** The same without their name. */
  get parts(): string {
    return `${this.#done} of ${this.#total} parts done`
  }

  #tellNowAndThen(): void {
    if (this.#options.clock.now() - this.#toldAt >= PROGRESS_EVERY_MS) this.#tell()
  }

  #tell(): void {
    const { table, direction, clock, onProgress } = this.#options
    this.#toldAt = clock.now()
    onProgress({ table, direction, ...this.#tally.counts(), done: this.#done, total: this.#total })
  }
}

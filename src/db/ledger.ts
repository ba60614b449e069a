// What is saved of one table and direction while it is carried: never more than what the target has acknowledged. A split is crossed
// out when its writer has finished; its dead letters are saved before that; the end moves when no split is left.
import type { Clock } from '../lib/clock.ts'
import { encodeMark, type Mark } from './checkpoint.ts'
import type { LetterBox } from './dead-letters.ts'
import type { Split } from './store.ts'
import type { Leg } from './windows.ts'

/** Between two checkpoints of a window, in milliseconds: a split that is done twice costs less than a write to the state for each. */
const SAVE_EVERY_MS = 250
/** A write that takes long, because the window has thousands of splits or the state is slow, is not to be most of what is done. */
const PAUSE_PER_SAVE = 10

export interface LedgerOptions {
  readonly clock: Clock
  /** As it is saved. */
  readonly mark: Mark
  /** Undefined where nothing is saved: explicit windows, dry runs, shards. */
  readonly write: ((mark: Mark) => Promise<void>) | undefined
  readonly letters: LetterBox
}

export class Ledger {
  readonly #options: LedgerOptions
  /** What the memory holds. */
  #saved: string | undefined
  /** What holds while no window is being carried. */
  #mark: Mark
  #leg: Leg | undefined
  #todo = new Map<number, Split>()
  #total = 0
  #saveAgainAt = Number.NEGATIVE_INFINITY
  #isStuck = false
  #saving: Promise<void> = Promise.resolve()

  constructor(options: LedgerOptions) {
    this.#options = options
    this.#mark = options.mark
    this.#saved = encodeMark(options.mark)
  }

  /** What it means that a failed row has found no room among the dead letters. */
  get stuckMeans(): string {
    return this.#options.write === undefined
      ? 'the others are not tried again'
      : 'the saved end stays, and the next run reads the others again'
  }

  /** Begins a window of these splits, all still to be done; `total` with those that an earlier run has done. */
  open(leg: Leg, splits: readonly Split[], total: number): void {
    if (this.#isStuck) return
    this.#leg = leg
    this.#todo = new Map(splits.entries())
    this.#total = total
  }

  /**
   * Split number `at` of the window is in the target. It stays to be done where a failed row of it has found no room among the dead
   * letters (`isKept` false).
   */
  async finishSplit(at: number, isKept: boolean): Promise<void> {
    if (isKept && !this.#isStuck) this.#todo.delete(at)
    // The last one is saved with the end.
    if (this.#todo.size > 0 && this.#options.clock.now() >= this.#saveAgainAt) await this.save()
  }

  /**
   * Closes the window. The end moves when no split of it is left; else it stays for good, for a later window would leave a gap, and the
   * next run takes up what is left.
   */
  async close(): Promise<void> {
    if (this.#todo.size > 0) this.#isStuck = true
    if (!this.#isStuck) {
      this.#mark = { ...this.#mark, endMs: this.#leg?.saveEndMs ?? this.#mark.endMs, open: undefined }
      this.#leg = undefined
    }
    await this.save()
  }

  /** Saves what is done, also of a window that stays open. */
  save(): Promise<void> {
    // Splits that finish meanwhile are among the next ones.
    this.#saveAgainAt = Number.POSITIVE_INFINITY
    const next = this.#saving.then(() => this.#save())
    // Who waits for this one hears of it; the next one tries for itself.
    this.#saving = next.catch(() => {})
    return next
  }

  async #save(): Promise<void> {
    const { clock } = this.#options
    const beganAt = clock.now()
    try {
      await this.#writeDown()
    } finally {
      const endedAt = clock.now()
      this.#saveAgainAt = endedAt + Math.max(SAVE_EVERY_MS, PAUSE_PER_SAVE * (endedAt - beganAt))
    }
  }

  async #writeDown(): Promise<void> {
    const { write, letters } = this.#options
    // What is crossed out by now has its dead letters in the box by now.
    const mark = this.#describe()
    const text = encodeMark(mark)
    await letters.save()
    if (write === undefined || text === this.#saved) return
    await write(mark)
    this.#saved = text
  }

  #describe(): Mark {
    if (this.#leg === undefined) return this.#mark
    const { endMs, sides } = this.#mark
    // A window of which nothing is done is planned anew, up to a later end.
    if (this.#todo.size === this.#total) return { endMs, sides }
    return { endMs, sides, open: { window: this.#leg.window, todo: [...this.#todo.values()], total: this.#total } }
  }
}

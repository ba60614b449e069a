// Runs that changes start, on the leader alone: what changes within a moment is one run, and what changes while a run is under way is
// one more after it.
import { type Clock, delay } from '../lib/clock.ts'
import { type Leadership, whileLeading } from '../lib/leadership.ts'
import { type Runs, RunsStopping, type Started } from './contract.ts'

export interface ChangeTriggerOptions {
  /** Calls `onChange` for every change until `signal` aborts. */
  readonly watch: (onChange: () => void, signal: AbortSignal) => void
  readonly start: () => Promise<Started>
  readonly runs: Pick<Runs, 'wait'>
  readonly leadership: Pick<Leadership, 'isLeader' | 'onChange'>
  readonly clock: Clock
  readonly onError: (error: unknown, what: string) => void
}

const GATHER_MS = 200
/** After a start that failed, in milliseconds. */
const PAUSE_MS = 5_000

/** Watches from now on while this replica leads; disposing of it ends that, not the runs. */
export function openChangeTrigger(options: ChangeTriggerOptions): Disposable {
  return whileLeading(options.leadership, () => {
    const term = new AbortController()
    const trigger = new ChangeTrigger(options, term.signal)
    options.watch(() => trigger.changed(), term.signal)
    return { [Symbol.dispose]: () => term.abort(new Error('this replica does not watch any more')) }
  })
}

class ChangeTrigger {
  readonly #options: ChangeTriggerOptions
  readonly #signal: AbortSignal
  #isDue = false
  #isWorking = false

  constructor(options: ChangeTriggerOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  changed(): void {
    this.#isDue = true
    if (this.#isWorking || this.#signal.aborted) return
    this.#isWorking = true
    void this.#work().finally(() => {
      this.#isWorking = false
    })
  }

  async #work(): Promise<void> {
    const { clock, onError } = this.#options
    try {
      while (this.#isDue) {
        await delay(clock, GATHER_MS, this.#signal)
        await this.#run()
      }
    } catch (error) {
      if (!this.#signal.aborted && !(error instanceof RunsStopping)) onError(error, 'changes of tokens')
    }
  }

  async #run(): Promise<void> {
    const { clock, start, runs, onError } = this.#options
    this.#isDue = false
    try {
      const { outcome, run } = await start()
      // What is in the way may have read the change or not: one more follows it.
      if (outcome === 'overlaps') this.#isDue = true
      await runs.wait(run.id, Number.POSITIVE_INFINITY, this.#signal)
    } catch (error) {
      if (this.#signal.aborted || error instanceof RunsStopping) throw error
      onError(error, 'changes of tokens')
      this.#isDue = true
      await delay(clock, PAUSE_MS, this.#signal)
    }
  }
}

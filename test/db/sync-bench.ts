// A pair of databases in memory, what their syncs remember, and a clock: all that outlives a run, and a way to run one.
import type {
  DbItem,
  DbProgress,
  DbSummary,
  DbSurroundings,
  DbSyncRequest,
  DeadLetter,
  Pair,
} from '../../src/db/contract.ts'
import { syncPair } from '../../src/db/sync.ts'
import { FakeClock } from '../lib/fake-clock.ts'
import { createMemory, MemoryDatabase, type MemoryStoreOptions, openMemoryStore, type Step } from './memory-store.ts'

export const NOW = Date.UTC(2026, 0, 1)

/** What may differ from run to run. */
export interface RunOptions {
  readonly step?: Step
  readonly signal?: AbortSignal
  readonly pair?: Partial<Pair>
  readonly left?: Partial<MemoryStoreOptions>
  readonly right?: Partial<MemoryStoreOptions>
}

export class SyncBench {
  readonly left = new MemoryDatabase('memory left')
  readonly right = new MemoryDatabase('memory right')
  readonly remembered = new Map<string, string>()
  readonly clock = new FakeClock(NOW)
  readonly memory = createMemory(this.remembered)
  /** Of the last run. */
  progress: DbProgress[] = []
  items: DbItem[] = []
  halfDone: DbItem[] = []
  letters: readonly DeadLetter[] | undefined
  /** What stores and memory were asked, of the last run. */
  steps: string[] = []

  pair(options: RunOptions = {}): Pair {
    const step: Step = async (what) => {
      this.steps.push(what)
      await options.step?.(what)
    }
    return {
      key: 'app',
      left: openMemoryStore(this.left, { name: 'left', step, ...options.left }),
      right: openMemoryStore(this.right, { name: 'right', step, ...options.right }),
      tables: 'all',
      policy: { versionField: 'tmstmp_uuid', onUnknownField: 'fail' },
      lagMs: 0,
      overlapMs: 0,
      ...options.pair,
    }
  }

  async run(request: Partial<DbSyncRequest> = {}, options: RunOptions = {}): Promise<DbSummary> {
    this.progress = []
    this.items = []
    this.halfDone = []
    this.letters = undefined
    this.steps = []
    const surroundings: DbSurroundings = {
      memory: createMemory(this.remembered, async (what) => {
        this.steps.push(what)
        await options.step?.(what)
      }),
      clock: this.clock,
      signal: options.signal ?? new AbortController().signal,
      onProgress: (progress) => this.progress.push(progress),
      onItem: async (item) => {
        this.items.push(item)
      },
      onHalfDone: async (item) => {
        this.halfDone.push(item)
      },
      onDeadLetters: async (letters) => {
        this.letters = letters
      },
    }
    return await syncPair(this.pair(options), { direction: 'both', dryRun: false, ...request }, surroundings)
  }

  /** The steps of the last run that were these. */
  stepsOf(what: string): readonly string[] {
    return this.steps.filter((step) => step.startsWith(what))
  }
}

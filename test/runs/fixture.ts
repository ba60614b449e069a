// Services of runs over one store, with jobs that end when the test says so, in virtual time.
import { randomUUID } from 'node:crypto'
import { createMemoryDriver, Dsync } from '../../src/dsync/index.ts'
import type { Job, JobContext, JobOutcome, StartRequest } from '../../src/runs/contract.ts'
import { createRunLocks, type RunLocks } from '../../src/runs/locks.ts'
import { createRuns, type RunService, type RunsOptions } from '../../src/runs/runs.ts'
import type { RunRecord } from '../../src/state/store.ts'
import { FakeStateStore } from '../fakes/state-store.ts'
import { FakeClock } from '../lib/fake-clock.ts'

export const DEAD_AFTER_MS = 15_000
export const LOCK_WAIT_MS = 20_000

/** A job under way. */
export interface Working extends JobContext {
  readonly request: unknown
  finish(outcome?: Partial<JobOutcome>): void
  fail(error: unknown): void
}

export interface Replica {
  readonly runs: RunService
  /** In the order in which they began. */
  readonly working: Working[]
  readonly errors: { readonly error: unknown; readonly what: string }[]
  readonly ended: string[]
  readonly forgotten: string[]
}

export class Stage {
  readonly clock = new FakeClock()
  readonly store = new FakeStateStore(this.clock)
  readonly driver = createMemoryDriver()
  readonly services: RunService[] = []

  locks(): RunLocks {
    const dsync = new Dsync(this.driver, randomUUID(), { clock: this.clock, random: () => 0.5, leaseDurationMs: 3_000 })
    return createRunLocks((name) => dsync.lock(name))
  }

  async replica(options: Partial<RunsOptions> & { readonly heeds?: boolean } = {}): Promise<Replica> {
    const { heeds = true, ...rest } = options
    const working: Working[] = []
    const errors: { error: unknown; what: string }[] = []
    const ended: string[] = []
    const forgotten: string[] = []
    const runs = await createRuns({
      store: this.store,
      jobs: [createJob(working, heeds)],
      clock: this.clock,
      random: () => 0.5,
      locks: this.locks(),
      maxConcurrent: 2,
      history: { maxRuns: 100, maxAgeMs: 86_400_000 },
      deadAfterMs: DEAD_AFTER_MS,
      lockWaitMs: LOCK_WAIT_MS,
      leadership: { isLeader: true, onChange: () => () => {} },
      takesUp: [],
      schedules: () => [],
      onError: (error, what) => errors.push({ error, what }),
      onEnded: (run, { state }) => ended.push(`${run.id} ${state}`),
      onForgotten: async (ids) => void forgotten.push(...ids),
      ...rest,
    })
    this.services.push(runs)
    return { runs, working, errors, ended, forgotten }
  }

  /** Lets time pass, and what it set off come to its end: many promises in a row. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms)
    for (let i = 0; i < 10; i++) await this.clock.advance(0)
  }

  /** Passes until the promise is settled, in steps of 10 ms. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    for (let i = 0; !isSettled; i++) {
      if (i > 100_000) throw new Error('it does not come')
      await this.clock.advance(10)
    }
    return promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store.away = undefined
    for (const service of this.services) await this.until(service.stop(0))
  }
}

function createJob(working: Working[], heeds: boolean): Job {
  return {
    kind: 'tokens',
    locksOf: (resources) => resources.map((one) => one.replace(':', '-')),
    canBeTakenUp: (request) => (request as { plan?: string }).plan === undefined,
    execute: (request, context) =>
      new Promise((resolve, reject) => {
        if (heeds) context.signal.addEventListener('abort', () => reject(context.signal.reason), { once: true })
        working.push({
          ...context,
          request,
          finish: (outcome) => resolve({ failed: false, summary: '{"ok":true}', ...outcome }),
          fail: reject,
        })
      }),
  }
}

export const request = (over: Partial<StartRequest> = {}): StartRequest => ({
  kind: 'tokens',
  trigger: 'api',
  resources: ['cluster:a', 'cluster:b'],
  request: { limit: 10 },
  dryRun: false,
  ...over,
})

export const problemOf = (run: RunRecord | undefined): unknown =>
  run?.problem === null || run === undefined ? undefined : JSON.parse(run.problem).kind

/** Leadership that tests give and take. */
export class FakeLeadership {
  readonly #listeners = new Set<() => void>()
  isLeader: boolean

  constructor(isLeader: boolean) {
    this.isLeader = isLeader
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  set(isLeader: boolean): void {
    this.isLeader = isLeader
    for (const listener of this.#listeners) listener()
  }
}

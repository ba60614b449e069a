// What the suite of stores works with: an empty place for each test, a store in it, and what makes runs and items.
import { afterEach, beforeEach, expect } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { createUuidV7 } from '../../src/lib/uuid-v7.ts'
import { openState } from '../../src/state/open.ts'
import type { Owner, RunDraft, RunEnd, RunItem, RunRecord, StateStore } from '../../src/state/store.ts'
import type { PlainStateOptions } from './state-process.ts'

/** An empty place for a store. */
export interface StateScene extends AsyncDisposable {
  readonly options: PlainStateOptions
  /** Makes the version of the tables one that is to come. No store is open. */
  raiseVersion(): Promise<void>
}

export const newId = createUuidV7(systemClock)
export const PROBLEM = '{"kind":"interrupted"}'
export const SUCCEEDED: RunEnd = { state: 'succeeded', summary: '{"ok":true}', problem: null, endedAt: 2_000 }
export const ODD = "ünï “quoted” 'single' \\back\\ 日本 🦉 é\u2028\n\t%_$1 ? -- ;"

export const item = (key: string, status = 'updated', body = `{"id":${JSON.stringify(key)}}`): RunItem => ({
  key,
  status,
  body,
})
export const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

export function openPlain(options: PlainStateOptions): Promise<StateStore> {
  return openState(options.kind === 'sqlite' ? options : { ...options, url: () => options.url })
}

/** What each test finds: all of it is made anew for each. */
export class StateBench {
  readonly openScene: () => Promise<StateScene>
  /** What to end after the test, the last one first. */
  readonly ends: (() => PromiseLike<unknown> | unknown)[] = []
  #scene: StateScene | undefined
  #store: StateStore | undefined
  #owner: Owner | undefined

  constructor(openScene: () => Promise<StateScene>) {
    this.openScene = openScene
  }

  async setUp(): Promise<void> {
    this.#scene = await this.openScene()
    this.ends.push(() => this.scene[Symbol.asyncDispose]())
    this.#store = await this.open()
    this.#owner = await this.#store.openOwner(60_000)
  }

  async tearDown(): Promise<void> {
    for (const end of this.ends.splice(0).reverse()) await end()
  }

  get scene(): StateScene {
    return this.#scene ?? expect.unreachable('only during tests')
  }

  get store(): StateStore {
    return this.#store ?? expect.unreachable('only during tests')
  }

  get owner(): Owner {
    return this.#owner ?? expect.unreachable('only during tests')
  }

  /** A store as another process has it. */
  async open(): Promise<StateStore> {
    const opened = await openPlain(this.scene.options)
    this.ends.push(() => opened[Symbol.asyncDispose]())
    return opened
  }

  draft(change: Partial<RunDraft> = {}): RunDraft {
    return {
      id: newId(),
      kind: 'tokens',
      trigger: 'api',
      resources: [`cluster:${newId()}`],
      request: '{}',
      dryRun: false,
      owner: this.owner.id,
      takesUp: null,
      createdAt: 1_000,
      ...change,
    }
  }

  async create(change: Partial<RunDraft> = {}): Promise<RunRecord> {
    const { outcome, run } = await this.store.createRun(this.draft(change))
    expect(outcome).toBe('created')
    return run
  }

  async createMany(count: number, change: Partial<RunDraft> = {}): Promise<readonly string[]> {
    const ids: string[] = []
    for (const _ of range(count)) ids.push((await this.create(change)).id)
    return ids
  }

  /** `[seq, key]` of every item of the run. */
  async seqsOf(id: string): Promise<readonly (readonly [number, string])[]> {
    return (await this.store.readItemsAfter(id, 0, 1_000)).map(({ seq, key }) => [seq, key] as const)
  }
}

export function setUpBench(openScene: () => Promise<StateScene>): StateBench {
  const bench = new StateBench(openScene)
  beforeEach(() => bench.setUp())
  afterEach(() => bench.tearDown())
  return bench
}

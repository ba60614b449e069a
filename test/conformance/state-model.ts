// Every store of the state beside a model of a few lines: whatever is asked of both, they agree.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StateStore } from '../../src/state/store.ts'
import { item, newId, type StateBench, SUCCEEDED } from './state-bench.ts'

export function describeModel(bench: StateBench): void {
  test('does what a plain model does, whatever is asked of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 40 }), async (steps) => {
        const model = new Model()
        for (const step of steps) await model.take(step, bench.store, bench.owner.id)
        for (const id of model.ids) await bench.store.endRun(id, SUCCEEDED)
        await bench.store.prune({ maxRuns: 0, endedBefore: 0 })
      }),
      { numRuns: 15 },
    )
  })
}

type Step =
  | { readonly do: 'create'; readonly resources: readonly string[]; readonly key: string | undefined }
  | { readonly do: 'change'; readonly which: number }
  | { readonly do: 'end'; readonly which: number }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'put'; readonly which: number; readonly keys: readonly string[] }

const which = fc.nat(8)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('create' as const),
    resources: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }),
    key: fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined, freq: 2 }),
  }),
  fc.record({ do: fc.constantFrom('change' as const, 'end' as const, 'cancel' as const), which }),
  fc.record({
    do: fc.constant('put' as const),
    which,
    keys: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 4 }),
  }),
)

interface ModelRun {
  readonly id: string
  readonly resources: readonly string[]
  ended: boolean
  cancelled: boolean
  progress: string | null
  seq: number
  readonly items: Map<string, number>
}

/** What the contract says, in the simplest way. */
class Model {
  readonly #runs: ModelRun[] = []
  readonly #keys = new Map<string, string>()
  #changes = 0

  get ids(): readonly string[] {
    return this.#runs.map(({ id }) => id)
  }

  /** Takes the step, in the store too, and compares what comes of it. */
  async take(step: Step, store: StateStore, owner: string): Promise<void> {
    if (step.do === 'create') return this.#create(step, store, owner)
    const run = this.#runs[step.which % Math.max(1, this.#runs.length)]
    if (run === undefined) return
    const wasOpen = !run.ended
    if (step.do === 'change') {
      const progress = String(++this.#changes)
      expect(await store.changeRun(run.id, { progress })).toBe(wasOpen)
      if (wasOpen) run.progress = progress
    } else if (step.do === 'end') {
      expect(await store.endRun(run.id, SUCCEEDED)).toBe(wasOpen)
      run.ended = true
    } else if (step.do === 'cancel') {
      run.cancelled ||= wasOpen
      expect((await store.requestCancel(run.id))?.cancelRequested).toBe(run.cancelled)
    } else {
      await store.putItems(
        run.id,
        step.keys.map((key) => item(key)),
      )
      if (wasOpen) for (const key of step.keys) run.items.set(key, ++run.seq)
    }
    await this.#compare(run, store)
  }

  async #create({ resources, key }: Extract<Step, { do: 'create' }>, store: StateStore, owner: string): Promise<void> {
    const id = newId()
    const idempotency = key === undefined ? undefined : { key: `${key} ${this.#runs[0]?.id ?? id}`, fingerprint: 'f' }
    const base = { kind: 'tokens', trigger: 'api', request: '{}', dryRun: false, takesUp: null, createdAt: 1 } as const
    const made = await store.createRun({ ...base, id, resources, owner, idempotency })
    const repeated = idempotency && this.#keys.get(idempotency.key)
    const inTheWay = this.#runs.filter((run) => !run.ended && run.resources.some((name) => resources.includes(name)))
    if (repeated !== undefined) expect([made.outcome, made.run.id]).toEqual(['repeated', repeated])
    else if (inTheWay.length > 0) {
      expect(made.outcome).toBe('overlaps')
      expect(inTheWay.map((run) => run.id)).toContain(made.run.id)
    } else {
      expect(made.outcome).toBe('created')
      this.#runs.push({ id, resources, ended: false, cancelled: false, progress: null, seq: 0, items: new Map() })
      if (idempotency) this.#keys.set(idempotency.key, id)
    }
  }

  async #compare(run: ModelRun, store: StateStore): Promise<void> {
    const expected = {
      state: run.ended ? 'succeeded' : 'queued',
      cancelRequested: run.cancelled,
      progress: run.progress,
    }
    expect(await store.getRun(run.id)).toMatchObject(expected)
    const stored = (await store.readItemsAfter(run.id, 0, 100)).map(({ key, seq }) => [key, seq])
    expect(stored).toEqual([...run.items].sort(([, a], [, b]) => a - b))
  }
}

// What every store of the state keeps, as one suite.
import { describe } from 'vitest'
import { type StateScene, setUpBench } from './state-bench.ts'
import { describeItems } from './state-items.ts'
import { describeModel } from './state-model.ts'
import { describeOwners } from './state-owners.ts'
import { describeRuns } from './state-runs.ts'

/** `openScene` gives an empty place for a store, for each test. */
export function describeStateStore(title: string, openScene: () => Promise<StateScene>): void {
  describe(title, () => {
    const bench = setUpBench(openScene)
    describeRuns(bench)
    describeItems(bench)
    describeOwners(bench)
    describeModel(bench)
  })
}

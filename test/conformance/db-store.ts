// What every store of a pair does (src/db/store.ts), as one suite.
import { describe } from 'vitest'
import { type DbTraits, setUpScene } from './db-bench.ts'
import { describeLookup } from './db-lookup.ts'
import { describeScan } from './db-scan.ts'
import { describeTables } from './db-tables.ts'
import { describeTypes } from './db-types.ts'
import { describeWriter } from './db-writer.ts'

/** One bench is opened for all tests; each test makes tables of its own. */
export function describeStore(title: string, traits: DbTraits): void {
  describe(title, () => {
    const scene = setUpScene(traits)
    describeTables(scene)
    describeScan(scene)
    describeWriter(scene)
    describeLookup(scene)
    describeTypes(scene)
  })
}

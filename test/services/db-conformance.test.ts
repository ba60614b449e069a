// The suite of the stores of a pair, over real servers; one at a time.
import { describeStore } from '../conformance/db-store.ts'
import { canBeInCassandra, heldByCassandra, openCassandraBench } from './lib/cassandra-bench.ts'
import { openSearchBench } from './lib/search-bench.ts'
import { SEARCH_RELEASES } from './lib/search-releases.ts'

describeStore('Cassandra', {
  kinds: ['latest', 'versions'],
  createsTables: false,
  isOpen: false,
  canSpoil: false,
  enough: 4_000,
  windows: 6,
  types: { runs: 15, canHave: canBeInCassandra, held: heldByCassandra },
  openBench: openCassandraBench,
})

for (const release of SEARCH_RELEASES)
  describeStore(`${release.kind} ${release.major}`, {
    kinds: ['latest'],
    createsTables: true,
    isOpen: true,
    canSpoil: true,
    enough: 22_000,
    windows: 4,
    types: { runs: 10 },
    openBench: () => openSearchBench(release),
  })

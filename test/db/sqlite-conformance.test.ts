import { describeStore } from '../conformance/db-store.ts'
import { openSqliteBench } from './sqlite-bench.ts'

const traits = {
  kinds: ['latest', 'versions'],
  createsTables: true,
  isOpen: false,
  canSpoil: true,
  enough: 800,
  windows: 12,
} as const

describeStore('SQLite with tables that a sync has made', {
  ...traits,
  types: { runs: 60 },
  openBench: () => openSqliteBench('sync'),
})

describeStore('SQLite with tables of its users', {
  ...traits,
  types: { runs: 10 },
  openBench: () => openSqliteBench('user'),
})

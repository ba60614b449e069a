import { afterAll, beforeAll } from 'vitest'
import { describeStateStore } from '../conformance/state-store.ts'
import { type Postgres, startPostgres } from './lib/postgres.ts'

let postgres: Postgres

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres[Symbol.asyncDispose]())

describeStateStore('a store in PostgreSQL', async () => {
  const url = await postgres.createDatabase()
  return {
    options: { kind: 'postgres', url, maxConnections: 4 },
    raiseVersion: async () => {
      await postgres.query(url, 'UPDATE syncer_schema_version SET version = 1000')
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
})

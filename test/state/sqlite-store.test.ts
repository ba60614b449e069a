import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeStateStore } from '../conformance/state-store.ts'

describeStateStore('a store in SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'syncer-state-'))
  const path = join(folder, 'deep', 'state.db')
  return {
    options: { kind: 'sqlite', path },
    raiseVersion: async () => {
      using database = new DatabaseSync(path)
      database.exec('UPDATE schema_version SET version = 1000')
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  }
})

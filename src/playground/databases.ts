// The playground's two SQLite files, a pair of the service: notes at a desk and in a pocket, which differ in the ways in which rows come
// to differ.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { TIMEUUID_NOW } from '../db/sqlite/schema.ts'
import { deriveTimeuuid, formatTimeuuid } from '../db/timeuuid.ts'

export interface Databases {
  /** What the two are called as a pair. */
  readonly pair: string
  /** Absolute paths. */
  readonly desk: string
  readonly pocket: string
}

interface Note {
  readonly number: number
  readonly minutesAgo: number
  readonly text: string
}

const MINUTE_MS = 60_000
const TABLE = 'CREATE TABLE notes (id TEXT PRIMARY KEY, tmstmp TEXT, text TEXT, done BOOLEAN)'

/** Makes both files in `folder`, which is absolute. `nowMs`: wall clock; all rows are older. */
export function makeDatabases(folder: string, nowMs: number): Databases {
  const files = { pair: 'notes', desk: join(folder, 'desk.db'), pocket: join(folder, 'pocket.db') }
  const both: readonly Note[] = [
    { number: 1, minutesAgo: 900, text: 'water the plants' },
    { number: 2, minutesAgo: 800, text: 'call the bank' },
  ]
  fill(files.desk, nowMs, [
    ...both,
    { number: 3, minutesAgo: 60, text: 'order paper' },
    { number: 4, minutesAgo: 50, text: 'book the room' },
    { number: 5, minutesAgo: 700, text: 'buy bread' },
  ])
  fill(files.pocket, nowMs, [
    ...both,
    { number: 5, minutesAgo: 40, text: 'buy bread and butter' },
    { number: 6, minutesAgo: 30, text: 'a song that was on the radio' },
  ])
  return files
}

function fill(path: string, nowMs: number, notes: readonly Note[]): void {
  const database = new DatabaseSync(path)
  try {
    // As the tables have it that a sync makes: whoever writes by hand needs a version.
    database.exec(`${TABLE}; CREATE VIEW syncer_now AS ${TIMEUUID_NOW}`)
    const insert = database.prepare('INSERT INTO notes (id, tmstmp, text, done) VALUES (?, ?, ?, 0)')
    for (const { number, minutesAgo, text } of notes) {
      const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
      const hash = createHash('sha256').update(id).digest()
      const version = deriveTimeuuid(Math.floor(nowMs - minutesAgo * MINUTE_MS), hash)
      insert.run(id, formatTimeuuid(version), text)
    }
  } finally {
    database.close()
  }
}

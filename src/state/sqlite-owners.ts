// Which processes that carry out runs are alive, as the operating system knows it: each holds a lock on a file of its own beside the
// state file, `state.db.owner-ID`, and the lock dies with the process, however it dies. Whoever can take the lock has found a dead one.
// Everything here happens within a write transaction of the state file: so no two processes make, try or remove these files at once.
import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFile, resultCode } from './sqlite-database.ts'
import { StateUnusable } from './store.ts'

const BUSY = 5
/** Whatever else is called so is none of ours, and is not touched. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A lock that this process holds. */
export interface OwnerLock extends Disposable {
  readonly id: string
}

/** Makes the file of this owner and locks it. Throws StateUnusable. */
export function lockOwner(statePath: string, id: string): OwnerLock {
  const path = fileOf(statePath, id)
  makeFile(path)
  const database = tryLock(path)
  if (database === undefined) throw new StateUnusable(`state file ${statePath}: ${path} is locked already`)
  return {
    id,
    [Symbol.dispose]: () => {
      if (!database.isOpen) return
      database.close()
      rmSync(path, { force: true })
    },
  }
}

/** Ids of the owners whose process lives. The files of the others are removed. */
export function findLiving(statePath: string): readonly string[] {
  const prefix = basename(fileOf(statePath, ''))
  const ids = readdirSync(dirname(statePath))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((id) => UUID.test(id))
  return ids.filter((id) => {
    const path = fileOf(statePath, id)
    const database = tryLock(path)
    if (database === undefined) return true
    database.close()
    rmSync(path, { force: true })
    return false
  })
}

const fileOf = (statePath: string, id: string): string => join(dirname(statePath), `${basename(statePath)}.owner-${id}`)

/** The connection that holds the lock until it is closed; undefined when another one holds it. */
function tryLock(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    // Nothing is written: no journal beside it either.
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if (resultCode(error) === BUSY) return undefined
    throw error
  }
}

// One connection to the SQLite file: opened with care and brought to the newest version. Everything here waits where it stands, for the
// disk and for other processes: it belongs into a thread of its own. What is committed survives a kill and a power cut.
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { Row } from './rows.ts'
import { SQLITE_MIGRATIONS } from './sqlite-migrations.ts'
import { StateUnavailable, StateUnusable } from './store.ts'
import { requireKnownVersion } from './version.ts'

/** Longest that another process may keep the file locked, in milliseconds. */
const LOCKED_MS = 5_000
const TRY_AGAIN_MS = 20
/** In the head of every file of ours: "Sync". */
const APPLICATION_ID = 0x53796e63

/** Result codes of SQLite, https://www.sqlite.org/rescode.html: the low byte says what, the rest says more. */
const BUSY = 5
const UNUSABLE: Readonly<Record<number, string>> = {
  3: 'may not be read and written',
  8: 'may not be written',
  11: 'is damaged',
  14: 'cannot be opened',
  26: 'is no SQLite database',
}
/** I/O error, disk full. */
const UNAVAILABLE = [10, 13]

/** The file as the functions of a transaction see it. */
export interface SqliteConnection {
  /** Changes rows, and says how many. */
  run(sql: string, ...values: SQLInputValue[]): number
  get(sql: string, ...values: SQLInputValue[]): Row | undefined
  all(sql: string, ...values: SQLInputValue[]): Row[]
}

export class SqliteDatabase {
  readonly path: string
  readonly #database: DatabaseSync
  readonly #file: string
  readonly #statements = new Map<string, StatementSync>()
  readonly #connection: SqliteConnection = {
    run: (sql, ...values) => Number(this.#prepare(sql).run(...values).changes),
    get: (sql, ...values) => this.#prepare(sql).get(...values),
    all: (sql, ...values) => this.#prepare(sql).all(...values),
  }

  /** Makes the file (only its owner may read it) and its folder when they are missing. Throws StateUnusable. */
  constructor(path: string) {
    this.path = path
    makeFile(path)
    this.#database = openDatabase(path)
    this.#file = identify(path)
    try {
      this.#explaining(() => this.#prepareFile())
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Reads in one go. Throws StateUnavailable. */
  read<T>(fn: (connection: SqliteConnection) => T): T {
    return this.#explaining(() => fn(this.#connection))
  }

  /** Carries out `fn` in one transaction: all of it or nothing. Throws StateUnavailable. */
  write<T>(fn: (connection: SqliteConnection) => T): T {
    return this.#explaining(() => this.#transact(fn))
  }

  /** Throws StateUnavailable when the file is gone, or another one: SQLite would go on with what nobody finds again. */
  requireFile(): void {
    if (identify(this.path) === this.#file) return
    throw new StateUnavailable(
      `state file ${this.path}: was removed or replaced while it was open; start the service again`,
    )
  }

  /** Closing it twice does nothing. */
  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #prepareFile(): void {
    // Before anything is changed: it may be the file of something else.
    this.#transact(() => this.#readVersion())
    this.#useWriteAheadLog()
    this.#database.exec('PRAGMA synchronous = FULL')
    this.#transact(() => this.#migrate())
  }

  /** SQLite does not wait for others here, as it does everywhere else. */
  #useWriteAheadLog(): void {
    for (let waitedMs = 0; ; waitedMs += TRY_AGAIN_MS) {
      try {
        this.#database.exec('PRAGMA journal_mode = WAL')
        return
      } catch (error) {
        if (resultCode(error) !== BUSY || waitedMs >= LOCKED_MS) throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_AGAIN_MS)
      }
    }
  }

  /** 0 for a new file. */
  #readVersion(): number {
    const isOurs = this.#connection.get('PRAGMA application_id')?.['application_id'] === APPLICATION_ID
    const isEmpty = this.#connection.get('SELECT 1 FROM sqlite_schema LIMIT 1') === undefined
    if (!isOurs && !isEmpty) throw new StateUnusable(`state file ${this.path}: is a SQLite database of something else`)
    if (!isOurs) return 0
    const version = Number(this.#connection.get('SELECT version FROM schema_version')?.['version'])
    requireKnownVersion(`state file ${this.path}`, version, SQLITE_MIGRATIONS.length)
    return version
  }

  #migrate(): void {
    const version = this.#readVersion()
    if (version === 0) {
      this.#database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
      this.#database.exec('CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT')
      this.#database.exec('INSERT INTO schema_version VALUES (0)')
    }
    for (const step of SQLITE_MIGRATIONS.slice(version)) this.#database.exec(step)
    this.#connection.run('UPDATE schema_version SET version = ?', SQLITE_MIGRATIONS.length)
  }

  #transact<T>(fn: (connection: SqliteConnection) => T): T {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = fn(this.#connection)
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      // Some errors end the transaction by themselves.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #explaining<T>(fn: () => T): T {
    try {
      return fn()
    } catch (error) {
      const code = resultCode(error)
      const store = `state file ${this.path}`
      if (code === BUSY) {
        const told = `${store}: another process has kept it locked for ${LOCKED_MS / 1_000} s`
        throw new StateUnavailable(told, { cause: error })
      }
      if (code !== undefined && UNUSABLE[code] !== undefined)
        throw new StateUnusable(`${store}: ${UNUSABLE[code]}`, { cause: error })
      if (code !== undefined && UNAVAILABLE.includes(code)) {
        throw new StateUnavailable(`${store}: ${error instanceof Error ? error.message : ''}`, { cause: error })
      }
      throw error
    }
  }
}

/** The result code of SQLite without its details; undefined for errors that are not its own. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return Number(error.errcode) & 0xff
}

/** Made before SQLite opens it, so that nobody else can read it for a moment; SQLite gives its other files the same mode. */
export function makeFile(path: string): void {
  const refuse = (error: unknown): never => {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new StateUnusable(`state file ${path}: cannot be made (${why})`, { cause: error })
  }
  try {
    makeFolder(dirname(path))
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    // It is not opened again: to close a file lets go of every lock that this process has on it.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) refuse(error)
  }
}

/** Not by `recursive` of Node: that never ends where a folder that is there makes none and says ENOENT, as /proc does. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Somebody else has made it meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** Which file it is, whatever it is called; empty when there is none. */
function identify(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? '' : `${stats.dev} ${stats.ino}`
}

function openDatabase(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: LOCKED_MS, enableForeignKeyConstraints: true })
  } catch (error) {
    const why = UNUSABLE[resultCode(error) ?? 14] ?? (error instanceof Error ? error.message : String(error))
    throw new StateUnusable(`state file ${path}: ${why}`, { cause: error })
  }
}

// The SQLite file: opened when it is first needed, and again and again tried while other processes keep it locked. SQLite works in this
// thread: whoever asks for something asks for little at a time and lets the event loop turn in between (nextTurn).
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { type BackoffLimits, backoffMs } from '../../lib/backoff.ts'
import { delay } from '../../lib/clock.ts'
import { Outage, type OutageOptions } from '../outage.ts'
import { StoreFailed } from '../store.ts'

/** A row of an answer, by the order of its columns; integers are bigint. */
export type Cells = readonly SQLOutputValue[]

export interface FileOptions extends OutageOptions {
  readonly path: string
  /** Gives [0, 1). */
  readonly random: () => number
}

/** The file as what happens in a transaction sees it. */
export interface Connection {
  run(sql: string, ...values: SQLInputValue[]): void
  get(sql: string, ...values: SQLInputValue[]): Cells | undefined
  /** One row after the other; leaving early is fine, another statement of the same text meanwhile is not. */
  iterate(sql: string, ...values: SQLInputValue[]): Iterable<Cells>
}

/** Result codes of SQLite, https://www.sqlite.org/rescode.html: the low byte says what, the rest says more. */
const BUSY: readonly unknown[] = [5, 6]
/** What one row brings about, and no other: too big, a constraint, a type that the column does not take. */
const OF_ONE_ROW: readonly unknown[] = [18, 19, 20]
const MEANINGS: ReadonlyMap<unknown, string> = new Map([
  [3, 'may not be read and written'],
  [8, 'may not be written'],
  [11, 'is damaged'],
  [14, 'cannot be opened'],
  [26, 'is no SQLite database'],
])
const RETRY: BackoffLimits = { baseMs: 20, capMs: 500 }

export class SqliteFile {
  readonly path: string
  readonly #options: FileOptions
  readonly #outage: Outage
  readonly #statements = new Map<string, StatementSync>()
  readonly #connection: Connection = {
    run: (sql, ...values) => void this.#prepare(sql).run(...values),
    get: (sql, ...values) => this.#prepare(sql).get(...values) as Cells | undefined,
    iterate: (sql, ...values) => this.#prepare(sql).iterate(...values) as Iterable<unknown> as Iterable<Cells>,
  }
  #database: DatabaseSync | undefined
  #isClosed = false

  constructor(options: FileOptions) {
    this.path = options.path
    this.#options = options
    this.#outage = new Outage(this.#name, options)
  }

  /**
   * What `fn` reads in one transaction; it may be called again. `missing` where there is no file. Throws StoreFailed, what `fn` throws,
   * and the reason of the signal.
   */
  read<T>(signal: AbortSignal, fn: (connection: Connection) => T, missing: T): Promise<T> {
    return this.#tryAgain(signal, () => {
      const database = this.#open('existing')
      return database === undefined ? missing : this.#transact(database, 'BEGIN', fn)
    })
  }

  /** Carries out `fn` in one transaction, all of it or nothing; it may be called again. Throws as read, also where there is no file. */
  write<T>(signal: AbortSignal, fn: (connection: Connection) => T): Promise<T> {
    return this.#tryAgain(signal, () => {
      const database = this.#open('existing')
      if (database === undefined) throw new StoreFailed(`${this.#name}: the file is not there`)
      return this.#transact(database, 'BEGIN IMMEDIATE', fn)
    })
  }

  /** As write; makes the file where it is missing. */
  create<T>(signal: AbortSignal, fn: (connection: Connection) => T): Promise<T> {
    return this.#tryAgain(signal, () => {
      const database = this.#open('new')
      // Readers and writers do not wait for one another then; a file that is somebody's stays as it is.
      if (database.prepare('PRAGMA page_count').get()?.['page_count'] === 0) database.exec('PRAGMA journal_mode = WAL')
      return this.#transact(database, 'BEGIN IMMEDIATE', fn)
    })
  }

  /** Closing it twice does nothing. */
  close(): void {
    this.#isClosed = true
    this.#statements.clear()
    if (this.#database?.isOpen === true) this.#database.close()
  }

  get #name(): string {
    return `sqlite ${this.path}`
  }

  #open(which: 'new'): DatabaseSync
  #open(which: 'existing' | 'new'): DatabaseSync | undefined
  #open(which: 'existing' | 'new'): DatabaseSync | undefined {
    if (this.#isClosed) throw new StoreFailed(`${this.#name}: is closed`)
    if (this.#database !== undefined) return this.#database
    if (statSync(dirname(this.path), { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new StoreFailed(`${this.#name}: the folder ${dirname(this.path)} is not there`)
    if (which === 'existing' && statSync(this.path, { throwIfNoEntry: false }) === undefined) return undefined
    // A sync brings rows in any order: what they refer to may come later. That is SQLite's own default, and not Node's.
    const database = new DatabaseSync(this.path, { timeout: 0, enableForeignKeyConstraints: false })
    try {
      database.exec('PRAGMA synchronous = FULL')
      // Only now it is read.
      database.exec('SELECT 1 FROM sqlite_schema')
    } catch (error) {
      database.close()
      throw error
    }
    this.#database = database
    return database
  }

  #transact<T>(database: DatabaseSync, begin: string, fn: (connection: Connection) => T): T {
    database.exec(begin)
    try {
      const result = fn(this.#connection)
      database.exec('COMMIT')
      return result
    } catch (error) {
      // Some errors end the transaction by themselves.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  async #tryAgain<T>(signal: AbortSignal, fn: () => T): Promise<T> {
    const { clock, random, retryForMs } = this.#options
    const startedAt = clock.now()
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      try {
        const result = fn()
        this.#outage.worked()
        return result
      } catch (error) {
        const code = resultCode(error)
        if (code === undefined) throw error
        if (!BUSY.includes(code)) throw this.#explain(code, error)
        if (clock.now() - startedAt >= retryForMs) {
          const told = `${this.#name}: another process has kept it locked for ${retryForMs / 1_000} s`
          throw new StoreFailed(told, { cause: error })
        }
        this.#outage.failed('another process keeps it locked')
      }
      await delay(clock, backoffMs(attempt, RETRY, random), signal)
    }
  }

  #explain(code: number, error: unknown): StoreFailed {
    const why = MEANINGS.get(code) ?? (error instanceof Error ? error.message : String(error))
    return new StoreFailed(`${this.#name}: ${why}`, { cause: error })
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#open('new').prepare(sql)
    statement.setReadBigInts(true)
    statement.setReturnArrays(true)
    this.#statements.set(sql, statement)
    return statement
  }
}

/** True for what SQLite says of one row that it does not take, while the transaction goes on. */
export function isOfOneRow(error: unknown): error is Error {
  return OF_ONE_ROW.includes(resultCode(error))
}

/** The result code of SQLite without its details; undefined for errors that are not its own. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return Number(error.errcode) & 0xff
}

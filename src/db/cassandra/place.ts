// One table of one cluster: what all that read and write it share.
import type { Table } from '../table.ts'
import { isMissingTable, isRefusal } from './failure.ts'
import { createExecute, type Page } from './frames.ts'
import { readAllPages } from './pages.ts'
import { storeFailed } from './retry.ts'
import type { TableTraits } from './schema.ts'
import type { Prepared, Session } from './session.ts'
import { createStatements, type Statements } from './statements.ts'
import type { TokenLocks } from './token-locks.ts'

export interface TableOptions {
  readonly session: Session
  readonly keyspace: string
  readonly table: Table
  /** Reads the schema where it is not known yet. */
  readonly readTraits: (signal: AbortSignal) => Promise<TableTraits>
  /** Of this table, among all writers of this process. */
  readonly locks: TokenLocks
}

export class TablePlace {
  readonly session: Session
  readonly table: Table
  readonly locks: TokenLocks
  readonly #options: TableOptions
  #statements: { readonly all: Statements; readonly some: Statements } | undefined

  constructor(options: TableOptions) {
    this.session = options.session
    this.table = options.table
    this.locks = options.locks
    this.#options = options
  }

  traits(signal: AbortSignal): Promise<TableTraits> {
    return this.#options.readTraits(signal)
  }

  /** Throws StoreFailed and the reason of the signal. */
  async statements(signal: AbortSignal): Promise<Statements> {
    return (await this.#createStatements(signal)).all
  }

  /** Throws StoreFailed and the reason of the signal. */
  async prepare(name: keyof Statements, signal: AbortSignal): Promise<Prepared> {
    const { all, some } = await this.#createStatements(signal)
    try {
      return await this.session.prepare(all[name], signal)
    } catch (error) {
      if (all[name] === some[name] || !(error instanceof Error) || !isRefusal(error.cause)) throw error
      // No MAXWRITETIME before Cassandra 5: what was written to single elements of a collection is not known there.
      return await this.session.prepare(some[name], signal)
    }
  }

  /** As `prepare`; undefined where the table is not there, which is no failure to those who only look. */
  async prepareIfThere(name: keyof Statements, signal: AbortSignal): Promise<Prepared | undefined> {
    try {
      return await this.prepare(name, signal)
    } catch (error) {
      if (isMissingTable(error)) return undefined
      throw error
    }
  }

  /** All pages that a prepared statement gives, without asking for pages. Throws StoreFailed and the reason of the signal. */
  async ask(statement: Prepared, values: readonly Uint8Array[], signal: AbortSignal): Promise<readonly Page[]> {
    const { consistency } = this.session.options
    return await readAllPages((pagingState) => {
      const frame = createExecute(statement.id, { consistency, values, pagingState })
      return this.session.request(frame, signal, `look up rows of table ${this.table.name}`, statement)
    })
  }

  /** What is thrown in place of `error` when it was wanted to do `what` with the table: refusals come from the servers as they are. */
  failure(error: unknown, what: string): unknown {
    return isRefusal(error) ? storeFailed(this.session.options.name, `${what} table ${this.table.name}`, error) : error
  }

  async #createStatements(signal: AbortSignal): Promise<{ readonly all: Statements; readonly some: Statements }> {
    const { keyspace, table } = this.#options
    const { newestFirst } = await this.traits(signal)
    const place = { keyspace, table, newestFirst }
    this.#statements ??= { all: createStatements(place, 'all'), some: createStatements(place, 'single-cell') }
    return this.#statements
  }
}

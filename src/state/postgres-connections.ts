// The connections to the database: a pool, deadlines, and what a broken one means. What failed because its connection was an old one
// that had broken unnoticed is tried again on a fresh one, where doing it twice does no harm.
import { Client, type ClientBase, type ClientConfig, Pool, type PoolClient, type QueryResultRow } from 'pg'
import { type PostgresTls, readAddress } from './postgres-address.ts'
import { StateUnavailable, StateUnusable } from './store.ts'

export interface PostgresOptions {
  /** Asked for at each new connection: it may change. */
  readonly url: () => string
  readonly tls?: PostgresTls | undefined
  /** At least 2. */
  readonly maxConnections: number
}

/** Longest waits for a connection, for a lock, for a statement, for its answer, and within a transaction, in milliseconds. */
const LIMITS = {
  connectionTimeoutMillis: 4_000,
  lock_timeout: 4_000,
  statement_timeout: 6_000,
  query_timeout: 8_000,
  // A process that is frozen in the middle of a transaction must not keep the others from theirs.
  idle_in_transaction_session_timeout: 5_000,
} as const
/** A connection that is not used is closed after this, before a firewall forgets it. */
const IDLE_MS = 10_000

/** Conditions that pass, by SQLSTATE or its class: connection, resources, an operator's intervention, locks, a server that is no primary yet. */
const PASSING = /^(?:08|53|57|58|40001|40P01|55P03|25006|25P03)/
/** The connection is gone: it was ended by the server, or by the time-out of a transaction. */
const BROKEN = /^(?:08|57P0[1-5]|25P03)/
/** What the driver says without a code. */
const SAID_WHEN_BROKEN = /^(?:Connection terminated|Client has encountered a connection error|Client was closed)/
/** Nothing came within `query_timeout`: whether the database is silent or the connection, another one would cost as much time. */
const SAID_WHEN_SILENT = /^Query read timeout/

export type Rows = readonly QueryResultRow[]
/** Runs one statement. */
export type Query = (sql: string, values?: readonly unknown[]) => Promise<Rows>

export class PostgresConnections implements AsyncDisposable {
  /** What messages call the database. */
  readonly name: string
  readonly #pool: Pool
  /** Connections that were used before: that one of those is broken says nothing about the database. */
  readonly #used = new WeakSet<ClientBase>()
  readonly #underWay = new Set<Promise<unknown>>()
  #isClosed = false

  /** Opens no connection yet. Throws StateUnusable for an address that is none. */
  constructor({ url, tls, maxConnections }: PostgresOptions) {
    let { name, config } = readAddress(url(), tls)
    this.name = name
    const readConfig = (): ClientConfig => {
      try {
        ;({ config } = readAddress(url(), tls))
      } catch {
        // What the file holds now is no address: the last one that was stays, as with every secret. The pool cannot be told.
      }
      return { application_name: 'syncer', ...config, ...LIMITS, keepAlive: true }
    }
    this.#pool = new Pool({
      max: maxConnections,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: LIMITS.connectionTimeoutMillis,
      Client: class extends Client {
        constructor() {
          super(readConfig())
        }
      },
    })
    // An idle connection broke: the pool has let go of it, and the next one who asks gets another.
    this.#pool.on('error', () => undefined)
  }

  /** What was asked for before is carried out first: the pool would forget those who wait for a connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#underWay)
    if (!this.#pool.ending) await this.#pool.end()
  }

  /**
   * Gives `fn` a connection. It is called again, on another connection, when the first one breaks: what it does may be done twice.
   * Throws StateUnavailable when the database does not answer.
   */
  repeatably<T>(fn: (query: Query) => Promise<T>): Promise<T> {
    return this.#track(async () => {
      let freshBroke = false
      for (;;) {
        try {
          return await this.#use(fn)
        } catch (error) {
          if (!(error instanceof BrokenConnection) || error.wasSilent || (error.wasFresh && freshBroke)) throw error
          freshBroke ||= error.wasFresh
        }
      }
    })
  }

  /** As `repeatably`, and all of it or nothing. */
  transaction<T>(fn: (query: Query) => Promise<T>): Promise<T> {
    return this.repeatably((query) => transact(query, fn))
  }

  /** A transaction that is not tried again: whoever asks for it must see what it did. */
  transactionOnce<T>(fn: (query: Query) => Promise<T>): Promise<T> {
    return this.#track(() => this.#use((query) => transact(query, fn)))
  }

  async #track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new StateUnavailable(`${this.name}: is closed`)
    const working = work()
    this.#underWay.add(working)
    try {
      return await working
    } finally {
      this.#underWay.delete(working)
    }
  }

  async #use<T>(fn: (query: Query) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    const wasFresh = !this.#used.has(client)
    this.#used.add(client)
    // Without a listener an error between two statements would end the process; the next statement fails with it.
    const onError = () => undefined
    client.on('error', onError)
    let failure: Error | undefined
    try {
      return await fn(async (sql, values = []) => (await client.query(sql, [...values])).rows)
    } catch (error) {
      failure = this.#explain(error, wasFresh)
      throw failure
    } finally {
      client.off('error', onError)
      client.release(failure instanceof BrokenConnection)
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect()
    } catch (error) {
      throw new StateUnavailable(`${this.name}: ${reasonOf(error)}`, { cause: error })
    }
  }

  #explain(error: unknown, wasFresh: boolean): Error {
    if (!(error instanceof Error)) return new Error(String(error))
    const wasSilent = isSilent(error)
    if (wasSilent || isBroken(error)) {
      const told = `${this.name}: ${wasSilent ? 'does not answer' : reasonOf(error)}`
      return new BrokenConnection(told, { wasFresh, wasSilent, cause: error })
    }
    const code = 'code' in error ? String(error.code) : ''
    return PASSING.test(code) ? new StateUnavailable(`${this.name}: ${reasonOf(error)}`, { cause: error }) : error
  }
}

/** What becomes of it is known to nobody but the database. */
class BrokenConnection extends StateUnavailable {
  /** It was used for the first time. */
  readonly wasFresh: boolean
  readonly wasSilent: boolean

  constructor(
    message: string,
    how: { readonly wasFresh: boolean; readonly wasSilent: boolean; readonly cause: Error },
  ) {
    super(message, { cause: how.cause })
    this.wasFresh = how.wasFresh
    this.wasSilent = how.wasSilent
  }
}

/** A database that does not answer when the service starts is unavailable; one that refuses us will go on to. */
export function explainOpening(error: unknown, name: string): unknown {
  const cause = error instanceof StateUnavailable ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return /^(?:28|3D|3F|42501)/.test(code) ? new StateUnusable(`${name}: ${reasonOf(cause)}`, { cause }) : error
}

async function transact<T>(query: Query, fn: (query: Query) => Promise<T>): Promise<T> {
  await query('BEGIN ISOLATION LEVEL READ COMMITTED')
  try {
    const result = await fn(query)
    await query('COMMIT')
    return result
  } catch (error) {
    // A connection that is gone rolls back by itself, and a silent one would be waited for once more. The first error tells what is wrong.
    if (!(error instanceof Error && (isSilent(error) || isBroken(error))))
      await query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

const isSilent = (error: Error): boolean => SAID_WHEN_SILENT.test(error.message)

function isBroken(error: Error): boolean {
  if ('syscall' in error) return true
  const code = 'code' in error ? String(error.code) : ''
  return BROKEN.test(code) || (code === '' && SAID_WHEN_BROKEN.test(error.message))
}

/** A name with several addresses fails with several errors, and an empty message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join(', ')
  return error instanceof Error ? error.message : String(error)
}

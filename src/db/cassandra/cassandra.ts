// Cassandra as a store. Everything goes over connections of our own to the contact points, in the native protocol, version 4: session.ts
// has them, schema.ts says what tables there are, scan.ts, lookup.ts and writer.ts what is done with one.
import type { Clock } from '../../lib/clock.ts'
import type { PairPolicy, Store, StoreTable, TableFacts } from '../store.ts'
import { type Table, TableRefusedError } from '../table.ts'
import { RowEncoder } from './chunk.ts'
import type { ConnectionTls, Credentials } from './connection.ts'
import { formatContactPoints, parseContactPoint } from './contact-points.ts'
import type { Consistency } from './frames.ts'
import { HeldReader } from './held.ts'
import { findRows, removeRows } from './lookup.ts'
import { TablePlace } from './place.ts'
import { formatSplit, partOfRing } from './ring.ts'
import { RowReader } from './row-reader.ts'
import { TableScanner } from './scan.ts'
import { type KeyspaceSchema, readSchema, type TableTraits } from './schema.ts'
import { Session } from './session.ts'
import { createTableStatement } from './statements.ts'
import { TokenLocks } from './token-locks.ts'
import { WritePace } from './write-pace.ts'
import { TableWriter } from './writer.ts'

export interface CassandraStoreOptions {
  /** `host`, `host:port` or `[address]:port`; 9042 where no port is given. Nothing else is ever dialled. */
  readonly contactPoints: readonly string[]
  /** That of the first contact point that answers when left out; contact points elsewhere are not used. */
  readonly localDataCenter?: string | undefined
  readonly keyspace: string
  /** Asked for at each new connection where the servers want them. */
  readonly credentials?: (() => Promise<Credentials>) | undefined
  readonly tls?: ConnectionTls | undefined
  readonly policy: PairPolicy
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  /** How long what fails is tried again, in milliseconds. */
  readonly retryForMs: number
  /** How long an answer is waited for, in milliseconds: rather more than the servers' own time-outs, which tell more. */
  readonly requestTimeoutMs: number
  /** Of reads and writes; LOCAL_QUORUM when left out. */
  readonly consistency?: Consistency | undefined
  /** Told when no request has succeeded for a while, and when one does again. */
  readonly onAway?: ((message: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Connects to the first contact point that answers. Throws StoreFailed, RangeError for a contact point that is none, and the reason of
 * the signal.
 */
export async function openCassandraStore(options: CassandraStoreOptions): Promise<Store> {
  const { keyspace, clock, random, retryForMs, requestTimeoutMs, localDataCenter, credentials, tls, onAway } = options
  const contactPoints = options.contactPoints.map(parseContactPoint)
  const address = `cassandra ${formatContactPoints(contactPoints)}/${keyspace}`
  const session = new Session({
    ...{ name: address, contactPoints, localDataCenter, credentials, tls, clock, random, retryForMs, requestTimeoutMs },
    onAway,
    consistency: options.consistency ?? 'LOCAL_QUORUM',
  })
  try {
    await session.connect(options.signal ?? new AbortController().signal)
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
  return new CassandraStore(session, address, options)
}

class CassandraStore implements Store {
  readonly kind = 'cassandra'
  readonly address: string
  readonly #session: Session
  readonly #options: CassandraStoreOptions
  readonly #pace: WritePace
  readonly #locks = new Map<string, TokenLocks>()
  #schema: KeyspaceSchema | undefined

  constructor(session: Session, address: string, options: CassandraStoreOptions) {
    this.#session = session
    this.address = address
    this.#options = options
    this.#pace = new WritePace(options.clock)
  }

  async describeTables(
    names: readonly string[] | 'all',
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, TableFacts>> {
    return (await this.#readSchema(names, signal)).facts
  }

  async createTable(table: Table): Promise<void> {
    const statement = createTableStatement(this.#options.keyspace, table)
    throw new TableRefusedError(table.name, `${this.address} does not have it; make it there first: ${statement}`)
  }

  openTable(table: Table): StoreTable {
    const { keyspace } = this.#options
    const readTraits = (signal: AbortSignal) => this.#readTraits(table.name, signal)
    const locks = this.#locksOf(table.name)
    return openTable(new TablePlace({ session: this.#session, keyspace, table, readTraits, locks }), this.#pace)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]()
  }

  async #readSchema(names: readonly string[] | 'all', signal: AbortSignal): Promise<KeyspaceSchema> {
    const { keyspace, policy } = this.#options
    this.#schema = await readSchema(this.#session, keyspace, names, policy.versionField, signal)
    return this.#schema
  }

  async #readTraits(name: string, signal: AbortSignal): Promise<TableTraits> {
    const known = this.#schema?.traits.get(name)
    if (known !== undefined) return known
    // One that is missing is missed by whoever reads or writes it.
    return (await this.#readSchema([], signal)).traits.get(name) ?? { newestFirst: false, hasTimeIndex: false }
  }

  #locksOf(name: string): TokenLocks {
    const known = this.#locks.get(name)
    if (known !== undefined) return known
    const locks = new TokenLocks()
    this.#locks.set(name, locks)
    return locks
  }
}

function openTable(place: TablePlace, pace: WritePace): StoreTable {
  const { table } = place
  const scanner = new TableScanner(place)
  const reader = new RowReader(table)
  const encoder = new RowEncoder(table)
  const held = new HeldReader(place)
  return {
    table,
    plan: (window, { atLeast = 1, signal }) => scanner.plan(window, atLeast, signal),
    shard: (window, index, of) =>
      window.beginMs >= window.endMs ? [] : [formatSplit({ access: 'all', range: partOfRing(index, of) })],
    scan: (split, window, signal) => scanner.scan(split, window, signal),
    openWriter: (options) => new TableWriter({ place, encoder, held, pace }, options),
    find: (ids, signal) => findRows(place, reader, ids, signal),
    remove: (rows, signal) => removeRows({ place, held, pace }, rows, signal),
  }
}

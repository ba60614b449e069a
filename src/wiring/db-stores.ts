// The sides of a pair as the configuration has them: each opened for one run, with its secrets and its TLS. Each kind of store is
// loaded only when a pair has one.
import type { Env } from '../config/load.ts'
import type { SideConfig } from '../config/schema.ts'
import { openSecret } from '../config/secrets.ts'
import type { PairPolicy, Store } from '../db/store.ts'
import type { Clock } from '../lib/clock.ts'
import { limitHeapGrowth } from '../lib/heap-growth.ts'
import { openClientTls } from './client-tls.ts'

/** How long a file that another process is writing to is waited for, in milliseconds. */
const SQLITE_RETRY_MS = 30_000

export interface StoreSurroundings {
  readonly env: Env
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  readonly policy: PairPolicy
  /** Told, in one line without secrets, of a store that has not answered for a while and is waited for, and of one that is back. */
  readonly onAway: (message: string) => void
}

/** Opens the store; it is the caller's to close. Throws StoreFailed. */
export type OpenStore = (signal: AbortSignal) => Promise<Store>

/** Throws ConfigError when a secret or a file cannot be used. Nobody is asked yet. */
export function prepareStore(side: SideConfig, surroundings: StoreSurroundings): OpenStore {
  // Rows are to pass through this process.
  limitHeapGrowth()
  switch (side.kind) {
    case 'cassandra':
      return prepareCassandra(side, surroundings)
    case 'elasticsearch':
      return prepareElasticsearch(side, surroundings)
    case 'sqlite':
      return prepareSqlite(side, surroundings)
  }
}

function prepareSqlite(
  { path }: Extract<SideConfig, { kind: 'sqlite' }>,
  { env: _, ...shared }: StoreSurroundings,
): OpenStore {
  return async (signal) => {
    const { openSqliteStore } = await import('../db/sqlite/sqlite.ts')
    return openSqliteStore({ ...shared, path, retryForMs: SQLITE_RETRY_MS, signal })
  }
}

function prepareCassandra(
  side: Extract<SideConfig, { kind: 'cassandra' }>,
  { env, ...shared }: StoreSurroundings,
): OpenStore {
  const { contactPoints, localDataCenter, keyspace, credentials, consistency, requestTimeoutMs, retryForMs } = side
  const password = credentials && openSecret(credentials.password, env, shared)
  const tls = openTls(side, shared.clock)
  return async (signal) => {
    const { openCassandraStore } = await import('../db/cassandra/cassandra.ts')
    return openCassandraStore({
      ...{
        ...shared,
        contactPoints,
        localDataCenter,
        keyspace,
        consistency,
        requestTimeoutMs,
        retryForMs,
        tls,
        signal,
      },
      credentials:
        credentials && password && (async () => ({ username: credentials.username, password: password.read() })),
    })
  }
}

function prepareElasticsearch(
  side: Extract<SideConfig, { kind: 'elasticsearch' }>,
  { env, ...shared }: StoreSurroundings,
): OpenStore {
  const { url, index, requestTimeoutMs, retryForMs } = side
  const secret = side.authorization && openSecret(side.authorization, env, shared)
  const tls = openTls(side, shared.clock)
  return async (signal) => {
    const { openElasticsearchStore } = await import('../db/elasticsearch/elasticsearch.ts')
    return openElasticsearchStore({
      ...{ ...shared, url, index, requestTimeoutMs, retryForMs, tls, signal },
      authorization: secret && (async () => secret.read()),
    })
  }
}

function openTls({ tls }: Pick<Extract<SideConfig, { kind: 'cassandra' | 'elasticsearch' }>, 'tls'>, clock: Clock) {
  return tls && { secureContext: openClientTls(tls, clock), servername: tls.servername }
}

// Opens the state that is wanted. Only the driver of that one is loaded.
import type { PostgresOptions } from './postgres-connections.ts'
import type { SqliteOptions } from './sqlite-store.ts'
import type { StateStore } from './store.ts'

export type StateOptions =
  | ({ readonly kind: 'sqlite' } & SqliteOptions)
  | ({ readonly kind: 'postgres' } & PostgresOptions)

/** Opens the store and brings it to the newest version. Throws StateUnusable, and StateUnavailable where a server does not answer. */
export async function openState(options: StateOptions): Promise<StateStore> {
  if (options.kind === 'sqlite') {
    const { openSqliteStore } = await import('./sqlite-store.ts')
    return openSqliteStore(options)
  }
  const { openPostgresStore } = await import('./postgres-store.ts')
  return openPostgresStore(options)
}

// The tables in PostgreSQL, as numbered steps: what is here is never changed, only added to. Names begin with `syncer_`: the database
// may be shared. Keys are compared by their bytes, whatever the language of the database: pages must not depend on it.

import type { Query } from './postgres-connections.ts'
import { requireKnownVersion } from './version.ts'

/** The step at index n makes version n + 1. */
export const POSTGRES_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE syncer_owners (
    id text PRIMARY KEY,
    seen_at timestamptz NOT NULL,
    dead_after interval NOT NULL
  );

  CREATE TABLE syncer_runs (
    id text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    state text NOT NULL,
    started_by text NOT NULL,
    resources text NOT NULL,
    request text NOT NULL,
    dry_run smallint NOT NULL,
    owner text NOT NULL,
    takes_up text,
    created_at bigint NOT NULL,
    started_at bigint,
    ended_at bigint,
    progress text,
    summary text,
    problem text,
    locks text NOT NULL DEFAULT '[]',
    cancel_requested boolean NOT NULL DEFAULT false,
    item_seq bigint NOT NULL DEFAULT 0
  );
  CREATE INDEX syncer_runs_by_kind ON syncer_runs (kind, id);
  CREATE INDEX syncer_runs_by_state ON syncer_runs (state, id);
  CREATE INDEX syncer_runs_under_way ON syncer_runs (owner) WHERE ended_at IS NULL;

  -- What runs under way work on: a row cannot be there twice, so two runs cannot overlap.
  CREATE TABLE syncer_claims (
    kind text NOT NULL,
    resource text COLLATE "C" NOT NULL,
    run_id text COLLATE "C" NOT NULL REFERENCES syncer_runs ON DELETE CASCADE,
    PRIMARY KEY (kind, resource)
  );
  CREATE INDEX syncer_claims_by_run ON syncer_claims (run_id);

  CREATE TABLE syncer_idempotency_keys (
    key text COLLATE "C" PRIMARY KEY,
    fingerprint text NOT NULL,
    run_id text COLLATE "C" NOT NULL REFERENCES syncer_runs ON DELETE CASCADE
  );
  CREATE INDEX syncer_idempotency_keys_by_run ON syncer_idempotency_keys (run_id);

  CREATE TABLE syncer_items (
    run_id text COLLATE "C" NOT NULL REFERENCES syncer_runs ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    status text NOT NULL,
    body text NOT NULL,
    plan text,
    PRIMARY KEY (run_id, key)
  );
  CREATE UNIQUE INDEX syncer_items_by_seq ON syncer_items (run_id, seq);
  CREATE INDEX syncer_items_by_status ON syncer_items (run_id, status, key);

  CREATE TABLE syncer_remembered (key text COLLATE "C" PRIMARY KEY, value text NOT NULL);
  `,
]

/** "sync", "step". */
const MIGRATION_LOCK = [0x73796e63, 0x73746570]

/** Brings the tables to the newest version, in the transaction of `query`; replicas that start at once come one after the other. Throws StateUnusable. */
export async function migrate(query: Query, store: string): Promise<void> {
  await query("SET LOCAL lock_timeout = '60s'")
  await query("SET LOCAL statement_timeout = '60s'")
  await query('SELECT pg_advisory_xact_lock($1, $2)', MIGRATION_LOCK)
  const [table] = await query("SELECT to_regclass('syncer_schema_version') AS name")
  if (table?.['name'] === null) {
    await query('CREATE TABLE syncer_schema_version (version integer NOT NULL)')
    await query('INSERT INTO syncer_schema_version VALUES (0)')
  }
  const [row] = await query('SELECT version FROM syncer_schema_version')
  const version = Number(row?.['version'])
  const known = POSTGRES_MIGRATIONS.length
  requireKnownVersion(store, version, known)
  for (const step of POSTGRES_MIGRATIONS.slice(version)) await query(step)
  if (version < known) await query('UPDATE syncer_schema_version SET version = $1', [known])
}

// The tables of the SQLite file, as numbered steps: what is here is never changed, only added to.

/** The step at index n makes version n + 1. */
export const SQLITE_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE owners (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    started_by TEXT NOT NULL,
    resources TEXT NOT NULL,
    request TEXT NOT NULL,
    dry_run INTEGER NOT NULL,
    owner TEXT NOT NULL,
    takes_up TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    progress TEXT,
    summary TEXT,
    problem TEXT,
    locks TEXT NOT NULL DEFAULT '[]',
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    item_seq INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX runs_by_kind ON runs (kind, id);
  CREATE INDEX runs_by_state ON runs (state, id);
  CREATE INDEX runs_under_way ON runs (owner) WHERE ended_at IS NULL;

  -- What runs under way work on: a row cannot be there twice, so two runs cannot overlap.
  CREATE TABLE claims (
    kind TEXT NOT NULL,
    resource TEXT NOT NULL,
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    PRIMARY KEY (kind, resource)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX claims_by_run ON claims (run_id);

  CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_keys_by_run ON idempotency_keys (run_id);

  CREATE TABLE items (
    run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL,
    plan TEXT
  ) STRICT;
  CREATE UNIQUE INDEX items_by_key ON items (run_id, key);
  CREATE UNIQUE INDEX items_by_seq ON items (run_id, seq);
  CREATE INDEX items_by_status ON items (run_id, status, key);

  CREATE TABLE remembered (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  `,
]

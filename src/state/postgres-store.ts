// The state in PostgreSQL, which several replicas of the service share. Times of the caller's clock are only kept here; who is alive is
// judged by the clock of the database.
import { randomUUID } from 'node:crypto'
import { cutPage, itemsList, RUNS_LIST, readCursor } from './cursor.ts'
import { explainOpening, PostgresConnections, type PostgresOptions, type Query } from './postgres-connections.ts'
import { migrate } from './postgres-migrations.ts'
import { DRAFT_COLUMNS, draftValues, lastOfEachKey, RUN_COLUMNS, toItem, toRun, toStoredItem } from './rows.ts'
import {
  type ItemFilter,
  type Owner,
  OwnerLost,
  type Page,
  type RunChange,
  type RunCreation,
  type RunDraft,
  type RunEnd,
  type RunFilter,
  type RunItem,
  type RunRecord,
  type StateStore,
  type StoredItem,
} from './store.ts'

/** "sync", "runs": those who make runs come one after the other. */
const CREATION_LOCK = [0x73796e63, 0x72756e73]

/**
 * Connects and brings the tables to the newest version. Throws StateUnusable when the database refuses that, StateUnavailable when it
 * does not answer.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<StateStore> {
  const connections = new PostgresConnections(options)
  try {
    await connections.transaction((query) => migrate(query, connections.name))
  } catch (error) {
    await connections[Symbol.asyncDispose]()
    throw explainOpening(error, connections.name)
  }
  return new PostgresStore(connections)
}

class PostgresStore implements StateStore {
  readonly kind = 'postgres'
  readonly #connections: PostgresConnections

  constructor(connections: PostgresConnections) {
    this.#connections = connections
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connections[Symbol.asyncDispose]()
  }

  async openOwner(deadAfterMs: number): Promise<Owner> {
    const id = randomUUID()
    await this.#query(
      `INSERT INTO syncer_owners (id, seen_at, dead_after) VALUES ($1, clock_timestamp(), $2 * interval '1 millisecond')
       ON CONFLICT (id) DO NOTHING`,
      [id, deadAfterMs],
    )
    return {
      id,
      beat: async () => {
        const sql = 'UPDATE syncer_owners SET seen_at = clock_timestamp() WHERE id = $1 RETURNING id'
        if ((await this.#query(sql, [id])).length === 0) throw new OwnerLost(`the owner ${id} was taken for dead`)
      },
      [Symbol.asyncDispose]: async () => {
        await this.#query('DELETE FROM syncer_owners WHERE id = $1', [id])
      },
    }
  }

  interruptOrphans(endedAt: number, problem: string): Promise<readonly RunRecord[]> {
    return this.#connections.transactionOnce(async (query) => {
      // A beat that comes at the same time waits for this, and finds nothing any more, or this sees that it came.
      await query('DELETE FROM syncer_owners WHERE seen_at + dead_after < clock_timestamp()')
      const rows = await query(
        `UPDATE syncer_runs SET state = 'interrupted', ended_at = $1, problem = $2
         WHERE ended_at IS NULL AND NOT EXISTS (SELECT FROM syncer_owners WHERE syncer_owners.id = syncer_runs.owner)
         RETURNING ${RUN_COLUMNS}`,
        [endedAt, problem],
      )
      const runs = rows.map(toRun)
      await query('DELETE FROM syncer_claims WHERE run_id = ANY ($1)', [runs.map(({ id }) => id)])
      return runs
    })
  }

  createRun(draft: RunDraft): Promise<RunCreation> {
    return this.#connections.transaction(async (query) => {
      await query('SELECT pg_advisory_xact_lock($1, $2)', CREATION_LOCK)
      const made = await findRun(query, draft.id)
      if (made !== undefined) return { outcome: 'created', run: made }
      return (await findEarlier(query, draft)) ?? (await findOverlap(query, draft)) ?? (await insertRun(query, draft))
    })
  }

  getRun(id: string): Promise<RunRecord | undefined> {
    return this.#connections.repeatably((query) => findRun(query, id))
  }

  async listRuns({ kind, state, limit, cursor }: RunFilter): Promise<Page<RunRecord>> {
    const wanted = createConditions()
    if (kind !== undefined) wanted.add('kind =', kind)
    if (state !== undefined) wanted.add('state =', state)
    if (cursor !== undefined) wanted.add('id <', readCursor(RUNS_LIST, cursor))
    const sql = `SELECT ${RUN_COLUMNS} FROM syncer_runs WHERE ${wanted.sql()} ORDER BY id DESC LIMIT ${limit + 1}`
    const rows = await this.#query(sql, wanted.values)
    return cutPage(RUNS_LIST, rows.map(toRun), limit, ({ id }) => id)
  }

  async listCancelled(owner: string): Promise<readonly string[]> {
    const sql = 'SELECT id FROM syncer_runs WHERE owner = $1 AND ended_at IS NULL AND cancel_requested ORDER BY id'
    return (await this.#query(sql, [owner])).map(({ id }) => String(id))
  }

  async changeRun(id: string, { state, startedAt, progress, locks }: RunChange): Promise<boolean> {
    const rows = await this.#query(
      `UPDATE syncer_runs SET state = coalesce($2, state), started_at = coalesce($3, started_at),
       progress = coalesce($4, progress), locks = coalesce($5, locks) WHERE id = $1 AND ended_at IS NULL RETURNING id`,
      [id, state, startedAt, progress, locks === undefined ? null : JSON.stringify(locks)],
    )
    return rows.length > 0
  }

  endRun(id: string, { state, summary, problem, progress, endedAt }: RunEnd): Promise<boolean> {
    let tries = 0
    return this.#connections.repeatably(async (query) => {
      tries++
      const [row] = await query(
        `WITH ended AS (
           UPDATE syncer_runs SET state = $2, summary = $3, problem = $4, progress = coalesce($5, progress), ended_at = $6
           WHERE id = $1 AND ended_at IS NULL RETURNING id
         ), freed AS (DELETE FROM syncer_claims USING ended WHERE run_id = ended.id)
         SELECT count(*)::int AS count FROM ended`,
        [id, state, summary, problem, progress, endedAt],
      )
      if (row?.['count'] === 1) return true
      // The answer to the first try was lost, and it may have done it.
      const run = tries > 1 ? await findRun(query, id) : undefined
      return run?.state === state && run.endedAt === endedAt && run.summary === summary && run.problem === problem
    })
  }

  requestCancel(id: string): Promise<RunRecord | undefined> {
    return this.#connections.repeatably(async (query) => {
      await query('UPDATE syncer_runs SET cancel_requested = true WHERE id = $1 AND ended_at IS NULL', [id])
      return findRun(query, id)
    })
  }

  async putItems(runId: string, items: readonly RunItem[]): Promise<void> {
    const last = lastOfEachKey(items)
    // The row of the run is locked from here to the end: who puts at the same time waits, and `seq` grows in the order of the puts.
    await this.#query(
      `WITH run AS (
         UPDATE syncer_runs SET item_seq = item_seq + $2 WHERE id = $1 AND ended_at IS NULL RETURNING item_seq - $2 AS before
       )
       INSERT INTO syncer_items (run_id, key, seq, status, body, plan)
       SELECT $1, item.key, run.before + item.place, item.status, item.body, item.plan
       FROM run, unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[]) AS item (place, key, status, body, plan)
       ON CONFLICT (run_id, key) DO UPDATE SET
         seq = excluded.seq, status = excluded.status, body = excluded.body, plan = excluded.plan`,
      [
        runId,
        items.length,
        last.map(([place]) => place),
        last.map(([, { key }]) => key),
        last.map(([, { status }]) => status),
        last.map(([, { body }]) => body),
        last.map(([, { plan }]) => plan ?? null),
      ],
    )
  }

  async listItems(runId: string, { status, limit, cursor }: ItemFilter): Promise<Page<RunItem>> {
    const list = itemsList(runId)
    const wanted = createConditions()
    wanted.add('run_id =', runId)
    if (status !== undefined) wanted.add('status =', status)
    if (cursor !== undefined) wanted.add('key >', readCursor(list, cursor))
    const sql = `SELECT key, status, body, plan FROM syncer_items WHERE ${wanted.sql()} ORDER BY key LIMIT ${limit + 1}`
    const rows = await this.#query(sql, wanted.values)
    return cutPage(list, rows.map(toItem), limit, ({ key }) => key)
  }

  async readItemsAfter(runId: string, seq: number, limit: number): Promise<readonly StoredItem[]> {
    const sql = `SELECT key, status, body, plan, seq FROM syncer_items WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`
    return (await this.#query(sql, [runId, seq, limit])).map(toStoredItem)
  }

  async getValue(key: string): Promise<string | undefined> {
    const [row] = await this.#query('SELECT value FROM syncer_remembered WHERE key = $1', [key])
    return row === undefined ? undefined : String(row['value'])
  }

  async putValue(key: string, value: string | undefined): Promise<void> {
    if (value === undefined) await this.#query('DELETE FROM syncer_remembered WHERE key = $1', [key])
    else {
      await this.#query(
        'INSERT INTO syncer_remembered (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
        [key, value],
      )
    }
  }

  async prune({ maxRuns, endedBefore }: { maxRuns: number; endedBefore: number }): Promise<readonly string[]> {
    const rows = await this.#query(
      `SELECT id FROM syncer_runs WHERE ended_at < $1
       UNION (SELECT id FROM syncer_runs WHERE ended_at IS NOT NULL ORDER BY id DESC OFFSET $2)`,
      [endedBefore, maxRuns],
    )
    const forgotten: string[] = []
    // One at a time: a run may have many thousands of items, and nobody is to wait for all of them.
    for (const { id } of rows) {
      const sql = 'DELETE FROM syncer_runs WHERE id = $1 AND ended_at IS NOT NULL RETURNING id'
      const deleted = await this.#connections.transactionOnce((query) => query(sql, [id]))
      if (deleted.length > 0) forgotten.push(String(id))
    }
    return forgotten
  }

  /** One statement, which may be repeated. */
  #query(sql: string, values: readonly unknown[]) {
    return this.#connections.repeatably((query) => query(sql, values))
  }
}

/** Conditions that are gathered, each with its value. */
function createConditions() {
  const conditions: string[] = []
  const values: string[] = []
  return {
    values,
    add: (beginning: string, value: string) => {
      values.push(value)
      conditions.push(`${beginning} $${values.length}`)
    },
    sql: () => (conditions.length === 0 ? 'true' : conditions.join(' AND ')),
  }
}

async function findRun(query: Query, id: string): Promise<RunRecord | undefined> {
  const [row] = await query(`SELECT ${RUN_COLUMNS} FROM syncer_runs WHERE id = $1`, [id])
  return row === undefined ? undefined : toRun(row)
}

/** The run that this idempotency key has made already. */
async function findEarlier(query: Query, { idempotency }: RunDraft): Promise<RunCreation | undefined> {
  if (idempotency === undefined) return undefined
  const sql = `SELECT fingerprint, ${RUN_COLUMNS} FROM syncer_idempotency_keys JOIN syncer_runs ON id = run_id WHERE key = $1`
  const [row] = await query(sql, [idempotency.key])
  if (row === undefined) return undefined
  return { outcome: row['fingerprint'] === idempotency.fingerprint ? 'repeated' : 'keyReused', run: toRun(row) }
}

async function findOverlap(query: Query, { kind, resources }: RunDraft): Promise<RunCreation | undefined> {
  const [row] = await query(
    `SELECT ${RUN_COLUMNS} FROM syncer_runs
     WHERE id = (SELECT min(run_id) FROM syncer_claims WHERE kind = $1 AND resource = ANY ($2))`,
    [kind, resources],
  )
  return row === undefined ? undefined : { outcome: 'overlaps', run: toRun(row) }
}

async function insertRun(query: Query, draft: RunDraft): Promise<RunCreation> {
  const { id, kind, resources, owner, idempotency } = draft
  // Held to the end: who finds the owner dead meanwhile waits, and then finds this run too.
  const living = await query('SELECT FROM syncer_owners WHERE id = $1 FOR KEY SHARE', [owner])
  if (living.length === 0) throw new OwnerLost(`the owner ${owner} was taken for dead`)
  const [row] = await query(
    `INSERT INTO syncer_runs (${DRAFT_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING ${RUN_COLUMNS}`,
    draftValues(draft),
  )
  await query('INSERT INTO syncer_claims (kind, resource, run_id) SELECT $1, unnest($2::text[]), $3', [
    kind,
    [...new Set(resources)],
    id,
  ])
  if (idempotency !== undefined) {
    const sql = 'INSERT INTO syncer_idempotency_keys (key, fingerprint, run_id) VALUES ($1, $2, $3)'
    await query(sql, [idempotency.key, idempotency.fingerprint, id])
  }
  return { outcome: 'created', run: toRun(row ?? {}) }
}

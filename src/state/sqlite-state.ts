// The state in a SQLite file, as the thread that has it sees it: what the contract says of each method, and it waits until it is done.
import { randomUUID } from 'node:crypto'
import { cutPage, itemsList, RUNS_LIST, readCursor } from './cursor.ts'
import { DRAFT_COLUMNS, draftValues, lastOfEachKey, RUN_COLUMNS, toItem, toRun, toStoredItem } from './rows.ts'
import { type SqliteConnection, SqliteDatabase } from './sqlite-database.ts'
import { findLiving, lockOwner, type OwnerLock } from './sqlite-owners.ts'
import {
  type ItemFilter,
  OwnerLost,
  type Page,
  type RunChange,
  type RunCreation,
  type RunDraft,
  type RunEnd,
  type RunFilter,
  type RunItem,
  type RunRecord,
  type StoredItem,
} from './store.ts'

export class SqliteState {
  readonly #database: SqliteDatabase
  readonly #locks = new Map<string, OwnerLock>()

  /** Opens the file and brings it to the newest version. Throws StateUnusable when it cannot be used as it is. */
  constructor(path: string) {
    this.#database = new SqliteDatabase(path)
  }

  close(): void {
    for (const lock of this.#locks.values()) lock[Symbol.dispose]()
    this.#database.close()
  }

  openOwner(): string {
    const id = randomUUID()
    const lock = this.#database.write((db) => {
      db.run('INSERT INTO owners (id) VALUES (?)', id)
      return lockOwner(this.#database.path, id)
    })
    this.#locks.set(id, lock)
    return id
  }

  beat(owner: string): void {
    this.#database.requireFile()
    this.#database.read((db) => requireOwner(db, owner))
  }

  closeOwner(owner: string): void {
    this.#database.write((db) => {
      db.run('DELETE FROM owners WHERE id = ?', owner)
      this.#locks.get(owner)?.[Symbol.dispose]()
    })
    this.#locks.delete(owner)
  }

  interruptOrphans(endedAt: number, problem: string): readonly RunRecord[] {
    return this.#database.write((db) => {
      const living = JSON.stringify(findLiving(this.#database.path))
      db.run('DELETE FROM owners WHERE id NOT IN (SELECT value FROM json_each(?))', living)
      const ended = db.all(
        `UPDATE runs SET state = 'interrupted', ended_at = ?, problem = ?
         WHERE ended_at IS NULL AND owner NOT IN (SELECT id FROM owners) RETURNING ${RUN_COLUMNS}`,
        endedAt,
        problem,
      )
      const runs = ended.map(toRun)
      for (const { id } of runs) db.run('DELETE FROM claims WHERE run_id = ?', id)
      return runs
    })
  }

  createRun(draft: RunDraft): RunCreation {
    return this.#database.write((db) => {
      const made = findRun(db, draft.id)
      if (made !== undefined) return { outcome: 'created', run: made }
      return findEarlier(db, draft) ?? findOverlap(db, draft) ?? insertRun(db, draft)
    })
  }

  getRun(id: string): RunRecord | undefined {
    return this.#database.read((db) => findRun(db, id))
  }

  listRuns({ kind, state, limit, cursor }: RunFilter): Page<RunRecord> {
    const wanted = [
      ...(kind === undefined ? [] : [['kind = ?', kind] as const]),
      ...(state === undefined ? [] : [['state = ?', state] as const]),
      ...(cursor === undefined ? [] : [['id < ?', readCursor(RUNS_LIST, cursor)] as const]),
    ]
    const sql = `SELECT ${RUN_COLUMNS} FROM runs ${where(wanted)} ORDER BY id DESC LIMIT ?`
    const rows = this.#database.read((db) => db.all(sql, ...wanted.map(([, value]) => value), limit + 1))
    return cutPage(RUNS_LIST, rows.map(toRun), limit, ({ id }) => id)
  }

  listCancelled(owner: string): readonly string[] {
    const sql = 'SELECT id FROM runs WHERE owner = ? AND ended_at IS NULL AND cancel_requested = 1 ORDER BY id'
    return this.#database.read((db) => db.all(sql, owner).map(({ id }) => String(id)))
  }

  changeRun(id: string, { state, startedAt, progress, locks }: RunChange): boolean {
    return this.#database.write((db) => {
      const changed = db.run(
        `UPDATE runs SET state = coalesce(?, state), started_at = coalesce(?, started_at),
         progress = coalesce(?, progress), locks = coalesce(?, locks) WHERE id = ? AND ended_at IS NULL`,
        state ?? null,
        startedAt ?? null,
        progress ?? null,
        locks === undefined ? null : JSON.stringify(locks),
        id,
      )
      return changed > 0
    })
  }

  endRun(id: string, { state, summary, problem, progress, endedAt }: RunEnd): boolean {
    return this.#database.write((db) => {
      const changed = db.run(
        `UPDATE runs SET state = ?, summary = ?, problem = ?, progress = coalesce(?, progress), ended_at = ?
         WHERE id = ? AND ended_at IS NULL`,
        state,
        summary,
        problem,
        progress ?? null,
        endedAt,
        id,
      )
      if (changed > 0) db.run('DELETE FROM claims WHERE run_id = ?', id)
      return changed > 0
    })
  }

  requestCancel(id: string): RunRecord | undefined {
    return this.#database.write((db) => {
      db.run('UPDATE runs SET cancel_requested = 1 WHERE id = ? AND ended_at IS NULL', id)
      return findRun(db, id)
    })
  }

  putItems(runId: string, items: readonly RunItem[]): void {
    this.#database.write((db) => {
      const count = db.get(
        'UPDATE runs SET item_seq = item_seq + ? WHERE id = ? AND ended_at IS NULL RETURNING item_seq',
        items.length,
        runId,
      )
      if (count === undefined) return
      const before = Number(count['item_seq']) - items.length
      for (const [place, { key, status, body, plan }] of lastOfEachKey(items)) {
        db.run(
          `INSERT INTO items (run_id, key, seq, status, body, plan) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (run_id, key) DO UPDATE SET
             seq = excluded.seq, status = excluded.status, body = excluded.body, plan = excluded.plan`,
          runId,
          key,
          before + place,
          status,
          body,
          plan ?? null,
        )
      }
    })
  }

  listItems(runId: string, { status, limit, cursor }: ItemFilter): Page<RunItem> {
    const list = itemsList(runId)
    const wanted = [
      ['run_id = ?', runId] as const,
      ...(status === undefined ? [] : [['status = ?', status] as const]),
      ...(cursor === undefined ? [] : [['key > ?', readCursor(list, cursor)] as const]),
    ]
    const sql = `SELECT key, status, body, plan FROM items ${where(wanted)} ORDER BY key LIMIT ?`
    const rows = this.#database.read((db) => db.all(sql, ...wanted.map(([, value]) => value), limit + 1))
    return cutPage(list, rows.map(toItem), limit, ({ key }) => key)
  }

  readItemsAfter(runId: string, seq: number, limit: number): readonly StoredItem[] {
    const sql = 'SELECT key, status, body, plan, seq FROM items WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?'
    return this.#database.read((db) => db.all(sql, runId, seq, limit).map(toStoredItem))
  }

  getValue(key: string): string | undefined {
    return this.#database.read((db) => {
      const row = db.get('SELECT value FROM remembered WHERE key = ?', key)
      return row === undefined ? undefined : String(row['value'])
    })
  }

  putValue(key: string, value: string | undefined): void {
    this.#database.write((db) =>
      value === undefined
        ? db.run('DELETE FROM remembered WHERE key = ?', key)
        : db.run(
            'INSERT INTO remembered (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
            key,
            value,
          ),
    )
  }

  /** Ended runs beyond these limits. */
  findForgettable(maxRuns: number, endedBefore: number): readonly string[] {
    const sql = `SELECT id FROM runs WHERE ended_at < ?
      UNION SELECT * FROM (SELECT id FROM runs WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT -1 OFFSET ?)`
    return this.#database.read((db) => db.all(sql, endedBefore, maxRuns).map(({ id }) => String(id)))
  }

  /** Removes up to `limit` items of an ended run, and says how many. */
  removeItems(runId: string, limit: number): number {
    const sql = `DELETE FROM items WHERE rowid IN (
      SELECT items.rowid FROM items JOIN runs ON id = run_id WHERE run_id = ? AND ended_at IS NOT NULL LIMIT ?)`
    return this.#database.write((db) => db.run(sql, runId, limit))
  }

  /** False when it was not there, or has not ended. */
  removeRun(id: string): boolean {
    return this.#database.write((db) => db.run('DELETE FROM runs WHERE id = ? AND ended_at IS NOT NULL', id) > 0)
  }
}

type Condition = readonly [sql: string, value: string]
const where = (conditions: readonly Condition[]): string =>
  conditions.length === 0 ? '' : `WHERE ${conditions.map(([sql]) => sql).join(' AND ')}`

function requireOwner(db: SqliteConnection, id: string): void {
  if (db.get('SELECT 1 FROM owners WHERE id = ?', id) === undefined) {
    throw new OwnerLost(`the owner ${id} was taken for dead`)
  }
}

function findRun(db: SqliteConnection, id: string): RunRecord | undefined {
  const row = db.get(`SELECT ${RUN_COLUMNS} FROM runs WHERE id = ?`, id)
  return row === undefined ? undefined : toRun(row)
}

/** The run that this idempotency key has made already. */
function findEarlier(db: SqliteConnection, { idempotency }: RunDraft): RunCreation | undefined {
  if (idempotency === undefined) return undefined
  const row = db.get('SELECT run_id, fingerprint FROM idempotency_keys WHERE key = ?', idempotency.key)
  const run = row === undefined ? undefined : findRun(db, String(row['run_id']))
  if (run === undefined) return undefined
  return { outcome: row?.['fingerprint'] === idempotency.fingerprint ? 'repeated' : 'keyReused', run }
}

function findOverlap(db: SqliteConnection, { kind, resources }: RunDraft): RunCreation | undefined {
  const sql =
    'SELECT run_id FROM claims WHERE kind = ? AND resource IN (SELECT value FROM json_each(?)) ORDER BY run_id'
  const row = db.get(sql, kind, JSON.stringify(resources))
  const run = row === undefined ? undefined : findRun(db, String(row['run_id']))
  return run === undefined ? undefined : { outcome: 'overlaps', run }
}

function insertRun(db: SqliteConnection, draft: RunDraft): RunCreation {
  const { id, kind, resources, owner, idempotency } = draft
  requireOwner(db, owner)
  const row = db.get(
    `INSERT INTO runs (${DRAFT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING ${RUN_COLUMNS}`,
    ...draftValues(draft),
  )
  for (const resource of new Set(resources))
    db.run('INSERT INTO claims (kind, resource, run_id) VALUES (?, ?, ?)', kind, resource, id)
  if (idempotency !== undefined) {
    const sql = 'INSERT INTO idempotency_keys (key, fingerprint, run_id) VALUES (?, ?, ?)'
    db.run(sql, idempotency.key, idempotency.fingerprint, id)
  }
  return { outcome: 'created', run: toRun(row ?? {}) }
}

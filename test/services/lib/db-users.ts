// Users of both stores who go on with their work while the syncer does its own: they insert, overwrite without looking, and delete, with
// clocks that are wrong. What is acknowledged to them is in the history.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from '../../lib/chance.ts'
import { writeDocument } from './db-fields.ts'
import { type Deletion, fieldsOf, type History, type Side, type Write } from './db-history.ts'
import type { DocumentChange } from './db-judge.ts'
import { askSearch, type DbScene } from './db-scene.ts'
import { tieOf, timeuuidOf } from './db-versions.ts'

export interface UsersOptions {
  readonly scene: DbScene
  readonly history: History
  readonly tables: readonly string[]
  /** Their clocks are wrong by up to this much, in milliseconds. */
  readonly skewMs: number
  /** A write that is acknowledged so long after its own time is done again: a window may have been closed over it. */
  readonly lateMs: number
  /** How many of them there are for each side. */
  readonly perSide: number
  /** Longest pause between what one of them does, in milliseconds. */
  readonly pauseMs: number
  readonly onDocument: (change: DocumentChange) => void
}

const HOT_IDS = 40
const RETRY_MS = 200

export class Users {
  readonly #options: UsersOptions
  /** Ids that many write to, by table. */
  readonly hot: ReadonlyMap<string, readonly string[]>
  /** Rows with a write that has no answer yet, or a deletion. */
  readonly #busy = new Map<string, number>()
  readonly #deleting = new Set<string>()
  #stop = new AbortController()
  #working: readonly Promise<void>[] = []
  /** What went wrong in a way that no fault explains. */
  readonly complaints: string[] = []

  constructor(options: UsersOptions, chance: Chance) {
    this.#options = options
    this.hot = new Map(
      options.tables.map((table) => [table, Array.from({ length: HOT_IDS }, () => randomUuid(chance))]),
    )
  }

  /** Each of them has a chance of its own. */
  start(createChance: () => Chance): void {
    this.#stop = new AbortController()
    const { signal } = this.#stop
    const sides: readonly Side[] = ['cassandra', 'elasticsearch']
    this.#working = sides.flatMap((side) =>
      Array.from({ length: this.#options.perSide }, () => this.#work(side, createChance(), signal)),
    )
  }

  /** Resolves when everything that was begun is acknowledged. */
  async pause(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#working)
  }

  /** Deletes an id on both sides; to be called while neither users nor a sync are at work. */
  async deleteEverywhere(table: string, id: string): Promise<void> {
    await this.#delete(table, id, 'cassandra', true)
    await this.#delete(table, id, 'elasticsearch', true)
  }

  async #work(side: Side, chance: Chance, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(chance.between(0, this.#options.pauseMs))
      const table = chance.pick(this.#options.tables)
      const id = chance.is(0.15) ? randomUuid(chance) : chance.pick(this.hot.get(table) ?? [])
      const key = `${side} ${table} ${id}`
      if (this.#busy.has(key) || this.#deleting.has(`${table} ${id}`)) continue
      if (chance.is(0.08)) await this.#tryDelete(table, id, side)
      else await this.#writeUntilDone(table, id, side, chance)
    }
  }

  async #tryDelete(table: string, id: string, side: Side): Promise<void> {
    const newest = this.#options.history.newestOf(table, id)
    const isBusy = (['cassandra', 'elasticsearch'] as const).some((one) => this.#busy.has(`${one} ${table} ${id}`))
    // One that is newer than its own deletion comes back: nothing could be told from that.
    if (newest === undefined || newest.ms >= Date.now() - 1 || isBusy) return
    await this.#delete(table, id, side, false)
  }

  async #delete(table: string, id: string, side: Side, inQuiet: boolean): Promise<void> {
    const { history } = this.#options
    this.#deleting.add(`${table} ${id}`)
    try {
      const deletion = history.delete({ table, id, side, startedAt: Date.now(), inQuiet })
      while (!(await this.#send(deletion))) await sleep(RETRY_MS)
      deletion.endedAt = Date.now()
    } finally {
      this.#deleting.delete(`${table} ${id}`)
    }
  }

  /** Writes, and once more where nobody knows what became of it, or it took so long that a window may have passed it by. */
  async #writeUntilDone(table: string, id: string, side: Side, chance: Chance): Promise<void> {
    const { skewMs, lateMs } = this.#options
    const key = `${side} ${table} ${id}`
    this.#busy.set(key, 1)
    try {
      for (;;) {
        const write = await this.write(table, id, side, Date.now() + chance.between(-skewMs, skewMs), chance)
        if (write.endedAt !== undefined && write.endedAt - write.ms <= lateMs) return
        if (write.endedAt === undefined) await sleep(RETRY_MS)
      }
    } finally {
      this.#busy.delete(key)
    }
  }

  /** Writes once, of this millisecond or the next one that is free. */
  async write(table: string, id: string, side: Side, wanted: number, chance: Chance): Promise<Write> {
    const { history } = this.#options
    const tick = chance.whole(0, 9_999)
    const tie = tieOf(chance.next)
    const how = chance.pick(['exact', 'date', 'old-version', 'update'] as const)
    const toTimeuuid = side === 'cassandra' || how === 'exact' ? (ms: number) => timeuuidOf(ms, tick, tie) : undefined
    const write = history.write({ table, id, side, wanted: Math.round(wanted), now: Date.now(), toTimeuuid })
    const isDone = side === 'cassandra' ? await this.#insert(write) : await this.#index(write, how, chance)
    if (isDone) write.endedAt = Date.now()
    return write
  }

  async #send(deletion: Deletion): Promise<boolean> {
    const { table, id, side } = deletion
    const { scene, onDocument } = this.#options
    if (side === 'cassandra')
      return await this.#attempt(() => scene.cql(`DELETE FROM ${scene.name}.${table} WHERE id = ?`, [id]))
    return await this.#attempt(async () => {
      const { status, body } = await this.#ask('DELETE', `/${scene.index(table)}/_doc/${id}`)
      if (status === 404) return
      onDocument({ table, id, docVersion: versionOf(body), by: 'user', payload: undefined })
    })
  }

  /** As users do it: without a timestamp, and without what has no value. */
  async #insert({ table, id, payload, timeuuid }: Write): Promise<boolean> {
    const { scene } = this.#options
    const { n, note, big, tags } = fieldsOf(payload)
    const names = 'id, tmstmp, payload, n, note, big, tags'
    const params = [id, timeuuid, payload, n, note, big, tags]
    return await this.#attempt(() =>
      scene.cql(`INSERT INTO ${scene.name}.${table} (${names}) VALUES (?, ?, ?, ?, ?, ?, ?)`, params),
    )
  }

  /** Over whatever is there. `old-version` and `update` leave the version of an older one beside the new date. */
  async #index(write: Write, how: 'exact' | 'date' | 'old-version' | 'update', chance: Chance): Promise<boolean> {
    const { table, id, ms, payload, timeuuid } = write
    const { scene, history, onDocument } = this.#options
    const older =
      how === 'old-version' ? history.writesOf(table, id).find((one) => one.timeuuid !== undefined) : undefined
    const version = timeuuid ?? older?.timeuuid
    const own = { id, tmstmp: writeDate(ms, chance), ...(version === undefined ? {} : { tmstmp_uuid: version }) }
    const fields = fieldsOf(payload)
    return await this.#attempt(async () => {
      const document = writeDocument(own, fields)
      const path = `/${scene.index(table)}`
      if (how === 'update') {
        // The fields that have no value, too: what is not mentioned would stay as it was.
        const doc = document.replace(
          '{',
          `{${fields.note === null ? '"note":null,' : ''}${fields.tags === null ? '"tags":null,' : ''}`,
        )
        const updated = await this.#ask('POST', `${path}/_update/${id}`, `{"doc":${doc}}`)
        if (updated.status < 300) {
          write.docVersion = versionOf(updated.body)
          onDocument({ table, id, docVersion: write.docVersion, by: 'user', payload })
          return
        }
      }
      const { body } = await this.#ask('PUT', `${path}/_doc/${id}`, document)
      write.docVersion = versionOf(body)
      onDocument({ table, id, docVersion: write.docVersion, by: 'user', payload })
    })
  }

  async #ask(method: string, path: string, body?: string) {
    const answer = await askSearch(this.#options.scene.servers.search.url, method, path, body)
    // 404: nothing to delete or to update; 409: an update that met another.
    if (answer.status >= 300 && answer.status !== 404 && answer.status !== 409)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer
  }

  /** Whether it was acknowledged: a server that is being restarted says no, or nothing. */
  async #attempt(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      if (error instanceof TypeError && error.cause === undefined) throw error
      this.complaints.push(String(error).slice(0, 200))
      return false
    }
  }
}

/** The ways in which a document may have its date. */
function writeDate(ms: number, chance: Chance): string | number {
  const text = new Date(ms).toISOString()
  return chance.pick([text, ms, text.replace('Z', `${chance.whole(100_000, 999_999)}Z`)])
}

function versionOf(body: unknown): number {
  const version = (body as { _version?: number } | undefined)?._version
  if (version === undefined) throw new Error(`no _version in ${JSON.stringify(body)}`)
  return version
}

/** A uuid of version 4. */
export function randomUuid(chance: Chance): string {
  const hex = Array.from({ length: 32 }, () => chance.whole(0, 15).toString(16)).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}

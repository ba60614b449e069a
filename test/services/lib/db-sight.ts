// How a case of the chaos sees both sides: all of a table at once, one row again and again, and what the proxies carried.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from '../../lib/chance.ts'
import { writeDocument } from './db-fields.ts'
import { fieldsOf, type History, type Write } from './db-history.ts'
import { type Exchange, splitBulk } from './db-http-proxy.ts'
import { type DocumentChange, type Found, findMixed, type SavedEnd, type Sides, type Sighting } from './db-judge.ts'
import type { DbScene } from './db-scene.ts'
import { randomUuid } from './db-users.ts'
import { compareTimeuuids, msOf, tieOf, timeuuidOf } from './db-versions.ts'

const BACKLOG = { onlyLeft: 250, onlyRight: 250, both: 100 }
const WRITES_AT_ONCE = 64
const GLANCE_MS = 150

/** The newest version of each id on both sides. */
export async function readSides(scene: DbScene, table: string): Promise<Sides> {
  const cassandra = new Map<string, Found>()
  for (const row of await scene.rows(`SELECT * FROM ${scene.name}.${table}`)) {
    const [id, found] = readRow(row)
    const other = cassandra.get(id)
    if (other?.timeuuid === undefined || compareTimeuuids(found.timeuuid ?? '', other.timeuuid) > 0)
      cassandra.set(id, found)
  }
  const elasticsearch = new Map<string, Found>()
  for (const { id, source, ms } of await scene.documents(table)) {
    const timeuuid = source['tmstmp_uuid']
    const mixed = source['id'] === id ? findMixed(source) : `its id is ${source['id']}`
    elasticsearch.set(id, {
      payload: String(source['payload']),
      ms: ms ?? Number.NaN,
      timeuuid: typeof timeuuid === 'string' ? timeuuid : undefined,
      mixed,
    })
  }
  return { cassandra, elasticsearch }
}

/** The milliseconds of all versions that each side has, those of older ones among them. */
export async function readTimes(scene: DbScene, table: string) {
  const rows = await scene.rows(`SELECT tmstmp FROM ${scene.name}.${table}`)
  const documents = await scene.documents(table)
  return {
    'left-to-right': rows.map(({ tmstmp }) => msOf(String(tmstmp))),
    'right-to-left': documents.map(({ ms }) => ms ?? Number.NaN),
  }
}

function readRow(row: Readonly<Record<string, unknown>>): readonly [string, Found] {
  const timeuuid = String(row['tmstmp'])
  const mixed = row['tmstmp'] === null ? 'it has no tmstmp' : findMixed(row)
  const ms = row['tmstmp'] === null ? Number.NaN : msOf(timeuuid)
  return [String(row['id']), { payload: String(row['payload']), ms, timeuuid, mixed }]
}

/** Looks at some rows of a table again and again. */
export class Onlooker {
  readonly #seen = new Map<string, Sighting[]>()
  readonly #stop = new AbortController()
  readonly #looking: Promise<void>

  constructor(scene: DbScene, table: string, ids: readonly string[]) {
    this.#looking = this.#look(scene, table, ids)
  }

  /** All that was seen; of a row that stayed the same, its last sight. */
  async stop(): Promise<readonly Sighting[]> {
    this.#stop.abort()
    await this.#looking
    return [...this.#seen.values()].flat()
  }

  async #look(scene: DbScene, table: string, ids: readonly string[]): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(GLANCE_MS)
      const askedAt = Date.now()
      try {
        const rows = await scene.rows(`SELECT * FROM ${scene.name}.${table} WHERE id IN ?`, [ids])
        const answeredAt = Date.now()
        for (const row of rows) {
          const [id, found] = readRow(row)
          this.#note({ table, id, found, askedAt, answeredAt })
        }
      } catch {
        // It is being restarted: nothing is seen meanwhile.
      }
    }
  }

  #note(sighting: Sighting): void {
    const seen = this.#seen.get(sighting.id) ?? []
    this.#seen.set(sighting.id, seen)
    const last = seen.at(-1)
    if (last?.found.payload === sighting.found.payload && last.found.mixed === sighting.found.mixed) seen.pop()
    seen.push(sighting)
  }
}

/** What a bulk of the syncer has changed. */
export function toDocumentChanges(name: string, { kind, sent, status, answer }: Exchange): readonly DocumentChange[] {
  if (kind !== 'bulk' || status !== 200) return []
  const { items } = JSON.parse(answer.toString('utf8')) as { items: readonly Record<string, BulkItem>[] }
  const asked = splitBulk(sent)
  return items.flatMap((one, at) => {
    const [[action, item] = ['', undefined]] = Object.entries(one)
    if (item === undefined || item.status >= 300 || item._version === undefined) return []
    const source = asked[at]?.source
    const payload = source === undefined ? undefined : String((JSON.parse(source) as { payload?: unknown }).payload)
    return [
      {
        table: item._index.slice(name.length + 1),
        id: item._id,
        docVersion: item._version,
        by: 'sync',
        payload: action === 'delete' ? undefined : payload,
      },
    ]
  })
}

interface BulkItem {
  readonly _index: string
  readonly _id: string
  readonly _version?: number
  readonly status: number
}

interface WindowReport {
  readonly ends: readonly {
    readonly table: string
    readonly direction: 'left-to-right' | 'right-to-left'
    /** Null before the first window is complete. */
    readonly end: string | null
  }[]
}

/** Up to where everything is carried, as the command line tells it. */
export async function readSavedEnds(scene: DbScene): Promise<readonly SavedEnd[]> {
  const { code, out, err } = await scene.run(['db', 'window', 'app', '--output', 'json'])
  if (code !== 0) throw new Error(`db window: exit ${code}: ${err}`)
  return (JSON.parse(out) as WindowReport).ends.flatMap(({ table, direction, end }) => {
    if (end === null) return []
    return [{ table, from: direction === 'left-to-right' ? 'cassandra' : 'elasticsearch', endMs: Date.parse(end) }]
  })
}

/** What has gathered on both sides before anybody synced: rows of many years, some of them on both sides. */
export async function loadBacklog(
  scene: DbScene,
  history: History,
  tables: readonly string[],
  chance: Chance,
  hot: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  for (const table of tables) {
    const ids = (count: number) => Array.from({ length: count }, () => randomUuid(chance))
    const both = [...ids(BACKLOG.both), ...(hot.get(table) ?? [])]
    const write = (side: Write['side']) => (id: string) => {
      const [tick, tie] = [chance.whole(0, 9_999), tieOf(chance.next)]
      const wanted = Math.round(chance.between(Date.UTC(2015), Date.UTC(2024)))
      const toTimeuuid = (ms: number) => timeuuidOf(ms, tick, tie)
      return history.write({ table, id, side, wanted, now: Date.now(), toTimeuuid })
    }
    await insertAll(scene, [...ids(BACKLOG.onlyLeft), ...both].map(write('cassandra')))
    await indexAll(scene, table, [...ids(BACKLOG.onlyRight), ...both].map(write('elasticsearch')))
  }
}

async function insertAll(scene: DbScene, writes: readonly Write[]): Promise<void> {
  const waiting = [...writes]
  const lane = async () => {
    for (let write = waiting.shift(); write !== undefined; write = waiting.shift()) {
      const { n, note, big, tags } = fieldsOf(write.payload)
      const into = `${scene.name}.${write.table} (id, tmstmp, payload, n, note, big, tags)`
      const params = [write.id, write.timeuuid, write.payload, n, note, big, tags]
      await scene.cql(`INSERT INTO ${into} VALUES (?, ?, ?, ?, ?, ?, ?)`, params)
      write.endedAt = Date.now()
    }
  }
  await Promise.all(Array.from({ length: WRITES_AT_ONCE }, lane))
}

async function indexAll(scene: DbScene, table: string, writes: readonly Write[]): Promise<void> {
  const lines = writes.flatMap(({ id, ms, timeuuid, payload }) => {
    const own = { id, tmstmp: new Date(ms).toISOString(), tmstmp_uuid: timeuuid }
    return [JSON.stringify({ index: { _id: id } }), writeDocument(own, fieldsOf(payload))]
  })
  const body = lines.map((line) => `${line}\n`).join('')
  const answer = await scene.http('POST', `/${scene.index(table)}/_bulk`, body)
  if (answer.status !== 200 || (answer.body as { errors: boolean }).errors)
    throw new Error(`loading ${table}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`)
  for (const write of writes) write.endedAt = Date.now()
}

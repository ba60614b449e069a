// The checker: says what must not be, of what was found on both sides and of what the proxies and the onlookers saw. Pure.
import { fieldsOf, type History, type Side, type Write } from './db-history.ts'

/** One row or document as it was read back. */
export interface Found {
  readonly payload: string
  /** Of its tmstmp. */
  readonly ms: number
  /** As the store has it; a document of a user may have none. */
  readonly timeuuid: string | undefined
  /** What is not as its payload tells, if anything. */
  readonly mixed: string | undefined
}

/** What one side holds of a table, by id: the newest version of each. */
export type Snapshot = ReadonlyMap<string, Found>

export interface Sides {
  readonly cassandra: Snapshot
  readonly elasticsearch: Snapshot
}

/** Compares fields with those that the payload tells. */
export function findMixed(fields: Readonly<Record<string, unknown>>): string | undefined {
  const payload = fields['payload']
  if (typeof payload !== 'string') return 'it has no payload'
  const wrong = Object.entries(fieldsOf(payload)).filter(([name, value]) => show(fields[name]) !== show(value))
  if (wrong.length === 0) return undefined
  return wrong.map(([name, value]) => `${name} is ${show(fields[name])}, not ${show(value)}`).join('; ')
}

const show = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))

/** What is wrong with both sides of a table in the end, when users and faults are over and a sync has gone through. */
export function judgeEnd(history: History, table: string, sides: Sides): readonly string[] {
  const ids = new Set([...history.idsOf(table), ...sides.cassandra.keys(), ...sides.elasticsearch.keys()])
  return [...ids].flatMap((id) => [
    ...judgeSide(history, table, id, 'cassandra', sides.cassandra.get(id)),
    ...judgeSide(history, table, id, 'elasticsearch', sides.elasticsearch.get(id)),
    ...judgeVersions(history, table, id, sides),
  ])
}

function judgeSide(history: History, table: string, id: string, side: Side, found: Found | undefined): string[] {
  const where = `${table} ${id} on ${side}`
  if (found?.mixed !== undefined) return [`${where}: ${found.mixed}`]
  const write = found === undefined ? undefined : history.find(found.payload)
  if (found !== undefined && (write === undefined || write.id !== id || write.table !== table))
    return [`${where}: nobody wrote ${found.payload} there`]
  if (write !== undefined && found !== undefined && found.ms !== write.ms)
    return [`${where}: ${found.payload} of ${write.ms} has become one of ${found.ms}`]
  const { absent, oldest, why } = expect(history, table, id, side)
  if (write === undefined) return absent ? [] : [`${where}: lost; ${why}`]
  if (oldest === undefined) return [`${where}: ${describe(write)} is back; ${why}`]
  return write.ms >= oldest.ms ? [] : [`${where}: ${describe(write)} in place of ${describe(oldest)}; ${why}`]
}

interface Expected {
  /** It may be missing. */
  readonly absent: boolean
  /** The oldest write that may be there; undefined: none may. */
  readonly oldest: Write | undefined
  readonly why: string
}

/**
 * What may be on a side in the end: the newest write of an id, but for those deleted.
 *
 *   deleted after the newest   Cassandra                             Elasticsearch
 *   in Cassandra               nothing                               what users wrote there, or anything that was carried before
 *   in Elasticsearch           the newest; one that was written in   nothing, or the newest (of those that were left)
 *                              Elasticsearch may never have come
 *   in both, no sync running   nothing                               nothing
 */
function expect(history: History, table: string, id: string, side: Side): Expected {
  const newest = history.newestOf(table, id)
  if (newest === undefined) return { absent: true, oldest: undefined, why: 'no write of it was acknowledged' }
  const [inCassandra, inElasticsearch] = [
    deletedAfter(history, newest, 'cassandra'),
    deletedAfter(history, newest, 'elasticsearch'),
  ]
  const why = `newest is ${describe(newest)}`
  const left = leftOver(history, table, id, 'cassandra')
  const leftOrAny = left ?? firstOf(history, table, id)
  if (side === 'cassandra') {
    if (inCassandra !== undefined) return { absent: true, oldest: undefined, why: `${why}, deleted after that` }
    if (inElasticsearch === undefined || newest.side === 'cassandra') return { absent: false, oldest: newest, why }
    return { absent: left === undefined, oldest: leftOrAny, why: `${why}, deleted there after that` }
  }
  if (inCassandra !== undefined) {
    if (inCassandra.inQuiet && inElasticsearch?.inQuiet === true)
      return { absent: true, oldest: undefined, why: `${why}, deleted on both sides after that` }
    const own = leftOver(history, table, id, 'elasticsearch')
    const oldest = own ?? firstOf(history, table, id)
    return { absent: own === undefined, oldest, why: `${why}, deleted in Cassandra after that` }
  }
  if (inElasticsearch === undefined) return { absent: false, oldest: newest, why }
  return { absent: true, oldest: newest.side === 'cassandra' ? newest : leftOrAny, why: `${why}, deleted after that` }
}

function deletedAfter(history: History, { table, id, startedAt }: Write, side: Side) {
  const deletion = history.lastDeletion(table, id, side)
  return deletion !== undefined && deletion.startedAt > startedAt ? deletion : undefined
}

/** The newest that users wrote on a side and did not delete there. */
function leftOver(history: History, table: string, id: string, side: Side): Write | undefined {
  const newest = history.newestOf(table, id, side)
  return newest === undefined || deletedAfter(history, newest, side) !== undefined ? undefined : newest
}

function firstOf(history: History, table: string, id: string): Write | undefined {
  return history.writesOf(table, id).toSorted((a, b) => a.ms - b.ms)[0]
}

/** The exact timeuuid goes along where somebody gave one; and both sides agree where both have one of the same write. */
function judgeVersions(history: History, table: string, id: string, sides: Sides): string[] {
  const [left, right] = [sides.cassandra.get(id), sides.elasticsearch.get(id)]
  const complaints: string[] = []
  for (const [side, found] of Object.entries(sides).map(([name, all]) => [name, all.get(id)] as const)) {
    const write = found === undefined ? undefined : history.find(found.payload)
    // A document of a user may have an old timeuuid beside a new date: it is his.
    if (found === undefined || write?.timeuuid === undefined || found.timeuuid === write.timeuuid) continue
    complaints.push(`${table} ${id} on ${side}: ${describe(write)} of ${write.timeuuid} has become ${found.timeuuid}`)
  }
  if (left === undefined || right === undefined || left.payload !== right.payload) return complaints
  const write = history.find(left.payload)
  if (write?.side === 'cassandra' && left.timeuuid !== right.timeuuid)
    complaints.push(`${table} ${id}: ${left.timeuuid} in Cassandra, ${right.timeuuid} in Elasticsearch`)
  return complaints
}

/** One operation on a document that was seen to be carried out: by a sync, or by a user. */
export interface DocumentChange {
  readonly table: string
  readonly id: string
  /** What the server counts for every change of a document. */
  readonly docVersion: number
  readonly by: 'sync' | 'user'
  /** Undefined for a deletion. */
  readonly payload: string | undefined
}

/** A sync may only write what is newer than what it overwrites. Changes of which nobody heard an answer are left out. */
export function judgeDocumentChanges(history: History, changes: readonly DocumentChange[]): readonly string[] {
  const byDocument = Map.groupBy(changes, ({ table, id }) => `${table} ${id}`)
  return [...byDocument.values()].flatMap((ofOne) => {
    const inOrder = ofOne.toSorted((a, b) => a.docVersion - b.docVersion)
    return inOrder.flatMap((change, at) => {
      const before = inOrder[at - 1]
      if (change.by === 'user' || before === undefined || before.docVersion !== change.docVersion - 1) return []
      return judgeOverwrite(history, before, change)
    })
  })
}

function judgeOverwrite(history: History, before: DocumentChange, change: DocumentChange): string[] {
  const where = `${change.table} ${change.id} on elasticsearch`
  if (change.payload === undefined) return [`${where}: the sync deleted it`]
  const write = history.find(change.payload)
  if (write === undefined) return [`${where}: the sync wrote ${change.payload}, which nobody did`]
  const old = before.payload === undefined ? undefined : history.find(before.payload)
  if (old === undefined || write.ms > old.ms) return []
  return [`${where}: the sync wrote ${describe(write)} over ${describe(old)}`]
}

/** What an onlooker read of a row at some time. */
export interface Sighting {
  readonly table: string
  readonly id: string
  readonly found: Found
  /** When it had asked, and when it had the answer: milliseconds since 1970. */
  readonly askedAt: number
  readonly answeredAt: number
}

/** A row may become older only by a user's hand: one who wrote that older version after the newer one was seen. */
export function judgeSightings(history: History, sightings: readonly Sighting[]): readonly string[] {
  const byRow = Map.groupBy(sightings, ({ table, id }) => `${table} ${id}`)
  return [...byRow.values()].flatMap((ofOne) =>
    ofOne.flatMap((seen, at) => {
      const before = ofOne[at - 1]
      if (seen.found.mixed !== undefined)
        return [`${seen.table} ${seen.id} on cassandra, for a while: ${seen.found.mixed}`]
      if (before === undefined || before.found.payload === seen.found.payload) return []
      const [old, now] = [history.find(before.found.payload), history.find(seen.found.payload)]
      if (old === undefined || now === undefined || now.ms > old.ms) return []
      const isUsers = now.side === 'cassandra' && (now.endedAt === undefined || now.endedAt >= before.askedAt)
      if (isUsers) return []
      return [`${seen.table} ${seen.id} on cassandra: ${describe(now)} came in place of ${describe(old)}`]
    }),
  )
}

/** Up to where a direction of a table is said to be done, in milliseconds since 1970. */
export interface SavedEnd {
  readonly table: string
  readonly from: Side
  readonly endMs: number
}

/**
 * Whatever was there when the window of a saved end was closed (`lagMs` after its end) and lies before that end has to be on the other
 * side, or something newer. Both sides have to be read after the saved ends, while nobody writes.
 */
export function judgeSavedEnd(
  history: History,
  { table, from, endMs }: SavedEnd,
  sides: Sides,
  lagMs: number,
): readonly string[] {
  const to: Side = from === 'cassandra' ? 'elasticsearch' : 'cassandra'
  return [...sides[from]].flatMap(([id, found]) => {
    const write = history.find(found.payload)
    if (write === undefined || found.mixed !== undefined || write.ms > endMs) return []
    // What a sync brought here came from there; what a user wrote too late belongs to the next window.
    if (write.side !== from || write.endedAt === undefined || write.endedAt > endMs + lagMs) return []
    if (history.deletionsOf(table, id).length > 0) return []
    const there = sides[to].get(id)
    const held = there === undefined ? undefined : history.find(there.payload)
    if (held !== undefined && held.ms >= write.ms) return []
    // A user with a clock that is behind has overwritten it since.
    if (held?.side === to && (held.endedAt ?? Number.POSITIVE_INFINITY) > endMs + lagMs) return []
    const has = held === undefined ? 'nothing' : describe(held)
    return [`${table} ${id}: ${describe(write)} is said to be carried (saved end ${endMs}); ${to} has ${has}`]
  })
}

export function describe({ payload, side, ms, startedAt }: Write): string {
  return `${payload} (${side}, ${new Date(ms).toISOString()}, written ${Math.round(startedAt - ms)} ms later)`
}

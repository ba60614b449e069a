// What users have written to both sides of a pair, every acknowledged write of it: what the checker goes by. It knows no server.
//
// Every write has a payload of its own, and a millisecond that no other write of its id has: so what is found somewhere tells which
// write it is. Those of one id on one side come one after the other, each newer than the one before: the newest write of all is then
// never overwritten by a user, for on its own side only something newer could do that, and the other side never had it from a user.

export type Side = 'cassandra' | 'elasticsearch'

interface Operation {
  readonly table: string
  readonly id: string
  readonly side: Side
  /** Milliseconds since 1970: when it was sent, and when it was acknowledged, if ever. */
  readonly startedAt: number
  endedAt: number | undefined
}

export interface Write extends Operation {
  readonly kind: 'write'
  readonly payload: string
  /** Of its tmstmp, milliseconds since 1970. */
  readonly ms: number
  /** Exactly, where the user gave it. */
  readonly timeuuid: string | undefined
  /** Of the document, after this write. */
  docVersion: number | undefined
}

export interface Deletion extends Operation {
  readonly kind: 'delete'
  /** No sync ran meanwhile. */
  readonly inQuiet: boolean
}

/** What the fields of a row are, all of them told by its payload: a row that mixes two writes is found out. */
export interface Fields {
  readonly payload: string
  readonly n: number
  readonly note: string | null
  readonly big: bigint
  readonly tags: readonly string[] | null
}

/** 32 bits out of a text (FNV-1a). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

export function fieldsOf(payload: string): Fields {
  const hash = hashOf(payload)
  return {
    payload,
    n: hash | 0,
    note: hash % 3 === 0 ? null : `note of ${payload}`,
    big: 2n ** 60n + BigInt(hash) * 7n,
    tags: hash % 5 === 0 ? null : [payload, 'x'.repeat(hash % 40)],
  }
}

export class History {
  readonly #writes = new Map<string, Write[]>()
  readonly #deletions = new Map<string, Deletion[]>()
  readonly #byPayload = new Map<string, Write>()
  #count = 0

  /** A write that is about to be sent, of the millisecond `wanted` or a later one that is free. */
  write(op: {
    readonly table: string
    readonly id: string
    readonly side: Side
    readonly wanted: number
    readonly now: number
    readonly toTimeuuid: ((ms: number) => string) | undefined
  }): Write {
    const { table, id, side, wanted, now, toTimeuuid } = op
    const taken = this.writesOf(table, id)
    const own = Math.max(0, ...taken.filter((write) => write.side === side).map(({ ms }) => ms))
    const deleted = Math.max(0, ...this.deletionsOf(table, id).map(({ endedAt }) => (endedAt ?? now) + 1))
    let ms = Math.max(wanted, own + 1, deleted + 1)
    while (taken.some((write) => write.ms === ms)) ms++
    const payload = `${side === 'cassandra' ? 'c' : 'e'}${this.#count++}`
    const timeuuid = toTimeuuid?.(ms)
    const write: Write = {
      ...{ kind: 'write', table, id, side, payload, ms, timeuuid },
      ...{ startedAt: now, endedAt: undefined, docVersion: undefined },
    }
    add(this.#writes, keyOf(table, id), write)
    this.#byPayload.set(payload, write)
    return write
  }

  /** A deletion that is about to be sent. */
  delete(op: Pick<Deletion, 'table' | 'id' | 'side' | 'startedAt' | 'inQuiet'>): Deletion {
    const deletion: Deletion = { kind: 'delete', ...op, endedAt: undefined }
    add(this.#deletions, keyOf(op.table, op.id), deletion)
    return deletion
  }

  writesOf(table: string, id: string): readonly Write[] {
    return this.#writes.get(keyOf(table, id)) ?? []
  }

  deletionsOf(table: string, id: string): readonly Deletion[] {
    return this.#deletions.get(keyOf(table, id)) ?? []
  }

  /** The write that this payload was given to. */
  find(payload: string): Write | undefined {
    return this.#byPayload.get(payload)
  }

  idsOf(table: string): readonly string[] {
    return [...this.#writes.keys()]
      .filter((key) => key.startsWith(`${table} `))
      .map((key) => key.slice(table.length + 1))
  }

  /** The newest acknowledged write of an id, on any side or on one. */
  newestOf(table: string, id: string, side?: Side): Write | undefined {
    let newest: Write | undefined
    for (const write of this.writesOf(table, id)) {
      if (write.endedAt === undefined || (side !== undefined && write.side !== side)) continue
      if (newest === undefined || write.ms > newest.ms) newest = write
    }
    return newest
  }

  lastDeletion(table: string, id: string, side: Side): Deletion | undefined {
    return this.deletionsOf(table, id).findLast((deletion) => deletion.side === side && deletion.endedAt !== undefined)
  }

  get size(): number {
    return this.#count
  }
}

function keyOf(table: string, id: string): string {
  return `${table} ${id}`
}

function add<T>(lists: Map<string, T[]>, key: string, one: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [one])
  else list.push(one)
}

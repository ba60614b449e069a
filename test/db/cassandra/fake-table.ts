// A table behind the fake node: it carries out the statements of a store, with write times by cell and pages, as a node does. The text
// column `note` is its only one. Whoever tests may answer in its place first.
import { tokenOf } from '../../../src/db/cassandra/murmur3.ts'
import type { TableKind } from '../../../src/db/table.ts'
import { compareVersions, readTimeuuid } from '../../../src/db/timeuuid.ts'
import { type Cell, type FakeAnswer, type FakeHandler, FakeNode, type FakeRequest, int, long } from './fake-node.ts'

interface FakeCell {
  readonly value: Cell
  readonly writetime: bigint
}

/** What is stored of one primary key. */
interface FakeRow {
  readonly id: Buffer
  tmstmp: FakeCell
  note: FakeCell
}

export interface FakeTableOptions {
  readonly kind: TableKind
  readonly newestFirst?: boolean
  readonly hasTimeIndex?: boolean
  /** Asked first. */
  readonly handle?: FakeHandler
}

export const KEYSPACE = 'app'
export const TABLE = 't'

export class FakeTable {
  readonly #options: FakeTableOptions
  /** By primary key. */
  readonly #rows = new Map<string, FakeRow>()
  /** Empty pages that are put before every page with rows. */
  emptyPages = 0

  constructor(options: FakeTableOptions) {
    this.#options = options
  }

  readonly handle: FakeHandler = async (request) => {
    const answer = await this.#options.handle?.(request)
    if (answer !== undefined) return answer
    this.handleQuietly(request)
    if (request.kind === 'BATCH') return 'void'
    if (request.kind !== 'QUERY' && request.kind !== 'EXECUTE') return undefined
    return this.#page(request, this.#select(request))
  }

  /** Carries it out whatever the test would answer. */
  readonly handleQuietly = (request: FakeRequest): void => {
    if (request.kind === 'BATCH') for (const { cql, values } of request.statements) this.#change(cql, values)
  }

  start(): Promise<FakeNode> {
    return FakeNode.start(this.handle)
  }

  /** As a user writes it, with a write time in microseconds. */
  put(id: Buffer, tmstmp: Buffer, note: string | null, writetime: bigint): void {
    this.#write(id, { value: tmstmp, writetime }, { value: note === null ? null : Buffer.from(note), writetime })
  }

  /** Every row there is, as [id, tmstmp, note] in hex and text. */
  get rows(): readonly (readonly [id: string, tmstmp: string, note: string | null])[] {
    return this.#sorted().map(({ id, tmstmp, note }) => [
      id.toString('hex'),
      tmstmp.value?.toString('hex') ?? '',
      note.value?.toString() ?? null,
    ])
  }

  /** Takes the tmstmp from a row, as an UPDATE of another column leaves it where there was none. */
  hideVersionOf(id: Buffer): void {
    for (const row of this.#rows.values()) if (row.id.equals(id)) row.tmstmp = { value: null, writetime: 0n }
  }

  writetimeOf(id: Buffer): bigint | undefined {
    return this.#sorted().find((row) => row.id.equals(id))?.note.writetime
  }

  #write(id: Buffer, tmstmp: FakeCell, note: FakeCell | undefined): void {
    const { kind } = this.#options
    const key = kind === 'latest' ? id.toString('hex') : `${id.toString('hex')} ${tmstmp.value?.toString('hex')}`
    const there = this.#rows.get(key)
    if (there === undefined)
      this.#rows.set(key, { id, tmstmp, note: note ?? { value: null, writetime: tmstmp.writetime } })
    else {
      there.tmstmp = laterOf(there.tmstmp, tmstmp)
      if (note !== undefined) there.note = laterOf(there.note, note)
    }
  }

  #change(cql: string, values: readonly (Cell | undefined)[]): void {
    if (cql.startsWith('INSERT')) {
      const [id, tmstmp, note, timestamp] = values
      if (!id || !tmstmp || !timestamp || values.length !== 4)
        throw new Error('id, tmstmp, note and timestamp expected')
      const writetime = timestamp.readBigInt64BE()
      this.#write(id, { value: tmstmp, writetime }, note === undefined ? undefined : { value: note, writetime })
    } else if (cql.startsWith('DELETE')) {
      const [timestamp, id, upTo] = values
      const at = timestamp?.readBigInt64BE() ?? 0n
      for (const [key, row] of this.#rows)
        if (id?.equals(row.id) && row.note.writetime <= at && row.tmstmp.writetime <= at && isUpTo(row, upTo))
          this.#rows.delete(key)
    } else throw new Error(`unexpected: ${cql}`)
  }

  #select({ statements: [statement] }: FakeRequest): readonly (readonly Cell[])[] {
    const { cql, values } = statement ?? { cql: '', values: [] }
    const schema = this.#describe(cql)
    if (schema !== undefined) return schema
    let rest = [...values] as Buffer[]
    let rows = this.#sorted()
    if (cql.includes('token(id) > ?')) {
      const [from = 0n, to = 0n] = rest.splice(0, 2).map((value) => value.readBigInt64BE())
      rows = rows.filter(({ id }) => tokenOf(id) > from && tokenOf(id) <= to)
    }
    if (cql.includes('tmstmp > ?')) {
      const [after, upTo] = rest.splice(0, 2).map((value) => readTimeuuid(value))
      rows = rows.filter(({ tmstmp: { value } }) => {
        if (value === null || after === undefined || upTo === undefined) return false
        return compareVersions(readTimeuuid(value), after) > 0 && compareVersions(readTimeuuid(value), upTo) <= 0
      })
    }
    if (cql.includes('id IN ?')) {
      const ids = readList(rest.shift() ?? int(0))
      rows = rows.filter(({ id }) => ids.some((one) => one.equals(id)))
      if (cql.includes('ORDER BY tmstmp DESC')) rows = rows.toSorted((a, b) => compareTimes(b, a))
    }
    if (cql.includes('PER PARTITION LIMIT 1'))
      rows = rows.filter((row, at) => rows.findIndex((other) => other.id.equals(row.id)) === at)
    if (cql.includes(' LIMIT ?')) rows = rows.slice(0, rest.shift()?.readInt32BE() ?? 0)
    rest = rest.filter((value) => value !== undefined)
    if (rest.length > 0) throw new Error(`values without a marker: ${cql}`)
    return rows.map((row) => cellsOf(cql, row))
  }

  #describe(cql: string): readonly (readonly Cell[])[] | undefined {
    const { kind, newestFirst = false, hasTimeIndex = false } = this.#options
    const text = (...cells: readonly string[]) => cells.map((cell) => Buffer.from(cell))
    if (cql.includes('system_schema.columns'))
      return [
        text(TABLE, 'id', 'uuid', 'partition_key', 'none'),
        text(TABLE, 'tmstmp', 'timeuuid', kind === 'latest' ? 'regular' : 'clustering', newestFirst ? 'desc' : 'asc'),
        text(TABLE, 'note', 'text', 'regular', 'none'),
      ]
    if (cql.includes('system_schema.indexes')) {
      const options = ['class_name', 'sai', 'target', 'tmstmp'].flatMap((one) => [int(one.length), Buffer.from(one)])
      return hasTimeIndex ? [[Buffer.from(TABLE), Buffer.concat([int(2), ...options])]] : []
    }
    return cql.includes('FROM system') ? [] : undefined
  }

  #page({ pageSize, pagingState }: FakeRequest, rows: readonly (readonly Cell[])[]): FakeAnswer {
    const [at = 0, empty = 0] =
      pagingState === undefined ? [] : [pagingState.readInt32BE(0), pagingState.readInt32BE(4)]
    const columns = rows[0]?.length ?? 0
    if (empty < this.emptyPages && rows.length > at)
      return { rows: [], columns, pagingState: Buffer.concat([int(at), int(empty + 1)]) }
    const end = pageSize === undefined ? rows.length : at + pageSize
    return {
      rows: rows.slice(at, end),
      columns,
      pagingState: end < rows.length ? Buffer.concat([int(end), int(0)]) : undefined,
    }
  }

  /** In the order of tokens, and of versions within an id. */
  #sorted(): FakeRow[] {
    const direction = this.#options.newestFirst === true ? -1 : 1
    return [...this.#rows.values()].sort((a, b) => {
      const [one, other] = [tokenOf(a.id), tokenOf(b.id)]
      if (one !== other) return one < other ? -1 : 1
      return direction * compareTimes(a, b)
    })
  }
}

function cellsOf(cql: string, { id, tmstmp, note }: FakeRow): readonly Cell[] {
  if (cql.startsWith('SELECT token(id)')) return [long(tokenOf(id))]
  const held = note.value === null ? null : long(note.writetime)
  if (cql.startsWith('SELECT id, tmstmp, WRITETIME')) return [id, tmstmp.value, long(tmstmp.writetime), held]
  if (cql.startsWith('SELECT id, tmstmp FROM')) return [id, tmstmp.value]
  if (cql.startsWith('SELECT id, tmstmp, "note" FROM')) return [id, tmstmp.value, note.value]
  throw new Error(`unexpected: ${cql}`)
}

/** As the servers do: the later one wins, the greater value where both are of one time. */
function laterOf(one: FakeCell, other: FakeCell): FakeCell {
  if (one.writetime !== other.writetime) return one.writetime > other.writetime ? one : other
  if (one.value === null || other.value === null) return one.value === null ? one : other
  return Buffer.compare(one.value, other.value) >= 0 ? one : other
}

function compareTimes({ tmstmp: { value: one } }: FakeRow, { tmstmp: { value: other } }: FakeRow): number {
  return one === null || other === null ? 0 : compareVersions(readTimeuuid(one), readTimeuuid(other))
}

function isUpTo(row: FakeRow, upTo: Cell | undefined): boolean {
  if (!upTo || row.tmstmp.value === null) return true
  return compareVersions(readTimeuuid(row.tmstmp.value), readTimeuuid(upTo)) <= 0
}

function readList(bytes: Buffer): readonly Buffer[] {
  return Array.from({ length: bytes.readInt32BE() }, (_, at) => bytes.subarray(8 + at * 20, 24 + at * 20))
}

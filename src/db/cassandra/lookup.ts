// The newest rows of given ids, by lists that are as long as their rows are short; and deleting rows that nobody has made newer since.
import { forEachConcurrently } from '../../lib/concurrently.ts'
import type { Row } from '../document.ts'
import type { Misfit } from '../store.ts'
import { compareVersions, microsOf, type Version } from '../timeuuid.ts'
import { ValueError } from '../values.ts'
import { Batches, type Write } from './batches.ts'
import { cutList, type HeldReader, type HeldRow, IDS_PER_LIST } from './held.ts'
import { PageSize } from './page-size.ts'
import type { TablePlace } from './place.ts'
import type { RowReader } from './row-reader.ts'
import { idListBytes, int64Bytes, uuidBytes, versionBytes } from './values.ts'
import type { WritePace } from './write-pace.ts'

const LISTS_AT_ONCE = 4
/** Ids that are removed in one step. */
const REMOVED_AT_ONCE = 500

/** As StoreTable.find. */
export async function findRows(
  place: TablePlace,
  reader: RowReader,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Row | Misfit>> {
  const found = new Map<string, Row | Misfit>()
  const wanted = [...new Set(ids)].flatMap(bytesOfId)
  if (wanted.length === 0) return found
  const statement = await place.prepareIfThere('find', signal)
  if (statement === undefined) return found
  const length = new PageSize(undefined, IDS_PER_LIST)
  const cut = function* () {
    for (let at = 0; at < wanted.length; ) {
      const some = wanted.slice(at, at + length.rows)
      at += some.length
      yield some
    }
  }
  await forEachConcurrently(cut(), LISTS_AT_ONCE, signal, async (some) => {
    for (const page of await place.ask(statement, [idListBytes(some)], signal)) {
      length.learn(page.rowCount, page.body.length)
      reader.readPage(page, undefined, (entry) => found.set(entry.id, entry.found))
    }
  })
  return found
}

interface Removal extends Write {
  readonly id: string
}

export interface RemoveParts {
  readonly place: TablePlace
  readonly held: HeldReader
  readonly pace: WritePace
}

type Doomed = { readonly id: string; readonly version: Version }

/** As StoreTable.remove. */
export async function removeRows(
  parts: RemoveParts,
  rows: readonly Doomed[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>()
  if (rows.length === 0) return gone
  const { place, pace } = parts
  const statement = await place.prepare('remove', signal)
  const valueCount = place.table.kind === 'versions' ? 3 : 2
  const batches = new Batches<Removal>({ place, pace, statement, valueCount, timestampAt: 'first' })
  for (const some of cutList(rows, REMOVED_AT_ONCE)) await removeSome(parts, batches, some, gone, signal)
  return gone
}

async function removeSome(
  { place, held }: RemoveParts,
  batches: Batches<Removal>,
  rows: readonly Doomed[],
  gone: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const wanted = rows.filter(({ id }) => bytesOfId(id).length > 0)
  const ids = wanted.map(({ id }) => id)
  const there = await held.readIds(ids, signal)
  const { clock } = place.session.options
  const removals = wanted.flatMap((row) => {
    const own = there.get(row.id)
    return own === undefined || isNewer(own, row.version)
      ? []
      : [createRemoval(place, row, own, BigInt(Math.trunc(clock.wallNow())) * 1_000n)]
  })
  await batches.write(removals, signal, () => {})
  // What is there now was not removed, or has come since.
  const left = removals.length === 0 ? there : await held.readIds(ids, signal)
  for (const { id } of wanted) if (left.get(id)?.version === undefined) gone.add(id)
}

/**
 * In a table with one row an id the delete has the time of what it deletes, so that whatever is written later stays, though it should
 * be on its way already. Where every version is a row the delete ends at that version by itself, and takes the rows that have no cells,
 * whose write time nobody can tell: it has the time of now.
 */
function createRemoval({ table }: TablePlace, { id, version }: Doomed, there: HeldRow, nowMicros: bigint): Removal {
  if (table.kind === 'versions') {
    const timestamp = latest(nowMicros, microsOf(version))
    return { id, timestamp, ...cellsOf(uuidBytes(id), versionBytes(version)) }
  }
  const timestamp = latest(there.writetime ?? microsOf(version), microsOf(version))
  return { id, timestamp, ...cellsOf(uuidBytes(id)) }
}

function isNewer(there: HeldRow, version: Version): boolean {
  return there.version !== undefined && compareVersions(there.version, version) > 0
}

const latest = (one: bigint, other: bigint): bigint => (one > other ? one : other)

function cellsOf(...values: readonly Buffer[]): Pick<Write, 'bytes' | 'start' | 'end'> {
  const bytes = Buffer.concat(values.flatMap((value) => [lengthBytes(value.length), value]))
  return { bytes, start: 0, end: bytes.length }
}

function lengthBytes(length: number): Buffer {
  return int64Bytes(BigInt(length)).subarray(4)
}

/** None for what is no uuid: no row has it. */
function bytesOfId(id: string): readonly Buffer[] {
  try {
    return [uuidBytes(id)]
  } catch (error) {
    if (error instanceof ValueError) return []
    throw error
  }
}

// The verify of one table. Both sides are read at once, and what tells rows apart is kept in partitions by id, in memory up to a bound
// and on disk beyond it; then they are joined, partition by partition. Both sides live meanwhile, and a version may lie outside the
// window: no difference is told from that alone. Every candidate is looked up again on both sides, and judged by what is there then.
import { forEachConcurrently } from '../lib/concurrently.ts'
import type { AgreedTable } from './agree.ts'
import type { DbVerifyRequest, DbVerifySurroundings, Difference, Pair, Verdict } from './contract.ts'
import { createRowComparer, type Row } from './document.ts'
import { type Orphan, repairOrphans, type TableSides } from './repair.ts'
import { createRowDigester } from './row-digest.ts'
import { openSpill, type Spill } from './spill.ts'
import type { Misfit, ScanBatch, Split } from './store.ts'
import { createDeletedCheck, isMisfit, judge } from './verdict.ts'
import type { TableFindings } from './verify-memory.ts'
import {
  type Candidate,
  compareIds,
  joinRecords,
  partitionOf,
  type Side,
  type Stray,
  writeMisfitRecord,
  writeRowRecord,
} from './verify-records.ts'
import type { Window } from './window.ts'

export interface TableVerify {
  readonly pair: Pair
  readonly table: AgreedTable
  readonly window: Window
  readonly request: DbVerifyRequest
  readonly surroundings: DbVerifySurroundings
  /** What is kept of rows in memory, in bytes: SPILL_BYTES when left out. */
  readonly spillBytes?: number
}

/** One of each side, as long as both have some. */
const SPLITS_AT_ONCE = 2
/** Enough for a quarter of a million rows; the rest is on disk. */
const SPILL_BYTES = 24 * 1_024 * 1_024
/** By how much there is: a partition is in memory as a whole when it is joined. */
const PARTITIONS = { least: 256, most: 1_024, perSplit: 8 } as const
const LOOKUPS_AT_ONCE = 2
/** Ids that are looked up at once: so many, or fewer of large rows (in characters). */
const LOOKUP = { ids: 500, characters: 4 * 1_024 * 1_024 } as const
const PROGRESS_MS = 250

/** Throws StoreFailed, or the signal's reason. */
export async function verifyTable(work: TableVerify): Promise<TableFindings> {
  const { clock } = work.surroundings
  const began = clock.now()
  const verify = new Verify(work)
  await using spill = await verify.read()
  await verify.compare(spill)
  return verify.findings(clock.now() - began)
}

/** What an id was found to be, and its row where one side alone has it. */
interface Judged {
  readonly id: string
  readonly verdict: Verdict | undefined
  readonly orphan: Orphan | undefined
}

interface PlannedSplit {
  readonly side: Side
  readonly split: Split
}

class Verify {
  readonly #work: TableVerify
  readonly #sides: TableSides
  readonly #counts: Record<Verdict, number> = {
    equal: 0,
    leftNewer: 0,
    rightNewer: 0,
    onlyLeft: 0,
    onlyRight: 0,
    differs: 0,
  }
  readonly #differences: FirstDifferences
  readonly #progress = { read: 0, done: 0, total: 0, compared: 0 }
  readonly #hasSameValues: (a: Row, b: Row) => boolean
  readonly #isDeleted: (row: Row) => boolean
  #repaired = 0
  #longestRow = 1
  #partitions: number = PARTITIONS.least
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(work: TableVerify) {
    const { pair, table, request } = work
    this.#work = work
    this.#sides = { left: pair.left.openTable(table.left), right: pair.right.openTable(table.right) }
    this.#hasSameValues = createRowComparer(table.left)
    this.#isDeleted = createDeletedCheck(table.left.columns, pair.deletedField)
    this.#differences = new FirstDifferences(request.maxDifferences)
  }

  /** Reads what both sides have of the window. */
  async read(): Promise<Spill> {
    const splits = await this.#plan()
    this.#progress.total = splits.length
    this.#tell()
    const wanted = splits.length * PARTITIONS.perSplit
    this.#partitions = Math.min(PARTITIONS.most, Math.max(PARTITIONS.least, wanted))
    const { spillBytes: memoryBytes = SPILL_BYTES, surroundings } = this.#work
    const spill = openSpill({ partitions: this.#partitions, memoryBytes, folder: surroundings.temporaryFolder })
    try {
      await this.#readSplits(splits, spill)
      return spill
    } catch (error) {
      await spill[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Joins what was read, and looks at what is not known to be equal. */
  async compare(spill: Spill): Promise<void> {
    for (let partition = 0; partition < this.#partitions; partition++) {
      this.#work.surroundings.signal.throwIfAborted()
      const { equal, candidates, strays } = joinRecords(await spill.read(partition))
      this.#counts.equal += equal
      this.#progress.compared += equal
      for (const stray of strays) this.#countStray(stray)
      await this.#lookUp(candidates)
      this.#tell()
    }
    this.#tell(true)
  }

  findings(ms: number): TableFindings {
    const table = this.#work.table.name
    return {
      item: { table, counts: this.#counts, ms: Math.round(ms) },
      differences: this.#differences.list().map((difference) => ({ table, ...difference })),
      repaired: this.#repaired,
    }
  }

  /** The splits of both sides in turn, so that both are under way from the beginning. */
  async #plan(): Promise<readonly PlannedSplit[]> {
    const { window, surroundings } = this.#work
    const options = { signal: surroundings.signal }
    const [left, right] = await Promise.all([
      this.#sides.left.plan(window, options),
      this.#sides.right.plan(window, options),
    ])
    const planned: PlannedSplit[] = []
    for (let at = 0; at < Math.max(left.length, right.length); at++) {
      for (const [side, splits] of [
        ['left', left],
        ['right', right],
      ] as const) {
        const split = splits[at]
        if (split !== undefined) planned.push({ side, split })
      }
    }
    return planned
  }

  async #readSplits(splits: readonly PlannedSplit[], spill: Spill): Promise<void> {
    const ended = new AbortController()
    const signal = AbortSignal.any([this.#work.surroundings.signal, ended.signal])
    const digest = createRowDigester(this.#work.table.left.columns)
    await forEachConcurrently(splits, SPLITS_AT_ONCE, signal, async ({ side, split }) => {
      try {
        for await (const batch of this.#sides[side].scan(split, this.#work.window, signal))
          await this.#keep(side, batch, digest, spill)
        this.#progress.done++
        this.#tell()
      } catch (error) {
        // The others need not go on.
        ended.abort(error)
        throw error
      }
    })
  }

  async #keep(
    side: Side,
    { rows, misfits }: ScanBatch,
    digest: ReturnType<typeof createRowDigester>,
    spill: Spill,
  ): Promise<void> {
    const room = Buffer.alloc(64)
    const append = (record: Buffer) => spill.append(partitionOf(record, this.#partitions), record)
    for (const row of rows) {
      const { digest: bytes, length } = digest(row)
      this.#longestRow = Math.max(this.#longestRow, length)
      const full = append(writeRowRecord(side, row, bytes, room))
      if (full !== undefined) await full
    }
    for (const { id } of misfits) await append(writeMisfitRecord(side, id))
    this.#progress.read += rows.length + misfits.length
    this.#tell()
  }

  async #lookUp(candidates: readonly Candidate[]): Promise<void> {
    const size = Math.max(1, Math.min(LOOKUP.ids, Math.floor(LOOKUP.characters / this.#longestRow)))
    const chunks: (readonly Candidate[])[] = []
    for (let at = 0; at < candidates.length; at += size) chunks.push(candidates.slice(at, at + size))
    await forEachConcurrently(chunks, LOOKUPS_AT_ONCE, this.#work.surroundings.signal, async (chunk) => {
      const judged = await this.#repair(chunk, await this.#judge(chunk))
      for (const { id, verdict } of judged) if (verdict !== undefined) this.#count(id, verdict)
      this.#tell()
    })
  }

  async #judge(candidates: readonly Candidate[]): Promise<readonly Judged[]> {
    const { window, surroundings } = this.#work
    const ids = candidates.map(({ id }) => id)
    const [left, right] = await Promise.all([
      this.#sides.left.find(ids, surroundings.signal),
      this.#sides.right.find(ids, surroundings.signal),
    ])
    return candidates.map((candidate) => {
      const [l, r] = [left.get(candidate.id), right.get(candidate.id)]
      const verdict = judge(
        { now: l, seen: candidate.left },
        { now: r, seen: candidate.right },
        window,
        this.#hasSameValues,
      )
      return this.#findOrphan(candidate.id, verdict, l ?? r)
    })
  }

  #findOrphan(id: string, verdict: Verdict | undefined, found: Row | Misfit | undefined): Judged {
    const isAlone = verdict === 'onlyLeft' || verdict === 'onlyRight'
    if (this.#work.request.orphans === undefined || !isAlone || found === undefined || isMisfit(found))
      return { id, verdict, orphan: undefined }
    if (this.#isDeleted(found)) return { id, verdict: 'equal', orphan: undefined }
    return { id, verdict, orphan: { row: found, verdict } }
  }

  /** Mends the orphans among them, and judges these again. */
  async #repair(candidates: readonly Candidate[], judged: readonly Judged[]): Promise<readonly Judged[]> {
    const { request, surroundings } = this.#work
    const orphans = judged.flatMap(({ orphan }) => orphan ?? [])
    if (request.orphans === undefined || orphans.length === 0) return judged
    const tried = await repairOrphans(orphans, request.orphans.repair, this.#sides, surroundings.signal)
    if (tried.size === 0) return judged
    const again = await this.#judge(candidates.filter(({ id }) => tried.has(id)))
    this.#repaired += again.filter(({ verdict }) => verdict === undefined || verdict === 'equal').length
    return [...judged.filter(({ id }) => !tried.has(id)), ...again]
  }

  #countStray({ id, left, right }: Stray): void {
    // The same name on both sides is the same thing, which neither can carry; without a name there is nothing to tell.
    const both = id === '' ? 0 : Math.min(left, right)
    this.#count(id, 'differs', both)
    this.#count(id, 'onlyLeft', left - both)
    this.#count(id, 'onlyRight', right - both)
  }

  #count(id: string, verdict: Verdict, ids = 1): void {
    if (ids === 0) return
    this.#counts[verdict] += ids
    this.#progress.compared += ids
    if (verdict !== 'equal') this.#differences.add({ id, kind: verdict })
  }

  #tell(isLast = false): void {
    const { surroundings, table } = this.#work
    const now = surroundings.clock.now()
    if (!isLast && now - this.#toldAt < PROGRESS_MS) return
    this.#toldAt = now
    surroundings.onProgress({ table: table.name, ...this.#progress })
  }
}

/** The first ones by id, of any number that come in any order. */
class FirstDifferences {
  readonly #most: number
  #kept: Omit<Difference, 'table'>[] = []

  constructor(most: number) {
    this.#most = most
  }

  add(difference: Omit<Difference, 'table'>): void {
    this.#kept.push(difference)
    if (this.#kept.length >= 2 * this.#most + 100) this.#kept = this.list()
  }

  list(): Omit<Difference, 'table'>[] {
    return this.#kept.sort(compareIds).slice(0, this.#most)
  }
}

// Writes one batch of rows, each where it is newer than the document of its id: compare and set. External versions would not do: a
// user's own write gets the next number, and an older row with a greater one would then overwrite it.
//
//   what is known of the document     what is done                                   and when that conflicts
//   nothing, seldom any there         create                                         look
//   nothing, mostly there             look
//   not there                         create                                         look
//   there, older or without a date    index with the revision that was seen          look
//   there, newer or the same          nothing
import { backoffMs } from '../../lib/backoff.ts'
import { type Clock, delay } from '../../lib/clock.ts'
import { decide, holdDocument } from '../compare.ts'
import { deriveVersion, type Row } from '../document.ts'
import { type Outcome, type Settle, StoreFailed } from '../store.ts'
import type { Table } from '../table.ts'
import { ConversionError } from '../values.ts'
import { type Fate, readFates } from './bulk.ts'
import type { Draft, Item } from './draft.ts'
import { type LookupOptions, lookUpDocuments, lookUpTimes } from './lookup.ts'
import type { Pace } from './pace.ts'
import type { Revision, TimeFields } from './search-index.ts'
import { TooMuch, type Transport } from './transport.ts'

export interface BatchContext {
  readonly table: Table
  readonly transport: Transport
  readonly pace: Pace
  readonly clock: Clock
  readonly random: () => number
  readonly retryForMs: number
  readonly lookup: LookupOptions
  /** Gives the `_source` of a row. Throws ConversionError for one that cannot be a document. */
  readonly writeDocument: (row: Row) => string
  /** Whether most documents of this table are there already; learns from what it is told. */
  readonly habit: Habit
}

export interface BatchOptions {
  readonly dryRun: boolean
  /** What is looked at first: documents as they are, or as of the last refresh, which costs half as much a document. */
  readonly look: 'now' | 'refreshed'
  readonly signal: AbortSignal
  readonly settle: Settle
}

/** What most rows of late were, of which the order of the first two requests depends: half the cost of a row either way. */
export class Habit {
  /** Share of the rows whose document was there; undefined before the first guess. */
  #share: number | undefined
  /** Share of the rows that were written. */
  #written = 1

  /** Looking first costs about half as much as a create that fails: it pays off when more than half are there. */
  get looksFirst(): boolean {
    return (this.#share ?? 0) > 0.5
  }

  /** Most rows end as documents. */
  get writesMost(): boolean {
    return this.#written > 0.5
  }

  /** What to go by until something is known. */
  guess(mostlyThere: boolean): void {
    this.#share ??= mostlyThere ? 1 : 0
  }

  /** Of so many rows so many documents were there, and so many rows were written. */
  note(rows: number, there: number, written: number): void {
    if (rows === 0) return
    this.#share = (this.#share ?? 0) * 0.6 + (there / rows) * 0.4
    this.#written = this.#written * 0.6 + (written / rows) * 0.4
  }
}

/** Before what the server could not do is tried again, and before a document that others change all the time is looked at again. */
const PAUSES = { baseMs: 100, capMs: 10_000 }
const CONFLICT_PAUSES = { baseMs: 10, capMs: 500 }
const MAX_FAULTS = 5

export class Batch {
  readonly #context: BatchContext
  readonly #options: BatchOptions
  readonly #draft: Draft
  readonly #fields: ReadonlySet<string>
  #items: readonly Item[]
  #written = 0
  /** When a document was last taken or refused for good, by the clock's `now`. */
  #movedAt: number
  /** Answers in a row that took none. */
  #stalls = 0

  constructor(draft: Draft, context: BatchContext, options: BatchOptions) {
    this.#context = context
    this.#options = options
    const { table, lookup, clock } = context
    this.#draft = draft
    this.#fields = new Set(['id', 'tmstmp', lookup.versionField, ...table.columns.map(({ name }) => name)])
    this.#items = draft.items
    this.#movedAt = clock.now()
  }

  /** Resolves when every row is settled. Rejects with StoreFailed or the reason of the signal; then some are not. */
  async write(): Promise<void> {
    const { habit } = this.#context
    const total = this.#items.length
    const looksFirst = this.#options.dryRun || habit.looksFirst
    let there = 0
    if (looksFirst) there = await this.#look(this.#items, this.#options.look)
    else for (const item of this.#items) item.state = 'absent'
    for (let round = 0; this.#dropSettled(); round++) {
      const changed = this.#items.filter((item) => item.state === 'unknown')
      if (changed.length > 0 && round > 1) await this.#waitForOthers(round)
      await this.#look(changed, 'now')
      if (!this.#dropSettled()) break
      await this.#send(this.#items)
      if (round === 0 && !looksFirst) there = this.#items.filter((item) => item.state === 'unknown').length
    }
    habit.note(total, there, this.#written)
  }

  /** Documents that are changed between a look and the write after it, again and again. */
  async #waitForOthers(round: number): Promise<void> {
    const { clock, random, retryForMs } = this.#context
    if (clock.now() - this.#movedAt > retryForMs)
      throw this.#fail('is changed by others faster than a document can be compared and written')
    await delay(clock, backoffMs(round, CONFLICT_PAUSES, random), this.#options.signal)
  }

  #dropSettled(): boolean {
    this.#items = this.#items.filter((item) => !item.isSettled)
    return this.#items.length > 0
  }

  /** Decides about items by what is there; those that are to be written know their state then. Gives how many are there. */
  async #look(items: readonly Item[], how: 'now' | 'refreshed'): Promise<number> {
    if (items.length === 0) return 0
    const { lookup } = this.#context
    const { signal } = this.#options
    const ids = items.map(({ id }) => id)
    const times =
      how === 'now' ? await lookUpTimes(ids, lookup, signal) : await lookup.index.findTimes(ids, lookup.shape, signal)
    const undecided: Item[] = []
    for (const item of items) if (this.#decide(item, times.get(item.id)) === 'undecided') undecided.push(item)
    await this.#derive(undecided, times)
    return times.size
  }

  #decide(item: Item, times: TimeFields | undefined): 'undecided' | undefined {
    if (times === undefined) return this.#toWrite(item, 'absent')
    const { dateMs, version } = times
    if (dateMs === undefined) return this.#toWrite(item, times)
    const { outcome } = decide(item.version, holdDocument(dateMs, version))
    if (outcome === 'undecided') return outcome
    if (outcome === 'applied') return this.#toWrite(item, times)
    this.#settleAs(item, outcome === 'echoed' ? 'equal' : outcome)
    return undefined
  }

  /** Documents that have only the millisecond in common: the whole of each says its version. */
  async #derive(items: readonly Item[], times: ReadonlyMap<string, TimeFields>): Promise<void> {
    if (items.length === 0) return
    const { table, lookup } = this.#context
    const ids = items.map(({ id }) => id)
    const documents = await lookUpDocuments(ids, lookup, this.#options.signal)
    for (const item of items) {
      const { id, version } = item
      const [document, seen] = [documents.get(id), times.get(id)]
      const isSame = document?.seqNo === seen?.seqNo && document?.primaryTerm === seen?.primaryTerm
      if (document?.dateMs === undefined || !isSame) {
        // It was changed in between.
        item.state = 'unknown'
        continue
      }
      const held = deriveVersion(table, id, document.source, document.dateMs)
      const { outcome } = decide(version, { kind: 'version', version: held })
      if (outcome === 'applied') this.#toWrite(item, document)
      else this.#settleAs(item, outcome === 'older' ? 'older' : 'equal')
    }
  }

  #toWrite(item: Item, state: 'absent' | Revision): undefined {
    item.state = state
    if (this.#options.dryRun) this.#settleAs(item, 'applied')
  }

  /** Sends all that know their state, in as many requests as it takes. */
  async #send(items: readonly Item[]): Promise<void> {
    const { pace } = this.#context
    const writable: Item[] = []
    let bytes = 0
    for (const item of items) {
      if (item.state === 'unknown' || !this.#writeOut(item)) continue
      const length = item.end - item.start
      if (writable.length > 0 && bytes + length > 2 * pace.bytes) {
        await this.#sendBulk(writable.splice(0))
        bytes = 0
      }
      writable.push(item)
      bytes += length
    }
    if (writable.length > 0) await this.#sendBulk(writable)
  }

  #writeOut(item: Item): boolean {
    if (item.row === undefined) return true
    try {
      this.#draft.writeOut(item, this.#context.writeDocument(item.row))
      return true
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error
      this.#settleAs(item, 'failed', error.message)
      return false
    }
  }

  async #sendBulk(items: readonly Item[]): Promise<void> {
    try {
      await this.#tryBulk(items)
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error
      if (error.isDoubtful) for (const item of items) item.isDoubtful = true
      const middle = Math.ceil(items.length / 2)
      for (const half of [items.slice(0, middle), items.slice(middle)]) await this.#sendBulk(half)
    }
  }

  async #tryBulk(items: readonly Item[]): Promise<void> {
    const { transport, pace, lookup } = this.#context
    const ids = items.map(({ id }) => id)
    const body = this.#draft.writeBody(items)
    const { fates, isDoubtful } = await transport.send(
      {
        ...{ method: 'POST', path: `/${encodeURIComponent(lookup.index.name)}/_bulk`, body },
        ...{ isLines: true, isDivisible: items.length > 1, expected: [413] },
        onTrouble: (trouble) => pace.noteTrouble(trouble),
        read: ({ status, text }, doubtful): { readonly fates: readonly Fate[]; readonly isDoubtful: boolean } => {
          if (status !== 413) return { fates: readFates(text, ids, this.#fields), isDoubtful: doubtful }
          if (items.length > 1) throw new TooMuch('long', doubtful)
          return { fates: [TOO_LARGE], isDoubtful: false }
        },
      },
      this.#options.signal,
    )
    if (isDoubtful) for (const item of items) item.isDoubtful = true
    await this.#takeFates(items, fates)
  }

  async #takeFates(items: readonly Item[], fates: readonly Fate[]): Promise<void> {
    const { clock, pace, random, retryForMs } = this.#context
    const again: Extract<Fate, { kind: 'again' }>[] = []
    for (const [at, item] of items.entries()) {
      const fate = fates[at] ?? TOO_LARGE
      if (fate.kind === 'done') this.#settleAs(item, 'applied')
      else if (fate.kind === 'refused') this.#settleAs(item, 'failed', fate.reason)
      else if (fate.kind === 'conflict') item.state = 'unknown'
      else if (fate.kind === 'closed') throw this.#fail(`refuses all documents (${fate.type})`)
      else if (fate.status === 500 && ++item.faults > MAX_FAULTS) this.#settleAs(item, 'failed', FAULT)
      else again.push(fate)
    }
    const [first] = again
    if (items.some((item) => item.isSettled)) {
      this.#movedAt = clock.now()
      this.#stalls = 0
    }
    if (first === undefined) return pace.noteGood()
    pace.noteTrouble(first.status === 429 ? 'busy' : 'broken')
    if (clock.now() - this.#movedAt > retryForMs) throw this.#fail(`takes no documents (${first.type})`)
    await delay(clock, backoffMs(this.#stalls++, PAUSES, random), this.#options.signal)
  }

  #settleAs(item: Item, outcome: Outcome, reason?: string): void {
    if (item.isSettled) return
    item.isSettled = true
    const told = outcome === 'equal' && item.isDoubtful ? 'applied' : outcome
    if (told === 'applied') this.#written++
    this.#options.settle(item.id, item.version, told, reason)
  }

  #fail(message: string): StoreFailed {
    const { transport, lookup } = this.#context
    return new StoreFailed(`elasticsearch ${transport.url}: index ${lookup.index.name} ${message}`)
  }
}

const TOO_LARGE: Fate = { kind: 'refused', reason: 'the document is larger than the server takes' }
const FAULT = 'the server fails when it gets the document'

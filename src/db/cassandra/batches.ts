// Writing rows in unlogged batches: of rows next to each other in the order of their tokens, so that one replica has most of them, and
// well below what servers take. A batch that is refused is cut in halves until the row is found that is wrong by itself.
import { forEachConcurrently } from '../../lib/concurrently.ts'
import { MAX_INT64 } from '../values.ts'
import { isMissingTable, isRefusal } from './failure.ts'
import { BatchWriter } from './frames.ts'
import type { TablePlace } from './place.ts'
import type { Prepared } from './session.ts'
import type { WritePace } from './write-pace.ts'

/** One row of a statement: its cells as they are sent, and the last one, eight bytes that come after or before them. */
export interface Write {
  /** Has the cells from `start` to `end`, each with its length in front. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly timestamp: bigint
  /** How far from it the timestamp of each further try is, in microseconds; the same timestamp when left out. */
  readonly timestampStep?: bigint
}

export interface BatchOptions {
  readonly place: TablePlace
  readonly pace: WritePace
  readonly statement: Prepared
  /** Markers of the statement. */
  readonly valueCount: number
  /** Where among them the write timestamp is. */
  readonly timestampAt: 'first' | 'last'
}

/** More gain nothing. */
const MOST_ROWS = 40
/** A server refuses 50 KB (its own default), counted with some bytes more a cell than are sent; fewer are learned from what it says. */
const FIRST_BYTES = 30 * 1_024
const LEAST_BYTES = 1_024
const TOO_LARGE = /too large|oversized|exceed/i
/** What one caller has under way or waiting: the pace says how many of all callers' there are. */
const GROUPS_AT_ONCE = 8

export class Batches<T extends Write> {
  readonly #options: BatchOptions
  readonly #writer: BatchWriter
  #mostBytes = FIRST_BYTES

  constructor(options: BatchOptions) {
    this.#options = options
    const { statement, valueCount, place } = options
    this.#writer = new BatchWriter(statement.id, valueCount, place.session.options.consistency)
  }

  /**
   * Resolves when each write is acknowledged, or refused for itself: `settle` is told, with the server's reason. Throws StoreFailed and
   * the reason of the signal.
   */
  async write(
    writes: readonly T[],
    signal: AbortSignal,
    settle: (write: T, refusal: string | undefined) => void,
  ): Promise<void> {
    await forEachConcurrently(this.#cut(writes), GROUPS_AT_ONCE, signal, async (group) => {
      using _turn = await this.#options.pace.take(signal)
      await this.#send(group, signal, settle)
    })
  }

  *#cut(writes: readonly T[]): Generator<readonly T[], void> {
    for (let at = 0; at < writes.length; ) {
      const start = at
      let bytes = 0
      do {
        bytes += lengthOf(writes[at])
        at++
      } while (at < writes.length && at - start < MOST_ROWS && bytes + lengthOf(writes[at]) <= this.#mostBytes)
      yield writes.slice(start, at)
    }
  }

  async #send(
    group: readonly T[],
    signal: AbortSignal,
    settle: (write: T, refusal: string | undefined) => void,
  ): Promise<void> {
    const { place, pace, statement } = this.#options
    const retry = place.session.startRetry(signal, `write to table ${place.table.name}`)
    let frame = this.#createFrame(group, 0n)
    for (let tries = 1n; ; tries++) {
      try {
        await place.session.send(frame, signal, statement)
        pace.noteGood()
        for (const write of group) settle(write, undefined)
        return
      } catch (error) {
        if (isRefusal(error)) return await this.#divide(group, error, signal, settle)
        pace.noteTrouble()
        await retry.pause(error)
        // Another buffer: the bytes of the first try may still wait to be sent.
        frame = group.some(isStepped) ? this.#createFrame(group, tries) : Buffer.from(frame)
      }
    }
  }

  async #divide(
    group: readonly T[],
    refusal: Error,
    signal: AbortSignal,
    settle: (write: T, refusal: string | undefined) => void,
  ): Promise<void> {
    const { place } = this.#options
    if (isMissingTable(refusal)) throw place.failure(refusal, 'write to')
    const [only] = group
    if (group.length === 1 && only !== undefined)
      return settle(only, `table ${place.table.name}: the server says: ${refusal.message}`)
    if (TOO_LARGE.test(refusal.message)) this.#mostBytes = Math.max(LEAST_BYTES, Math.floor(this.#mostBytes / 2))
    const middle = Math.ceil(group.length / 2)
    await this.#send(group.slice(0, middle), signal, settle)
    await this.#send(group.slice(middle), signal, settle)
  }

  #createFrame(group: readonly Write[], tries: bigint): Buffer {
    const { timestampAt } = this.#options
    for (const { bytes, start, end, timestamp, timestampStep = 0n } of group) {
      const out = this.#writer.addRow()
      if (timestampAt === 'last') out.writePart(bytes, start, end)
      out.writeInt32(8)
      out.writeInt64(least(timestamp + timestampStep * tries, MAX_INT64))
      if (timestampAt === 'first') out.writePart(bytes, start, end)
    }
    return this.#writer.take()
  }
}

const lengthOf = (write: Write | undefined): number => (write === undefined ? 0 : write.end - write.start)

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

const isStepped = ({ timestampStep = 0n }: Write): boolean => timestampStep !== 0n

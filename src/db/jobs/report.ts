// What a worker says last, as the termination message of its container: at most 4096 bytes. Pure.
// Counts always fit (an order has at most 32 tables); rows that failed are told one by one as far as there is room, and beyond that
// their number: of such a table the saved end must not move, for nobody would know what to try again.
import { COUNTS, type Counts, type DeadLetter } from '../contract.ts'
import type { WorkOrder } from './order.ts'

/** A table's figures and failed rows in one shard. */
export interface TableReport {
  readonly table: string
  readonly counts: Counts
  readonly letters: readonly FailedRow[]
  /** So many more rows have failed than there was room for. */
  readonly untold: number
}

export type FailedRow = Pick<DeadLetter, 'id' | 'reason'>

export interface ShardReport {
  readonly shard: number
  readonly tables: readonly TableReport[]
}

/** Kubernetes keeps the last so many bytes of a message. */
export const MAX_MESSAGE_BYTES = 4_096
/** Most tables of one order: figures of ten digits of so many fit into a message. */
export const MAX_TABLES = 32
const MAX_REASON = 160
const MAX_FAILURE = 600
const VERSION = 1

/** Figures without names, in the order of COUNTS; tables by their place in the order. */
interface Written {
  readonly v: number
  readonly shard: number
  readonly counts: readonly (readonly number[])[]
  readonly reasons?: readonly string[]
  readonly failed?: readonly (readonly [table: number, id: string, reason: number])[]
  readonly untold?: readonly (readonly [table: number, rows: number])[]
}

/** What the worker writes when it is done; `reports` of tables of the order. At most 4096 bytes. */
export function encodeReport(order: WorkOrder, shard: number, reports: readonly TableReport[]): string {
  const placeOf = new Map(order.tables.map(({ name }, at) => [name, at]))
  const placed = reports.map((report) => ({ ...report, at: placeOf.get(report.table) ?? -1 }))
  const counts = placed
    .filter((report) => COUNTS.some((name) => report.counts[name] > 0))
    .map((report) => [report.at, ...COUNTS.map((name) => report.counts[name])])
  const letters = placed.flatMap((report) => report.letters.map((letter) => ({ at: report.at, ...letter })))
  const write = (told: number) => JSON.stringify(toWritten(shard, counts, placed, letters, told))
  // The longest that fits: what is told grows with every row.
  let [fits, tooMany] = [0, letters.length + 1]
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1
    if (Buffer.byteLength(write(middle)) <= MAX_MESSAGE_BYTES) fits = middle
    else tooMany = middle
  }
  return write(fits)
}

function toWritten(
  shard: number,
  counts: Written['counts'],
  reports: readonly (TableReport & { readonly at: number })[],
  letters: readonly (FailedRow & { readonly at: number })[],
  told: number,
): Written {
  const reasons: string[] = []
  const placeOf = new Map<string, number>()
  const failed = letters.slice(0, told).map(({ at, id, reason }) => {
    const short = reason.slice(0, MAX_REASON)
    const known = placeOf.get(short) ?? reasons.push(short) - 1
    placeOf.set(short, known)
    return [at, id, known] as const
  })
  const untold = reports
    .map(({ at, letters: all, untold: beyond }) => {
      const here = failed.filter(([table]) => table === at).length
      return [at, beyond + all.length - here] as const
    })
    .filter(([, rows]) => rows > 0)
  return {
    ...{ v: VERSION, shard, counts },
    ...(failed.length > 0 && { reasons, failed }),
    ...(untold.length > 0 && { untold }),
  }
}

/** Undefined for what is no report of a shard of this order: nothing, half of one, one of another version. */
export function decodeReport(order: WorkOrder, message: string): ShardReport | undefined {
  const read = parse(message)
  if (!isWritten(read) || read.shard >= order.of) return undefined
  const { shard, counts, reasons = [], failed = [], untold = [] } = read
  const tables = order.tables.map(({ name }, at) => {
    const figures = counts.find(([place]) => place === at)?.slice(1) ?? []
    return {
      table: name,
      counts: Object.fromEntries(COUNTS.map((one, place) => [one, figures[place] ?? 0])) as Counts,
      letters: failed
        .filter(([place]) => place === at)
        .map(([, id, reason]) => ({ id, reason: reasons[reason] ?? '' })),
      untold: untold.find(([place]) => place === at)?.[1] ?? 0,
    }
  })
  return tables.every(({ counts: figures }) => addsUp(figures)) ? { shard, tables } : undefined
}

/** What a worker writes that cannot go on: in one line. */
export function encodeFailure(message: string): string {
  const flat = message.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return JSON.stringify({ v: VERSION, problem: flat.slice(0, MAX_FAILURE) })
}

/** Why a worker said that it cannot go on; undefined when it did not say. */
export function decodeFailure(message: string): string | undefined {
  const read = parse(message)
  const { problem } = (typeof read === 'object' && read !== null ? read : {}) as { readonly problem?: unknown }
  return typeof problem === 'string' ? problem : undefined
}

function parse(message: string): unknown {
  try {
    return JSON.parse(message)
  } catch {
    return undefined
  }
}

function isWritten(read: unknown): read is Written {
  if (typeof read !== 'object' || read === null) return false
  const { v, shard, counts, reasons = [], failed = [], untold = [] } = read as Partial<Written>
  return (
    v === VERSION &&
    isCount(shard) &&
    isListOf(counts, (one) => Array.isArray(one) && one.length === COUNTS.length + 1 && one.every(isCount)) &&
    isListOf(reasons, (one) => typeof one === 'string') &&
    isListOf(failed, (one) => Array.isArray(one) && isCount(one[0]) && typeof one[1] === 'string' && isCount(one[2])) &&
    isListOf(untold, (one) => Array.isArray(one) && one.length === 2 && one.every(isCount))
  )
}

const isListOf = (value: unknown, isOne: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne)

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const addsUp = ({ read, applied, older, equal, echoed, failed }: Counts): boolean =>
  read === applied + older + equal + echoed + failed

// What the workers of one Job are told, in one environment variable: the pair, the direction, the tables with their windows, and
// which part each of them is. Pure. The text is compressed, because every Pod of the Job carries a copy of it.
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type DbSyncRequest, DIRECTIONS, type Direction, type Shard } from '../contract.ts'
import type { Split } from '../store.ts'
import { formatTime, type Window } from '../window.ts'

export interface WorkOrder {
  /** Name of the pair in the configuration. */
  readonly pair: string
  readonly direction: Direction
  readonly dryRun: boolean
  readonly tables: readonly OrderedTable[]
  /** So many shards the direction is cut into. */
  readonly of: number
  /** The shards that the Job's indexes are, in their order: those that are still to do. All of them when left out. */
  readonly shards?: readonly number[] | undefined
}

export interface OrderedTable {
  readonly name: string
  readonly window: Window
  /** Cut by what the table holds: shared out evenly, in their order. The store cuts it by itself when left out. */
  readonly splits?: readonly Split[] | undefined
}

/** The order cannot be read: it was damaged, or another version of the program has written it. */
export class InvalidWorkOrder extends Error {
  override readonly name = 'InvalidWorkOrder'
}

/** Changes whenever an order, or the message of a worker, means something else. */
const VERSION = 1
/** Every Pod of the Job holds a copy, and the service sees all of those Pods. */
const MAX_LENGTH = 32_768
/** Of the text before it was compressed. */
const MAX_BYTES = 4 * 1_048_576

interface Written {
  readonly v: number
  readonly pair: string
  readonly direction: Direction
  readonly dryRun: boolean
  readonly of: number
  readonly shards?: readonly number[]
  readonly tables: readonly (readonly [name: string, beginMs: number, endMs: number, splits?: readonly Split[]])[]
}

/**
 * The order as text of letters, digits, `-` and `_`, and the order that it stands for: splits that would make it longer than
 * 32,768 characters are left out, and the stores cut their tables themselves.
 */
export function encodeOrder(order: WorkOrder): { readonly text: string; readonly order: WorkOrder } {
  const text = toText(order)
  if (text.length <= MAX_LENGTH || order.tables.every(({ splits }) => splits === undefined)) return { text, order }
  const tables = order.tables.map(({ name, window }) => ({ name, window }))
  const even: WorkOrder = { ...order, tables }
  return { text: toText(even), order: even }
}

/** Throws InvalidWorkOrder. */
export function decodeOrder(text: string): WorkOrder {
  const read = readJson(text)
  if (!isWritten(read)) throw new InvalidWorkOrder('the order for the workers was written by another version of syncer')
  const { pair, direction, dryRun, of, shards, tables } = read
  return {
    ...{ pair, direction, dryRun, of },
    ...(shards !== undefined && { shards }),
    tables: tables.map(([name, beginMs, endMs, splits]) => ({
      name,
      window: { beginMs, endMs },
      ...(splits !== undefined && { splits }),
    })),
  }
}

/** How many indexes a Job of this order has. */
export function countIndexes({ shards, of }: WorkOrder): number {
  return shards === undefined ? of : shards.length
}

/** The shard that an index of the Job is. Throws InvalidWorkOrder when it is none. */
export function shardOfIndex(order: WorkOrder, index: number): number {
  const shard = order.shards === undefined ? index : order.shards[index]
  if (shard === undefined || !Number.isSafeInteger(shard) || shard < 0 || shard >= order.of)
    throw new InvalidWorkOrder(`the order has ${countIndexes(order)} shards and none of index ${index}`)
  return shard
}

/** What a shard has to sync: one request for all tables of one window, in the order of the tables. */
export function requestsOf(order: WorkOrder, index: number): readonly DbSyncRequest[] {
  const { direction, dryRun, of } = order
  const byWindow = new Map<string, OrderedTable[]>()
  for (const table of order.tables) {
    const key = `${table.window.beginMs} ${table.window.endMs}`
    byWindow.set(key, [...(byWindow.get(key) ?? []), table])
  }
  return [...byWindow.values()].map((tables) => ({
    ...{ direction, dryRun, tables: tables.map(({ name }) => name) },
    begin: formatTime(tables[0]?.window.beginMs ?? 0),
    end: formatTime(tables[0]?.window.endMs ?? 0),
    shard: toShard(tables, index, of),
  }))
}

function toShard(tables: readonly OrderedTable[], index: number, of: number): Shard {
  const cut = tables.flatMap(({ name, splits }) =>
    splits === undefined ? [] : [[name, shareOf(splits, index, of)] as const],
  )
  return { index, of, ...(cut.length > 0 && { splits: new Map(cut) }) }
}

/** Share `index` of `of`: together the shares are all items, each once, in their order, and none is two longer than another. */
export function shareOf<T>(items: readonly T[], index: number, of: number): readonly T[] {
  const from = (at: number) => Math.floor((at * items.length) / of)
  return items.slice(from(index), from(index + 1))
}

function toText({ pair, direction, dryRun, of, shards, tables }: WorkOrder): string {
  const written: Written = {
    ...{ v: VERSION, pair, direction, dryRun, of },
    ...(shards !== undefined && { shards }),
    tables: tables.map(({ name, window: { beginMs, endMs }, splits }) =>
      splits === undefined ? [name, beginMs, endMs] : [name, beginMs, endMs, splits],
    ),
  }
  return deflateRawSync(JSON.stringify(written), { level: 9 }).toString('base64url')
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(inflateRawSync(Buffer.from(text, 'base64url'), { maxOutputLength: MAX_BYTES }).toString())
  } catch (error) {
    throw new InvalidWorkOrder('the order for the workers cannot be read', { cause: error })
  }
}

function isWritten(read: unknown): read is Written {
  if (typeof read !== 'object' || read === null) return false
  const { v, pair, direction, dryRun, of, shards, tables } = read as Partial<Written>
  return (
    v === VERSION &&
    typeof pair === 'string' &&
    DIRECTIONS.some((one) => one === direction) &&
    typeof dryRun === 'boolean' &&
    isWhole(of) &&
    (shards === undefined || (Array.isArray(shards) && shards.every(isWhole))) &&
    Array.isArray(tables) &&
    tables.every(isTable)
  )
}

function isTable(table: unknown): boolean {
  if (!Array.isArray(table)) return false
  const [name, beginMs, endMs, splits]: readonly unknown[] = table
  return (
    typeof name === 'string' &&
    Number.isSafeInteger(beginMs) &&
    Number.isSafeInteger(endMs) &&
    (splits === undefined || (Array.isArray(splits) && splits.every((split) => typeof split === 'string')))
  )
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

// What one worker does: the shard of its index, as syncPair does it, and its report. It reads and writes no state: whoever has given the
// order keeps what it reports.
import type { Clock } from '../../lib/clock.ts'
import {
  type DbItem,
  type DbSurroundings,
  DbSyncFailed,
  type DeadLetter,
  InvalidDbRequest,
  type Memory,
  type Pair,
} from '../contract.ts'
import { syncPair } from '../sync.ts'
import { TableRefusedError } from '../table.ts'
import { InvalidWorkOrder, requestsOf, shardOfIndex, type WorkOrder } from './order.ts'
import { encodeReport, type TableReport } from './report.ts'

export interface WorkSurroundings extends Pick<DbSurroundings, 'onProgress'> {
  readonly clock: Clock
  readonly signal: AbortSignal
}

const NO_MEMORY: Memory = {
  getValue: async () => undefined,
  async putValue() {
    throw new Error('a shard remembers nothing')
  },
}

/**
 * Does the shard that this index of the order is; resolves with what it has to report, at most 4096 bytes. Doing it twice, or twice at
 * once, is harmless. Throws InvalidWorkOrder and what syncPair throws.
 */
export async function workOff(
  pair: Pair,
  order: WorkOrder,
  index: number,
  { clock, signal, onProgress }: WorkSurroundings,
): Promise<string> {
  const shard = shardOfIndex(order, index)
  const items: DbItem[] = []
  const letters: DeadLetter[] = []
  for (const request of requestsOf(order, shard)) {
    const { items: done } = await syncPair(pair, request, {
      ...{ memory: NO_MEMORY, clock, signal, onProgress },
      onItem: async () => {},
      onDeadLetters: async (some) => void letters.push(...some),
    })
    items.push(...done)
  }
  return encodeReport(
    order,
    shard,
    items.map((item) => toReport(item, letters)),
  )
}

function toReport(
  { table, direction: _direction, window: _window, ms: _ms, note, ...counts }: DbItem,
  all: readonly DeadLetter[],
): TableReport {
  const letters = all.filter((letter) => letter.table === table).map(({ id, reason }) => ({ id, reason }))
  // A note says that there was no room for all of them.
  const untold = note === undefined ? 0 : Math.max(1, counts.failed - letters.length)
  return { table, counts, letters, untold }
}

/** True for what no other try of the same worker mends: a wrong order, a table that is refused. */
export function isHopeless(error: unknown): boolean {
  const cause = error instanceof DbSyncFailed ? error.cause : error
  return cause instanceof InvalidWorkOrder || cause instanceof InvalidDbRequest || cause instanceof TableRefusedError
}

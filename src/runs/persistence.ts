// Writes to the store that outlast an outage: tried again with growing pauses, for so long.
import { backoffMs } from '../lib/backoff.ts'
import { type Clock, delay } from '../lib/clock.ts'
import { StateUnavailable } from '../state/store.ts'
import { StateUnreachable } from './problems.ts'

export interface PersistenceOptions {
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  /** Told of the first failure of each outage. */
  readonly onError: (error: unknown) => void
  /** Aborts when the service does not wait for the store any longer. */
  readonly giveUp: AbortSignal
}

const PAUSES = { baseMs: 100, capMs: 5_000 }

/**
 * Calls `write` until the store is there. Throws StateUnreachable when it is still away after `giveUpMs` (Infinity: never), the reason
 * of `giveUp` when it aborts between two tries, and at once what no later try changes: OwnerLost, a defect.
 */
export async function persist<T>(
  write: () => Promise<T>,
  { clock, random, onError, giveUp }: PersistenceOptions,
  giveUpMs: number,
): Promise<T> {
  const startedAt = clock.now()
  for (let attempt = 0; ; attempt++) {
    try {
      return await write()
    } catch (error) {
      if (!(error instanceof StateUnavailable)) throw error
      if (attempt === 0) onError(error)
      const leftMs = giveUpMs - (clock.now() - startedAt)
      if (leftMs <= 0)
        throw new StateUnreachable(`The store of runs could not be written to for ${Math.round(giveUpMs / 1_000)} s.`, {
          cause: error,
        })
      await delay(clock, Math.min(leftMs, backoffMs(attempt, PAUSES, random)), giveUp)
    }
  }
}

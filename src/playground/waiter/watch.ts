// `GET /tokens?watch=true`: the whole index first, then what changes, as JSON objects with nothing between them. A stream that has
// told nothing for its time-out is ended in good order.
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from '../../lib/clock.ts'
import { indexEntry, isShown, type Shown } from './index-entry.ts'
import type { WaiterStore } from './store.ts'

export interface WatchOptions {
  readonly store: WaiterStore
  readonly clock: Clock
  readonly shown: Shown
  /** Milliseconds. */
  readonly streamingTimeoutMs: number
}

/** Writes what follows the head of the answer, until the other side closes it or the time is over. */
export function streamChanges(
  response: ServerResponse,
  { store, clock, shown, streamingTimeoutMs }: WatchOptions,
): void {
  let timer: Timer | undefined
  const tell = (type: 'INITIAL' | 'EVENTS', object: readonly object[]): void => {
    timer?.cancel()
    timer = clock.setTimer(streamingTimeoutMs, () => response.end())
    response.write(JSON.stringify({ id: randomUUID(), object, type }))
  }
  const initial = [...store.all()].filter((kept) => isShown(kept, shown))
  const watching = store.watch((token) => {
    const kept = store.get(token)
    if (kept === undefined) tell('EVENTS', [{ object: { token }, type: 'DELETE' }])
    else if (isShown(kept, shown)) tell('EVENTS', [{ object: indexEntry(kept, shown), type: 'UPDATE' }])
  })
  response.on('close', () => {
    watching[Symbol.dispose]()
    timer?.cancel()
  })
  tell(
    'INITIAL',
    initial.map((kept) => indexEntry(kept, shown)),
  )
}

// Following a run: what the store has of it, read again whenever there is news. Own runs say when; for those of other replicas the
// store is asked every half second.
import type { Clock } from '../lib/clock.ts'
import { ENDED_STATES, type RunRecord, type StateStore } from '../state/store.ts'
import type { Progress, RunEvent } from './contract.ts'

/** From one look at a run of another replica to the next, in milliseconds. */
const POLL_MS = 500
const PAGE = 500
/** Timers cannot wait for much longer than this, in milliseconds. */
const LONGEST_MS = 86_400_000

export interface FollowSurroundings {
  readonly store: Pick<StateStore, 'getRun' | 'readItemsAfter'>
  readonly clock: Clock
  /** Resolves at the next news of a run of this process; undefined for any other. */
  readonly nextNews: (id: string) => Promise<void> | undefined
}

export const isEnded = ({ state }: RunRecord): boolean => (ENDED_STATES as readonly string[]).includes(state)

/**
 * The items after `after`, the progress whenever it changed, and the end. Ends without `end` when `signal` aborts, or when the run is
 * not there any more. Throws what the store throws.
 */
export async function* followRun(
  id: string,
  after: number,
  signal: AbortSignal,
  { store, clock, nextNews }: FollowSurroundings,
): AsyncGenerator<RunEvent> {
  let seq = after
  let progress: string | null = null
  while (!signal.aborted) {
    // Asked for first: what happens during the reading is then not missed. The run before its items: an ended one has them all.
    const news = nextNews(id)
    const run = await store.getRun(id)
    if (run === undefined) return
    for await (const item of readItems(store, id, seq)) {
      if (signal.aborted) return
      seq = item.seq
      yield { type: 'item', item }
    }
    if (run.progress !== null && run.progress !== progress) {
      progress = run.progress
      yield { type: 'progress', progress: JSON.parse(run.progress) as Progress }
    }
    if (isEnded(run)) {
      yield { type: 'end', run }
      return
    }
    await pause(clock, news === undefined ? POLL_MS : undefined, news, signal)
  }
}

async function* readItems(store: FollowSurroundings['store'], id: string, after: number) {
  for (let seq = after; ; ) {
    const items = await store.readItemsAfter(id, seq, PAGE)
    yield* items
    const last = items.at(-1)
    if (last === undefined || items.length < PAGE) return
    seq = last.seq
  }
}

/** The run when it has ended, or as it is after `timeoutMs`, or when `signal` aborts; undefined when it is not there. */
export async function waitForRun(
  id: string,
  timeoutMs: number,
  signal: AbortSignal,
  { store, clock, nextNews }: FollowSurroundings,
): Promise<RunRecord | undefined> {
  const endAt = clock.now() + timeoutMs
  for (;;) {
    const news = nextNews(id)
    const run = await store.getRun(id)
    const leftMs = endAt - clock.now()
    if (run === undefined || isEnded(run) || leftMs <= 0 || signal.aborted) return run
    await pause(clock, Math.min(leftMs, news === undefined ? POLL_MS : LONGEST_MS), news, signal)
  }
}

/** Resolves after `ms` (undefined: never), at the news, or when `signal` aborts. */
function pause(
  clock: Clock,
  ms: number | undefined,
  news: Promise<void> | undefined,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer?.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = ms === undefined ? undefined : clock.setTimer(ms, end)
    signal.addEventListener('abort', end, { once: true })
    news?.then(end, end)
    if (signal.aborted) end()
  })
}

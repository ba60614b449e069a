// Runs whose process is gone: they end as interrupted, and where there are several replicas the leader makes them anew.
import type { Clock } from '../lib/clock.ts'
import type { RunKind, RunRecord, StateStore } from '../state/store.ts'
import type { Job, Started, StartRequest } from './contract.ts'
import { ORPHANED } from './problems.ts'

/** Only what was interrupted not longer ago than this is taken up, in milliseconds: later nobody waits for it any more. */
const TAKE_UP_WITHIN_MS = 600_000
/** A run that ends every process that takes it up must not go from one to the next for ever. */
const MAX_TAKE_UPS = 5
const PAGE = 100

/** Ends every run whose process is gone. Resolves with how many there were. */
export async function interruptOrphans(store: StateStore, clock: Clock): Promise<number> {
  const orphans = await store.interruptOrphans(clock.wallNow(), JSON.stringify(ORPHANED))
  return orphans.length
}

/**
 * Makes what was interrupted anew, each run once: a key says in the store that it was done, whoever does it. Runs that were
 * interrupted by a process that stopped are among them.
 */
export async function takeUpInterrupted(options: {
  readonly store: StateStore
  readonly jobs: ReadonlyMap<string, Job>
  /** Kinds of runs that are made anew. */
  readonly kinds: readonly RunKind[]
  readonly clock: Clock
  readonly start: (request: StartRequest) => Promise<Started>
}): Promise<void> {
  const { store, jobs, kinds, clock, start } = options
  const { items } = await store.listRuns({ state: 'interrupted', limit: PAGE })
  const since = clock.wallNow() - TAKE_UP_WITHIN_MS
  for (const run of items.toReversed()) {
    if (run.endedAt === null || run.endedAt < since || run.cancelRequested || run.dryRun) continue
    // Whoever called it from a command line knows that it ended, and whether to call it again.
    if (run.trigger === 'cli' || !kinds.includes(run.kind)) continue
    const request: unknown = JSON.parse(run.request)
    if (jobs.get(run.kind)?.canBeTakenUp(request) !== true) continue
    if ((await countTakeUps(store, run)) >= MAX_TAKE_UPS) continue
    const { kind, trigger, resources, dryRun } = run
    await start({ kind, trigger, resources, request, dryRun, takesUp: run.id, idempotencyKey: keyOf(run.id) })
  }
}

/** No caller can send it: a header has no line breaks. */
const keyOf = (id: string): string => `takes up\n${id}`

async function countTakeUps(store: StateStore, run: RunRecord): Promise<number> {
  let count = 0
  let above = run.takesUp
  while (above !== null && count < MAX_TAKE_UPS) {
    count++
    above = (await store.getRun(above))?.takesUp ?? null
  }
  return count
}

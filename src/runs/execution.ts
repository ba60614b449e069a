// One run from its turn to its end: locks, job, and what came of it. Whatever happens in between, the run is recorded as ended.
import { withDeadline } from '../lib/with-deadline.ts'
import { OwnerLost, type RunRecord } from '../state/store.ts'
import type { Job } from './contract.ts'
import type { HeldLocks, RunLocks } from './locks.ts'
import { DEFECT, type Ending, findProblem, judgeFailure, LocksUnavailable, RunCancelled } from './problems.ts'
import { Recorder, type RecorderOptions } from './recorder.ts'

export interface ExecutionSurroundings extends Omit<RecorderOptions, 'onLost' | 'onStored' | 'onError'> {
  readonly locks: RunLocks
  /** How long a run waits for its locks, in milliseconds. */
  readonly lockWaitMs: number
  /** Resolves when it is the run's turn; what it gives ends the turn. Rejects with the reason of `signal`. */
  readonly takeTurn: (signal: AbortSignal) => Promise<Disposable>
  /** What the service did not expect; `what` says where, and names the run. */
  readonly onError: (error: unknown, what: string) => void
}

export interface Ended extends Ending {
  /** Milliseconds since 1970; undefined when it never began. */
  readonly startedAt: number | undefined
  readonly endedAt: number
}

/**
 * Carries the run out; `stop` aborts it. Resolves with how it ended when that is recorded. Never throws: an end that could not be
 * recorded, because the run is somebody else's by now or the service goes, is told as an error.
 */
export async function carryOut(
  run: RunRecord,
  job: Job,
  stop: AbortController,
  onStored: () => void,
  around: ExecutionSurroundings,
): Promise<Ended> {
  const report = (error: unknown) => around.onError(error, `run ${run.id}`)
  const recorder = new Recorder(run.id, { ...around, onStored, onError: report, onLost: (error) => stop.abort(error) })
  let startedAt: number | undefined
  const onBegin = () => {
    startedAt = around.clock.wallNow()
    return startedAt
  }
  let released: Promise<void> | undefined
  const onWorked = (held: HeldLocks) => {
    released = Promise.resolve(held[Symbol.asyncDispose]()).catch(report)
  }
  const ending = await workWithLocks({ run, job, stop, recorder, around, onBegin, onWorked, report })
  const endedAt = around.clock.wallNow()
  // Side by side: nothing is done any more that the locks are for.
  const recorded = await recordEnd(recorder, ending, endedAt, around, report)
  await released
  return { ...recorded, startedAt, endedAt }
}

async function recordEnd(
  recorder: Recorder,
  ending: Ending,
  endedAt: number,
  { giveUp }: ExecutionSurroundings,
  report: (error: unknown) => void,
): Promise<Ending> {
  try {
    await recorder.end(ending, endedAt)
    return ending
  } catch (error) {
    report(error)
    if (giveUp.aborted || error instanceof OwnerLost) return ending
  }
  // The store refuses what the run said: it holds its clusters no longer than it works on them all the same.
  await recorder.storeEnd(DEFECT, endedAt).catch(report)
  return DEFECT
}

interface Work {
  readonly run: RunRecord
  readonly job: Job
  readonly stop: AbortController
  readonly recorder: Recorder
  readonly around: ExecutionSurroundings
  readonly onBegin: () => number
  readonly onWorked: (held: HeldLocks) => void
  readonly report: (error: unknown) => void
}

async function workWithLocks(work: Work): Promise<Ending> {
  const { stop, around, onWorked, report } = work
  let held: HeldLocks | undefined
  try {
    using _turn = await around.takeTurn(stop.signal)
    held = await holdLocks(work)
    return await execute(work, held)
  } catch (error) {
    const ending = judgeFailure(error, stop.signal)
    if (findProblem(stop.signal.aborted ? stop.signal.reason : error) === undefined && ending.state !== 'cancelled') {
      report(error)
    }
    return ending
  } finally {
    if (held !== undefined) onWorked(held)
  }
}

async function holdLocks({ run, job, stop, around }: Work): Promise<HeldLocks> {
  const { clock, locks, lockWaitMs } = around
  const names = job.locksOf(run.resources)
  try {
    return await withDeadline(clock, lockWaitMs, (signal) => locks.hold(names, signal), stop.signal)
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'DeadlineExceeded') throw error
    throw new LocksUnavailable(
      `Somebody else held a lock that the run needs for ${Math.round(lockWaitMs / 1_000)} s: ${names.join(', ')}.`,
      { cause: error },
    )
  }
}

async function execute({ run, job, stop, recorder, onBegin }: Work, held: HeldLocks): Promise<Ending> {
  const onLost = () => stop.abort(held.lost.reason)
  if (held.lost.aborted) onLost()
  held.lost.addEventListener('abort', onLost, { once: true })
  stop.signal.throwIfAborted()
  await recorder.change({ state: 'running', startedAt: onBegin(), locks: held.locks })
  stop.signal.throwIfAborted()
  const { failed, summary, problem } = await job.execute(JSON.parse(run.request), {
    id: run.id,
    takesUp: run.takesUp !== null,
    signal: stop.signal,
    progress: (progress) => recorder.noteProgress(progress),
    item: (item) => recorder.addItem(item),
  })
  // What was done without a lock, or while others took this process for dead, is no result. A job that was done before it heard that
  // it may end is done.
  if (stop.signal.aborted && !isAskedToEnd(stop.signal.reason)) throw stop.signal.reason
  return { state: failed ? 'failed' : 'succeeded', summary, problem }
}

const isAskedToEnd = (reason: unknown): boolean =>
  reason instanceof RunCancelled || (reason instanceof Error && reason.name === 'RunsStopping')

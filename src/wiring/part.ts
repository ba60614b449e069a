// What a capability brings to the runs: its job, what starts it by itself, and what it keeps of runs elsewhere.
import type { Job } from '../runs/contract.ts'
import type { Ended } from '../runs/execution.ts'
import type { RunService } from '../runs/runs.ts'
import type { ScheduleEntry } from '../runs/schedule.ts'
import type { RunRecord } from '../state/store.ts'

export interface RunsPart<T> {
  readonly job: Job
  /** A run of this process has ended; of any kind. */
  ended(run: RunRecord, ended: Ended): void
  /** These runs are not in the history any more. */
  forget(ids: readonly string[]): Promise<void>
  /** The capability over the runs that are there by now. */
  begin(service: RunService): BegunPart<T>
}

export interface BegunPart<T> {
  readonly capability: T
  readonly entries: readonly ScheduleEntry[]
  /** What starts runs beside schedules; ends when it is disposed of. */
  readonly starters: readonly Disposable[]
  /** What is looked after once, at the start. */
  sweep(): Promise<void>
}

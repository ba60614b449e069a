// The metrics of runs, of schedules, of the token sync and of the database sync. Labels are kinds, states and names of the configuration: bounded.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { COUNTS, type DbItem } from '../db/contract.ts'
import { type EndedState, RUN_KINDS, type RunKind, type RunRecord } from '../state/store.ts'
import type { ScheduleStatus } from './contract.ts'
import type { DbRunRequest } from './db-request.ts'
import type { Ended } from './execution.ts'

/** Seconds. */
const DURATION_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400]

export interface RunMetricSources {
  /** Runs of this process that have not ended. */
  readonly underWay: (kind: RunKind) => number
  readonly schedules: () => readonly ScheduleStatus[]
}

export interface RunMetrics {
  ended(run: Pick<RunRecord, 'kind' | 'trigger'>, ended: Pick<Ended, 'state' | 'startedAt' | 'endedAt'>): void
}

/** Registers `syncer_run*` and `syncer_schedule_*`. */
export function createRunMetrics(registry: Registry, { underWay, schedules }: RunMetricSources): RunMetrics {
  const registers = [registry]
  const total = new Counter({
    name: 'syncer_runs_total',
    help: 'Runs of this process that have ended, by kind, by how they ended and by what started them.',
    labelNames: ['kind', 'state', 'trigger'],
    registers,
  })
  const duration = new Histogram({
    name: 'syncer_run_duration_seconds',
    help: 'How long runs took from their beginning to their end.',
    labelNames: ['kind'],
    buckets: DURATION_BUCKETS,
    registers,
  })
  new Gauge({
    name: 'syncer_runs_under_way',
    help: 'Runs of this process that have not ended, those that wait for their turn among them.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const kind of RUN_KINDS) this.set({ kind }, underWay(kind))
    },
  })
  new Counter({
    name: 'syncer_schedule_missed_total',
    help: 'Ticks of a schedule without a run, because the last one was still under way.',
    labelNames: ['name'],
    registers,
    collect() {
      this.reset()
      for (const { name, missed } of schedules()) this.inc({ name }, missed)
    },
  })
  new Gauge({
    name: 'syncer_schedule_next_timestamp_seconds',
    help: 'When a schedule starts its next run; absent where it never does, and on replicas that do not lead.',
    labelNames: ['name'],
    registers,
    collect() {
      this.reset()
      for (const { name, nextAt } of schedules()) if (nextAt !== null) this.set({ name }, nextAt / 1_000)
    },
  })
  return {
    ended({ kind, trigger }, { state, startedAt, endedAt }) {
      total.inc({ kind, state, trigger })
      if (startedAt !== undefined) duration.observe({ kind }, Math.max(0, endedAt - startedAt) / 1_000)
    },
  }
}

export interface TokenMetrics {
  /** A write was made; `cluster` is a name of the configuration. */
  wrote(cluster: string, effect: string): void
  /** A run has ended at `endedAt`, milliseconds since 1970. */
  ended(run: Pick<RunRecord, 'kind' | 'dryRun'>, state: EndedState, endedAt: number): void
}

/** Registers `syncer_tokens_*`. */
export function createTokenMetrics(registry: Registry): TokenMetrics {
  const registers = [registry]
  const writes = new Counter({
    name: 'syncer_tokens_writes_total',
    help: 'Writes that clusters have confirmed, by cluster and by what they did.',
    labelNames: ['cluster', 'effect'],
    registers,
  })
  let succeededAt: number | undefined
  new Gauge({
    name: 'syncer_tokens_last_success_timestamp_seconds',
    help: 'End of the last token sync of this process that succeeded and was no dry run; absent before the first.',
    registers,
    collect() {
      this.remove()
      if (succeededAt !== undefined) this.set(succeededAt / 1_000)
    },
  })
  return {
    wrote(cluster, effect) {
      writes.inc({ cluster, effect })
    },
    ended({ kind, dryRun }, state, endedAt) {
      if (kind === 'tokens' && !dryRun && state === 'succeeded') succeededAt = endedAt
    },
  }
}

export interface DbMetrics {
  /** A table and direction of `pair`, a name of the configuration, is done. `isExplicit`: its window was the caller's own. */
  carried(pair: string, item: DbItem, isExplicit: boolean): void
  /** So many rows of it wait to be tried again. */
  deadLetters(pair: string, count: number): void
  /** A run on these resources has ended at `endedAt`, milliseconds since 1970. */
  ended(run: Pick<RunRecord, 'kind' | 'dryRun' | 'request'>, state: EndedState, endedAt: number): void
}

/** Registers `syncer_db_*`. */
export function createDbMetrics(registry: Registry): DbMetrics {
  const registers = [registry]
  const rows = new Counter({
    name: 'syncer_db_rows_total',
    help: 'Rows that syncs of this process have read and dealt with, by pair, direction and what became of them.',
    labelNames: ['pair', 'direction', 'outcome'],
    registers,
  })
  const windowEnd = new Gauge({
    name: 'syncer_db_window_end_timestamp_seconds',
    help: 'End of the newest window that a sync of this process has read to its end, by pair and direction; one with a begin or end of the caller’s own does not count.',
    labelNames: ['pair', 'direction'],
    registers,
  })
  const letters = new Gauge({
    name: 'syncer_db_dead_letters',
    help: 'Rows that could not be carried and wait to be tried again, as the last sync of this process left them.',
    labelNames: ['pair'],
    registers,
  })
  const succeeded = new Gauge({
    name: 'syncer_db_last_success_timestamp_seconds',
    help: 'End of the last sync of this process that succeeded and was no dry run, by pair; absent before the first.',
    labelNames: ['pair'],
    registers,
  })
  return {
    carried(pair, item, isExplicit) {
      const { direction, window } = item
      for (const outcome of COUNTS)
        if (outcome !== 'read' && item[outcome] > 0) rows.inc({ pair, direction, outcome }, item[outcome])
      // What somebody looks at again, or ahead, says nothing of how far the pair is.
      if (!isExplicit) windowEnd.set({ pair, direction }, window.endMs / 1_000)
    },
    deadLetters(pair, count) {
      letters.set({ pair }, count)
    },
    ended({ kind, dryRun, request }, state, endedAt) {
      if (kind !== 'db' || dryRun || state !== 'succeeded') return
      const { operation, pair } = JSON.parse(request) as DbRunRequest
      if (operation === 'sync') succeeded.set({ pair }, endedAt / 1_000)
    },
  }
}

import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { createDbMetrics, createRunMetrics, createTokenMetrics } from '../../src/runs/metrics.ts'

const linesOf = async (registry: Registry) =>
  (await registry.metrics())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.includes('_bucket'))
const schedule = { cron: '* * * * *', timeZone: 'UTC', lastRunId: null }

describe('the metrics of runs', () => {
  test('count ends, time runs that began, and show what is under way and what comes', async () => {
    const registry = new Registry()
    const metrics = createRunMetrics(registry, {
      underWay: (kind) => (kind === 'tokens' ? 2 : 0),
      schedules: () => [
        { ...schedule, name: 'tokens', nextAt: 1_767_225_600_000, missed: 3 },
        { ...schedule, name: 'db:app', nextAt: null, missed: 0 },
      ],
    })
    metrics.ended({ kind: 'tokens', trigger: 'api' }, { state: 'succeeded', startedAt: 1_000, endedAt: 3_500 })
    metrics.ended({ kind: 'tokens', trigger: 'api' }, { state: 'cancelled', startedAt: undefined, endedAt: 3_500 })
    expect(await linesOf(registry)).toEqual([
      'syncer_runs_total{kind="tokens",state="succeeded",trigger="api"} 1',
      'syncer_runs_total{kind="tokens",state="cancelled",trigger="api"} 1',
      'syncer_run_duration_seconds_sum{kind="tokens"} 2.5',
      'syncer_run_duration_seconds_count{kind="tokens"} 1',
      'syncer_runs_under_way{kind="tokens"} 2',
      'syncer_runs_under_way{kind="db"} 0',
      'syncer_schedule_missed_total{name="tokens"} 3',
      'syncer_schedule_missed_total{name="db:app"} 0',
      'syncer_schedule_next_timestamp_seconds{name="tokens"} 1767225600',
    ])
  })

  test('of the token sync know the last success, which no dry run is', async () => {
    const registry = new Registry()
    const metrics = createTokenMetrics(registry)
    metrics.ended({ kind: 'tokens', dryRun: true }, 'succeeded', 1_000)
    metrics.ended({ kind: 'tokens', dryRun: false }, 'failed', 2_000)
    metrics.ended({ kind: 'db', dryRun: false }, 'succeeded', 3_000)
    expect(await linesOf(registry)).toEqual([])
    metrics.wrote('c1', 'update')
    metrics.ended({ kind: 'tokens', dryRun: false }, 'succeeded', 4_000)
    expect(await linesOf(registry)).toEqual([
      'syncer_tokens_writes_total{cluster="c1",effect="update"} 1',
      'syncer_tokens_last_success_timestamp_seconds 4',
    ])
  })

  test('say of each pair what became of its rows, how far it is and what waits', async () => {
    const registry = new Registry()
    const metrics = createDbMetrics(registry)
    const counts = { read: 6, applied: 3, older: 1, equal: 2, echoed: 0, failed: 0 }
    const item = {
      table: 'users',
      direction: 'left-to-right',
      window: { beginMs: 0, endMs: 5_000 },
      ...counts,
      ms: 1,
    } as const
    const run = (operation: string, dryRun = false) => ({
      ...({ kind: 'db', dryRun, request: JSON.stringify({ operation, pair: 'app' }) } as const),
    })
    metrics.ended(run('verify'), 'succeeded', 1_000)
    metrics.ended(run('sync', true), 'succeeded', 1_000)
    metrics.ended(run('sync'), 'failed', 1_000)
    metrics.ended({ ...run('sync'), kind: 'tokens' }, 'succeeded', 1_000)
    expect(await linesOf(registry)).toEqual([])
    metrics.carried('app', item, false)
    metrics.carried('app', { ...item, table: 'orders', window: { beginMs: 0, endMs: 1_000 } }, true)
    metrics.deadLetters('app', 4)
    metrics.ended(run('sync'), 'succeeded', 9_000)
    expect(await linesOf(registry)).toEqual([
      'syncer_db_rows_total{pair="app",direction="left-to-right",outcome="applied"} 6',
      'syncer_db_rows_total{pair="app",direction="left-to-right",outcome="older"} 2',
      'syncer_db_rows_total{pair="app",direction="left-to-right",outcome="equal"} 4',
      'syncer_db_window_end_timestamp_seconds{pair="app",direction="left-to-right"} 5',
      'syncer_db_dead_letters{pair="app"} 4',
      'syncer_db_last_success_timestamp_seconds{pair="app"} 9',
    ])
  })
})

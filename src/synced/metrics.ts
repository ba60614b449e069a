// The gateway's metrics. What happens with every probe is counted in plain numbers; the registry collects them when it is asked.
import { Counter, Gauge, type Registry } from 'prom-client'
import { Buckets } from '../lib/buckets.ts'
import { registerHistogram } from '../lib/metrics.ts'
import type { Expectation, TokenStatus } from './contract.ts'
import { LAG_BUCKETS, type LagWindow } from './lag.ts'
import type { Outcome } from './outcome.ts'

const STATUSES = ['Synced', 'Partialy', 'NotSynced', 'Timeout'] as const satisfies readonly TokenStatus[]
const EXPECTATIONS = ['present', 'absent'] as const satisfies readonly Expectation[]
const CHECK_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10]

/** What the metrics are collected from. */
export interface MetricSources {
  readonly checksInFlight: () => number
  readonly replicas: () => readonly { readonly name: string; readonly state: 'up' | 'down' | 'unknown' }[]
  /** Seconds since the source confirmed the list; undefined without a list. */
  readonly listAgeSeconds: () => number | undefined
  readonly lags: () => Iterable<readonly [replica: string, lag: LagWindow]>
}

export interface GatewayMetrics {
  /** A verdict was given `ms` after its check began. */
  judged(status: TokenStatus, expect: Expectation, ms: number): void
  sent(): void
  heard(outcome: Outcome): void
  /** A check was refused because too many are in flight. */
  rejected(): void
  verdicts(): Readonly<Record<TokenStatus, number>>
}

/** Registers `syncer_gateway_*`. */
export function createGatewayMetrics(registry: Registry, sources: MetricSources): GatewayMetrics {
  const registers = [registry]
  const outcomes = new Map<Outcome, number>()
  const verdicts = { present: zeroes(), absent: zeroes() }
  const durations = new Buckets(CHECK_BUCKETS)
  let sent = 0
  let rejected = 0

  new Counter({
    name: 'syncer_gateway_checks_total',
    help: 'Verdicts given, by status and by what was asked for.',
    labelNames: ['status', 'expect'],
    registers,
    collect() {
      this.reset()
      for (const expect of EXPECTATIONS)
        for (const status of STATUSES) this.inc({ status, expect }, verdicts[expect][status])
    },
  })
  new Counter({
    name: 'syncer_gateway_checks_rejected_total',
    help: 'Checks answered 503 because as many as allowed were in flight.',
    registers,
    collect() {
      this.reset()
      this.inc(rejected)
    },
  })
  new Counter({
    name: 'syncer_gateway_probes_total',
    help: 'Probes sent to replicas.',
    registers,
    collect() {
      this.reset()
      this.inc(sent)
    },
  })
  new Counter({
    name: 'syncer_gateway_probe_outcomes_total',
    help: 'Probes answered or failed, by outcome: present, absent, or why nothing was learned.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset()
      for (const [outcome, count] of outcomes) this.inc({ outcome }, count)
    },
  })
  registerHistogram(registry, {
    name: 'syncer_gateway_check_duration_seconds',
    help: 'From the start of a check to its verdict.',
    buckets: CHECK_BUCKETS,
    collect: () => [{ labels: {}, ...durations }],
  })
  new Gauge({
    name: 'syncer_gateway_checks_in_flight',
    help: 'Checks under way.',
    registers,
    collect() {
      this.set(sources.checksInFlight())
    },
  })
  new Gauge({
    name: 'syncer_gateway_replicas',
    help: 'Replicas in the list.',
    registers,
    collect() {
      this.set(sources.replicas().length)
    },
  })
  new Gauge({
    name: 'syncer_gateway_replica_up',
    help: '1 when the last probe of the replica was answered 200 or 401, else 0; absent before the first probe.',
    labelNames: ['replica'],
    registers,
    collect() {
      this.reset()
      for (const { name, state } of sources.replicas())
        if (state !== 'unknown') this.set({ replica: name }, state === 'up' ? 1 : 0)
    },
  })
  new Gauge({
    name: 'syncer_gateway_replica_list_age_seconds',
    help: 'Time since the source of the list of replicas confirmed it; absent without a list.',
    registers,
    collect() {
      this.reset()
      this.remove()
      const age = sources.listAgeSeconds()
      if (age !== undefined) this.set(age)
    },
  })
  registerHistogram(registry, {
    name: 'syncer_gateway_replica_lag_seconds',
    help: 'From the start of a check to the arrival of the token at the replica.',
    buckets: LAG_BUCKETS,
    *collect() {
      for (const [replica, { arrivals }] of sources.lags()) yield { labels: { replica }, ...arrivals }
    },
  })

  return {
    judged(status, expect, ms) {
      verdicts[expect][status]++
      durations.observe(ms / 1000)
    },
    sent() {
      sent++
    },
    heard(outcome) {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    },
    rejected() {
      rejected++
    },
    verdicts() {
      const sum = zeroes()
      for (const status of STATUSES) sum[status] = verdicts.present[status] + verdicts.absent[status]
      return sum
    },
  }
}

function zeroes(): Record<TokenStatus, number> {
  return { Synced: 0, Partialy: 0, NotSynced: 0, Timeout: 0 }
}

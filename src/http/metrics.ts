// Requests by operation: counted in plain numbers when they are answered, read by the registry when it is asked.
import { Counter, type Registry } from 'prom-client'
import { Buckets } from '../lib/buckets.ts'
import { type HistogramSeries, registerHistogram } from '../lib/metrics.ts'

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** Counts the requests of one operation. */
export class OperationMeter {
  readonly operation: string
  /** Answers by status. */
  readonly answers = new Map<number, number>()
  /** In seconds. */
  readonly durations = new Buckets(BUCKETS)

  constructor(operation: string) {
    this.operation = operation
  }

  count(status: number, ms: number): void {
    this.durations.observe(ms / 1000)
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
  }
}

export interface HttpMetrics {
  /** The meter of an operation, the same one each time. Names are bounded: those of the document and a few of ours. */
  meterOf(operation: string): OperationMeter
}

/** Registers `syncer_http_*`. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const meters = new Map<string, OperationMeter>()
  new Counter({
    name: 'syncer_http_requests_total',
    help: 'HTTP requests, by operation and by status of the answer; 499 when the caller left before it.',
    labelNames: ['operation', 'status'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { operation, answers } of meters.values())
        for (const [status, count] of answers) this.inc({ operation, status: String(status) }, count)
    },
  })
  registerHistogram(registry, {
    name: 'syncer_http_request_duration_seconds',
    help: 'From the arrival of a request to the end of its answer, by operation.',
    buckets: BUCKETS,
    *collect(): Iterable<HistogramSeries> {
      for (const { operation, durations } of meters.values()) yield { labels: { operation }, ...durations }
    },
  })
  return {
    meterOf(operation) {
      const known = meters.get(operation) ?? new OperationMeter(operation)
      meters.set(operation, known)
      return known
    },
  }
}

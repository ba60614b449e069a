// GET /metrics: OpenMetrics for a scraper that prefers it, else the text format of Prometheus.
import type { Registry } from 'prom-client'
import { OPENMETRICS_TYPE, PROMETHEUS_TYPE, toOpenMetrics } from '../../lib/metrics.ts'
import type { Handlers } from '../contract.ts'

export function createGetMetrics(registry: Registry): Handlers['getMetrics'] {
  return async ({ headers }) => {
    const text = await registry.metrics()
    if (!prefersOpenMetrics(headers.accept)) return { status: 200, type: PROMETHEUS_TYPE, body: text }
    return { status: 200, type: OPENMETRICS_TYPE, body: toOpenMetrics(text) }
  }
}

/** Whether `Accept` names OpenMetrics and does not like plain text better. */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  const weights = new Map<string, number>()
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    weights.set(type, Math.max(weights.get(type) ?? 0, Number.isNaN(weight) ? 0 : weight))
  }
  const open = weights.get('application/openmetrics-text') ?? 0
  return open > 0 && open >= (weights.get('text/plain') ?? 0)
}

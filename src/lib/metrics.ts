// The registry of all metrics, and its text in the two formats that scrapers ask for.
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
export const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** A registry with the metrics of the process (`syncer_process_*`, `syncer_nodejs_*`). Every counter in it must end in `_total`. */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'syncer_' })
  return registry
}

/**
 * The text format of Prometheus as OpenMetrics. prom-client can write OpenMetrics itself, but renames its counters for good
 * when it does, so that one registry could not be asked for both.
 */
export function toOpenMetrics(text: string): string {
  const lines = text.split('\n').flatMap((line) => {
    if (line === '') return []
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (name === undefined || rest === undefined) return [line]
    const family = name.replace(/_total$/, '')
    return [`# ${keyword} ${family} ${keyword === 'HELP' ? rest.replaceAll('"', '\\"') : rest}`]
  })
  return `${lines.join('\n')}\n# EOF\n`
}

/** One series of a histogram that is filled elsewhere. */
export interface HistogramSeries {
  readonly labels: Readonly<Record<string, string>>
  /** One number more than there are buckets: the last one counts what was above them all. Not cumulative. */
  readonly counts: ArrayLike<number>
  readonly sum: number
}

/**
 * Registers a histogram whose buckets are filled elsewhere, in plain numbers: prom-client's own looks its labels up for
 * every observation. The object has what the registry asks of a metric; its classes ask for more, so the type is asserted.
 */
export function registerHistogram(
  registry: Registry,
  options: {
    readonly name: string
    readonly help: string
    readonly buckets: readonly number[]
    readonly collect: () => Iterable<HistogramSeries>
  },
): void {
  const { name, help, buckets, collect } = options
  const get = async () => {
    const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = []
    for (const { labels, counts, sum } of collect()) {
      let cumulative = 0
      for (const [index, le] of [...buckets, '+Inf'].entries()) {
        cumulative += counts[index] ?? 0
        values.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: cumulative })
      }
      values.push(
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: cumulative },
      )
    }
    return { name, help, type: 'histogram', aggregator: 'sum', values }
  }
  registry.registerMetric({ name, get, reset() {} } as unknown as Metric)
}

// The registry of all metrics, and its text in the two formats that scrapers ask for.
import { collectDefaultMetrics, Registry } from 'prom-client'

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

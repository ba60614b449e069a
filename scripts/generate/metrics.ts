// All metrics of the service, taken from what registers them, and the tables of docs/operate.md that are made of them. Each is fed
// with every word that its labels may have, so that pages, alerts and the dashboard can be held to what a scraper sees.
import type { Registry } from 'prom-client'
import { COUNTS, DIRECTIONS } from '../../src/db/contract.ts'
import { createHttpMetrics } from '../../src/http/metrics.ts'
import { createSoleLeadership, registerLeadershipMetrics } from '../../src/lib/leadership.ts'
import { createRegistry } from '../../src/lib/metrics.ts'
import { createDbMetrics, createRunMetrics, createTokenMetrics } from '../../src/runs/metrics.ts'
import { ENDED_STATES, RUN_KINDS, type RunTrigger } from '../../src/state/store.ts'
import { LagWindow } from '../../src/synced/lag.ts'
import { createGatewayMetrics } from '../../src/synced/metrics.ts'
import type { Outcome } from '../../src/synced/outcome.ts'
import type { Effect } from '../../src/tokens/contract.ts'

export interface DescribedMetric {
  readonly name: string
  readonly help: string
  /** `counter`, `gauge` or `histogram`. */
  readonly type: string
  /** Label → its words, sorted; undefined where the configuration or the machine decides what they are. `le` is left out. */
  readonly labels: ReadonlyMap<string, readonly string[] | undefined>
}

/** Stands for what only the configuration knows: names of replicas, clusters, pairs, schedules. */
const ANY = 'any'
const OUTCOMES = Object.keys({
  present: 0,
  absent: 0,
  pending: 0,
  silent: 0,
  refused: 0,
  reset: 0,
  tls: 0,
  garbage: 0,
  redirect: 0,
  throttled: 0,
  'server-error': 0,
  'unexpected-status': 0,
  'not-asked': 0,
} satisfies Record<Outcome, 0>) as Outcome[]
const TRIGGERS = Object.keys({ api: 0, schedule: 0, cli: 0 } satisfies Record<RunTrigger, 0>) as RunTrigger[]
const EFFECTS = Object.keys({ create: 0, update: 0, softDelete: 0, hardDelete: 0 } satisfies Record<Effect, 0>)
/** Every metric that a service with all capabilities exposes, in the order of their names; `operations` are those of the document. */
export async function describeMetrics(operations: readonly string[]): Promise<readonly DescribedMetric[]> {
  const registry = createRegistry()
  feedGateway(registry)
  feedRuns(registry)
  registerLeadershipMetrics(registry, { ...createSoleLeadership(ANY), term: { token: 1n, remainingMs: 1 } })
  const http = createHttpMetrics(registry)
  for (const operation of operations) http.meterOf(operation).count(200, 1)
  const metrics = await registry.getMetricsAsJSON()
  return metrics
    .map(({ name, help, type, values }) => {
      const named = registry.getSingleMetric(name) as unknown as { readonly labelNames?: readonly string[] } | undefined
      return { name, help, type: String(type), labels: labelsOf(name, named?.labelNames ?? [], values) }
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function feedGateway(registry: Registry): void {
  const lag = new LagWindow()
  lag.add(1, 1)
  const metrics = createGatewayMetrics(registry, {
    checksInFlight: () => 0,
    replicas: () => [{ name: ANY, state: 'up' }],
    listAgeSeconds: () => 1,
    lags: () => [[ANY, lag]],
  })
  metrics.judged('Synced', 'present', 1)
  for (const outcome of OUTCOMES) metrics.heard(outcome)
}

function feedRuns(registry: Registry): void {
  const schedule = { name: ANY, cron: '', timeZone: 'UTC', nextAt: 1, lastRunId: null, missed: 0 }
  const runs = createRunMetrics(registry, { underWay: () => 0, schedules: () => [schedule] })
  const tokens = createTokenMetrics(registry)
  const db = createDbMetrics(registry)
  const times = { startedAt: 0, endedAt: 1 }
  for (const kind of RUN_KINDS)
    for (const state of ENDED_STATES) for (const trigger of TRIGGERS) runs.ended({ kind, trigger }, { state, ...times })
  for (const effect of EFFECTS) tokens.wrote(ANY, effect)
  tokens.ended({ kind: 'tokens', dryRun: false }, 'succeeded', 1)
  const counts = Object.fromEntries(COUNTS.map((name) => [name, 1])) as Record<(typeof COUNTS)[number], number>
  for (const direction of DIRECTIONS)
    db.carried(ANY, { ...counts, direction, table: ANY, window: { beginMs: 0, endMs: 1 }, ms: 1 }, false)
  db.deadLetters(ANY, 0)
  const request = JSON.stringify({ operation: 'sync', pair: ANY })
  db.ended({ kind: 'db', dryRun: false, request }, 'succeeded', 1)
}

type Labels = Readonly<Record<string, unknown>>

function labelsOf(
  metric: string,
  registered: readonly string[],
  values: readonly { readonly labels: Labels }[],
): DescribedMetric['labels'] {
  const names = new Set([...registered, ...values.flatMap(({ labels }) => Object.keys(labels))])
  names.delete('le')
  return new Map(
    [...names].map((name) => {
      const words = [...new Set(values.map(({ labels }) => labels[name]).filter((word) => word !== undefined))].map(
        String,
      )
      return [name, words.includes(ANY) || isOpen(metric, name) ? undefined : words.toSorted()]
    }),
  )
}

/** Whether the words of a label are those of HTTP, of Node or of the system. */
const isOpen = (metric: string, label: string): boolean =>
  /^syncer_(?:process|nodejs)_/.test(metric) || (metric.startsWith('syncer_http_') && label === 'status')

const BEGIN = '<!-- metrics: written by `npm run generate` from what registers them -->'
const END = '<!-- end of metrics -->'

/** The page with tables that are made anew. Throws when it has no place for them. */
export function renderMetrics(page: string, metrics: readonly DescribedMetric[]): string {
  const [before, rest = ''] = page.split(BEGIN)
  const [, after] = rest.split(END)
  if (before === undefined || after === undefined) throw new Error(`docs/operate.md lacks ${BEGIN} or ${END}`)
  const isOfProcess = ({ name }: DescribedMetric) => /^syncer_(?:process|nodejs)_/.test(name)
  const ours = tableOf(metrics.filter((metric) => !isOfProcess(metric)))
  const ofProcess = tableOf(metrics.filter(isOfProcess))
  return `${before}${BEGIN}\n\n${ours}\n\nOf the process, and of Node.js in it:\n\n${ofProcess}\n\n${END}${after}`
}

function tableOf(metrics: readonly DescribedMetric[]): string {
  const rows = metrics.map(
    ({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${[...labels].map(labelText).join('; ')} | ${help} |`,
  )
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/** Words are told where they fit into a cell. */
function labelText([name, words]: readonly [string, readonly string[] | undefined]): string {
  if (words === undefined || words.length > 8) return `\`${name}\``
  return `\`${name}\`: ${words.map((word) => `\`${word}\``).join(', ')}`
}

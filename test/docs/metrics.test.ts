// Pages, alerts and the dashboard speak of the metrics that the service exposes, with the labels and words that they have.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import openapi from '../../generated/openapi.json' with { type: 'json' }
import { type DescribedMetric, describeMetrics } from '../../scripts/generate/metrics.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { startPlayground } from '../../src/playground/playground.ts'
import { anchorsOf } from './markdown.ts'
import { listPages, readPage } from './pages.ts'
import { findFaults, labelsOf, type Metrics, metricsOf } from './promql.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const OPERATIONS = Object.values(openapi.paths).flatMap((item) =>
  Object.values(item).flatMap((one) => ('operationId' in one ? [one.operationId] : [])),
)
/** Metrics that only tell of the process are many, and not all of them are worth a panel. */
const isOurs = (name: string) => !/^syncer_(?:process|nodejs)_/.test(name)

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}
interface Panel {
  readonly title: string
  readonly type: string
  readonly id: number
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly description?: string
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string; readonly refId: string }[]
}

let described: readonly DescribedMetric[]
let metrics: Metrics
beforeAll(async () => {
  described = await describeMetrics(OPERATIONS)
  metrics = new Map(described.map((metric) => [metric.name, metric]))
})

describe('the list of metrics', () => {
  it('is what a service with everything configured exposes', async () => {
    await using playground = await startPlayground({ env: {}, clock: systemClock, anyPorts: true })
    const headers = { 'X-Auth-Token': 'nobody', 'X-Nginx-Origin': 'gw-0' }
    await fetch(`${playground.url}/v1/synced`, { headers })
    const text = await (await fetch(`${playground.url}/metrics`)).text()
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`)
    expect(described.map(({ name, type }) => `${name} ${type}`)).toEqual(types.toSorted())
    const seen = [...text.matchAll(/^(syncer_\w+)\{(.*)\} /gm)].flatMap(([, name = '', labels = '']) =>
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', word = '']) => ({ name, label, word })),
    )
    expect(seen.length).toBeGreaterThan(50)
    for (const { name, label, word } of seen.filter((one) => one.label !== 'le')) {
      const { labels } = metrics.get(name) ?? metrics.get(name.replace(/_(?:bucket|sum|count)$/, '')) ?? {}
      expect([...(labels?.keys() ?? [])], name).toContain(label)
      const words = labels?.get(label)
      // Pages that are no operation of the document are counted under names of their own.
      if (words !== undefined && label !== 'operation') expect(words, `${label} of ${name}`).toContain(word)
    }
  })

  it('is in docs/operate.md, and no other', () => {
    const named = [...read('docs/operate.md').matchAll(/^\| `(syncer_\w+)` \|/gm)].map(([, name]) => name)
    expect(named.toSorted()).toEqual(described.map(({ name }) => name))
  })
})

describe('metrics', () => {
  it.each(listPages())('that %s names exist', (page) => {
    const named = readPage(page).matchAll(
      /\bsyncer_(?:gateway|dsync|runs?|schedule|tokens|db|http|process|nodejs)_[a-z0-9_]+/g,
    )
    for (const [name] of named) expect([...metrics.keys()], page).toContain(name)
  })
})

describe('docs/alerts.yaml', () => {
  const groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] = parse(
    read('docs/alerts.yaml'),
  ).groups
  const rules = groups.flatMap((group) => group.rules)
  const anchors = anchorsOf(read('docs/operate.md'))

  it('has names that are there once', () => {
    const names = [...groups.map(({ name }) => name), ...rules.map(({ alert }) => alert)]
    expect(new Set(names).size).toBe(names.length)
    expect(rules.length).toBeGreaterThan(10)
  })

  it.each(rules)('$alert asks for metrics that there are', ({ expr }) => {
    expect(findFaults(expr, metrics)).toEqual([])
  })

  it.each(rules)('$alert has what an alert needs', (rule) => {
    expect(Object.keys(rule).filter((key) => !['alert', 'expr', 'for', 'labels', 'annotations'].includes(key))).toEqual(
      [],
    )
    expect(rule.alert).toMatch(/^Syncer[A-Z][A-Za-z]+$/)
    expect(rule.for ?? '1m').toMatch(/^\d+[mh]$/)
    expect(Object.keys(rule.labels)).toEqual(['severity'])
    expect(['warning', 'critical']).toContain(rule.labels['severity'])
    expect(Object.keys(rule.annotations).toSorted()).toEqual(['runbook', 'summary'])
  })

  it.each(rules)('$alert leads to what is to be done', ({ alert, annotations }) => {
    expect(annotations['runbook']).toBe(`docs/operate.md#${alert.toLowerCase()}`)
    expect(anchors).toContain(alert.toLowerCase())
  })

  it.each(rules)('$alert tells only what it knows', ({ expr, annotations }) => {
    const named = [...(annotations['summary'] ?? '').matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label)
    for (const label of named) expect(labelsOf(expr)).toContain(label)
  })

  it('has each of the alerts that docs/operate.md explains', () => {
    const explained = [...read('docs/operate.md').matchAll(/^### (Syncer\w+)$/gm)].map(([, name]) => name)
    expect(explained.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted())
  })
})

describe('docs/grafana/syncer.json', () => {
  const dashboard = JSON.parse(read('docs/grafana/syncer.json'))
  const panels: readonly Panel[] = dashboard.panels
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })))
  /** Grafana puts these in. */
  const resolve = (expr: string) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h')

  it('can be imported anywhere: it asks for a Prometheus, and names none', () => {
    expect(dashboard).toMatchObject({ id: null, uid: 'syncer', title: 'Syncer', editable: true })
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39)
    const [first, ...others] = dashboard.templating.list
    expect(first).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' })
    for (const one of others) {
      expect(one).toMatchObject({ type: 'query', datasource: { type: 'prometheus', uid: '$' + '{datasource}' } })
      const [, metric] = /^label_values\((\w+)/.exec(one.definition) ?? []
      expect([...metrics.keys()]).toContain(metric)
    }
    for (const panel of panels.filter(({ type }) => type !== 'row'))
      expect(panel.datasource, panel.title).toEqual({ type: 'prometheus', uid: '$' + '{datasource}' })
  })

  it.each(queries)('asks for metrics that there are: $title, $refId', ({ expr }) => {
    expect(findFaults(resolve(expr), metrics)).toEqual([])
    expect(expr).toContain('namespace=~"$namespace"')
    expect(expr).toContain('job=~"$job"')
  })

  it.each(queries)('names lines by labels that they have: $title, $refId', ({ expr, legendFormat = '' }) => {
    const labels = labelsOf(resolve(expr)) ?? []
    for (const [, label] of legendFormat.matchAll(/\{\{\s*(\w+)\s*\}\}/g)) expect(labels, legendFormat).toContain(label)
  })

  it('shows every metric of ours', () => {
    const shown = new Set(queries.flatMap(({ expr }) => metricsOf(resolve(expr), metrics)))
    expect(described.map(({ name }) => name).filter((name) => isOurs(name) && !shown.has(name))).toEqual([])
  })

  it('has panels that do not lie on each other, each with a title, a number and what it means', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    for (const { title, type, description, gridPos } of panels) {
      expect(title).not.toBe('')
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      if (type !== 'row') expect(description ?? '', title).not.toBe('')
    }
  })
})

describe('the test of expressions', () => {
  it.each([
    ['rate(syncer_gateway_checks_total[5m]', 'no PromQL'],
    ['time()', 'speaks of no metric'],
    ['syncer_gateway_cheks_total', 'there is no metric syncer_gateway_cheks_total'],
    ['syncer_gateway_check_duration_seconds', 'there is no metric'],
    ['syncer_gateway_checks_total{verdict="Synced"}', 'has no label verdict'],
    ['syncer_gateway_checks_total{status="Partially"}', 'is never Partially'],
    ['syncer_gateway_checks_total{status=~"Synced|Late"}', 'is never Late'],
    ['rate(syncer_gateway_replicas[5m])', 'a gauge'],
    ['histogram_quantile(0.9, rate(syncer_run_duration_seconds_sum[5m]))', 'no buckets'],
    ['histogram_quantile(0.9, sum by (kind) (rate(syncer_run_duration_seconds_bucket[5m])))', 'not by le'],
    ['sum by (cluster) (syncer_db_dead_letters)', 'grouped by cluster'],
  ])('finds what is wrong with %s', (expr, fault) => {
    expect(findFaults(expr, metrics).join('; ')).toContain(fault)
  })
})

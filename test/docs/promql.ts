// What an expression of PromQL speaks of, read from its syntax tree, and what is wrong with it by the metrics that there are.
import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'
import type { DescribedMetric } from '../../scripts/generate/metrics.ts'

/** Labels that a scrape adds to every series. */
const TARGET_LABELS = ['namespace', 'job', 'instance']

export type Metrics = ReadonlyMap<string, DescribedMetric>

/** Everything that is wrong with an expression, a line each; empty when all is well. */
export function findFaults(expr: string, metrics: Metrics): readonly string[] {
  const root = parser.parse(expr).topNode
  const broken = nodesOf(root).filter(({ type }) => type.isError)
  if (broken.length > 0) return [`no PromQL at ${broken.map(({ from }) => from).join(', ')}`]
  const selectors = nodesOf(root).filter(({ name }) => name === 'VectorSelector')
  if (selectors.length === 0) return ['speaks of no metric']
  return [
    ...selectors.flatMap((node) => selectorFaults(node, expr, metrics)),
    ...callFaults(root, expr, metrics),
    ...groupingFaults(root, expr, metrics),
  ]
}

/** Labels that the series of an expression have, where an aggregation around all of it names them; undefined otherwise. */
export function labelsOf(expr: string): readonly string[] | undefined {
  const [outer] = nodesOf(parser.parse(expr).topNode).filter(({ name }) => name === 'GroupingLabels')
  return outer && wordsOf(outer, expr, 'LabelName')
}

/** The metrics that an expression reads, by the names under which they are registered. */
export function metricsOf(expr: string, metrics: Metrics): readonly string[] {
  return nodesOf(parser.parse(expr).topNode)
    .filter(({ name }) => name === 'VectorSelector')
    .flatMap((node) => findMetric(nameOf(node, expr), metrics)?.name ?? [])
}

function selectorFaults(node: SyntaxNode, expr: string, metrics: Metrics): readonly string[] {
  const name = nameOf(node, expr)
  const metric = findMetric(name, metrics)
  if (metric === undefined) return [`there is no metric ${name}`]
  return nodesOf(node)
    .filter((one) => ['UnquotedLabelMatcher', 'QuotedLabelMatcher'].includes(one.name))
    .flatMap((matcher) => {
      const [label = ''] = wordsOf(matcher, expr, 'LabelName')
      const [quoted = '""'] = wordsOf(matcher, expr, 'StringLiteral')
      const [op = ''] = wordsOf(matcher, expr, 'MatchOp')
      if (TARGET_LABELS.includes(label)) return []
      if (!metric.labels.has(label)) return [`${name} has no label ${label}`]
      const words = metric.labels.get(label)
      const pattern = quoted.slice(1, -1)
      if (words === undefined || pattern.startsWith('$')) return []
      const named = op.includes('~') ? pattern.split('|') : [pattern]
      return named.filter((word) => !words.includes(word)).map((word) => `${label} of ${name} is never ${word}`)
    })
}

/** Rates are of what only grows, quantiles of buckets by `le`. */
function callFaults(root: SyntaxNode, expr: string, metrics: Metrics): readonly string[] {
  return nodesOf(root)
    .filter(({ name }) => name === 'FunctionCall')
    .flatMap((call) => {
      const called = expr.slice(call.from, expr.indexOf('(', call.from)).trim()
      const names = nodesOf(call)
        .filter(({ name }) => name === 'VectorSelector')
        .map((node) => nameOf(node, expr))
      if (['rate', 'irate', 'increase'].includes(called))
        return names
          .filter((name) => findMetric(name, metrics)?.type === 'gauge')
          .map((name) => `${called} of ${name}, a gauge`)
      if (called !== 'histogram_quantile') return []
      const groups = nodesOf(call).filter(({ name }) => name === 'GroupingLabels')
      const isByLe = groups.every((group) => wordsOf(group, expr, 'LabelName').includes('le'))
      return [
        ...names
          .filter((name) => !name.endsWith('_bucket'))
          .map((name) => `a quantile of ${name}, which has no buckets`),
        ...(isByLe ? [] : ['a quantile that is not by le']),
      ]
    })
}

function groupingFaults(root: SyntaxNode, expr: string, metrics: Metrics): readonly string[] {
  const known = new Set([
    ...TARGET_LABELS,
    'le',
    ...metricsOf(expr, metrics).flatMap((name) => [...(metrics.get(name)?.labels.keys() ?? [])]),
  ])
  return nodesOf(root)
    .filter(({ name }) => name === 'GroupingLabels')
    .flatMap((group) => wordsOf(group, expr, 'LabelName'))
    .filter((label) => !known.has(label))
    .map((label) => `grouped by ${label}, which nothing has`)
}

/** A histogram is registered by one name and read by three others. */
function findMetric(name: string, metrics: Metrics): DescribedMetric | undefined {
  const plain = metrics.get(name)
  if (plain !== undefined) return plain.type === 'histogram' ? undefined : plain
  const whole = metrics.get(name.replace(/_(?:bucket|sum|count)$/, ''))
  return whole?.type === 'histogram' ? whole : undefined
}

const nameOf = (selector: SyntaxNode, expr: string): string => wordsOf(selector, expr, 'Identifier')[0] ?? ''

const wordsOf = (node: SyntaxNode, expr: string, kind: string): readonly string[] =>
  nodesOf(node)
    .filter(({ name }) => name === kind)
    .map(({ from, to }) => expr.slice(from, to))

/** A node and all below it, in the order of the text. */
function nodesOf(node: SyntaxNode): readonly SyntaxNode[] {
  const found: SyntaxNode[] = [node]
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(...nodesOf(child))
  return found
}

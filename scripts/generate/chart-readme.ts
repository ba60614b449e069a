// Writes the table of values into the chart's README: their paths, defaults and the comments of values.yaml that begin with `--`.
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml'

export interface ChartValue {
  /** Keys from the root, with dots. */
  readonly path: string
  /** Undefined for a mapping whose keys are described one by one. */
  readonly byDefault: unknown
  /** Undefined where nothing is written. */
  readonly description: string | undefined
}

const BEGIN = '<!-- values: written by `npm run generate` from values.yaml -->'
const END = '<!-- end of values -->'

/** The README with a table that is made anew. Throws when it has no place for it. */
export function renderChartReadme(readme: string, values: string): string {
  const [before, rest = ''] = readme.split(BEGIN)
  const [, after] = rest.split(END)
  if (before === undefined || after === undefined) throw new Error(`helm/README.md lacks ${BEGIN} or ${END}`)
  const rows = readChartValues(values).map(
    ({ path, byDefault, description }) =>
      `| \`${path}\` | ${byDefault === undefined ? '' : `\`${JSON.stringify(byDefault)}\``} | ${escapeCell(description ?? '')} |`,
  )
  const table = ['| value | default | description |', '|---|---|---|', ...rows].join('\n')
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`
}

/** Every value that has a description, and every one that lacks it and has no key with one, in the order of the file. */
export function readChartValues(source: string): readonly ChartValue[] {
  const { contents } = parseDocument(source)
  if (!isMap(contents)) throw new Error('values.yaml is no mapping')
  return readMap(contents, '')
}

function readMap(map: YAMLMap, prefix: string): readonly ChartValue[] {
  return map.items.flatMap((pair, index) => {
    // The comment in front of the first key of a mapping belongs to the mapping.
    const comment = commentOf(pair) ?? (index === 0 ? map.commentBefore : undefined)
    const path = `${prefix}${String(isScalar(pair.key) ? pair.key.value : pair.key)}`
    const description = describe(comment)
    const inner = isMap(pair.value) ? readMap(pair.value, `${path}.`) : []
    const isDescribedInside = inner.some((one) => one.description !== undefined)
    const own = { path, byDefault: isDescribedInside ? undefined : defaultOf(pair), description }
    return [...(isDescribedInside && description === undefined ? [] : [own]), ...(isDescribedInside ? inner : [])]
  })
}

const commentOf = ({ key }: Pair): string | undefined => (isScalar(key) ? (key.commentBefore ?? undefined) : undefined)

function defaultOf({ value }: Pair): unknown {
  if (typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function')
    return value.toJSON()
  return value
}

/** What stands behind the last `--`, as one line. */
function describe(comment: string | null | undefined): string | undefined {
  const lines = (comment ?? '').split('\n').map((line) => line.trim())
  const begin = lines.findLastIndex((line) => line.startsWith('-- '))
  if (begin === -1) return undefined
  return lines.slice(begin).join(' ').slice('-- '.length)
}

const escapeCell = (text: string): string => text.replaceAll('|', '\\|')

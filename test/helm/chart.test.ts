// The chart without helm: its version, and that its values, their schema and their descriptions are of the same keys.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readChartValues, renderChartReadme } from '../../scripts/generate/chart-readme.ts'

const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
const schema = JSON.parse(read('helm/values.schema.json'))
const values = parse(read('helm/values.yaml'))

interface Node {
  readonly properties?: Readonly<Record<string, Node>>
}

/** Paths of all keys that the schema knows by name, without those of the service's own configuration. */
function pathsOf({ properties = {} }: Node, prefix = ''): readonly string[] {
  return Object.entries(properties).flatMap(([key, node]) => {
    const path = `${prefix}${key}`
    return node.properties === undefined || path === 'config' ? [path] : pathsOf(node, `${path}.`)
  })
}

function valueAt(path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>> | undefined)?.[key], values)
}

it('has the version of the package', () => {
  const { version } = JSON.parse(read('package.json'))
  expect(parse(read('helm/Chart.yaml'))).toMatchObject({ name: 'syncer', version, appVersion: version })
})

describe('values.yaml', () => {
  it('is taken by the schema', () => {
    const validate = new Ajv2020({ strict: false, allErrors: true }).compile(schema)
    expect(validate(values) ? [] : validate.errors).toEqual([])
    expect(validate({ ...values, replicaCount: 1 })).toBe(false)
  })

  it('has every key that the schema knows', () => {
    // Secrets of Prometheus have no default; what a parent chart shares is nothing of this one.
    const without = [
      'global',
      'metrics.serviceMonitor.bearerTokenSecret.name',
      'metrics.serviceMonitor.bearerTokenSecret.key',
    ]
    const missing = pathsOf(schema).filter((path) => valueAt(path) === undefined)
    expect(missing).toEqual(without)
  })

  it('describes every value, with a sentence', () => {
    for (const { path, description } of readChartValues(read('helm/values.yaml'))) {
      expect(description, path).toMatch(/\.$/)
    }
  })
})

describe('the table of values', () => {
  const FRAME =
    'before\n<!-- values: written by `npm run generate` from values.yaml -->\nold\n<!-- end of values -->\nafter\n'

  it('has the path, the default and the words of each value, and leaves the rest of the page alone', () => {
    const page = renderChartReadme(
      FRAME,
      '# a page\n\n# -- First,\n# in two lines.\na: { b: 1 }\nc:\n  # -- Either | or.\n  d: ""\n',
    )
    expect(page).toContain('| `a` | `{"b":1}` | First, in two lines. |')
    expect(page).toContain('| `c.d` | `""` | Either \\| or. |')
    expect(page).not.toContain('old')
    expect(page.startsWith('before\n') && page.endsWith('\nafter\n')).toBe(true)
  })

  it('needs a place', () => {
    expect(() => renderChartReadme('nothing', 'a: 1')).toThrow(/lacks/)
  })

  it('shows a value that nobody has described', () => {
    expect(readChartValues('a: 1\nb:\n  c: 2\n')).toEqual([
      { path: 'a', byDefault: 1, description: undefined },
      { path: 'b', byDefault: { c: 2 }, description: undefined },
    ])
  })
})

// Pure: the schema of the configuration as a JSON Schema for editors and as a reference page. Both are generated, never edited.
import { ConfigSchema } from './schema.ts'
import { isReference, plainSchema, type SchemaNode, unionOf } from './schema-node.ts'

export const SCHEMA_ID = 'urn:syncer:configuration'

/** JSON Schema (draft 2020-12) of the configuration file, as text. What has a default need not be written. */
export function renderJsonSchema(): string {
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: SCHEMA_ID,
    title: 'Configuration of Syncer',
    ...forEditors(plainSchema(ConfigSchema)),
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function forEditors(node: SchemaNode): Record<string, unknown> {
  const { required = [], properties, patternProperties, anyOf, items, additionalProperties, format, ...rest } = node
  const out: Record<string, unknown> = { ...rest }
  if (format !== undefined && format !== 'path') out['format'] = format
  if (properties !== undefined) {
    out['properties'] = Object.fromEntries(Object.entries(properties).map(([key, inner]) => [key, forEditors(inner)]))
    const needed = required.filter((key) => properties[key]?.default === undefined)
    if (needed.length > 0) out['required'] = needed
  }
  if (patternProperties !== undefined) {
    out['patternProperties'] = Object.fromEntries(
      Object.entries(patternProperties).map(([key, inner]) => [key, forEditors(inner)]),
    )
  }
  if (additionalProperties !== undefined) {
    out['additionalProperties'] =
      typeof additionalProperties === 'object' ? forEditors(additionalProperties) : additionalProperties
  }
  if (anyOf !== undefined) out['anyOf'] = anyOf.map(forEditors)
  if (items !== undefined) out['items'] = forEditors(items)
  return out
}

const HEAD = `# Configuration

<!-- Generated from src/config/schema.ts: edit that, then generate. -->

One YAML file: \`--config FILE\`, else the file that \`SYNCER_CONFIG\` names, else \`./syncer.yaml\` when there is one, else the defaults.
The environment variables \`HOST\`, \`PORT\` and \`LOG_LEVEL\` win over the file. Relative paths are taken from the folder of the file.
A secret is named, never written down: \`{ env: NAME }\` or \`{ file: PATH }\`; files are read again when they change.
A capability is there when its section is there. \`syncer config check\` shows what is in force.
A key marked * must be written where its section is.
`

/** The reference page in Markdown: a section for each part of the file, a table row for each setting. */
export function renderReference(): string {
  const root = plainSchema(ConfigSchema)
  const sections = Object.entries(root.properties ?? {}).map(([key, node]) => renderSection(key, node))
  return `${[HEAD, ...sections].join('\n').trimEnd()}\n`
}

function renderSection(key: string, node: SchemaNode): string {
  const lines = [`## \`${key}\``, '', node.description ?? '', '']
  const union = unionOf(node)
  if (union?.by === 'tag') {
    for (const [name, branch] of union.branches) {
      const about = branch.properties?.[union.tag]?.description
      lines.push(
        `### \`${union.tag}: ${name}\``,
        '',
        ...(about === undefined ? [] : [about, '']),
        ...table(rows(branch, key)),
      )
    }
  } else lines.push(...table(rows(node, key)))
  return lines.join('\n')
}

interface Row {
  readonly path: string
  readonly required: boolean
  readonly node: SchemaNode
  /** Such as `kind: dns`, for a setting of one branch of a union. */
  readonly only?: string
}

/** Every setting below `node`, in the order of the schema. */
function rows(node: SchemaNode, path: string): readonly Row[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
    const row: Row = { path: `${path}.${key}`, node: inner, required: isNeeded(node, key) }
    return [row, ...below(inner, row.path)]
  })
}

const isNeeded = (node: SchemaNode, key: string): boolean =>
  (node.required ?? []).includes(key) && node.properties?.[key]?.default === undefined

function below(node: SchemaNode, path: string): readonly Row[] {
  if (node.items !== undefined) return below(node.items, `${path}[]`)
  const union = unionOf(node)
  if (union?.by === 'tag') {
    return [...union.branches].flatMap(([name, branch], index) =>
      rows(branch, path).flatMap((row) => {
        const isTag = row.path === `${path}.${union.tag}`
        if (isTag) return index === 0 ? [{ ...row, required: union.byDefault === undefined, node: tagNode(union) }] : []
        return [{ ...row, only: row.only ?? `${union.tag}: ${name}` }]
      }),
    )
  }
  if (union?.by === 'type') return [...union.branches.values()].flat().flatMap((branch) => below(branch, path))
  const named = Object.values(node.patternProperties ?? {}).concat(
    typeof node.additionalProperties === 'object' ? node.additionalProperties : [],
  )
  return [
    ...(isReference(node) ? [] : rows(node, path)),
    ...named.flatMap((inner) => [
      { path: `${path}.NAME`, node: inner, required: false },
      ...below(inner, `${path}.NAME`),
    ]),
  ]
}

function tagNode(union: {
  readonly tag: string
  readonly branches: ReadonlyMap<string, SchemaNode>
  readonly byDefault: string | undefined
}): SchemaNode {
  const description = [...union.branches]
    .map(([name, branch]) => `\`${name}\`: ${branch.properties?.[union.tag]?.description ?? ''}`)
    .join(' ')
  const node = { enum: [...union.branches.keys()], description }
  return union.byDefault === undefined ? node : { ...node, default: union.byDefault }
}

function table(list: readonly Row[]): readonly string[] {
  if (list.length === 0) return []
  const head = ['| key | type | default | allowed | description |', '|---|---|---|---|---|']
  const body = list.map(({ path, required, node, only }) => {
    const about = `${only === undefined ? '' : `(\`${only}\`) `}${node.description ?? ''}`
    const cells = [`\`${path}\`${required ? ' *' : ''}`, typeName(node), defaultOf(node), allowed(node), about]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return [...head, ...body, '']
}

function typeName(node: SchemaNode): string {
  if (isReference(node)) return 'file'
  const union = unionOf(node)
  if (union?.by === 'key') return [...union.branches.values()].every(isReference) ? 'secret' : 'mapping'
  if (union?.by === 'tag') return 'mapping'
  if (union?.by === 'value') return 'text'
  if (union?.by === 'type') return [...new Set([...union.branches.values()].flat().map(typeName))].join(' or ')
  if (node.items !== undefined) return `list of ${typeName(node.items)}`
  if (node.type === 'object') return 'mapping'
  if (node.type === 'array') return 'list'
  if (node.type === 'integer') return 'whole number'
  return node.type === undefined || node.type === 'string'
    ? node.format === 'path'
      ? 'path'
      : 'text'
    : String(node.type)
}

function defaultOf(node: SchemaNode): string {
  if (node.default === undefined) return ''
  return typeof node.default === 'object' &&
    Object.keys(node.default ?? {}).length === 0 &&
    !Array.isArray(node.default)
    ? ''
    : code(node.default)
}

function allowed(node: SchemaNode): string {
  if (isReference(node)) return '`{ file: PATH }`'
  const union = unionOf(node)
  if (union?.by === 'key') return [...union.branches.keys()].map((key) => `\`{ ${key}: … }\``).join(' or ')
  if (union?.by === 'value') return union.values.map(code).join(', ')
  if (union?.by === 'type') {
    const each = [...union.branches.values()].flat().map(allowed)
    return [...new Set(each.filter((text) => text !== ''))].join(' or ')
  }
  if (node.const !== undefined) return code(node.const)
  if (node.enum !== undefined) return node.enum.map(code).join(', ')
  if (node.items !== undefined) return listSize(node, allowed(node.items))
  if (node.minimum !== undefined || node.maximum !== undefined) return range(node.minimum, node.maximum)
  if (node.pattern !== undefined) return code(node.pattern)
  return node.type === 'string' ? `${range(node.minLength, node.maxLength)} characters` : ''
}

function listSize({ minItems, maxItems }: SchemaNode, each: string): string {
  const size = minItems === undefined && maxItems === undefined ? '' : `${range(minItems, maxItems)} entries`
  return [size, each].filter((text) => text !== '').join(', each ')
}

function range(minimum: number | undefined, maximum: number | undefined): string {
  if (maximum === undefined) return `${minimum ?? 0} or more`
  return minimum === undefined ? `up to ${maximum}` : `${minimum} to ${maximum}`
}

/** As inline code; a value with back quotes gets longer fences. */
function code(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (text === '') return '`""`'
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``
}

// The configuration's schema as plain JSON Schema, and which branch of a union a value means.
// Three kinds of union occur: told apart by a tag (`kind`, `mode`), by the one key that is present (`env`, `file`), by type.

/** What the schema of the configuration is made of; nothing else occurs in it. */
export interface SchemaNode {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly SchemaNode[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | SchemaNode
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: SchemaNode
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  /** `path`: a path, made absolute against the folder of the configuration file. */
  readonly format?: string
  readonly contentMediaType?: string
}

/** A schema of TypeBox is plain JSON Schema; its type just does not say so. */
export const plainSchema = (schema: object): SchemaNode => schema

export type Union =
  | {
      readonly by: 'tag'
      readonly tag: string
      readonly branches: ReadonlyMap<string, SchemaNode>
      readonly byDefault: string | undefined
    }
  | { readonly by: 'key'; readonly branches: ReadonlyMap<string, SchemaNode> }
  | { readonly by: 'value'; readonly values: readonly unknown[] }
  | { readonly by: 'type'; readonly branches: ReadonlyMap<string, readonly SchemaNode[]> }

const TAGS = ['kind', 'mode', 'driver'] as const

/** How the branches of `node` are told apart; undefined when it is no union. */
export function unionOf(node: SchemaNode): Union | undefined {
  const branches = node.anyOf
  if (branches === undefined) return undefined
  const values = branches.map((branch) => branch.const ?? branch.enum)
  if (values.every((value) => value !== undefined)) return { by: 'value', values: values.flat() }

  if (branches.every((branch) => branch.properties !== undefined)) {
    const tag = TAGS.find((name) => branches.every((branch) => typeof branch.properties?.[name]?.const === 'string'))
    if (tag !== undefined) {
      const byName = new Map(branches.map((branch) => [String(branch.properties?.[tag]?.const), branch]))
      const byDefault = branches.map((branch) => branch.properties?.[tag]?.default).find((name) => name !== undefined)
      return { by: 'tag', tag, branches: byName, byDefault: byDefault === undefined ? undefined : String(byDefault) }
    }
    if (branches.every((branch) => Object.keys(branch.properties ?? {}).length === 1)) {
      return {
        by: 'key',
        branches: new Map(branches.map((branch) => [Object.keys(branch.properties ?? {})[0] ?? '', branch])),
      }
    }
  }

  const byType = new Map<string, SchemaNode[]>()
  for (const branch of branches) byType.set(typeOf(branch), [...(byType.get(typeOf(branch)) ?? []), branch])
  return { by: 'type', branches: byType }
}

/** The branch that `value` means; undefined when it means none of them. */
export function branchOf(union: Union, value: unknown): SchemaNode | undefined {
  switch (union.by) {
    case 'tag': {
      if (!isRecord(value)) return undefined
      const tag = value[union.tag] ?? union.byDefault
      return typeof tag === 'string' ? union.branches.get(tag) : undefined
    }
    case 'key':
      if (!isRecord(value)) return undefined
      return Object.keys(value).length === 1 ? union.branches.get(Object.keys(value)[0] ?? '') : undefined
    case 'value':
      return undefined
    case 'type': {
      const candidates = union.branches.get(typeOfValue(value))
      return candidates?.length === 1 ? candidates[0] : undefined
    }
  }
}

/** Whether `node` names a secret or a file in place of containing it. */
export function isReference(node: SchemaNode): boolean {
  const names = Object.keys(node.properties ?? {})
  return names.length > 0 && names.every((name) => name === 'env' || name === 'file')
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON Schema's name of the type of a value; whole numbers are `number` too. */
export function typeOfValue(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function typeOf(node: SchemaNode): string {
  const { type } = node
  if (typeof type === 'string') return type === 'integer' ? 'number' : type
  return typeOfValue(node.const ?? node.enum?.[0])
}

/** The schema that belongs to `key` of an object of this schema; undefined for a key that is not allowed. */
export function propertyOf(node: SchemaNode, key: string): SchemaNode | undefined {
  if (node.properties !== undefined && Object.hasOwn(node.properties, key)) return node.properties[key]
  for (const [pattern, schema] of Object.entries(node.patternProperties ?? {})) {
    if (new RegExp(pattern, 'u').test(key)) return schema
  }
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined
}

/** `key` behind `path`, as people write it: `a.b[0].c`, and `a["odd key"]` for a key that is no name. */
export function joinPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

/** Calls `visit` for `value` and everything in it, with the path and the schema of each: unions are followed into the branch meant. */
export function walk(
  node: SchemaNode,
  value: unknown,
  visit: (path: string, node: SchemaNode, value: unknown) => void,
  path = '',
): void {
  const union = unionOf(node)
  if (union !== undefined) {
    const branch = branchOf(union, value)
    if (branch !== undefined) walk(branch, value, visit, path)
    return
  }
  visit(path, node, value)
  const { items } = node
  if (Array.isArray(value) && items !== undefined) {
    for (const [index, item] of value.entries()) walk(items, item, visit, joinPath(path, index))
  } else if (isRecord(value)) {
    for (const [key, inner] of Object.entries(value)) {
      const schema = propertyOf(node, key)
      if (schema !== undefined) walk(schema, inner, visit, joinPath(path, key))
    }
  }
}

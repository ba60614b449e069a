// Pure: what the configuration is once defaults are filled in and paths are absolute.
// A branch of a union is chosen by what the value says (ajv fills no defaults inside unions); what fits no branch is left for the checks.
import { resolve } from 'node:path'
import { branchOf, isRecord, propertyOf, type SchemaNode, unionOf } from './schema-node.ts'

/**
 * A copy of `value` with the defaults of `node` filled in, keys in the order of the schema (unknown ones last).
 * `folder`: absolute; relative paths are taken from there.
 */
export function fillDefaults(node: SchemaNode, value: unknown, folder: string): unknown {
  if (value === undefined) {
    return node.default === undefined ? undefined : fillDefaults(node, node.default, folder)
  }
  const union = unionOf(node)
  if (union !== undefined) {
    const branch = branchOf(union, value)
    return branch === undefined ? value : fillDefaults(branch, value, folder)
  }
  if (Array.isArray(value)) {
    const { items } = node
    return items === undefined ? value : value.map((item) => fillDefaults(items, item, folder))
  }
  if (isRecord(value)) return fillObject(node, value, folder)
  return node.format === 'path' && typeof value === 'string' && value !== '' ? resolve(folder, value) : value
}

function fillObject(node: SchemaNode, value: Record<string, unknown>, folder: string): Record<string, unknown> {
  const known = Object.keys(node.properties ?? {})
  const others = Object.keys(value).filter((key) => !known.includes(key))
  const entries: [string, unknown][] = []
  for (const key of [...known, ...others]) {
    const schema = propertyOf(node, key)
    const written = Object.hasOwn(value, key) ? value[key] : undefined
    const filled = schema === undefined ? written : fillDefaults(schema, written, folder)
    if (filled !== undefined) entries.push([key, filled])
  }
  // fromEntries defines keys, it does not assign them: a key `__proto__` stays a key, and is refused as unknown.
  return Object.fromEntries(entries)
}

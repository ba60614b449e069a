// The configuration against its schema: everything that is wrong, each with its path, what is allowed and the nearest name.
// Unions are rewritten so that ajv reports on the branch that was meant, not on all of them.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { closestName } from './closest-name.ts'
import { isRecord, joinPath, type SchemaNode, typeOfValue, unionOf } from './schema-node.ts'

/** Something wrong at a place of the configuration. */
export interface Problem {
  /** Keys and indexes from the root. */
  readonly at: readonly (string | number)[]
  readonly message: string
}

/** What `toAjv` makes of a union with a tag. */
interface RewrittenNode extends SchemaNode {
  readonly oneOf?: readonly RewrittenNode[]
}

const compiled = new WeakMap<SchemaNode, ValidateFunction>()

/** What is wrong with `value`, in the order of the document; empty when nothing is. Values are only repeated where they cannot be secrets. */
export function validate(schema: SchemaNode, value: unknown): readonly Problem[] {
  let check = compiled.get(schema)
  if (check === undefined) {
    const ajv = new Ajv({
      allErrors: true,
      verbose: true,
      discriminator: true,
      allowUnionTypes: true,
      unicodeRegExp: true,
    })
    ajv.addFormat('path', true)
    check = ajv.compile(toAjv(schema))
    compiled.set(schema, check)
  }
  if (check(value)) return []
  const seen = new Set<string>()
  return (check.errors ?? []).flatMap((error) => {
    const problem = explain(error, value)
    if (problem === undefined) return []
    const key = JSON.stringify(problem)
    if (seen.has(key)) return []
    seen.add(key)
    return [problem]
  })
}

/** The schema in the form in which ajv answers about one branch of a union. */
export function toAjv(node: SchemaNode): Record<string, unknown> {
  const { anyOf, properties, patternProperties, items, additionalProperties, ...rest } = node
  const own: Record<string, unknown> = { ...rest }
  const union = unionOf(node)
  if (union?.by === 'tag') {
    Object.assign(own, { type: 'object', required: [union.tag], discriminator: { propertyName: union.tag } })
    own['oneOf'] = [...union.branches.values()].map(toAjv)
  } else if (union?.by === 'key') {
    const merged = Object.fromEntries(
      [...union.branches].map(([key, branch]) => [key, toAjv(branch.properties?.[key] ?? {})]),
    )
    Object.assign(own, {
      type: 'object',
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      properties: merged,
    })
  } else if (union?.by === 'value') {
    own['enum'] = union.values
  } else if (union?.by === 'type') {
    own['type'] = [...union.branches.keys()]
    own['allOf'] = [...union.branches].map(([type, branches]) => ({
      if: { type },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then:
        branches.length === 1 && branches[0] !== undefined ? toAjv(branches[0]) : { type, anyOf: branches.map(toAjv) },
    }))
  } else if (anyOf !== undefined) {
    own['anyOf'] = anyOf.map(toAjv)
  }
  if (properties !== undefined) own['properties'] = mapValues(properties)
  if (patternProperties !== undefined) own['patternProperties'] = mapValues(patternProperties)
  if (items !== undefined) own['items'] = toAjv(items)
  if (additionalProperties !== undefined) {
    own['additionalProperties'] =
      typeof additionalProperties === 'object' ? toAjv(additionalProperties) : additionalProperties
  }
  return own
}

const mapValues = (properties: Readonly<Record<string, SchemaNode>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(properties).map(([key, node]) => [key, toAjv(node)]))

function explain(error: ErrorObject, root: unknown): Problem | undefined {
  const at = locate(error.instancePath, root)
  const schema = (error.parentSchema ?? {}) as SchemaNode
  const { data } = error
  const problem = (message: string, ...more: string[]): Problem => ({ at: [...at, ...more], message })
  const value = String(error.params['allowedValue'] ?? '')

  switch (error.keyword) {
    case 'if': // the branch has said what is wrong
    case 'anyOf': // so have its members, or there is nothing better to say
      return error.keyword === 'anyOf' ? problem(`is not what is allowed here: ${describeNode(schema)}`) : undefined
    case 'additionalProperties':
      return problem(
        unknownKey(String(error.params['additionalProperty']), schema),
        String(error.params['additionalProperty']),
      )
    case 'required': {
      const key = String(error.params['missingProperty'])
      if ('discriminator' in schema) return undefined // said by `discriminator`, with what is allowed
      if (isMisspelt(key, schema, data)) return undefined // said by `additionalProperties`, with the right name
      return problem(missing(key, schema), key)
    }
    case 'discriminator':
      return problem(wrongTag(String(error.params['tag']), error, data), String(error.params['tag']))
    case 'minProperties':
    case 'maxProperties':
      return problem(`takes exactly one of ${names(Object.keys(schema.properties ?? {}))}`)
    case 'enum':
      return problem(notOneOf(data, (schema.enum ?? []).map(String)))
    case 'const':
      return problem(notOneOf(data, [value]))
    case 'type':
      return problem(`must be ${typeNames(schema)}, is ${describeType(data)}`)
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
      return problem(`must be ${bounds(schema)}, is ${String(data)}`)
    case 'minLength':
    case 'maxLength':
      return problem(`must be ${size(schema.minLength, schema.maxLength, 'characters')}, is ${String(data).length}`)
    case 'minItems':
    case 'maxItems':
      return problem(
        `must have ${size(schema.minItems, schema.maxItems, 'entries')}, has ${Array.isArray(data) ? data.length : 0}`,
      )
    case 'uniqueItems':
      return problem(`entries ${Number(error.params['j']) + 1} and ${Number(error.params['i']) + 1} are the same`)
    case 'pattern':
      return problem(
        `does not have the right form. ${schema.description ?? ''} Pattern: ${schema.pattern}`.replace('  ', ' '),
      )
    default:
      return problem(error.message ?? error.keyword)
  }
}

function unknownKey(key: string, schema: SchemaNode): string {
  const allowed = Object.keys(schema.properties ?? {})
  const nearest = closestName(key, allowed) ?? deeperName(key, schema)
  const patterns = Object.keys(schema.patternProperties ?? {}).map((pattern) => `names of the form ${pattern}`)
  const tag = Object.entries(schema.properties ?? {}).find(([, node]) => typeof node.const === 'string')
  const where = tag === undefined ? '' : ` with ${tag[0]} ${String(tag[1].const)}`
  return `unknown key${nearest === undefined ? ';' : `, did you mean "${nearest}"?`} allowed${where}: ${names([...allowed, ...patterns])}`
}

/** Where the key belongs when it was written one level too high: `probe.port` for `port`. */
function deeperName(key: string, schema: SchemaNode): string | undefined {
  const isThere = (node: SchemaNode | RewrittenNode): boolean =>
    Object.hasOwn(node.properties ?? {}, key) || ('oneOf' in node && node.oneOf?.some(isThere) === true)
  const parent = Object.entries(schema.properties ?? {}).find(([, node]) => isThere(node))
  return parent === undefined ? undefined : `${parent[0]}.${key}`
}

function missing(key: string, schema: SchemaNode): string {
  const description = schema.properties?.[key]?.description
  return description === undefined ? 'is missing' : `is missing. ${description}`
}

/** Whether an unknown key of `data` is told to be meant as `key`. */
function isMisspelt(key: string, schema: SchemaNode, data: unknown): boolean {
  if (!isRecord(data)) return false
  const allowed = Object.keys(schema.properties ?? {})
  return Object.keys(data).some((other) => !allowed.includes(other) && closestName(other, allowed) === key)
}

function wrongTag(tag: string, error: ErrorObject, data: unknown): string {
  const branches = (error.parentSchema as RewrittenNode | undefined)?.oneOf ?? []
  const allowed = branches.map((branch) => String(branch.properties?.[tag]?.const))
  const value = isRecord(data) ? data[tag] : undefined
  if (value !== undefined) return notOneOf(value, allowed)
  const nearest = isRecord(data) ? closestName(tag, Object.keys(data)) : undefined
  return `is missing${nearest === undefined ? '' : ` (is "${nearest}" meant to be it?)`}; allowed: ${names(allowed)}`
}

/** Text is repeated only when it is short and close to what is allowed: it might be a secret in the wrong place. */
function notOneOf(data: unknown, allowed: readonly string[]): string {
  const nearest = typeof data === 'string' ? closestName(data, allowed) : undefined
  const told = `must be ${allowed.length === 1 ? '' : 'one of '}${names(allowed)}`
  if (nearest !== undefined) return `${told}, is ${JSON.stringify(data)}, did you mean "${nearest}"?`
  if (typeof data === 'string') return told
  return `${told}, is ${typeof data === 'number' || typeof data === 'boolean' ? String(data) : describeType(data)}`
}

const names = (list: readonly string[]): string => list.join(', ')

function bounds({ minimum, maximum, exclusiveMinimum }: SchemaNode): string {
  if (exclusiveMinimum !== undefined) return `more than ${exclusiveMinimum}`
  if (minimum === undefined) return `at most ${maximum}`
  return maximum === undefined ? `at least ${minimum}` : `between ${minimum} and ${maximum}`
}

function size(minimum: number | undefined, maximum: number | undefined, unit: string): string {
  if (maximum === undefined) return `at least ${minimum} ${unit}`
  return minimum === undefined ? `at most ${maximum} ${unit}` : `${minimum} to ${maximum} ${unit}`
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'empty',
}

function typeNames(schema: SchemaNode): string {
  const types = Array.isArray(schema.type) ? schema.type : [schema.type]
  const told = types.map((type) => TYPE_NAMES[String(type)] ?? String(type)).join(' or ')
  const keys = Object.keys(schema.properties ?? {})
  if (types.length === 1 && types[0] === 'object' && schema.maxProperties === 1)
    return `${told} with one of ${names(keys)}`
  return told
}

const describeType = (data: unknown): string => TYPE_NAMES[typeOfValue(data)] ?? typeOfValue(data)

function describeNode(schema: SchemaNode): string {
  return (schema.anyOf ?? [])
    .map((branch) => branch.description ?? String(branch.const ?? branch.pattern ?? branch.type))
    .join(' or ')
}

/** Keys and indexes of an ajv path; a digit is an index only where the document has a list. */
function locate(pointer: string, root: unknown): (string | number)[] {
  let here: unknown = root
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const isIndex = Array.isArray(here)
      here = isIndex ? (here as unknown[])[Number(key)] : isRecord(here) ? here[key] : undefined
      return isIndex ? Number(key) : key
    })
}

/** `at` as people write it; `configuration` for the root. */
export function pathOf(at: readonly (string | number)[]): string {
  return at.length === 0 ? 'configuration' : at.reduce<string>((path, key) => joinPath(path, key), '')
}

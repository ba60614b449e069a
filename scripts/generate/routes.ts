// Writes the route table. A named schema becomes one constant, a reference to it becomes its name: nothing is resolved
// at run time and nothing is there twice. Words for people (descriptions, examples) stay in the document.
import {
  type ApiDocument,
  follow,
  listOperations,
  type Operation,
  type Parameter,
  type PlacedOperation,
  type RequestBody,
  type Response,
  type Schema,
} from './document.ts'

const WORDS_FOR_PEOPLE = new Set(['description', 'example', 'examples', 'title'])
const SCHEMA_REF = /^#\/components\/schemas\/([A-Za-z][A-Za-z0-9]*)$/
/** Keywords whose value maps names to schemas: a property may well be called `description`. */
const MAPS = new Set(['properties', 'patternProperties', '$defs'])

/** TypeScript source of `generated/routes.ts`. Throws for a document that has no place in the table. */
export function renderRoutes(document: ApiDocument): string {
  const operations = listOperations(document)
  const routes = operations.map((placed) => `  ${placed.operation.operationId}: ${renderRoute(document, placed)},`)
  const used = new Set(routes.flatMap((route) => constantsIn(route)))
  for (const name of used)
    for (const other of constantsIn(renderSchema(schemaNamed(document, name), ''))) used.add(other)
  return [
    '// Generated from openapi/syncer.yaml by `npm run generate`; do not edit.',
    "import type { operations } from './openapi.ts'",
    '',
    'export type OperationId = keyof operations',
    '',
    'type JsonSchema = Readonly<Record<string, unknown>>',
    '',
    '/** What the document says of one operation, as the application needs it. */',
    'export interface Route {',
    '  readonly operationId: OperationId',
    "  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH'",
    '  /** Path in the form of the router: `/v1/runs/:id`. */',
    '  readonly url: string',
    '  /** What the caller must be allowed to, one of them; null where nobody is asked who they are. */',
    "  readonly scopes: readonly ('synced' | 'read' | 'tokens' | 'db')[] | null",
    '  /** Word of `auth.open` that frees it from credentials. */',
    "  readonly open: 'metrics' | 'ui' | null",
    '  /** Section of the configuration without which it is not configured. */',
    `  readonly capability: ${union(operations.map(({ operation }) => operation['x-syncer-capability']))} | null`,
    '  /** Whether no body at all stands for the empty object, which may lack what is needed. */',
    '  readonly bodyless: boolean',
    '  readonly schema: { readonly headers?: JsonSchema; readonly querystring: JsonSchema; readonly params?: JsonSchema; readonly body?: JsonSchema }',
    '  /** Schemas of application/json by status. */',
    '  readonly response: Readonly<Record<string, JsonSchema>>',
    '}',
    '',
    ...inOrderOfUse(document, used).flatMap((name) => [
      `const $${name} = ${renderSchema(schemaNamed(document, name), '')} as const`,
      '',
    ]),
    'export const routes = {',
    ...routes,
    '} as const satisfies { readonly [Id in OperationId]: Route & { readonly operationId: Id } }',
    '',
    '/** Query parameters that are always there, because the document gives them a default. */',
    'export interface QueryDefaults {',
    ...operations.map(({ operation }) => `  ${operation.operationId}: ${renderDefaults(document, operation)}`),
    '}',
    '',
  ].join('\n')
}

function renderRoute(document: ApiDocument, { path, method, operation }: PlacedOperation): string {
  const scopes = (operation.security ?? document.security ?? []).flatMap((one) => scopeOf(operation, one['bearer']))
  const fields: readonly (readonly [string, unknown])[] = [
    ['operationId', operation.operationId],
    ['method', method],
    ['url', path.replaceAll(/\{([^}]+)\}/g, ':$1')],
    ['scopes', scopes.length > 0 ? scopes : null],
    ['open', operation['x-syncer-open'] ?? null],
    ['capability', operation['x-syncer-capability'] ?? null],
    ['bodyless', bodyOf(document, operation) !== undefined],
    ['schema', requestSchemas(document, operation)],
    ['response', responseSchemas(document, operation)],
  ]
  return `{\n${fields.map(([name, value]) => `    ${name}: ${renderSchema(value, '    ')},`).join('\n')}\n  }`
}

/** An operation may name several ways to be allowed to, each with one scope. Throws for one with more. */
function scopeOf({ operationId }: Operation, scopes: readonly string[] = []): readonly string[] {
  if (scopes.length > 1) throw new Error(`${operationId}: one scope at most, found ${scopes.join(', ')}`)
  return scopes
}

const bodyOf = (document: ApiDocument, { requestBody }: Operation) =>
  follow<RequestBody | undefined>(document, requestBody)

function requestSchemas(document: ApiDocument, operation: Operation): Record<string, unknown> {
  const parameters = (operation.parameters ?? []).map((parameter) => follow<Parameter>(document, parameter))
  const of = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place)
  const body = bodyOf(document, operation)?.content?.['application/json']?.schema
  return {
    ...(of('header').length > 0 && { headers: objectOf(of('header'), true) }),
    querystring: objectOf(of('query'), false),
    ...(of('path').length > 0 && { params: objectOf(of('path'), false) }),
    ...(body && { body }),
  }
}

/** Headers may have neighbours that nobody asked for; a query may not. */
function objectOf(parameters: readonly Parameter[], open: boolean): Record<string, unknown> {
  const nameOf = (parameter: Parameter) => (parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name)
  const required = parameters.filter((parameter) => parameter.required).map(nameOf)
  return {
    type: 'object',
    additionalProperties: open,
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(parameters.map((parameter) => [nameOf(parameter), parameter.schema])),
  }
}

/** Status → schema of its application/json. Problems are written in one place and need none here. */
function responseSchemas(document: ApiDocument, operation: Operation): Record<string, unknown> {
  const entries = Object.entries(operation.responses).flatMap(([status, response]) => {
    const schema = follow<Response>(document, response).content?.['application/json']?.schema
    return schema === undefined ? [] : [[status, schema]]
  })
  return Object.fromEntries(entries)
}

function renderDefaults(document: ApiDocument, operation: Operation): string {
  const names = (operation.parameters ?? [])
    .map((parameter) => follow<Parameter>(document, parameter))
    .filter((parameter) => parameter.in === 'query' && 'default' in parameter.schema)
    .map((parameter) => JSON.stringify(parameter.name))
  return names.length === 0 ? 'never' : names.join(' | ')
}

function renderSchema(value: unknown, indent: string, isMap = false): string {
  const deeper = `${indent}  `
  if (Array.isArray(value)) {
    const items = value.map((item) => renderSchema(item, deeper))
    const oneLine = `[${items.join(', ')}]`
    return oneLine.length <= 100 && !oneLine.includes('\n')
      ? oneLine
      : `[\n${items.map((item) => `${deeper}${item},`).join('\n')}\n${indent}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if ('$ref' in value) {
    const name = SCHEMA_REF.exec(String(value.$ref))?.[1]
    if (name === undefined) throw new Error(`${String(value.$ref)}: only #/components/schemas/NAME is understood here`)
    return `$${name}`
  }
  const lines = Object.entries(value)
    .filter(([name]) => isMap || !WORDS_FOR_PEOPLE.has(name))
    .map(([name, item]) => `${deeper}${renderKey(name)}: ${renderSchema(item, deeper, !isMap && MAPS.has(name))},`)
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`
}

const union = (words: readonly (string | undefined)[]) =>
  [...new Set(words.filter((word) => word !== undefined))].map((word) => JSON.stringify(word)).join(' | ')

const renderKey = (name: string) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : JSON.stringify(name))

const constantsIn = (source: string) =>
  [...source.matchAll(/(?<=: |\[|, |^\s*)\$([A-Z][A-Za-z0-9]*)(?=,|\]|$)/gm)].map((match) => String(match[1]))

function schemaNamed(document: ApiDocument, name: string): Schema {
  return follow<Schema>(document, { $ref: `#/components/schemas/${name}` })
}

/** A constant stands before those that use it. Throws for a schema that contains itself. */
function inOrderOfUse(document: ApiDocument, names: ReadonlySet<string>): readonly string[] {
  const ordered: string[] = []
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) throw new Error(`schema ${name} contains itself: ${[...path, name].join(' → ')}`)
    if (ordered.includes(name)) return
    for (const used of constantsIn(renderSchema(schemaNamed(document, name), ''))) visit(used, [...path, name])
    ordered.push(name)
  }
  for (const name of [...names].sort()) visit(name, [])
  return ordered
}

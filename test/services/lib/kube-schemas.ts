// Schemas for kubeconform from what an API server says of itself (its OpenAPI 2 document), so that nothing is fetched. Strict: a key that
// no schema knows is an error.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Schema = {
  $ref?: string
  type?: unknown
  format?: string
  oneOf?: unknown
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: boolean | Schema
  required?: string[]
  'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string
    readonly kind: string
    readonly version: string
  }[]
}

const ALL = '_definitions.json'

/** What kubeconform is to be told: where the schema of a kind lies. */
export const schemaLocation = (folder: string): string => join(folder, '{{ .ResourceKind }}{{ .KindSuffix }}.json')

/** Writes the schema of every kind into the folder, which is made. */
export function writeSchemas(swagger: unknown, folder: string): void {
  const { definitions } = structuredClone(swagger) as { definitions: Record<string, Schema> }
  mkdirSync(folder, { recursive: true })
  for (const [name, definition] of Object.entries(definitions)) {
    // Go reads both; the document says text.
    if (name.endsWith('api.resource.Quantity')) takeEither(definition, 'string', 'number')
    close(definition)
  }
  writeFileSync(join(folder, ALL), JSON.stringify({ definitions }))
  for (const definition of Object.values(definitions)) {
    for (const { group, kind, version } of definition['x-kubernetes-group-version-kind'] ?? []) {
      const suffix = [group.split('.')[0] ?? '', version].filter((part) => part !== '').join('-')
      const required = [...new Set([...(definition.required ?? []), 'apiVersion', 'kind'])]
      writeFileSync(join(folder, `${kind.toLowerCase()}-${suffix}.json`), JSON.stringify({ ...definition, required }))
    }
  }
}

function close(schema: Schema): void {
  if (schema.$ref !== undefined) {
    schema.$ref = `${ALL}${schema.$ref}`
    return
  }
  if (schema.properties !== undefined) schema.additionalProperties ??= false
  if (schema.format === 'int-or-string') takeEither(schema, 'string', 'integer')
  for (const inner of Object.values(schema.properties ?? {})) close(inner)
  if (schema.items !== undefined) close(schema.items)
  if (typeof schema.additionalProperties === 'object') close(schema.additionalProperties)
}

function takeEither(schema: Schema, ...types: readonly string[]): void {
  delete schema.type
  schema.oneOf = types.map((type) => ({ type }))
}

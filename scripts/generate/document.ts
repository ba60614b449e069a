// The document as the generators read it: parsed, with its references followed.
import { parse } from 'yaml'

export interface Schema {
  readonly $ref?: string
  readonly [keyword: string]: unknown
}

export interface Media {
  /** Of server-sent events: that of each event. */
  readonly schema?: Schema
}

export interface Response {
  readonly content?: Readonly<Record<string, Media>>
}

export interface RequestBody extends Response {
  readonly required?: boolean
}

export interface Parameter {
  readonly name: string
  readonly in: 'header' | 'query' | 'path'
  readonly required?: boolean
  readonly schema: Schema
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly unknown[]
  readonly requestBody?: unknown
  readonly responses: Readonly<Record<string, unknown>>
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly 'x-syncer-capability'?: string
  readonly 'x-syncer-open'?: string
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly security?: Operation['security']
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

export interface PlacedOperation {
  readonly path: string
  readonly method: string
  readonly operation: Operation
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch']

export function parseDocument(yaml: string): ApiDocument {
  return parse(yaml) as ApiDocument
}

/** Every operation with its place, in the order of the document. */
export function listOperations(document: ApiDocument): readonly PlacedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
}

/** What a `$ref` within the document leads to; the value itself when it is none. Throws when it leads nowhere. */
export function follow<T>(document: ApiDocument, value: unknown): T {
  if (typeof value !== 'object' || value === null || !('$ref' in value)) return value as T
  const ref = String(value.$ref)
  if (!ref.startsWith('#/')) throw new Error(`${ref}: only references within the document are followed`)
  let target: unknown = document
  for (const part of ref.slice(2).split('/')) {
    target = (target as Readonly<Record<string, unknown>> | undefined)?.[
      part.replaceAll('~1', '/').replaceAll('~0', '~')
    ]
  }
  if (target === undefined) throw new Error(`${ref} leads nowhere`)
  return follow<T>(document, target)
}

// The document for tests: parsed once, its references followed, its schemas compiled where they stand.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import { parse } from 'yaml'

export interface Located<T> {
  readonly value: T
  /** JSON Pointer, as a URI fragment. */
  readonly pointer: string
}

export interface HeaderObject {
  readonly required?: boolean
  readonly description?: string
  readonly example?: unknown
  readonly schema: Record<string, unknown>
}
export interface MediaObject {
  readonly schema: Record<string, unknown>
  readonly examples?: Record<string, { readonly $ref?: string; readonly value?: unknown }>
}
export interface ResponseObject {
  readonly description: string
  readonly headers?: Record<string, HeaderObject>
  readonly content?: Record<string, MediaObject>
}
export interface ParameterObject {
  readonly name: string
  readonly in: string
  readonly description?: string
  readonly example?: unknown
  readonly schema: Record<string, unknown>
}
export interface OperationObject {
  readonly operationId: string
  readonly description?: string
  readonly security?: readonly Record<string, readonly string[]>[]
  readonly parameters?: readonly unknown[]
  readonly requestBody?: unknown
  readonly responses: Record<string, unknown>
  readonly 'x-syncer-capability'?: string
}

export const document = parse(readFileSync(join(import.meta.dirname, '../../openapi/syncer.yaml'), 'utf8')) as {
  readonly paths: Record<string, Record<string, OperationObject>>
  readonly components: Record<
    'schemas' | 'headers' | 'responses' | 'parameters' | 'examples',
    Record<string, Record<string, unknown>>
  >
}

const ajv = new Ajv2020({ strict: false, allErrors: true, coerceTypes: false })
ajvFormats.default(ajv)
ajv.addSchema(document, 'openapi')
const compiled = new Map<string, ValidateFunction>()

const escapePart = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1')

/** Below a place, following references on the way. */
export function locate<T>(from: Located<unknown>, ...parts: readonly string[]): Located<T> {
  let { value, pointer } = from
  for (const part of parts) {
    value = (value as Record<string, unknown>)[part]
    pointer = `${pointer}/${escapePart(part)}`
    if (typeof value === 'object' && value !== null && '$ref' in value && !pointer.endsWith('/schema')) {
      const ref = String((value as { readonly $ref: unknown }).$ref)
      ;({ value, pointer } = locate(ROOT, ...ref.slice(2).split('/')))
    }
  }
  return { value: value as T, pointer }
}

export const ROOT: Located<unknown> = { value: document, pointer: '' }

/** What is wrong with a value by the schema at a place; nothing when it conforms. */
export function findBreaches(pointer: string, value: unknown): readonly string[] {
  const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `openapi#${encodeURI(pointer)}` })
  compiled.set(pointer, validate)
  return validate(value)
    ? []
    : (validate.errors ?? []).map(
        (error) => `${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`,
      )
}

/** Every operation with its place. */
export const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    path,
    method,
    id: operation.operationId,
    place: locate<OperationObject>(ROOT, 'paths', path, method),
  })),
)

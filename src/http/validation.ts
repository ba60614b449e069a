// Is the request as the document has it? Only a query is coerced (it is text by nature); nothing is removed. The words of
// an error name the place and what is allowed, and never repeat what was sent, except the name of a query parameter.
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import ajvFormats from 'ajv-formats'
import { closest, distance } from 'fastest-levenshtein'
import type { FastifySchemaCompiler, FastifyServerOptions } from 'fastify'
import { badRequest, type ProblemError } from './problems.ts'

/** More than this many mistakes are not listed. */
const MAX_ERRORS = 20
/** Longer names, and stranger ones, are not repeated: they may be a secret in the wrong place. */
const REPEATABLE_NAME = /^[A-Za-z][A-Za-z_-]{0,31}$/

const OPTIONS: Options = {
  allErrors: true,
  verbose: true,
  useDefaults: true,
  removeAdditional: false,
  coerceTypes: false,
  // A number or a percentage, for instance.
  allowUnionTypes: true,
}

/** One compiler for all parts of requests. */
export function createValidatorCompiler(): FastifySchemaCompiler<object> {
  const strict = createAjv(OPTIONS)
  const coercing = createAjv({ ...OPTIONS, coerceTypes: 'array' })
  return ({ schema, httpPart }): ValidateFunction => (httpPart === 'querystring' ? coercing : strict).compile(schema)
}

function createAjv(options: Options): Ajv {
  const ajv = new Ajv(options)
  ajvFormats.default(ajv)
  ajv.addKeyword('x-syncer-expects')
  return ajv
}

/** What Ajv found as a problem with one entry for each place. */
export const formatValidationErrors: NonNullable<FastifyServerOptions['schemaErrorFormatter']> = (errors, part) => {
  const places = new Map<string, ProblemError>()
  for (const error of errors as readonly ErrorObject[]) {
    const described = describe(error, part)
    const place = described.header ?? described.query ?? described.pointer ?? ''
    if (!places.has(place)) places.set(place, described)
  }
  return badRequest([...places.values()].slice(0, MAX_ERRORS))
}

function describe(error: ErrorObject, part: string): ProblemError {
  const detail = wordsFor(error)
  if (part === 'headers') return { header: spellHeader(topName(error)), detail }
  if (part === 'querystring') return describeQuery(error, detail)
  return { pointer: pointerOf(error, part), detail }
}

function describeQuery(error: ErrorObject, detail: string): ProblemError {
  const name = topName(error)
  if (error.keyword !== 'additionalProperties') return { query: name, detail }
  return {
    query: REPEATABLE_NAME.test(name) ? name : '?',
    detail: `is not a query parameter of this operation; ${allowedFor(name, error)}`,
  }
}

/** What there is in place of a name that nobody knows, and the one that was meant perhaps. */
function allowedFor(name: string, { parentSchema }: ErrorObject): string {
  const known = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {})
  if (known.length === 0) return 'it has none'
  const nearest = closest(name, known)
  const guess = distance(name, nearest) <= 3 ? `; did you mean ${nearest}?` : ''
  return `allowed are ${known.join(', ')}${guess}`
}

function wordsFor(error: ErrorObject): string {
  const { keyword, params, parentSchema, message } = error
  if (keyword === 'required') return 'is missing'
  if (keyword === 'additionalProperties')
    return `is not known here; ${allowedFor(String(params['additionalProperty']), error)}`
  if (keyword === 'enum')
    return `must be one of ${(params['allowedValues'] as readonly unknown[]).map((value) => JSON.stringify(value)).join(', ')}`
  const expected = parentSchema?.['x-syncer-expects']
  return typeof expected === 'string' ? `must be ${expected}` : (message ?? 'is not allowed')
}

/** Name of the header or query parameter that an error is about. */
function topName({ keyword, params, instancePath }: ErrorObject): string {
  if (instancePath !== '') return fromPointer(instancePath.split('/')[1] ?? '')
  if (keyword === 'required') return String(params['missingProperty'])
  return keyword === 'additionalProperties' ? String(params['additionalProperty']) : ''
}

function pointerOf({ keyword, params, instancePath }: ErrorObject, part: string): string {
  const base = part === 'body' ? '' : `/${part}`
  const extra =
    keyword === 'required'
      ? params['missingProperty']
      : keyword === 'additionalProperties'
        ? params['additionalProperty']
        : undefined
  return `${base}${instancePath}${extra === undefined ? '' : `/${toPointer(String(extra))}`}`.slice(0, 1024)
}

const toPointer = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')
const fromPointer = (name: string) => name.replaceAll('~1', '/').replaceAll('~0', '~')

/** `x-auth-token` → `X-Auth-Token`. */
const spellHeader = (name: string) => name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())

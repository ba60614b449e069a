// Rules of the house over the whole document, beside those of scripts/lint-openapi.ts.
import { describe, expect, it } from 'vitest'
import { SCOPES } from '../../src/config/schema.ts'
import {
  document,
  findBreaches,
  type HeaderObject,
  type Located,
  locate,
  type MediaObject,
  operations,
  type ParameterObject,
  type ResponseObject,
  ROOT,
} from './document.ts'

type Schema = Record<string, unknown>

/** Every schema of the document, nested ones too; a reference ends the way, its target is visited where it stands. */
function* schemasBelow(value: unknown, pointer: string, isSchema: boolean): Generator<Located<Schema>> {
  if (typeof value !== 'object' || value === null || '$ref' in value) return
  if (isSchema) yield { value: value as Schema, pointer }
  for (const [key, inner] of Object.entries(value)) {
    const below = `${pointer}/${key}`
    if (key === 'example' || key === 'examples' || key === 'enum') continue
    if (key === 'properties' || (key === 'schemas' && pointer === '/components')) {
      for (const [name, schema] of Object.entries(inner as object))
        yield* schemasBelow(schema, `${below}/${name}`, true)
    } else if (key === 'anyOf' || key === 'oneOf' || key === 'allOf') {
      for (const [index, schema] of (inner as unknown[]).entries())
        yield* schemasBelow(schema, `${below}/${index}`, true)
    } else yield* schemasBelow(inner, below, key === 'schema' || key === 'items')
  }
}

const schemas = [...schemasBelow(document, '', false)]
const typesOf = (schema: Schema) => [schema['type']].flat()
const isString = (schema: Schema) => typesOf(schema).includes('string')
const responses = operations.flatMap(({ id, place }) =>
  Object.keys(place.value.responses).map((status) => ({
    id,
    status,
    place: locate<ResponseObject>(place, 'responses', status),
  })),
)
const parameters = operations.flatMap(({ id, place }) =>
  (place.value.parameters ?? []).map((_, index) => ({
    id,
    place: locate<ParameterObject>(place, 'parameters', String(index)),
  })),
)

describe('every schema', () => {
  it('is found', () => expect(schemas.length).toBeGreaterThan(80))

  it.each(schemas.filter(({ value }) => isString(value)))('bounds its text: $pointer', ({ value }) => {
    expect(value['enum'] ?? value['maxLength']).toBeDefined()
  })

  it.each(schemas.filter(({ value }) => typesOf(value).includes('array')))('bounds its list: $pointer', ({ value }) => {
    expect(value).toMatchObject({ maxItems: expect.any(Number), items: expect.anything() })
  })

  it.each(schemas.filter(({ value }) => typesOf(value).includes('object')))(
    'says whether more is allowed: $pointer',
    ({ value }) => {
      // A schema for what has no name of its own: a map.
      expect(value['additionalProperties']).toEqual(value['maxProperties'] ? expect.anything() : expect.any(Boolean))
    },
  )

  it.each(schemas.filter(({ pointer }) => /\/properties\/[^/]+$|^\/components\/schemas\/[^/]+$/.test(pointer)))(
    'is described: $pointer',
    ({ value }) => {
      expect(value['description']).toMatch(/\S{2}/)
    },
  )
})

describe('every operation', () => {
  it.each(operations)('$id is described', ({ place }) => expect(place.value.description).toMatch(/\.\s*$/))

  it.each(operations)('$id declares the errors that any request can meet', ({ place }) => {
    expect(Object.keys(place.value.responses)).toEqual(expect.arrayContaining(['400', '405', '500', 'default']))
  })

  it.each(operations)('$id declares what authentication answers, where there is one', ({ place }) => {
    const expected = place.value.security?.length === 0 ? [] : ['401', '403', '503']
    expect(Object.keys(place.value.responses)).toEqual(expect.arrayContaining(expected))
  })

  it.each(operations.filter(({ place }) => place.value['x-syncer-capability']))(
    '$id declares that it may not be configured',
    ({ place }) => {
      expect(place.value.responses).toHaveProperty('404')
    },
  )

  it.each(operations)('$id needs one scope that exists, one of several, or none', ({ place }) => {
    for (const { bearer = [] } of place.value.security ?? []) {
      expect(bearer.length).toBeLessThanOrEqual(1)
      expect(SCOPES).toEqual(expect.arrayContaining([...bearer]))
    }
  })

  it.each(operations.filter(({ method }) => method !== 'get'))('$id declares what becomes of bodies', ({ place }) => {
    expect(Object.keys(place.value.responses)).toEqual(expect.arrayContaining(['413', '415']))
  })

  it.each(operations.filter(({ place }) => place.value.requestBody))('$id has good examples of bodies', ({ place }) => {
    const at = locate<MediaObject>(place, 'requestBody', 'content', 'application/json')
    const examples = Object.entries(at.value.examples ?? {})
    expect(examples.length).toBeGreaterThan(0)
    for (const [name, { value }] of examples) expect(findBreaches(`${at.pointer}/schema`, value), name).toEqual([])
  })
})

describe('every parameter', () => {
  it.each(parameters)('of $id is described and has a good example: $place.value.name', ({ place }) => {
    expect(place.value.description).toMatch(/\.\s*$/)
    expect(findBreaches(`${place.pointer}/schema`, place.value.example)).toEqual([])
  })
})

describe('every answer', () => {
  it.each(responses)('$status of $id carries the request id', ({ place }) =>
    expect(Object.keys(place.value.headers ?? {})).toContain('X-Request-Id'),
  )

  it.each(responses)('$status of $id has described headers with good examples', ({ place }) => {
    for (const name of Object.keys(place.value.headers ?? {})) {
      const header = locate<HeaderObject>(place, 'headers', name)
      expect(header.value.description, name).toMatch(/\.\s*$/)
      expect(findBreaches(`${header.pointer}/schema`, header.value.example), name).toEqual([])
    }
  })

  it.each(responses.filter(({ status }) => !status.startsWith('3')))(
    '$status of $id has good examples',
    ({ place }) => {
      for (const [type, media] of Object.entries(place.value.content ?? {})) {
        const names = Object.keys(media.examples ?? {})
        expect(names.length, type).toBeGreaterThan(0)
        const at = locate<MediaObject>(place, 'content', type)
        for (const name of names) {
          const example = locate<{ readonly value: unknown }>(at, 'examples', name)
          expect(findBreaches(`${at.pointer}/schema`, example.value.value), `${type} ${name}`).toEqual([])
        }
      }
    },
  )

  it.each(responses.filter(({ status }) => !/^[23]/.test(status)))('$status of $id is a problem', ({ place }) => {
    expect(Object.keys(place.value.content ?? {})).toContain('application/problem+json')
  })

  it.each(responses.filter(({ status }) => /^(4|5)\d\d$/.test(status)))(
    '$status of $id has examples of that status',
    ({ status, place }) => {
      const at = locate<MediaObject>(place, 'content', 'application/problem+json')
      for (const name of Object.keys(at.value.examples ?? {})) {
        const { value } = locate<{ readonly value: { readonly status: number } }>(at, 'examples', name).value
        expect(String(value.status), name).toBe(status)
      }
    },
  )
})

it('nothing in the components is unused', () => {
  const text = JSON.stringify(document)
  const unused = Object.entries(document.components).flatMap(([kind, named]) =>
    kind === 'securitySchemes'
      ? []
      : Object.keys(named).filter((name) => !text.includes(`"#/components/${kind}/${name}"`)),
  )
  expect(unused).toEqual([])
  expect(locate(ROOT, 'components').pointer).toBe('/components')
})

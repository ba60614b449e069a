import { describe, expect, it } from 'vitest'
import { renderClient } from '../../scripts/generate/client.ts'
import { parseDocument } from '../../scripts/generate/document.ts'
import { renderRoutes } from '../../scripts/generate/routes.ts'

const documentWith = (schemas: string, parameters = '[]', security = '[{ bearer: [read] }]') =>
  parseDocument(`
paths:
  /v1/things/{id}:
    post:
      operationId: makeThing
      summary: Makes one.
      security: ${security}
      parameters: ${parameters}
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
      responses:
        '202': { content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
components:
  schemas: ${schemas}
`)
const FLAT = '{ Thing: { type: object, description: words, properties: { description: { type: string } } } }'

describe('the route table', () => {
  it('has paths as the router wants them, schemas once, and no words for people', () => {
    const source = renderRoutes(
      documentWith(
        FLAT,
        '[{ name: id, in: path, required: true, schema: { type: string, description: words } }, { name: X-A, in: header, schema: { type: string } }]',
      ),
    )
    expect(source).toContain('url: "/v1/things/:id"')
    expect(source).toContain('"x-a"')
    expect(source.match(/const \$Thing = /g)).toHaveLength(1)
    expect(source).toContain('body: $Thing')
    expect(source).not.toContain('words')
    expect(source).toContain('description: {')
  })

  it('puts a schema before those that use it', () => {
    const source = renderRoutes(
      documentWith(
        "{ Thing: { properties: { part: { $ref: '#/components/schemas/Zebra' } } }, Zebra: { type: string } }",
      ),
    )
    expect(source.indexOf('const $Zebra')).toBeGreaterThan(0)
    expect(source.indexOf('const $Zebra')).toBeLessThan(source.indexOf('const $Thing'))
  })

  it('knows every schema of a list', () => {
    const refs = ['A', 'B'].map((name) => `{ $ref: '#/components/schemas/${name}' }`)
    const source = renderRoutes(
      documentWith(`{ Thing: { anyOf: [${refs}] }, A: { type: string }, B: { type: integer } }`),
    )
    expect(source).toContain('anyOf: [$A, $B]')
    for (const name of ['A', 'B']) expect(source).toContain(`const $${name} = `)
  })

  it('names the query parameters that have a default', () => {
    const source = renderRoutes(
      documentWith(
        FLAT,
        '[{ name: a, in: query, schema: { default: 1 } }, { name: b, in: query, schema: {} }, { name: c, in: query, schema: { default: 2 } }]',
      ),
    )
    expect(source).toContain('makeThing: "a" | "c"\n')
  })

  it('names the scopes of which one will do, and where a body is looked at', () => {
    const source = renderRoutes(documentWith(FLAT, '[]', '[{ bearer: [read] }, { bearer: [db] }]'))
    expect(source).toContain('scopes: ["read", "db"],')
    expect(source).toContain('bodyless: true,')
    expect(renderRoutes(documentWith(FLAT, '[]', '[]'))).toContain('scopes: null,')
  })

  it.each([
    [
      'a schema that contains itself',
      documentWith("{ Thing: { properties: { a: { $ref: '#/components/schemas/Thing' } } } }"),
      /contains itself: Thing → Thing/,
    ],
    ['a reference that leads nowhere', documentWith('{}'), /leads nowhere/],
    ['two scopes at once', documentWith(FLAT, '[]', '[{ bearer: [read, db] }]'), /one scope at most/],
  ])('refuses %s', (_, document, why) => expect(() => renderRoutes(document)).toThrow(why))
})

describe('the client', () => {
  it('has a method for every operation with an answer, its body first', () => {
    expect(renderClient(documentWith(FLAT))).toContain(
      "makeThing: (...[body, params, options]: ArgumentsWithBody<'makeThing'>) =>\n      answerOf<Answer<'makeThing'>>(api.POST('/v1/things/{id}', { ...options, ...(body && { body }), ",
    )
  })

  const eventOf = (name: string, data: string) =>
    `{ properties: { event: { enum: [${name}] }, data: { contentSchema: ${data} } } }`
  const streamOf = (...events: readonly string[]) =>
    parseDocument(`
paths:
  /v1/things:
    get:
      operationId: followThings
      summary: Follows.
      responses:
        '200': { content: { text/event-stream: { schema: { $ref: '#/components/schemas/Event' } } } }
components: { schemas: { Event: { oneOf: [${events.join(', ')}] }, Thing: { type: object }, Last: { type: string } } }
`)

  it('has the events of a stream, each with its data', () => {
    const source = renderClient(
      streamOf(
        eventOf('thing', "{ $ref: '#/components/schemas/Thing' }"),
        eventOf('last', "{ $ref: '#/components/schemas/Last' }"),
      ),
    )
    expect(source).toContain(
      "eventsOf<{ thing: components['schemas']['Thing']; last: components['schemas']['Last'] }>(['thing', 'last'], () => api.GET('/v1/things', { parseAs: 'stream', ",
    )
  })

  it('has names for the data of events only where the document has', () => {
    expect(() => renderClient(streamOf(eventOf('thing', '{ type: object }')))).toThrow(
      /is a #\/components\/schemas\/NAME/,
    )
  })

  it('knows nothing of the place where its first part is written', () => {
    const source = renderClient(documentWith(FLAT))
    expect(source).toContain("from './openapi.ts'")
    expect(source).not.toMatch(/\.\.\/|export \{ type Answer/)
  })
})

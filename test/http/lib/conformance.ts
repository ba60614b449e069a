// Is an answer as the document has it? Every answer of every test goes through here, errors too.
import { expect } from 'vitest'
import { document, findBreaches, type HeaderObject, locate, type ResponseObject, ROOT } from '../../openapi/document.ts'

export interface Received {
  readonly method: string
  /** Path with or without a query. */
  readonly url: string
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | number | readonly string[] | undefined>>
  readonly body: string
  /** What was sent, where it was JSON. */
  readonly sent?: unknown
}

/** Headers that HTTP itself brings, and those of pages. */
const OF_HTTP = new Set([
  'content-type',
  'content-length',
  'date',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-security-policy',
])

/** Throws what vitest throws when the answer is not declared, or not as it is declared. */
export function expectDocumented(received: Received): void {
  const what = `${received.method} ${received.url.split('?')[0]} → ${received.status}`
  const response = findResponse(received)
  expect(response, `${what} is not declared`).toBeDefined()
  if (response === undefined) return
  expectSent(what, received)
  expectHeaders(what, received, response)
  expectBody(what, received, response)
}

function findResponse({ method, url, status }: Received) {
  const path = findPath(url)
  if (path === undefined)
    return status === 404
      ? locate<ResponseObject>(ROOT, 'components', 'responses', 'NotConfigured')
      : locateComponent(status)
  const item = document.paths[path] ?? {}
  const declared = item[method.toLowerCase()] ?? (status === 405 ? Object.values(item)[0] : undefined)
  if (declared?.responses[String(status)] === undefined) return undefined
  const [key] = Object.entries(item).find(([, operation]) => operation === declared) ?? ['']
  return locate<ResponseObject>(ROOT, 'paths', path, key, 'responses', String(status))
}

/** Path of the document that a URL is of: `/v1/runs/{id}` for `/v1/runs/1?a=b`. */
function findPath(url: string): string | undefined {
  const path = url.split('?')[0] ?? ''
  if (document.paths[path] !== undefined) return path
  return Object.keys(document.paths).find((template) =>
    new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
  )
}

/** What was taken must be what the document lets in. */
function expectSent(what: string, { method, url, status, sent }: Received): void {
  const path = findPath(url)
  if (sent === undefined || path === undefined || status >= 300) return
  const body = locate<{ readonly content: unknown }>(ROOT, 'paths', path, method.toLowerCase(), 'requestBody')
  const schema = locate(body, 'content', 'application/json').pointer
  expect(findBreaches(`${schema}/schema`, sent), `${what} took a body that is not allowed`).toEqual([])
}

/** For paths that are not in the document. */
function locateComponent(status: number) {
  const name = { 400: 'BadRequest', 405: 'MethodNotAllowed' }[status]
  return name === undefined ? undefined : locate<ResponseObject>(ROOT, 'components', 'responses', name)
}

function expectHeaders(what: string, { headers }: Received, response: ReturnType<typeof locate<ResponseObject>>): void {
  const declared = Object.keys(response.value.headers ?? {})
  for (const name of declared) {
    const header = locate<HeaderObject>(response, 'headers', name)
    const value = headers[name.toLowerCase()]
    if (value === undefined) expect(header.value.required, `${what} lacks ${name}`).not.toBe(true)
    else
      expect(
        findBreaches(`${header.pointer}/schema`, header.value.schema['type'] === 'integer' ? Number(value) : value),
        `${what} ${name}`,
      ).toEqual([])
  }
  const known = new Set([...OF_HTTP, ...declared.map((name) => name.toLowerCase())])
  expect(
    Object.keys(headers).filter((name) => !known.has(name)),
    `${what} has headers that are not declared`,
  ).toEqual([])
}

function expectBody(
  what: string,
  { method, headers, body }: Received,
  response: ReturnType<typeof locate<ResponseObject>>,
): void {
  const types = Object.keys(response.value.content ?? {})
  if (method === 'HEAD' || types.length === 0) {
    expect(body, `${what} has a body`).toBe('')
    return
  }
  const type = String(headers['content-type']).split(';')[0] ?? ''
  expect(types, `${what} has another type`).toContain(type)
  const media = locate(response, 'content', type)
  const schema = `${media.pointer}/schema`
  if (type === 'text/event-stream') expectEvents(what, body, schema)
  else expect(findBreaches(schema, type.endsWith('json') ? JSON.parse(body) : body), `${what} body`).toEqual([])
}

/** Every event of a stream is one of the document, and so is the JSON in its data. */
function expectEvents(what: string, body: string, schema: string): void {
  const kinds = locate<readonly unknown[]>(schemaAt(schema), 'oneOf')
  for (const event of readEvents(body)) {
    expect(findBreaches(schema, event), `${what} event ${event.event}`).toEqual([])
    const index = kinds.value.findIndex((_, at) => findBreaches(`${kinds.pointer}/${at}`, event).length === 0)
    const data = locate(kinds, String(index), 'properties', 'data', 'contentSchema')
    expect(findBreaches(data.pointer, JSON.parse(event.data)), `${what} data of ${event.event}`).toEqual([])
  }
}

/** A schema stays where it is referred to (see `locate`); this goes to where it is written. */
function schemaAt(pointer: string): ReturnType<typeof locate<unknown>> {
  const parts = pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const { value } = locate<{ readonly $ref?: string }>(ROOT, ...parts)
  return value.$ref === undefined ? locate(ROOT, ...parts) : locate(ROOT, ...value.$ref.slice(2).split('/'))
}

export interface ReceivedEvent {
  readonly event: string
  readonly id?: string
  readonly data: string
}

/** The events of a stream; what is not finished by an empty line is none. */
export function readEvents(text: string): readonly ReceivedEvent[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]))
    .filter((fields) => fields.some(([name]) => name === 'event'))
    .map((fields) => {
      const all = (name: string) => fields.filter(([field]) => field === name).map(([, value]) => value)
      const [id] = all('id')
      return { event: all('event')[0] ?? '', ...(id !== undefined && { id }), data: all('data').join('\n') }
    })
}

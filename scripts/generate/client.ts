// Writes the client for other services: what is the same for every document, then one method for each operation that has an
// answer with a body.
import { readFileSync } from 'node:fs'
import {
  type ApiDocument,
  follow,
  listOperations,
  type Media,
  type PlacedOperation,
  type Response,
  type Schema,
} from './document.ts'

const RUNTIME = new URL('client-runtime.ts', import.meta.url)

/** TypeScript source of `generated/client.ts`. */
export function renderClient(document: ApiDocument): string {
  const methods = listOperations(document).flatMap((placed) => {
    const call = renderCall(document, placed)
    return call === undefined ? [] : [`    /** ${placed.operation.summary} */\n    ${call},`]
  })
  return `${renderRuntime()}
export type SyncerClient = ReturnType<typeof createSyncerClient>

/**
 * A client whose methods are the operations of the service. Each resolves with the body of the answer and throws SyncerProblem for an error.
 * Parameters go by their place: \`{ path, query, header }\`; a body comes before them.
 */
export function createSyncerClient(options: SyncerClientOptions) {
  const api = createApi(options)
  return {
    /** The openapi-fetch client beneath, for calls by path. */
    api,
${methods.join('\n')}
    /** Resolves with the run when it has ended, however it did; see WaitOptions. */
    waitForRun: (id: string, options?: WaitOptions) => waitForRun(api, id, options),
  }
}
`
}

/** The part that is written by hand, seen from the folder of generated files. What it hands to the methods is no export there. */
function renderRuntime(): string {
  const source = readFileSync(RUNTIME, 'utf8')
  const begin = source.indexOf('import createClient')
  const end = source.lastIndexOf('\nexport {')
  if (begin < 0 || end < 0) throw new Error(`${RUNTIME.pathname} has not its first import and its last export any more`)
  return `// Generated from openapi/syncer.yaml by \`npm run generate\`; do not edit.
// The client for other services. It needs nothing of the server and works in Node and in browsers.
${source.slice(begin, end).replaceAll('../../generated/openapi.ts', './openapi.ts')}`
}

function renderCall(document: ApiDocument, { path, method, operation }: PlacedOperation): string | undefined {
  const id = operation.operationId
  const content = contentOf(document, operation)
  const stream = content['text/event-stream']
  if (Object.keys(content).length === 0) return undefined
  if (stream !== undefined) {
    const events = listEvents(document, stream)
    const names = events.map(({ name }) => `'${name}'`).join(', ')
    const types = events.map(({ name, type }) => `${name}: ${type}`).join('; ')
    return `${id}: (...[params, options]: Arguments<'${id}'>) =>
      eventsOf<{ ${types} }>([${names}], () => api.${method}('${path}', { parseAs: 'stream', ...options, ...(params && { params }) }))`
  }
  const parse = 'application/json' in content ? '' : "parseAs: 'text', "
  const [taken, given] =
    operation.requestBody === undefined
      ? [`params, options]: Arguments<'${id}'>`, '']
      : [`body, params, options]: ArgumentsWithBody<'${id}'>`, '...(body && { body }), ']
  return `${id}: (...[${taken}) =>
      answerOf<Answer<'${id}'>>(api.${method}('${path}', { ${parse}...options, ${given}...(params && { params }) }))`
}

function contentOf(
  document: ApiDocument,
  { responses }: PlacedOperation['operation'],
): Readonly<Record<string, Media>> {
  const good = Object.entries(responses).filter(([status]) => status.startsWith('2'))
  return Object.assign({}, ...good.map(([, response]) => follow<Response>(document, response).content))
}

interface EventSchema {
  readonly properties: {
    readonly event: { readonly enum: readonly string[] }
    readonly data: { readonly contentSchema: Schema }
  }
}

/** The events of a stream, each with the type of the JSON in its data. */
function listEvents(document: ApiDocument, { schema }: Media) {
  const { oneOf } = follow<{ readonly oneOf: readonly unknown[] }>(document, schema)
  return oneOf.map((one) => {
    const { event, data } = follow<EventSchema>(document, one).properties
    return { name: event.enum.join(), type: typeNamed(data.contentSchema.$ref) }
  })
}

function typeNamed(ref: string | undefined): string {
  const name = /^#\/components\/schemas\/([A-Za-z][A-Za-z0-9]*)$/.exec(ref ?? '')?.[1]
  if (name === undefined) throw new Error(`${ref}: the data of an event is a #/components/schemas/NAME`)
  return `components['schemas']['${name}']`
}

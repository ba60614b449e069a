// A service with runs that a command asks: answers from a list, by method and path; whatever else is asked fails the test.
import type { components } from '../../generated/client.ts'

type Run = components['schemas']['Run']
type Answer = (request: Request, body: unknown) => Response

export interface FakeService {
  readonly fetch: (request: Request) => Promise<Response>
  /** `METHOD path?query`, in order. */
  readonly asked: readonly string[]
  readonly bodies: readonly unknown[]
  readonly headers: readonly Headers[]
}

/** `answers`: by `METHOD path`. */
export function createFakeService(answers: Readonly<Record<string, Answer>>): FakeService {
  const asked: string[] = []
  const bodies: unknown[] = []
  const headers: Headers[] = []
  return {
    asked,
    bodies,
    headers,
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url)
      const text = await request.text()
      const body: unknown = text === '' ? undefined : JSON.parse(text)
      asked.push(`${request.method} ${pathname}${search}`)
      headers.push(request.headers)
      if (body !== undefined) bodies.push(body)
      const answer = answers[`${request.method} ${pathname}`]
      if (answer === undefined) throw new Error(`unexpected: ${request.method} ${request.url}`)
      return answer(request, body)
    },
  }
}

export const ID = '019b76da-a800-7b3c-9d51-0f7c3f6d2e10'

export const aRun = (change: Partial<Run> = {}): Run => ({
  id: ID,
  kind: 'tokens',
  state: 'succeeded',
  trigger: 'api',
  request: {},
  dryRun: false,
  progress: { done: 2, total: 2 },
  summary: {
    sync: { unmodified: [], updated: ['app-1', 'app-2'], failed: [] },
    tokens: { pending: 2, 'previously-synced': 8, processed: 2, selected: 2, total: 10 },
    counts: { create: 1, update: 1, softDelete: 0, hardDelete: 0, skip: 0, conflict: 0 },
  },
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: '2026-01-01T00:00:00.004Z',
  endedAt: '2026-01-01T00:00:00.612Z',
  ...change,
})

export const ITEMS = [
  {
    id: 'app-1',
    status: 'updated',
    latest: { cluster: 'http://c1', etag: 'E-1', lastUpdateTime: '2026-01-01T00:00:00.000Z' },
    results: { 'http://c2': { code: 'success/sync-update', effect: 'create' } },
  },
  {
    id: 'app-2',
    status: 'updated',
    latest: { cluster: 'http://c2' },
    results: { 'http://c1': { code: 'success/sync-update', effect: 'update', details: { message: 'said' } } },
  },
]

/** The events of a run that ends as `run`. */
export const events = (run: Run): Response =>
  new Response(
    `event: progress\ndata: {"done":1,"total":2}\n\nid: 1\nevent: item\ndata: ${JSON.stringify(ITEMS[0])}\n\nevent: end\ndata: ${JSON.stringify(run)}\n\n`,
    { headers: { 'Content-Type': 'text/event-stream' } },
  )

export const problem = (status: number, title: string, detail: string, more: object = {}): Response =>
  Response.json(
    { type: '/problems/x', title, status, detail, instance: '/v1/x', requestId: 'r', ...more },
    { status, headers: { 'Content-Type': 'application/problem+json' } },
  )

/** Events that never come; the stream breaks off when the request is given up. */
export const noEvents = ({ signal }: Request): Response =>
  new Response(
    new ReadableStream({ start: (stream) => signal.addEventListener('abort', () => stream.error(signal.reason)) }),
    { headers: { 'Content-Type': 'text/event-stream' } },
  )

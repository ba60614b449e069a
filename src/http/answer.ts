// How answers get onto the wire. Headers of ours go to the raw response: the framework would write their names in lower
// case, and OpenResty's `ngx.location.capture` finds `X-Token-Status` only as it is spelled.
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { describeProblem, type HttpProblem, toProblem } from './problems.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** Any answer of any operation; the types of contract.ts see to it that it is one that the document declares. */
export interface AnyAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  readonly type?: string | undefined
}

export function sendAnswer(reply: FastifyReply, { status, headers, body, type }: AnyAnswer): void {
  writeHeaders(reply, headers)
  reply.statusCode = status
  if (type !== undefined) reply.header('content-type', type)
  if (!isStream(body)) {
    reply.send(body)
    return
  }
  // The connection of a stream ends with it: it would idle, and hold up a service that stops.
  reply.raw.setHeader('Connection', 'close')
  reply.send(toStream(reply.request, body))
}

const isStream = (body: unknown): body is AsyncIterable<string> =>
  typeof body === 'object' && body !== null && Symbol.asyncIterator in body

/** One part at a time: what the caller does not read yet is not made yet. A caller who leaves ends the iteration. */
function toStream(request: FastifyRequest, parts: AsyncIterable<string>): Readable {
  const stream = Readable.from(parts, { objectMode: true, highWaterMark: 1 })
  // All that can be said of it: the status is on the wire already.
  stream.once('error', (error) => {
    request.failure = error
  })
  return stream
}

/** Answers an error, whatever it is; the cause of one that is our own fault is kept for the log. */
export function sendError(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  const problem = toProblem(error)
  if (problem.cause !== undefined) request.failure = problem.cause
  sendProblem(request, reply, problem)
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: HttpProblem): void {
  request.problem = problem.kind
  reply.statusCode = problem.status
  writeHeaders(reply, problem.headers)
  reply.header('content-type', PROBLEM_TYPE)
  reply.send(JSON.stringify(describeProblem(problem, readPath(request.raw.url), request.id)))
}

function writeHeaders(reply: FastifyReply, headers: AnyAnswer['headers']): void {
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
}

const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/

/** Path of a request target without its query; `/` for what is no path, or too long to repeat. */
export function readPath(target: string | undefined): string {
  const path = target?.split(/[?#]/, 1)[0] ?? '/'
  return path.length <= 256 && PATH.test(path) && !path.startsWith('//') ? path : '/'
}

// Errors below HTTP's own level: what could not be parsed, came too slowly or asks for what no server here does. There is
// no request yet, so the answer is written to the socket as it is.
import { randomUUID } from 'node:crypto'
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { PROBLEM_TYPE, readPath } from './answer.ts'
import {
  badRequest,
  describeProblem,
  expectationFailed,
  type HttpProblem,
  headersTooLarge,
  methodNotAllowed,
  requestTimeout,
} from './problems.ts'
import { readRequestId } from './request-id.ts'

/** Told of every answer that was given here. */
export type OnRefused = (requestId: string, problem: HttpProblem) => void

/** As much of an error and a socket of `clientError` as is needed. */
export interface ClientErrorSocket {
  readonly writable: boolean
  readonly destroyed: boolean
  end(data: string): unknown
  destroy(error?: Error): unknown
}

/** The listener of `clientError`: answers with a problem where the socket can still take one, then closes it. */
export function createClientErrorHandler(onRefused: OnRefused) {
  return (error: Error & { readonly code?: string }, socket: ClientErrorSocket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable || isAnsweringAnother(socket)) {
      socket.destroy()
      return
    }
    refuseOnSocket(socket, problemFor(error.code), '/', randomUUID(), onRefused)
  }
}

function problemFor(code: string | undefined): HttpProblem {
  if (code === 'HPE_HEADER_OVERFLOW') return headersTooLarge()
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return requestTimeout()
  return badRequest([], 'This is not a well-formed HTTP request.')
}

/**
 * Whether an answer has begun, or is awaited to a request that arrived whole: what is written now would be taken for a part
 * of it, or for it. Node's own handler looks at the same field.
 */
function isAnsweringAnother(socket: ClientErrorSocket): boolean {
  const response = (socket as { readonly _httpMessage?: ServerResponse | null })._httpMessage
  return response != null && (response.headersSent || response.req.complete)
}

/** Answers what Node.js would refuse on its own, without a request id and a body: CONNECT, and `Expect` other than 100-continue. */
export function refuseTheUnservable(server: Server, onRefused: OnRefused): void {
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy())
    refuseOnSocket(socket, methodNotAllowed([]), '/', readRequestId(request), onRefused)
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    // On the response, not the socket: answers to earlier requests of the connection go first.
    const requestId = readRequestId(request)
    const problem = expectationFailed()
    const { status, headers, body } = describeRefusal(problem, readPath(request.url), requestId)
    response.writeHead(status, headers)
    response.end(body)
    onRefused(requestId, problem)
  })
}

function refuseOnSocket(
  socket: Pick<ClientErrorSocket, 'end'>,
  problem: HttpProblem,
  instance: string,
  requestId: string,
  onRefused: OnRefused,
): void {
  const { status, headers, body } = describeRefusal(problem, instance, requestId)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
  onRefused(requestId, problem)
}

function describeRefusal(problem: HttpProblem, instance: string, requestId: string) {
  const body = JSON.stringify(describeProblem(problem, instance, requestId))
  const headers = {
    'X-Request-Id': requestId,
    'Content-Type': `${PROBLEM_TYPE}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
    ...problem.headers,
  }
  return { status: problem.status, headers, body }
}

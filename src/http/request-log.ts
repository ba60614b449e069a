// What happens at the edge of every request: it gets its id, and when it is answered it is counted and becomes one line of
// the log. No URL, no header and no body is ever written down; a token appears as its fingerprint.
import { inspect } from 'node:util'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../lib/clock.ts'
import type { Fingerprint } from '../lib/fingerprint.ts'
import type { Logger } from '../lib/logger.ts'
import type { Caller } from './auth/authenticator.ts'
import type { OperationMeter } from './metrics.ts'
import type { ProblemName } from './problem-kinds.ts'
import type { HttpProblem } from './problems.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Counts the operation that this request is for. */
    meter: OperationMeter
    /** Of the monotonic clock. */
    arrivedAtMs: number
    /** Who calls, once it is known. */
    caller: Caller | undefined
    /** Which problem the answer is. */
    problem: ProblemName | undefined
    /** Why the answer is a 500 or a 503 of our own, or why it broke off. */
    failure: unknown
  }
}

/** Longest account of a failure in the log, in characters. */
const MAX_FAILURE = 8192
/** Status in log and metrics of a request whose caller left before the answer, as nginx has it. */
const CALLER_LEFT = 499

export interface Edge {
  /** Gives the answer the request's id; when it is over, however it ends, counts it and writes its line. */
  open(request: FastifyRequest, reply: FastifyReply): void
  /** The same for an answer that was written to the socket itself. */
  closeUnparsed(requestId: string, problem: HttpProblem): void
}

interface EdgeOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly fingerprint: Fingerprint
  readonly lifecycle: { readonly stopping: boolean }
  /** Counts what belongs to no operation. */
  readonly noOperation: OperationMeter
}

export function createEdge({ clock, logger, fingerprint, lifecycle, noOperation }: EdgeOptions): Edge {
  const close = (request: FastifyRequest, reply: FastifyReply): void => {
    const ms = clock.now() - request.arrivedAtMs
    // A caller who leaves a stream of events has had an answer.
    const status = reply.raw.headersSent ? reply.raw.statusCode : CALLER_LEFT
    request.meter.count(status, ms)
    const level = status === 500 || request.failure !== undefined ? 'error' : 'info'
    if (!logger.isLevelEnabled(level)) return
    const token = request.headers['x-auth-token']
    logger[level]({
      requestId: request.id,
      method: request.method,
      operation: request.meter.operation,
      status,
      ms: Math.round(ms * 1000) / 1000,
      caller: request.caller?.name,
      problem: request.problem,
      verdict: reply.raw.getHeader('X-Token-Status'),
      token: typeof token === 'string' ? fingerprint(token) : undefined,
      failure: request.failure === undefined ? undefined : describeFailure(request, fingerprint),
    })
  }
  return {
    open(request, reply) {
      request.meter = noOperation
      request.arrivedAtMs = clock.now()
      reply.raw.setHeader('X-Request-Id', request.id)
      // A connection that is kept would bring its next request to a listener that is gone.
      if (lifecycle.stopping) reply.raw.setHeader('Connection', 'close')
      // Not onResponse: that one never comes when the caller leaves before the answer.
      reply.raw.on('close', () => close(request, reply))
    },
    closeUnparsed(requestId, { status, kind }) {
      noOperation.count(status, 0)
      logger.info({ requestId, operation: noOperation.operation, status, problem: kind })
    },
  }
}

/** Everything known of a failure, without what the caller must keep secret: an error may quote what it stumbled over. */
function describeFailure({ headers, failure }: FastifyRequest, fingerprint: Fingerprint): string {
  let text = inspect(failure, { depth: 4, breakLength: 120 })
  const credentials = headers.authorization?.replace(/^\S+\s+/, '')
  for (const secret of [headers['x-auth-token'], credentials]) {
    if (typeof secret === 'string' && secret !== '') text = text.replaceAll(secret, () => `[${fingerprint(secret)}]`)
  }
  return text.slice(0, MAX_FAILURE)
}

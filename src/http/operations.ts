// From the route table to routes of the framework: who may, is it there, is it well-formed, then the handler.
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  preValidationHookHandler,
} from 'fastify'
import type { Route } from '../../generated/routes.ts'
import type { Scope } from '../config/schema.ts'
import { type AnyAnswer, sendAnswer, sendError } from './answer.ts'
import type { Caller } from './auth/authenticator.ts'
import { createAuthorization } from './authorize.ts'
import type { Call } from './contract.ts'
import type { AppDependencies } from './dependencies.ts'
import type { HttpMetrics, OperationMeter } from './metrics.ts'
import { forbidden, notConfigured } from './problems.ts'

/** A handler of any operation: what is handed to it was found to be as its operation has it. */
export type AnyHandler = (request: never, call: Call) => AnyAnswer | Promise<AnyAnswer>

/** What operations share. */
export interface OperationSurroundings {
  readonly deps: AppDependencies
  readonly metrics: HttpMetrics
  /** Aborts when the application begins to close. */
  readonly closing: AbortSignal
}

export function registerOperation(
  app: FastifyInstance,
  route: Route,
  handler: AnyHandler,
  { deps, metrics, closing }: OperationSurroundings,
): void {
  app.route({
    method: route.method,
    url: route.url,
    schema: { ...route.schema, response: route.response },
    onRequest: [
      createMeterHook(metrics.meterOf(route.operationId)),
      ...createAuthorizationHooks(deps, route.scopes, route.open),
      ...(route.capability !== null && deps[route.capability] === undefined ? [createRefusal(route.capability)] : []),
    ],
    ...(route.bodyless && { preValidation: takeNothingForEmpty }),
    handler: createAdapter(handler, closing),
  })
}

/** None where nobody is asked who they are, or where the configuration opens the door. */
export function createAuthorizationHooks(
  { config, authenticator }: AppDependencies,
  scopes: Route['scopes'],
  open: Route['open'],
): readonly onRequestHookHandler[] {
  if (scopes === null || (open !== null && config.auth.open.includes(open))) return []
  return [createAuthorization(authenticator, scopes)]
}

/** Says which operation a request is for. */
export function createMeterHook(meter: OperationMeter): onRequestHookHandler {
  return (request, _reply, done) => {
    request.meter = meter
    done()
  }
}

const createRefusal =
  (section: string): onRequestHookHandler =>
  (_request, _reply, done) =>
    done(notConfigured(section))

/** No body at all stands for the empty object; one that is announced must be there. */
const takeNothingForEmpty: preValidationHookHandler = (request, _reply, done) => {
  if (request.body === undefined) request.body = {}
  done()
}

function createAdapter(handler: AnyHandler, closing: AbortSignal) {
  const send = (reply: FastifyReply, answer: AnyAnswer): void => {
    // It has arrived before the service began to stop, and is the last on its connection.
    if (closing.aborted) reply.raw.setHeader('Connection', 'close')
    sendAnswer(reply, answer)
  }
  return (request: FastifyRequest, reply: FastifyReply): void => {
    let answer: AnyAnswer | Promise<AnyAnswer>
    try {
      answer = handler(request as never, new ReplyCall(request, reply, closing))
    } catch (error) {
      sendError(request, reply, error)
      return
    }
    if (!(answer instanceof Promise)) {
      send(reply, answer)
      return
    }
    answer.then((settled) => send(reply, settled)).catch((error: unknown) => sendError(request, reply, error))
  }
}

/** The signal is made when it is asked for: most operations end at once and need none. */
class ReplyCall implements Call {
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #closing: AbortSignal

  constructor(request: FastifyRequest, reply: FastifyReply, closing: AbortSignal) {
    this.#request = request
    this.#reply = reply
    this.#closing = closing
  }

  get caller(): Caller | undefined {
    return this.#request.caller
  }

  require(scope: Scope): void {
    if (this.#request.caller?.scopes.has(scope) === false) throw forbidden(scope)
  }

  untilOver(): AbortSignal {
    const over = new AbortController()
    const abort = () => {
      this.#closing.removeEventListener('abort', abort)
      over.abort()
    }
    if (this.#closing.aborted || this.#reply.raw.destroyed) abort()
    else {
      this.#closing.addEventListener('abort', abort)
      this.#reply.raw.once('close', abort)
    }
    return over.signal
  }
}

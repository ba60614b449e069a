// From the route table to routes of the framework: who may, is it there, is it well-formed, then the handler.
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Route } from '../../generated/routes.ts'
import { type AnyAnswer, sendAnswer, sendError } from './answer.ts'
import { createAuthorization } from './authorize.ts'
import type { AppDependencies } from './dependencies.ts'
import type { HttpMetrics, OperationMeter } from './metrics.ts'
import { notConfigured } from './problems.ts'

/** A handler of any operation: what is handed to it was found to be as its operation has it. */
export type AnyHandler = (request: never) => AnyAnswer | Promise<AnyAnswer>

export function registerOperation(
  app: FastifyInstance,
  route: Route,
  handler: AnyHandler,
  deps: AppDependencies,
  metrics: HttpMetrics,
): void {
  app.route({
    method: route.method,
    url: route.url,
    schema: { ...route.schema, response: route.response },
    onRequest: [
      createMeterHook(metrics.meterOf(route.operationId)),
      ...createAuthorizationHooks(deps, route.scope, route.open),
      ...(route.capability !== null && deps[route.capability] === undefined ? [createRefusal(route.capability)] : []),
    ],
    handler: createAdapter(handler),
  })
}

/** None where nobody is asked who they are, or where the configuration opens the door. */
export function createAuthorizationHooks(
  { config, authenticator }: AppDependencies,
  scope: Route['scope'],
  open: Route['open'],
): readonly onRequestHookHandler[] {
  if (scope === null || (open !== null && config.auth.open.includes(open))) return []
  return [createAuthorization(authenticator, scope)]
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

function createAdapter(handler: AnyHandler) {
  return (request: FastifyRequest, reply: FastifyReply): void => {
    let answer: AnyAnswer | Promise<AnyAnswer>
    try {
      answer = handler(request as never)
    } catch (error) {
      sendError(request, reply, error)
      return
    }
    if (!(answer instanceof Promise)) {
      sendAnswer(reply, answer)
      return
    }
    answer.then((settled) => sendAnswer(reply, settled)).catch((error: unknown) => sendError(request, reply, error))
  }
}

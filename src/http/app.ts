// The HTTP application: routes from the document, problems for every error, one line of log for every request. It knows no
// process and no port, so that a test can build it and inject requests.
import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify'
import { type Route, routes } from '../../generated/routes.ts'
import { createFingerprint } from '../lib/fingerprint.ts'
import { sendError } from './answer.ts'
import { createClientErrorHandler, refuseTheUnservable } from './client-errors.ts'
import type { AppDependencies } from './dependencies.ts'
import { createHandlers } from './handlers/create-handlers.ts'
import { readDocument } from './handlers/document.ts'
import { createHttpMetrics } from './metrics.ts'
import { createKnownPaths } from './not-found.ts'
import { createAuthorizationHooks, createMeterHook, registerOperation } from './operations.ts'
import { badRequest } from './problems.ts'
import { readRequestId } from './request-id.ts'
import { createEdge, type Edge } from './request-log.ts'
import { createServer } from './server.ts'
import { registerStatusPage, STATUS_PAGE_PATH } from './status-page.ts'
import { registerSwaggerUi, SWAGGER_UI_PATH } from './swagger-ui.ts'
import { createValidatorCompiler, formatValidationErrors } from './validation.ts'

export type { AppDependencies, ReadinessCheck } from './dependencies.ts'

const BODY_LIMIT_BYTES = 65_536

/** Builds the application; the caller listens and closes. Throws when the route table and the framework do not agree. */
export async function createApp(deps: AppDependencies): Promise<FastifyInstance> {
  const metrics = createHttpMetrics(deps.registry)
  const edge = createEdge({
    ...deps,
    fingerprint: createFingerprint(randomBytes(32)),
    noOperation: metrics.meterOf('none'),
  })
  const app = createFramework(deps, edge)
  answerWhatNobodyTakes(app, edge)

  const document = readDocument()
  const handlers = createHandlers(deps, document)
  const surroundings = { deps, metrics, closing: signalOfClosing(app) }
  for (const route of Object.values(routes)) registerOperation(app, route, handlers[route.operationId], surroundings)
  const hooksOf = (page: string) => [
    createMeterHook(metrics.meterOf(page)),
    ...createAuthorizationHooks(deps, ['read'], 'ui'),
  ]
  await registerSwaggerUi(app, JSON.parse(document.json), hooksOf('swaggerUi'))
  await registerStatusPage(app, hooksOf('statusPage'))
  return app
}

/** Aborts when the application begins to close: answers that would last end then, those that are short are still given. */
function signalOfClosing(app: FastifyInstance): AbortSignal {
  const closing = new AbortController()
  // One listener for each stream that is open, and each removes its own.
  setMaxListeners(0, closing.signal)
  app.addHook('preClose', (done) => {
    closing.abort()
    done()
  })
  return closing.signal
}

function createFramework({ logger, serverOptions }: AppDependencies, edge: Edge): FastifyInstance {
  // One logger for all requests: a child for each would cost more than the line it writes. What the framework says without
  // need is not heard: where it listens is known better to whoever made it listen.
  const loggerInstance: FastifyBaseLogger = logger.isLevelEnabled('warn') ? logger.child({}, { level: 'warn' }) : logger
  return fastify({
    loggerInstance,
    childLoggerFactory: () => loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    genReqId: readRequestId,
    serverFactory: (listener) => createServer(listener, serverOptions),
    bodyLimit: BODY_LIMIT_BYTES,
    exposeHeadRoutes: false,
    // What arrives on open connections while the service stops is still answered; readiness has said to go elsewhere.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: createClientErrorHandler(edge.closeUnparsed),
    schemaErrorFormatter: formatValidationErrors,
    frameworkErrors: (error, request, reply) => {
      edge.open(request, reply)
      sendError(request, reply, error)
    },
  })
}

function answerWhatNobodyTakes(app: FastifyInstance, edge: Edge): void {
  const paths = createKnownPaths(Object.values<Route>(routes), [SWAGGER_UI_PATH, STATUS_PAGE_PATH])
  const refuse = (request: FastifyRequest, reply: FastifyReply) =>
    sendError(request, reply, paths.refuse(request.method, request.raw.url))

  app.decorateRequest('arrivedAtMs', 0)
  app.decorateRequest('caller', undefined)
  app.decorateRequest('problem', undefined)
  app.decorateRequest('failure', undefined)
  refuseTheUnservable(app.server, edge.closeUnparsed)
  app.setValidatorCompiler(createValidatorCompiler())
  app.removeContentTypeParser('text/plain')
  app.setErrorHandler((error, request, reply) => sendError(request, reply, error))
  app.setNotFoundHandler(refuse)
  app.addHook('onRequest', (request, reply, done) => {
    edge.open(request, reply)
    // Before the body is looked at: the wrong method is the wrong method, whatever comes with it.
    if (request.is404) refuse(request, reply)
    else if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
      done(badRequest([{ header: 'Host', detail: 'is missing' }]))
    else done()
  })
}

// The page on which the document can be read and tried. Everything it loads comes from here, and its policy says so.
import { fastifySwagger, type StaticDocumentSpec } from '@fastify/swagger'
import { fastifySwaggerUi } from '@fastify/swagger-ui'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'

export const SWAGGER_UI_PATH = '/swagger-ui'

/** Swagger UI sets styles on its elements; its scripts, images and requests are its own. */
const CONTENT_SECURITY_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
}

/** `hooks` run before every page, file and script of it. */
export async function registerSwaggerUi(
  app: FastifyInstance,
  document: StaticDocumentSpec['document'],
  hooks: readonly onRequestHookHandler[],
): Promise<void> {
  await app.register(async (scope) => {
    for (const hook of hooks) scope.addHook('onRequest', hook)
    await scope.register(fastifySwagger, { mode: 'static', specification: { document } })
    await scope.register(fastifySwaggerUi, {
      routePrefix: SWAGGER_UI_PATH,
      theme: { title: 'Syncer' },
      staticCSP: CONTENT_SECURITY_POLICY,
      uiConfig: { docExpansion: 'list', deepLinking: true, persistAuthorization: false, tryItOutEnabled: true },
    })
  })
}

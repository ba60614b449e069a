// The status page: the files of public/, read once, each known by its exact path. What is not among them is not there, so that no path
// can lead anywhere else. Its policy lets it load and ask nothing but this service, and run nothing that stands in a page.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { readPath, sendError } from './answer.ts'
import { notFound } from './problems.ts'

export const STATUS_PAGE_PATH = '/status'

const FOLDER = fileURLToPath(new URL('../../public', import.meta.url))
const INDEX = 'index.html'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // Asked for each time, and answered 304: a page and its scripts are always of one version.
  'Cache-Control': 'no-cache',
} as const

export interface PageFile {
  readonly type: string
  readonly body: Buffer
  readonly etag: string
}

/** The files of a folder by their path below it, with slashes; only those of a type that a browser is sent. */
export function readPageFiles(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const path = join(entry.parentPath, entry.name)
    const body = readFileSync(path)
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
    files.set(path.slice(folder.length + 1).replaceAll(sep, '/'), { type, body, etag })
  }
  return files
}

/** `hooks` run before every file of it. */
export async function registerStatusPage(app: FastifyInstance, hooks: readonly onRequestHookHandler[]): Promise<void> {
  const files = readPageFiles(FOLDER)
  await app.register(async (scope) => {
    for (const hook of hooks) scope.addHook('onRequest', hook)
    // Relative, for those who come through a proxy that has put something before the path.
    const redirect = (_request: FastifyRequest, reply: FastifyReply) => reply.redirect('status/', 302)
    scope.route({ method: ['GET', 'HEAD'], url: STATUS_PAGE_PATH, handler: redirect })
    scope.route({
      method: ['GET', 'HEAD'],
      url: `${STATUS_PAGE_PATH}/*`,
      handler: (request, reply) => {
        // As it was sent: what is written with percent signs or dots is the name of no file.
        const path = readPath(request.raw.url).slice(STATUS_PAGE_PATH.length + 1)
        const file = files.get(path === '' ? INDEX : path)
        if (file === undefined) sendError(request, reply, notFound())
        else sendFile(request, reply, file)
      },
    })
  })
}

function sendFile(request: FastifyRequest, reply: FastifyReply, { type, body, etag }: PageFile): void {
  reply.headers({ ...HEADERS, ETag: etag })
  if (isKnown(request.headers['if-none-match'], etag)) {
    reply.code(304).send()
    return
  }
  reply.type(type)
  if (request.method === 'HEAD') reply.header('Content-Length', body.length).send()
  else reply.send(body)
}

/** Weak comparison, as RFC 9110 asks for it here: a proxy that compresses marks the tag as weak. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  (header ?? '').split(',').some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '')))

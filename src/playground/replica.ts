// One gateway replica of the playground: a real HTTPS listener that answers probes from its part of the zone, with a small
// login, a logout, and a switch for the ways in which a replica can misbehave.
import { randomBytes } from 'node:crypto'
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { close, listen } from './listen.ts'
import type { Zone } from './zone.ts'

/** What a replica can be told to do with probes. */
export const BEHAVIOURS = ['answer', 'freeze', 'fail', 'reset', 'redirect', 'throttle', 'cut-off'] as const
export type Behaviour = (typeof BEHAVIOURS)[number]

export interface GatewayReplicaOptions {
  readonly name: string
  readonly zone: Zone
  /** Address to listen on; 127.0.0.1 when left out. */
  readonly address?: string
  /** Tried first; a free one is taken when it is in use or left out. */
  readonly port?: number
  /** PEM texts; plain HTTP when left out. With `clientCa` a client certificate signed by it is required. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string }
  /** Path of the probe; `/_synced` when left out. */
  readonly probePath?: string
  /** Cookie that carries the token; `auth_token` when left out. A bearer token is understood as well. */
  readonly cookieName?: string
}

export interface GatewayReplica extends AsyncDisposable {
  readonly name: string
  readonly address: string
  readonly port: number
  /** Probes received, whatever became of them. */
  readonly probes: number
  behave(behaviour: Behaviour): void
}

/** Starts one replica; resolves when it listens, rejects when it cannot. */
export async function startGatewayReplica(options: GatewayReplicaOptions): Promise<GatewayReplica> {
  const { name, zone, address = '127.0.0.1', tls, probePath = '/_synced', cookieName = 'auth_token' } = options
  let behaviour: Behaviour = 'answer'
  let probes = 0

  const behave = (next: Behaviour): void => {
    behaviour = next
    zone.setConnected(name, next !== 'cut-off')
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    const path = (request.url ?? '/').split('?', 1)[0]
    if (path === probePath) {
      probes++
      return answerProbe(behaviour, zone.has(name, readToken(request, cookieName)), response)
    }
    const route = `${request.method} ${path}`
    if (route === 'POST /login') {
      const token = (await readBody(request)) || randomBytes(18).toString('base64url')
      zone.put(name, token)
      return answer(response, 201, { token, origin: name })
    }
    if (route === 'POST /logout') {
      const token = await readBody(request)
      if (token === '') return answer(response, 400, { detail: 'the body is the token to forget' })
      zone.remove(name, token)
      return answer(response, 200, { origin: name })
    }
    if (route === 'PUT /behaviour') {
      const wanted = await readBody(request)
      const known = BEHAVIOURS.find((one) => one === wanted)
      if (known === undefined) return answer(response, 400, { detail: `the body is one of ${BEHAVIOURS.join(', ')}` })
      behave(known)
      return answer(response, 200, { name, behaviour: known })
    }
    return answer(response, 404, { detail: `there are POST /login, POST /logout, PUT /behaviour and GET ${probePath}` })
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    // A body cut short rejects: the connection is gone, and nobody is left to be told.
    handle(request, response).catch(() => response.destroy())
  }
  const server: Server =
    tls === undefined
      ? createPlainServer(onRequest)
      : createTlsServer(
          {
            cert: tls.cert,
            key: tls.key,
            ...(tls.clientCa !== undefined && { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
          },
          onRequest,
        )
  server.keepAliveTimeout = 75_000
  const port = await listen(server, address, options.port ?? 0)

  return {
    name,
    address,
    port,
    get probes() {
      return probes
    },
    behave,
    [Symbol.asyncDispose]: () => close(server),
  }
}

function answerProbe(behaviour: Behaviour, known: boolean, response: ServerResponse): unknown {
  switch (behaviour) {
    case 'answer':
    case 'cut-off':
      return answer(response, known ? 200 : 401, undefined)
    case 'fail':
      return answer(response, 500, undefined)
    case 'throttle':
      response.setHeader('Retry-After', '1')
      return answer(response, 429, undefined)
    case 'redirect':
      response.setHeader('Location', '/sign-in')
      return answer(response, 302, undefined)
    case 'reset':
      return response.destroy()
    case 'freeze':
      return undefined
  }
}

function answer(response: ServerResponse, status: number, body: object | undefined): ServerResponse {
  const text = body === undefined ? '' : `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
    'Content-Length': Buffer.byteLength(text),
  })
  return response.end(text)
}

function readToken(request: IncomingMessage, cookieName: string): string {
  const bearer = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  for (const cookie of (request.headers.cookie ?? '').split(/;\s*/)) {
    if (cookie.startsWith(`${cookieName}=`)) return cookie.slice(cookieName.length + 1)
  }
  return ''
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > 16_384) throw new RangeError('the body is longer than 16384 characters')
  }
  return text.trim()
}

// The server of Node.js beneath the application: its limits, written down where they can be read.
import { createServer as createHttpServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { TlsOptions } from 'node:tls'

/** A token of 8 KiB, credentials of as much, and what proxies add. */
const MAX_HEADER_BYTES = 32_768
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than the 60 s after which nginx gives up a connection: who closes first must not be the one that is asked. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000
/** How often connections are looked at for the two time-outs of requests. */
const CONNECTIONS_CHECK_MS = 2_000

const OPTIONS: ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
  // Node.js would answer 400 without a body; the application does it with a problem.
  requireHostHeader: false,
}

/** HTTPS when there are options for it. */
export function createServer(listener: RequestListener, tls: TlsOptions | undefined): Server {
  if (tls === undefined) return createHttpServer(OPTIONS, listener)
  // node:https keeps the behaviour of node:http and inherits from node:tls; the type of the framework knows only the former.
  return createHttpsServer({ ...OPTIONS, ...tls }, listener) as unknown as Server
}

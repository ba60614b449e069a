// The request id: the caller's own when it is sane, so that one id goes through all logs, else a new one.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const SANE = /^[A-Za-z0-9._:-]{1,128}$/

/** 1 to 128 of `A-Za-z0-9._:-`. */
export function readRequestId(request: IncomingMessage): string {
  const sent = request.headers['x-request-id']
  return typeof sent === 'string' && SANE.test(sent) ? sent : randomUUID()
}

// Stands in for the service where only the gateway's side is tested: answers what it is told to, with the header in its exact case.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A verdict, the status of an answer without one, or no answer at all. */
export type StandInAnswer = 'Synced' | 'Partialy' | 'NotSynced' | 'Timeout' | number | 'silence'

export interface SeenRequest {
  readonly url: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** Number of the connection that it came on. */
  readonly connection: number
}

export interface StandIn extends AsyncDisposable {
  /** `address:port`. */
  readonly authority: string
  readonly seen: SeenRequest[]
  /** Name of the header that carries the verdict. */
  header: string
  /** What the next checks of this token are answered; the last one is repeated. */
  script(token: string, ...answers: StandInAnswer[]): void
}

/** Starts it on a free port of loopback. A token without a script is answered `Synced`. */
export async function startStandIn(): Promise<StandIn> {
  const scripts = new Map<string, StandInAnswer[]>()
  const seen: SeenRequest[] = []
  const connections = new WeakMap<object, number>()
  let accepted = 0
  const server = createServer((request, response) => {
    const { url = '', method = '', headers, socket } = request
    seen.push({ url, method, headers, connection: connections.get(socket) ?? 0 })
    const script = scripts.get(String(headers['x-auth-token'])) ?? ['Synced']
    const answer = (script.length > 1 ? script.shift() : script[0]) ?? 'Synced'
    write(response, answer, standIn.header, new URL(url, 'http://x').searchParams.get('denyStatus'))
  })
  server.keepAliveTimeout = 72_000
  server.on('connection', (socket) => connections.set(socket, ++accepted))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const standIn: StandIn = {
    authority: `127.0.0.1:${port}`,
    seen,
    header: 'X-Token-Status',
    script: (token, ...answers) => {
      scripts.set(token, answers)
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return standIn
}

function write(response: ServerResponse, answer: StandInAnswer, header: string, denyStatus: string | null): void {
  if (answer === 'silence') return
  if (typeof answer === 'number') {
    response.writeHead(answer, { 'content-type': 'application/problem+json' }).end('{}')
    return
  }
  const status = answer !== 'Synced' && denyStatus !== null ? Number(denyStatus) : 200
  response.writeHead(status, { 'content-type': 'application/json', [header]: answer }).end('{}')
}

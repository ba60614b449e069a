// How the harness itself talks to a replica: stores a token, removes it, and asks as a probe would.
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { GATEWAY_NAME, type TestTls } from './test-tls.ts'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface ReplicaClient {
  send(
    method: string,
    to: Endpoint,
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Answer>
  close(): void
}

const TIMEOUT_MS = 5_000

/** A client that trusts the test's authority and verifies the gateway's name; plain HTTP without `tls`. */
export function createReplicaClient(tls: TestTls | undefined): ReplicaClient {
  const agent =
    tls === undefined
      ? new HttpAgent({ keepAlive: true })
      : new HttpsAgent({ keepAlive: true, ca: tls.ca, servername: GATEWAY_NAME })
  const request = tls === undefined ? httpRequest : httpsRequest
  return {
    send: (method, to, path, headers = {}, body = '') =>
      new Promise((resolve, reject) => {
        const call = request(
          {
            agent,
            method,
            host: to.address,
            port: to.port,
            path,
            headers: { host: GATEWAY_NAME, ...headers },
            timeout: TIMEOUT_MS,
          },
          (response) => {
            readBody(response).then(
              (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
              reject,
            )
          },
        )
        call.once('timeout', () =>
          call.destroy(new Error(`${method} ${to.address}:${to.port}${path} took ${TIMEOUT_MS} ms`)),
        )
        call.once('error', reject)
        call.end(body)
      }),
    close: () => agent.destroy(),
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

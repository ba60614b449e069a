// How the harness itself talks to an API server: one exchange of JSON on a connection of its own, so that nothing of an
// earlier server is left when it was killed.
import { request } from 'node:https'
import { text } from 'node:stream/consumers'

export interface KubeAnswer {
  readonly status: number
  /** Parsed, or the text where it is no JSON. */
  readonly body: unknown
}

export interface KubeRequestOptions {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly token: string
  readonly contentType?: string
}

const TIMEOUT_MS = 10_000

/** Resolves with the answer, whatever its status. Throws when there is none within ten seconds. */
export function sendToKube(
  { server, ca }: { readonly server: string; readonly ca: string },
  { method, path, body, token, contentType = 'application/json' }: KubeRequestOptions,
): Promise<KubeAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, server), {
      method,
      ca,
      agent: false,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': contentType },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    call.once('response', (response) => {
      text(response).then((said) => resolve({ status: response.statusCode ?? 0, body: parse(said) }), reject)
    })
    call.once('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function parse(said: string): unknown {
  try {
    return JSON.parse(said)
  } catch {
    return said
  }
}

// Fetches the documents of an issuer: over undici, trusting the authorities of `auth.ca` where they are given.
import { Agent, request } from 'undici'
import type { FetchJson } from './issuer-keys.ts'

/** Far more than any key set. */
const MAX_BYTES = 1_048_576

export interface IssuerClient extends AsyncDisposable {
  readonly fetchJson: FetchJson
}

/** `ca`: the authorities to trust in place of the well-known ones, as PEM; asked before each fetch, because they may change. */
export function createIssuerClient(ca?: () => string): IssuerClient {
  let trusted = ca?.()
  let agent = createAgent(trusted)

  const fetchJson: FetchJson = async (url, signal) => {
    const now = ca?.()
    if (now !== trusted) {
      const old = agent
      trusted = now
      agent = createAgent(trusted)
      await old.close()
    }
    // Redirects are not followed: undici's `request` does not, and an issuer has no reason to.
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      signal,
      headers: { accept: 'application/json' },
    })
    const text = await readBounded(body, url)
    if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}`)
    try {
      return JSON.parse(text)
    } catch {
      throw new Error(`${url} answered something that is not JSON`)
    }
  }
  return { fetchJson, [Symbol.asyncDispose]: () => agent.close() }
}

const createAgent = (ca: string | undefined): Agent =>
  new Agent({ connections: 2, keepAliveTimeout: 1_000, ...(ca !== undefined && { connect: { ca } }) })

async function readBounded(body: AsyncIterable<Uint8Array>, url: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > MAX_BYTES) throw new Error(`${url} answered more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

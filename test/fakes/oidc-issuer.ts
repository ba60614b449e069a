// An OpenID Connect issuer on loopback: a discovery document, a key set, and tokens signed with its keys.
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { exportJWK, type GenerateKeyPairAlgorithm, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

export interface FakeIssuer extends AsyncDisposable {
  readonly issuer: string
  readonly jwksUri: string
  /** What the key set holds; change it to rotate. */
  keys: readonly JWK[]
  /** What the discovery document says. */
  discovery: unknown
  /** Answers in place of the documents, when set; `undefined` from it leaves the request without an answer. */
  fault: (() => { readonly status: number; readonly body: string } | undefined) | undefined
  /** Paths that were asked for. */
  readonly asked: string[]
}

export async function makeSigningKey(kid: string, alg: GenerateKeyPairAlgorithm = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** A token; `header` overrides what the key says. */
export function sign(key: SigningKey, claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey)
}

/** `tls`: certificate and key, PEM; plain HTTP without. */
export async function startIssuer(
  keys: readonly SigningKey[],
  tls?: { readonly cert: string; readonly key: string },
): Promise<FakeIssuer> {
  const asked: string[] = []
  const answer: RequestListener = (request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const fault = fake.fault?.()
    if (fake.fault !== undefined) {
      if (fault !== undefined) response.writeHead(fault.status, { location: '/elsewhere' }).end(fault.body)
      return
    }
    const document = { '/.well-known/openid-configuration': fake.discovery, '/jwks': { keys: fake.keys } }[path]
    if (document === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  }
  const server = tls === undefined ? createHttpServer(answer) : createHttpsServer({ ...tls }, answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fake: FakeIssuer = {
    issuer,
    jwksUri: `${issuer}/jwks`,
    keys: keys.map((key) => key.publicJwk),
    discovery: { issuer, jwks_uri: `${issuer}/jwks` },
    fault: undefined,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

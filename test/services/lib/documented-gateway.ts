// Runs a configuration of docs/gateway/ as it is in a real nginx. Only the three files that are marked there as the owner's
// (`syncer-servers.conf`, `gateway-listen.conf`, `gateway-login.conf`) are written anew.
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { findFreePort } from './free-port.ts'
import { type Nginx, type NginxModule, startNginx } from './nginx.ts'
import { GATEWAY_NAME, type TestTls } from './test-tls.ts'

const DOCUMENTS = join(import.meta.dirname, '../../../docs/gateway')

export interface DocumentedGatewayOptions {
  /** Name of the configuration, without `.conf`. */
  readonly name: 'njs' | 'lua' | 'auth-request'
  readonly tls: TestTls
  /** `address:port` of each replica of the service. */
  readonly syncer: readonly string[]
  readonly address?: string
  /** Stores the token of a login, before the login answers. */
  readonly onLogin?: (token: string) => Promise<unknown>
  /** Removes the token of a logout, before the logout answers. */
  readonly onLogout?: (token: string) => Promise<unknown>
}

export interface DocumentedGateway extends AsyncDisposable {
  readonly address: string
  readonly port: number
  readonly nginx: Nginx
}

const MODULES: Readonly<Record<DocumentedGatewayOptions['name'], readonly NginxModule[]>> = {
  njs: ['js'],
  lua: ['lua'],
  'auth-request': [],
}

/** Starts nginx; a login of user NAME (`/login?user=NAME`) stores the token NAME, a logout removes the one in the cookie. */
export async function startDocumentedGateway(options: DocumentedGatewayOptions): Promise<DocumentedGateway> {
  const address = options.address ?? '127.0.0.1'
  const port = await findFreePort([address])
  const login = await startLogin(options)
  const nginx = await startNginx({
    name: `documented-${options.name}`,
    address,
    port,
    modules: MODULES[options.name],
    files: {
      ...readDocuments(),
      'cert.pem': options.tls.leaf.cert,
      'key.pem': options.tls.leaf.key,
      'syncer-servers.conf': options.syncer.map((server) => `server ${server} max_fails=0;\n`).join(''),
      'gateway-listen.conf': `listen ${address}:${port} ssl;\nserver_name ${GATEWAY_NAME};\nssl_certificate cert.pem;\nssl_certificate_key key.pem;\n`,
      'gateway-login.conf': `
        location = /_login { internal; proxy_pass http://${login.authority}/login$is_args$args; }
        location = /_logout { internal; proxy_pass http://${login.authority}/logout; }\n`,
    },
    http: (folder) => `  access_log off;\n  include ${folder}/${options.name}.conf;`,
  })
  return {
    address,
    port,
    nginx,
    [Symbol.asyncDispose]: async () => {
      await nginx.stop()
      await login.stop()
    },
  }
}

/** The owner's application: it takes the name from the address or a form; a login without one is refused. */
async function startLogin({
  onLogin,
  onLogout,
}: DocumentedGatewayOptions): Promise<{ readonly authority: string; stop(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const url = new URL(request.url ?? '/', 'http://x')
    const cookie = /auth_token=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
    const token =
      url.pathname === '/login' ? (url.searchParams.get('user') ?? new URLSearchParams(body).get('user')) : cookie
    if (token === null || token === undefined || token === '') {
      response.writeHead(403).end()
      return
    }
    await (url.pathname === '/login' ? onLogin : onLogout)?.(token)
    response.writeHead(200, { 'X-Token': token }).end()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The text of a file of docs/gateway/. */
export function readDocument(name: string): string {
  return readFileSync(join(DOCUMENTS, name), 'utf8')
}

function readDocuments(): Record<string, string> {
  const names = readdirSync(DOCUMENTS).filter((name) => /\.(conf|js)$/.test(name))
  return Object.fromEntries(names.map((name) => [name, readDocument(name)]))
}

// A gateway of several real nginx replicas, one process per address 127.0.0.x, that share tokens on a tick as NGINX Plus
// zone_sync does. Either the harness copies the tokens (`files`), or nginx itself does with Lua timers (`lua`).
import { createFileZone } from './file-zone.ts'
import { findFreePort } from './free-port.ts'
import { createLuaZone } from './lua-zone.ts'
import { type Nginx, startNginx } from './nginx.ts'
import { createReplicaClient } from './replica-client.ts'
import { createTestTls, GATEWAY_NAME, type TestTls } from './test-tls.ts'
import { checkToken, PROBE_PATH, type Zone } from './zone.ts'
import type { Change, Lag } from './zone-sync.ts'

export interface GatewayOptions {
  /** How many replicas; 9 when left out. */
  readonly replicas?: number
  /** Pause between two flushes of one origin, in milliseconds; 1000 when left out. */
  readonly tickMs?: number
  /** Certificates to use; false serves plain HTTP; an authority of its own when left out. */
  readonly tls?: TestTls | false
  /** The port on every address; a free one when left out. */
  readonly port?: number
  /** Who spreads the tokens: the harness (`files`, when left out) or nginx itself (`lua`). */
  readonly propagation?: 'files' | 'lua'
  /** Keeps an access log, so that `probes()` can count. */
  readonly accessLog?: boolean
  /** Addresses are `network` and a number from `firstHost` on; 127.0.0. and 11 when left out. */
  readonly network?: string
  readonly firstHost?: number
}

export interface GatewayReplica {
  readonly name: string
  readonly address: string
  readonly port: number
  /** The nginx behind it. */
  readonly nginx: Nginx
}

export interface NginxGateway extends AsyncDisposable {
  /** Those that take part now, in the order in which they were added. */
  readonly replicas: readonly GatewayReplica[]
  readonly tls: TestTls | undefined
  readonly port: number
  /** Value of the `Host` header, name in the certificate. */
  readonly host: string
  readonly path: string
  /** Stores the token at the origin (the first replica when left out); the others follow on its next tick. */
  login(token: string, origin?: string): Promise<Change>
  /** Forgets the token at the origin; the others follow on its next tick. */
  logout(token: string, origin?: string): Promise<Change>
  /** Puts the token on exactly these replicas, at once and without a tick. */
  plant(token: string, names: readonly string[]): Promise<void>
  /** How much later than the tick this replica hears of a change. */
  setLag(name: string, lag: Lag): void
  /** `performance.now()` of the origin's next tick (`files` only). */
  nextTickAt(origin: string): number
  /** SIGSTOP to the replica and its workers: the kernel accepts connections, nobody answers. */
  freeze(name: string): void
  thaw(name: string): void
  /** The processes are killed and the port is closed; `restart` brings the replica back. */
  kill(name: string): Promise<void>
  restart(name: string): Promise<void>
  /** Starts one more replica on the next address; it has every token when this resolves. */
  add(): Promise<GatewayReplica>
  remove(name: string): Promise<void>
  /** How many probes this replica has answered (needs `accessLog`). */
  probes(name: string): number
  stop(): Promise<void>
}

/** Starts the replicas and resolves when all of them accept connections. */
export async function startGateway(options: GatewayOptions = {}): Promise<NginxGateway> {
  const { replicas: count = 9, tickMs = 1_000, network = '127.0.0.', firstHost = 11 } = options
  const tls = options.tls === false ? undefined : (options.tls ?? (await createTestTls()))
  const port =
    options.port ?? (await findFreePort(Array.from({ length: count + 2 }, (_, i) => `${network}${firstHost + i}`)))
  const client = createReplicaClient(tls)
  const zone = options.propagation === 'lua' ? createLuaZone(tickMs, client) : createFileZone(tickMs, client)
  const members = new Map<string, GatewayReplica>()
  let next = 0

  const launch = async (): Promise<GatewayReplica> => {
    const name = `gw-${next}`
    const address = `${network}${firstHost + next++}`
    const nginx = await startNginx({
      name,
      address,
      port,
      modules: zone.modules,
      files: tls === undefined ? {} : { 'cert.pem': tls.leaf.cert, 'key.pem': tls.leaf.key },
      http: (folder) => httpBlock(folder, `${address}:${port}`, zone, tls !== undefined, options.accessLog === true),
    })
    return { name, address, port, nginx }
  }
  const join = async (replica: GatewayReplica): Promise<void> => {
    members.set(replica.name, replica)
    await zone.join(replica)
  }
  const find = (name: string): GatewayReplica => {
    const replica = members.get(name)
    if (replica === undefined)
      throw new Error(`no replica is called ${name}; there are ${[...members.keys()].join(', ')}`)
    return replica
  }
  const findOrigin = (name: string | undefined) => find(name ?? [...members.keys()][0] ?? '')
  const stop = async () => {
    zone.stop()
    client.close()
    await Promise.all([...members.values()].map(({ nginx }) => nginx.stop()))
    members.clear()
  }

  const started = await Promise.allSettled(Array.from({ length: count }, launch))
  for (const result of started) if (result.status === 'fulfilled') await join(result.value)
  const failed = started.find((result) => result.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return {
    get replicas() {
      return [...members.values()]
    },
    tls,
    port,
    host: GATEWAY_NAME,
    path: PROBE_PATH,
    login: (token, origin) => zone.change(findOrigin(origin), checkToken(token), 'put'),
    logout: (token, origin) => zone.change(findOrigin(origin), checkToken(token), 'remove'),
    plant: async (token, names) => {
      await Promise.all(names.map((name) => zone.plant(find(name), checkToken(token))))
    },
    setLag: (name, lag) => zone.setLag(find(name).name, lag),
    nextTickAt: (origin) => zone.nextTickAt(find(origin).name),
    freeze: (name) => find(name).nginx.signal('SIGSTOP'),
    thaw: (name) => find(name).nginx.signal('SIGCONT'),
    kill: (name) => find(name).nginx.kill(),
    restart: (name) => find(name).nginx.restart(),
    add: async () => {
      const replica = await launch()
      await join(replica)
      return replica
    },
    remove: async (name) => {
      const replica = find(name)
      members.delete(name)
      zone.leave(name)
      await replica.nginx.stop()
    },
    probes: (name) => find(name).nginx.read('probes.log').split('\n').length - 1,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function httpBlock(folder: string, listen: string, zone: Zone, tls: boolean, accessLog: boolean): string {
  return `
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  ${tls ? `ssl_certificate ${folder}/cert.pem;\n  ssl_certificate_key ${folder}/key.pem;\n  ssl_session_tickets on;` : ''}
  map $uri $is_probe { ${PROBE_PATH} 1; default 0; }
  access_log ${accessLog ? `${folder}/probes.log combined if=$is_probe` : 'off'};
  ${zone.http(folder)}
  server {
    listen ${listen}${tls ? ' ssl' : ''};
    server_name ${GATEWAY_NAME};
    ${zone.locations(folder)}
  }`
}

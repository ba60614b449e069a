// What `npm start` brings up, in one process: a gateway of five replicas, two Waiter clusters, two small
// databases, and the service that watches over them.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configYaml } from '../config/describe.ts'
import { type Env, loadConfig } from '../config/load.ts'
import type { Clock } from '../lib/clock.ts'
import { createLogger } from '../lib/logger.ts'
import { type RunningService, startService } from '../main.ts'
import { createCertificateAuthority } from './certificates.ts'
import { type Databases, makeDatabases } from './databases.ts'
import { describeGateway, type PlaygroundGateway, startPlaygroundGateway } from './gateway.ts'
import { OPT_OUT_METADATA_NAME, startTokenClusters, type TokenClusters } from './token-clusters.ts'

const SERVER_NAME = 'gateway.playground.test'
const REPLICAS = ['gw-0', 'gw-1', 'gw-2', 'gw-3', 'gw-4']
const FIRST_REPLICA_PORT = 8441
const SERVICE_PORT = 8080
const EVERY_TEN_SECONDS = '*/10 * * * * *'

export interface PlaygroundOptions {
  readonly env: Env
  readonly clock: Clock
  /** Milliseconds between two flushes of a replica; a second when left out. */
  readonly tickMs?: number
  /** Takes free ports at once, in place of the usual ones while they are free. */
  readonly anyPorts?: boolean
  /** When tokens and databases are synced, a cron expression with seconds; every ten seconds when left out. */
  readonly schedule?: string
}

export interface Playground extends AsyncDisposable {
  /** Base address of the service, without a slash at its end. */
  readonly url: string
  readonly gateway: PlaygroundGateway
  readonly clusters: TokenClusters
  readonly databases: Databases
  /** The Node that this runs on, absolute: others may know nothing of SQLite. */
  readonly node: string
  /** Configuration of the service, absolute; gone when the playground ends, as `caFile`. */
  readonly configFile: string
  /** Certificate of the authority that the replicas' certificates are from; absolute. */
  readonly caFile: string
  /** The same certificate, PEM. */
  readonly ca: string
  /** Name in those certificates. */
  readonly serverName: string
}

/** Starts it all; nothing is left behind when a part cannot start. */
export async function startPlayground(options: PlaygroundOptions): Promise<Playground> {
  const { env, clock, tickMs, anyPorts = false, schedule = EVERY_TEN_SECONDS } = options
  await using starting = new AsyncDisposableStack()

  const folder = await mkdtemp(join(tmpdir(), 'syncer-playground-'))
  starting.defer(() => rm(folder, { recursive: true, force: true }))
  const authority = await createCertificateAuthority('Syncer playground', clock.wallNow())
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, authority.cert)

  const tls = await authority.issue({ commonName: SERVER_NAME, hostNames: [SERVER_NAME], addresses: ['127.0.0.1'] })
  const gateway = starting.use(
    await startPlaygroundGateway({
      clock,
      tls,
      ...(tickMs !== undefined && { tickMs }),
      replicas: REPLICAS.map((name, index) => ({ name, port: anyPorts ? 0 : FIRST_REPLICA_PORT + index })),
    }),
  )

  const clusters = starting.use(await startTokenClusters({ clock, anyPorts }))

  const databases = makeDatabases(folder, clock.wallNow())

  const configFile = join(folder, 'syncer.yaml')
  const startOn = async (port: number): Promise<RunningService> => {
    await writeFile(
      configFile,
      configYaml({
        ...createConfig(gateway, port, caFile),
        ...createTokensConfig(clusters, schedule),
        ...createDbConfig(databases, schedule),
        // Relative to the configuration, and so gone with it.
        state: { kind: 'sqlite', path: 'state.db' },
      }),
    )
    const loaded = await loadConfig({ path: configFile, env, cwd: folder, readFile: (file) => readFile(file, 'utf8') })
    return startService(loaded, { env, clock, logger: createLogger(loaded.config.log.level) })
  }
  const service = await (anyPorts ? startOn(0) : startOn(SERVICE_PORT).catch(onTakenPort(() => startOn(0))))
  starting.defer(() => service.stop())

  const running = starting.move()
  return {
    url: service.url,
    gateway,
    clusters,
    databases,
    node: process.execPath,
    configFile,
    caFile,
    ca: authority.cert,
    serverName: SERVER_NAME,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function createConfig(gateway: PlaygroundGateway, port: number, caFile: string): object {
  return {
    listen: { host: '127.0.0.1', port },
    auth: { mode: 'none' },
    log: { level: 'warn' },
    shutdown: { readinessDelayMs: 0, graceMs: 2_000 },
    // A tick is a second: the token of a login may need all of it, and a little more.
    gateway: describeGateway(gateway, { serverName: SERVER_NAME, caFile, deadlineMs: 2_000 }),
  }
}

/** Paths are relative to the configuration, and so gone with it. */
function createTokensConfig({ east, west }: TokenClusters, schedule: string): object {
  return {
    tokens: {
      clusters: [east, west].map(({ name, url }) => ({ name, url })),
      schedule,
      optOutMetadataName: OPT_OUT_METADATA_NAME,
      undoFolder: 'undo',
    },
  }
}

function createDbConfig({ pair, desk, pocket }: Databases, schedule: string): object {
  const sides = { left: { kind: 'sqlite', path: desk }, right: { kind: 'sqlite', path: pocket } }
  return { db: { pairs: [{ name: pair, ...sides, schedule }] } }
}

/** What to do in place of an error that says that a port is another's; any other error is thrown on. */
function onTakenPort<T>(otherwise: () => Promise<T>): (error: unknown) => Promise<T> {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return otherwise()
    throw error
  }
}

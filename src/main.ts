// The composition root: the only file that knows all parts of the service. Whatever is opened says at once how it is closed;
// stopping closes in the reverse order, in named phases. A capability is loaded only when its section is in the configuration.
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import { Server as TlsServer } from 'node:tls'
import type { Registry } from 'prom-client'
import packageJson from 'syncer/package.json' with { type: 'json' }
import type { Env, LoadedConfig } from './config/load.ts'
import type { Config } from './config/schema.ts'
import type { Dsync } from './dsync/dsync.ts'
import { createApp } from './http/app.ts'
import { createAuthenticator } from './http/auth/create-authenticator.ts'
import type { ReviewToken } from './http/auth/token-review.ts'
import type { ReadinessCheck } from './http/dependencies.ts'
import { openListenTls } from './http/tls.ts'
import { type Clock, delay } from './lib/clock.ts'
import type { KubeClient } from './lib/kube/client.ts'
import {
  createSoleLeadership,
  describeLeadership,
  type Leadership,
  registerLeadershipMetrics,
} from './lib/leadership.ts'
import { flushLogger, type Logger } from './lib/logger.ts'
import { createRegistry } from './lib/metrics.ts'
import { type Phase, PhasesFailed, runPhases } from './lib/phases.ts'
import type { Gateway } from './synced/contract.ts'
import type { OpenRuns } from './wiring/runs.ts'

export interface ServiceOptions {
  readonly env: Env
  readonly clock: Clock
  readonly logger: Logger
}

export interface RunningService {
  /** `http://host:port` or `https://host:port`, where it listens. */
  readonly url: string
  /** Stops in phases; asked again it is the same stop. Throws PhasesFailed, after all phases, when one failed or was too slow. */
  stop(): Promise<void>
}

type App = Awaited<ReturnType<typeof createApp>>
type Closes = (name: string, timeoutMs: number, run: Phase['run']) => void
type SharedKube = () => Promise<KubeClient>

/** How long each part may take to close, in milliseconds, beyond what the configuration grants. */
const CLOSE_MS = 2_000
/** The same for runs: writes under way are waited for, then what came of them is stored. */
const RUNS_CLOSE_MS = 5_000

/**
 * Starts what the configuration asks for; resolves when the service listens.
 * Throws ConfigError for what the configuration names and cannot be used; then, as after any error, nothing is left open.
 */
export async function startService(loaded: LoadedConfig, options: ServiceOptions): Promise<RunningService> {
  const closing: Phase[] = []
  try {
    return await open(loaded, options, closing)
  } catch (error) {
    await runPhases(closing, options.clock).catch((failed: unknown) => {
      if (!(failed instanceof PhasesFailed)) throw failed
      options.logger.error({ err: failed }, 'not all could be closed again')
    })
    throw error
  }
}

/** Opens everything in order. `closing` grows by what closes each part, the last one first. */
async function open(loaded: LoadedConfig, options: ServiceOptions, closing: Phase[]): Promise<RunningService> {
  const { config, source } = loaded
  const { clock, logger } = options
  const { listen, shutdown } = config
  const closes: Closes = (name, timeoutMs, run) => void closing.unshift({ name, timeoutMs, run })

  closes('logs', CLOSE_MS, () => flushLogger(logger))
  const registry = createRegistry()
  const kube = createSharedKube(config, source, options, closes)
  const gateway = await openGateway(config, kube, registry, clock)
  if (gateway !== undefined) closes('gateway', CLOSE_MS, () => gateway[Symbol.asyncDispose]())
  const authenticator = await createAuthenticator(config.auth, {
    clock,
    reviewToken: config.auth.mode === 'tokenReview' ? await openTokenReview(kube) : undefined,
  })
  closes('authentication', CLOSE_MS, () => authenticator[Symbol.asyncDispose]())

  const { leadership, dsync } = await openLeadership(config, kube, clock, closes)
  registerLeadershipMetrics(registry, leadership)
  const work = await openWork(loaded, options, { registry, leadership, dsync, kube })
  if (work !== undefined) closes('runs', shutdown.graceMs + RUNS_CLOSE_MS, () => work[Symbol.asyncDispose]())

  const tls = listen.tls && openListenTls(listen.tls, { clock, ...tlsReports(logger) })
  if (tls !== undefined) closes('certificates', CLOSE_MS, () => tls[Symbol.dispose]())
  const lifecycle = { stopping: false }
  const app = await createApp({
    config,
    gateway,
    runs: work?.runs,
    tokens: work?.tokens,
    db: work?.db,
    authenticator,
    registry,
    logger,
    clock,
    version: packageJson.version,
    instance: hostname(),
    leadership,
    lifecycle,
    readiness: () => [
      ...(gateway === undefined ? [] : [{ name: 'gateway', ...gateway.readiness() }]),
      // Told, not asked for: a replica that does not know the leader answers checks as well as any other.
      { name: 'dsync', ok: true, detail: describeLeadership(leadership) },
      ...(work === undefined ? [] : checkWork(work, gateway !== undefined)),
    ],
    serverOptions: tls?.options,
  })
  closes('connections', shutdown.graceMs + RUNS_CLOSE_MS, async () => {
    // Side by side: callers may be waiting for runs to end.
    await Promise.all([work?.stop(shutdown.graceMs), closeApp(app, shutdown.graceMs, options)])
  })
  await app.listen({ host: listen.host, port: listen.port })
  if (tls !== undefined && app.server instanceof TlsServer) tls.follow(app.server)
  closes('readiness', shutdown.readinessDelayMs + CLOSE_MS, () => {
    lifecycle.stopping = true
    work?.stopStarting()
    return delay(clock, shutdown.readinessDelayMs)
  })

  const url = urlOf(app.server.address(), tls !== undefined)
  logger.info({ address: url, source, capabilities: listCapabilities(config) }, 'listening')
  let stopped: Promise<void> | undefined
  return {
    url,
    stop: () => {
      stopped ??= runPhases(closing, clock)
      return stopped
    },
  }
}

/** One client of the Kubernetes API server for all who need one; nothing of it is loaded when nobody does. */
function createSharedKube(config: Config, source: string, { env, clock }: ServiceOptions, closes: Closes): SharedKube {
  let shared: Promise<KubeClient> | undefined
  return () => {
    shared ??= import('./wiring/kube.ts').then(async ({ openKube }) => {
      const client = await openKube(config.kubernetes, { source, env, clock })
      closes('kubernetes', CLOSE_MS, () => client[Symbol.asyncDispose]())
      return client
    })
    return shared
  }
}

async function openTokenReview(kube: SharedKube): Promise<ReviewToken> {
  const [{ createTokenReview }, client] = await Promise.all([import('./wiring/kube.ts'), kube()])
  return createTokenReview(client)
}

async function openGateway(
  config: Config,
  kube: SharedKube,
  registry: Registry,
  clock: Clock,
): Promise<Gateway | undefined> {
  if (config.gateway === undefined) return undefined
  const wiring = await import('./wiring/gateway.ts')
  return wiring.openGateway(config.gateway, { kube, registry, clock })
}

/** Leadership is given up last of all that others can see, when the work that it is for has ended. */
async function openLeadership(
  { dsync, shutdown }: Config,
  kube: SharedKube,
  clock: Clock,
  closes: Closes,
): Promise<{ readonly leadership: Leadership; readonly dsync: Dsync | undefined }> {
  if (dsync.driver === 'memory') return { leadership: createSoleLeadership(hostname()), dsync: undefined }
  const [wiring, client] = await Promise.all([import('./wiring/leadership.ts'), kube()])
  const leadership = wiring.openLeadership(dsync, client, clock)
  closes('leadership', shutdown.graceMs + CLOSE_MS, () => leadership.stop(shutdown.graceMs))
  return { leadership, dsync: leadership.dsync }
}

/** State is opened, and runs are loaded, only where there is something to run. */
async function openWork(
  { config, source }: LoadedConfig,
  options: ServiceOptions,
  surroundings: {
    readonly registry: Registry
    readonly leadership: Leadership
    readonly dsync: Dsync | undefined
    readonly kube: SharedKube
  },
): Promise<OpenRuns | undefined> {
  if (config.tokens === undefined && config.db === undefined) return undefined
  const { openRuns } = await import('./wiring/runs.ts')
  return openRuns(config, { ...options, ...surroundings, source })
}

/** A replica that has lost its state can still answer checks, where there is a gateway: it is no use to send those elsewhere. */
function checkWork({ problem, underWay }: OpenRuns, hasOtherWork: boolean): ReadinessCheck[] {
  const state = problem === undefined ? 'the state can be reached' : `the state cannot be reached: ${problem}`
  return [
    { name: 'state', ok: problem === undefined || hasOtherWork, detail: state },
    { name: 'runs', ok: true, detail: `${underWay} under way` },
  ]
}

/** Ends what is in flight, and by force what does not end within the grace period. */
async function closeApp(app: App, graceMs: number, { clock, logger }: ServiceOptions): Promise<void> {
  const timer = clock.setTimer(graceMs, () => {
    logger.warn({ graceMs }, 'connections are cut off: the grace period is over')
    app.server.closeAllConnections()
  })
  try {
    await app.close()
  } finally {
    timer.cancel()
  }
}

function tlsReports(logger: Logger) {
  return {
    onReload: () => logger.info('new certificates are in force'),
    onProblem: (detail: string) =>
      logger.error({ detail }, 'new certificates cannot be used; the old ones stay in force'),
  }
}

function listCapabilities(config: Config): string[] {
  return (['gateway', 'tokens', 'db'] as const).filter((name) => config[name] !== undefined)
}

function urlOf(address: ReturnType<Server['address']>, isTls: boolean): string {
  if (address === null || typeof address === 'string') throw new TypeError('the listener has no address')
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `${isTls ? 'https' : 'http'}://${host}:${address.port}`
}

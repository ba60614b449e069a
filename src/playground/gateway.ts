// The playground's gateway: replicas that share one zone, each telling its peers what is new once per tick of its own phase.
import type { Clock, Timer } from '../lib/clock.ts'
import { type GatewayReplica, type GatewayReplicaOptions, startGatewayReplica } from './replica.ts'
import { createZone, type Zone } from './zone.ts'

export interface PlaygroundGatewayOptions extends Omit<GatewayReplicaOptions, 'name' | 'zone' | 'port' | 'address'> {
  /** Names of the replicas, each with what it would like to listen on. */
  readonly replicas: readonly Pick<GatewayReplicaOptions, 'name' | 'port' | 'address'>[]
  readonly clock: Clock
  /** Milliseconds between two flushes of a replica; a second, as zone_sync has it, when left out. */
  readonly tickMs?: number
}

export interface PlaygroundGateway extends AsyncDisposable {
  readonly zone: Zone
  readonly replicas: readonly GatewayReplica[]
}

/** Starts all replicas and their ticks; nothing is left open when one of them cannot start. */
export async function startPlaygroundGateway(options: PlaygroundGatewayOptions): Promise<PlaygroundGateway> {
  const { replicas: wanted, clock, tickMs = 1_000, ...shared } = options
  const zone = createZone(wanted.map((one) => one.name))
  await using starting = new AsyncDisposableStack()
  const replicas: GatewayReplica[] = []
  for (const one of wanted) {
    replicas.push(starting.use(await startGatewayReplica({ ...shared, ...one, zone })))
  }
  wanted.forEach((one, index) => {
    const phaseMs = (tickMs * (index + 1)) / wanted.length
    starting.use(startTicking(clock, phaseMs, tickMs, () => zone.flush(one.name)))
  })
  const running = starting.move()
  return { zone, replicas, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Calls `fn` after `firstMs` and then every `everyMs`; the ticks do not drift by how long `fn` takes. */
function startTicking(clock: Clock, firstMs: number, everyMs: number, fn: () => void): Disposable {
  let nextAt = clock.now() + firstMs
  let timer: Timer
  const tick = (): void => {
    fn()
    nextAt += everyMs
    timer = clock.setTimer(Math.max(0, nextAt - clock.now()), tick)
  }
  timer = clock.setTimer(firstMs, tick)
  return { [Symbol.dispose]: () => timer.cancel() }
}

/** The section `gateway` of a configuration that asks these replicas, whose certificates have the name `serverName`. */
export function describeGateway(
  { replicas }: PlaygroundGateway,
  {
    serverName,
    caFile,
    deadlineMs,
  }: { readonly serverName: string; readonly caFile: string; readonly deadlineMs: number },
) {
  return {
    discovery: { kind: 'static', replicas: replicas.map(({ name, address, port }) => ({ name, address, port })) },
    probe: {
      host: serverName,
      path: '/_synced',
      token: 'cookie:auth_token',
      tls: { ca: { file: caFile }, servername: serverName },
    },
    deadlineMs,
  }
}

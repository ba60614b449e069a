// A gateway in virtual time: replicas that learn of tokens on their origin's tick, behind connections with latency and faults.
import type { Dispatcher } from 'undici'
import type { UnknownReason } from '../../src/synced/contract.ts'
import type { GatewayOptions } from '../../src/synced/gateway.ts'
import type { Outcome } from '../../src/synced/outcome.ts'
import type { Discovery, Replica } from '../../src/synced/replica.ts'
import type { ProbeConnection, ProbeOwner } from '../../src/synced/replica-connection.ts'
import type { FakeClock } from '../lib/fake-clock.ts'

/** How a replica misbehaves: an outcome that it answers instead, or silence. */
export type Fault = Exclude<Outcome, 'present' | 'absent'>

export class VirtualZone {
  readonly clock: FakeClock
  readonly latencyMs: number
  /** Moment at which a replica has, or has no longer, a token: `replica token` → ms. */
  readonly #arrivals = new Map<string, number>()
  readonly #departures = new Map<string, number>()
  readonly faults = new Map<string, Fault>()
  /** Probes sent, by token. */
  readonly probes = new Map<string, number>()

  constructor(clock: FakeClock, latencyMs = 0.5) {
    this.clock = clock
    this.latencyMs = latencyMs
  }

  /** The replica has the token from `at` on. */
  arrive(replica: string, token: string, at: number): void {
    this.#arrivals.set(`${replica} ${token}`, at)
  }

  /** The replica has forgotten the token from `at` on. */
  depart(replica: string, token: string, at: number): void {
    this.#departures.set(`${replica} ${token}`, at)
  }

  has(replica: string, token: string, at: number): boolean {
    const key = `${replica} ${token}`
    return (
      at >= (this.#arrivals.get(key) ?? Number.POSITIVE_INFINITY) &&
      at < (this.#departures.get(key) ?? Number.POSITIVE_INFINITY)
    )
  }

  readonly connect = (replica: Replica): ProbeConnection => new VirtualConnection(this, replica)
}

class VirtualConnection implements ProbeConnection {
  readonly #zone: VirtualZone
  readonly #replica: Replica
  health: ProbeConnection['health'] = { state: 'unknown', reason: undefined, since: 0 }

  constructor(zone: VirtualZone, replica: Replica) {
    this.#zone = zone
    this.#replica = replica
  }

  probe(request: Dispatcher.DispatchOptions, owner: ProbeOwner, now: number): UnknownReason | undefined {
    const { clock, latencyMs, faults, probes } = this.#zone
    const token = tokenOf(request)
    probes.set(token, (probes.get(token) ?? 0) + 1)
    // The replica looks at half of the way there and back.
    clock.setTimer(latencyMs / 2, () => {
      const fault = faults.get(this.#replica.name)
      if (fault === 'silent') return
      const outcome: Outcome = fault ?? (this.#zone.has(this.#replica.name, token, clock.now()) ? 'present' : 'absent')
      clock.setTimer(latencyMs / 2, () => owner.answered(outcome, now))
    })
    return undefined
  }

  warm(): void {}

  async close(): Promise<void> {}
}

function tokenOf(request: Dispatcher.DispatchOptions): string {
  const headers = request.headers
  if (!Array.isArray(headers)) throw new Error('unexpected headers')
  return String(headers[3]).replace('auth_token=', '')
}

/** A list of replicas that tests change by hand. */
export class ListedDiscovery implements Discovery {
  readonly kind = 'static'
  replicas: readonly Replica[] | undefined
  age: number | undefined = 0
  maxAgeMs = Number.POSITIVE_INFINITY
  problem: string | undefined
  refreshes = 0
  /** What the next refresh finds. */
  next: readonly Replica[] | undefined
  #onChange = () => {}

  constructor(replicas: readonly Replica[] | undefined) {
    this.replicas = replicas
  }

  ageMs(): number | undefined {
    return this.age
  }

  start(onChange: () => void): void {
    this.#onChange = onChange
  }

  change(replicas: readonly Replica[]): void {
    this.replicas = replicas
    this.#onChange()
  }

  async refresh(): Promise<void> {
    this.refreshes++
    if (this.next !== undefined) this.change(this.next)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** `gw-0` to `gw-{count-1}`, each at an address of its own. */
export function someReplicas(count: number): Replica[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `gw-${i}`,
    address: `127.0.1.${i + 1}`,
    port: 8443,
    terminating: false,
  }))
}

/** Settings of a gateway, as the configuration would have them. */
export function someOptions(options: Partial<GatewayOptions>): GatewayOptions {
  return {
    probe: { scheme: 'https', host: 'api.example', path: '/_synced', token: 'cookie:auth_token' },
    deadlineMs: 1000,
    connectTimeoutMs: 200,
    retry: { mode: 'adaptive' },
    maxConcurrentChecks: 1024,
    ...options,
  }
}

// The scene that tests of the gateway share: replicas, a zone, a clock that is turned by hand.
import { Registry } from 'prom-client'
import type { CheckRequest, CheckResult } from '../../src/synced/contract.ts'
import { createGatewayOver, type GatewayOptions } from '../../src/synced/gateway.ts'
import type { Replica } from '../../src/synced/replica.ts'
import { ListedDiscovery, someOptions, someReplicas, VirtualZone } from '../fakes/zone.ts'
import { FakeClock } from '../lib/fake-clock.ts'

/** All of four replicas but the origin, gw-0. */
export const others = ['gw-1', 'gw-2', 'gw-3']

/** A gateway in virtual time, and what its zone is told. */
export function setUp(
  options: Partial<GatewayOptions> = {},
  replicas: readonly Replica[] | undefined = someReplicas(4),
) {
  const clock = new FakeClock()
  const zone = new VirtualZone(clock)
  const discovery = new ListedDiscovery(replicas)
  const registry = new Registry()
  const config = someOptions(options)
  const gateway = createGatewayOver(zone.connect, { config, discovery, clock, registry })
  gateway.start()
  /** Begins a check; `at` is when its verdict fell. */
  const begin = (request: Partial<CheckRequest> = {}) => {
    const begun = { at: Number.NaN, result: undefined as CheckResult | undefined, error: undefined as unknown }
    gateway.check({ token: 'tok', origin: 'gw-0', expect: 'present', ...request }).then(
      (result) => Object.assign(begun, { result, at: clock.now() }),
      (error) => Object.assign(begun, { error, at: clock.now() }),
    )
    return begun
  }
  return { clock, zone, discovery, registry, gateway, begin }
}

// How late verdicts are, played in virtual time on the one-second tick of zone_sync.
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { createGatewayOver, type GatewayOptions } from '../../src/synced/gateway.ts'
import { ListedDiscovery, someOptions, someReplicas, VirtualZone } from '../fakes/zone.ts'
import { FakeClock } from '../lib/fake-clock.ts'

const REPLICAS = 10

function setUp(options: Partial<GatewayOptions> = {}) {
  const clock = new FakeClock()
  const zone = new VirtualZone(clock)
  const config = someOptions(options)
  const gateway = createGatewayOver(zone.connect, {
    config,
    discovery: new ListedDiscovery(someReplicas(REPLICAS)),
    clock,
    registry: new Registry(),
  })
  gateway.start()
  return { clock, zone, gateway }
}

/** Logs in at `startsAt`, replicated on the next tick of the origin; gives the lateness of each verdict. */
async function play(logins: readonly number[], options: Partial<GatewayOptions> = {}, nowhere = 0) {
  const { clock, zone, gateway } = setUp(options)
  const late: number[] = []
  const statuses: string[] = []
  const ask = (token: string, arrivedAt: number) =>
    gateway.check({ token, origin: 'gw-0', expect: 'present' }).then((result) => {
      if (Number.isFinite(arrivedAt)) {
        late.push(clock.now() - arrivedAt)
        statuses.push(result.status)
      }
    })
  for (let i = 0; i < nowhere; i++) void ask(`nowhere-${i}`, Number.POSITIVE_INFINITY)
  for (const [i, at] of logins.entries()) {
    clock.setTimer(at, () => {
      const arrivedAt = Math.ceil((at + 1) / 990) * 990
      for (let replica = 1; replica < REPLICAS; replica++) zone.arrive(`gw-${replica}`, `good-${i}`, arrivedAt)
      void ask(`good-${i}`, arrivedAt)
    })
  }
  await clock.advance(Math.max(...logins) + 1100)
  const mean = late.reduce((sum, ms) => sum + ms, 0) / late.length
  const probes = logins.map((_, i) => zone.probes.get(`good-${i}`) ?? 0)
  return {
    statuses: new Set(statuses),
    mean,
    worst: Math.max(...late),
    probes: probes.reduce((sum, count) => sum + count, 0) / logins.length,
  }
}

describe('on a one-second tick', () => {
  const apart = [10, 1200, 2330, 3470, 4600, 5740, 6880]

  test('logins one at a time are right, a few milliseconds late, with a modest number of probes', async () => {
    const { statuses, mean, worst, probes } = await play(apart)
    expect([...statuses]).toEqual(['Synced'])
    expect(mean).toBeLessThanOrEqual(5)
    expect(worst).toBeLessThanOrEqual(12)
    expect(probes).toBeLessThanOrEqual(200)
  })

  test('the fixed retries of the original are far later, and miss logins', async () => {
    const { statuses, mean } = await play(apart, { retry: { mode: 'fixed', intervalMs: 150, retries: 5 } })
    expect(mean).toBeGreaterThan(25)
    expect(statuses).toContain('NotSynced')
  })

  test('logins at the same time share the watch: fewer probes each, no later', async () => {
    const together = Array.from({ length: 12 }, (_, i) => 100 + i * 20)
    const { statuses, mean, worst, probes } = await play(together)
    expect([...statuses]).toEqual(['Synced'])
    expect(mean).toBeLessThanOrEqual(5)
    expect(worst).toBeLessThanOrEqual(12)
    expect(probes).toBeLessThanOrEqual(160)
  })

  test('a flood of tokens that exist nowhere, of the same origin, neither delays nor falsifies a login', async () => {
    const { statuses, worst } = await play([300, 500], {}, 60)
    expect([...statuses]).toEqual(['Synced'])
    expect(worst).toBeLessThanOrEqual(15)
  })

  test('a budget of probes stretches the pauses; logins are still right', async () => {
    const { statuses, worst } = await play([300, 400], { maxProbesPerSecond: 2000 }, 30)
    expect([...statuses]).toEqual(['Synced'])
    expect(worst).toBeLessThanOrEqual(110)
  })
})

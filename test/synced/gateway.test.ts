import { describe, expect, test } from 'vitest'
import { InvalidToken, NoReplicas, TooManyChecks, UnknownOrigin, UnknownReplica } from '../../src/synced/contract.ts'
import { someReplicas } from '../fakes/zone.ts'
import { others, setUp } from './scene.ts'

describe('the verdict', () => {
  test('falls the moment the last replica has the token', async () => {
    const { clock, zone, begin } = setUp()
    for (const [i, name] of others.entries()) zone.arrive(name, 'tok', 400 + i)
    const check = begin()
    await clock.advance(1100)
    expect(check.result?.status).toBe('Synced')
    expect(check.at).toBeGreaterThanOrEqual(402)
    expect(check.at).toBeLessThanOrEqual(402 + 15)
  })

  test('falls within one round trip when all have it already', async () => {
    const { clock, zone, begin } = setUp()
    for (const name of others) zone.arrive(name, 'tok', 0)
    const check = begin()
    await clock.advance(1)
    expect(check.result).toMatchObject({
      status: 'Synced',
      replicas: others.map((name) => ({ name, state: 'present', attempts: 1, counted: true })),
    })
    expect(clock.pending).toBe(0)
  })

  test('falls at the deadline otherwise, and counts', async () => {
    const { clock, zone, begin } = setUp()
    for (const name of ['gw-1', 'gw-2']) zone.arrive(name, 'tok', 0)
    const partly = begin()
    zone.arrive('gw-1', 'half', 0)
    const half = begin({ token: 'half', only: ['gw-1', 'gw-2'] })
    await clock.advance(1000)
    expect([partly.result?.status, partly.at]).toEqual(['Partialy', 1000])
    expect([half.result?.status, half.at]).toEqual(['NotSynced', 1000])
    await clock.advance(10)
    expect(clock.pending).toBe(0)
  })

  test.each([
    'refused',
    'reset',
    'tls',
    'garbage',
    'redirect',
    'throttled',
    'server-error',
    'unexpected-status',
    'silent',
  ] as const)('is Timeout at the deadline when one replica is %s, and names it', async (fault) => {
    const { clock, zone, begin } = setUp()
    for (const name of others) zone.arrive(name, 'tok', 0)
    zone.faults.set('gw-2', fault)
    const check = begin()
    await clock.advance(1000)
    expect(check.at).toBe(1000)
    expect(check.result?.status).toBe('Timeout')
    expect(check.result?.replicas.find((replica) => replica.name === 'gw-2')).toMatchObject({
      state: 'unknown',
      reason: fault,
      ms: null,
    })
  })

  test('is Synced when a replica recovers before the deadline', async () => {
    const { clock, zone, begin } = setUp()
    for (const name of others) zone.arrive(name, 'tok', 0)
    for (const fault of ['refused', 'reset', 'server-error', 'throttled', 'garbage', 'silent'] as const) {
      zone.faults.set('gw-2', fault)
      const check = begin({ token: 'tok' })
      await clock.advance(400)
      zone.faults.clear()
      await clock.advance(600)
      expect([fault, check.result?.status]).toEqual([fault, 'Synced'])
    }
  })

  test('is Synced with nobody listed when there is nobody but the origin', async () => {
    const { clock, begin } = setUp({}, someReplicas(1))
    const check = begin()
    await clock.advance(0)
    expect(check.result).toMatchObject({ status: 'Synced', replicas: [] })
  })

  test('reports a replica that is on its way out, and does not count it', async () => {
    const leaving = someReplicas(3).map((replica) => ({ ...replica, terminating: replica.name === 'gw-2' }))
    const { clock, zone, begin } = setUp({}, leaving)
    zone.arrive('gw-1', 'tok', 0)
    zone.arrive('gw-1', 'tok2', 1500)
    const first = begin()
    await clock.advance(1000)
    expect(first.result?.status).toBe('Synced')
    const second = begin({ token: 'tok2' })
    await clock.advance(1000)
    expect(second.result).toMatchObject({
      status: 'Synced',
      replicas: [
        { name: 'gw-1', counted: true },
        { name: 'gw-2', counted: false, state: 'absent' },
      ],
    })
  })

  test('of absence falls when the last replica has forgotten the token', async () => {
    const { clock, zone, begin } = setUp()
    for (const name of others) zone.arrive(name, 'tok', 0)
    for (const name of others) zone.depart(name, 'tok', 300)
    const check = begin({ expect: 'absent' })
    const never = begin({ token: 'other', expect: 'absent' })
    await clock.advance(1000)
    expect(check.result?.status).toBe('Synced')
    expect(check.at).toBeLessThanOrEqual(315)
    expect(never.at).toBeLessThan(2)
  })

  test('of absence is NotSynced while nobody forgets', async () => {
    const { clock, zone, begin } = setUp()
    for (const name of others) zone.arrive(name, 'tok', 0)
    const check = begin({ expect: 'absent' })
    await clock.advance(1000)
    expect(check.result).toMatchObject({
      status: 'NotSynced',
      replicas: others.map((name) => ({ name, state: 'present' })),
    })
  })
})

describe('the origin', () => {
  test('is neither asked nor counted', async () => {
    const { clock, zone, begin } = setUp()
    zone.faults.set('gw-0', 'refused')
    for (const name of others) zone.arrive(name, 'tok', 0)
    const check = begin()
    await clock.advance(10)
    expect(check.result?.replicas.map((replica) => replica.name)).toEqual(others)
    expect(zone.probes.get('tok')).toBe(3)
  })

  test('is matched by address too', async () => {
    const { clock, zone, begin } = setUp()
    for (const name of others) zone.arrive(name, 'tok', 0)
    const check = begin({ origin: '127.0.1.1' })
    await clock.advance(10)
    expect(check.result?.replicas.map((replica) => replica.name)).toEqual(others)
  })

  test('is refused when it is in no list, after one refresh', async () => {
    const { clock, discovery, begin } = setUp()
    const check = begin({ origin: 'gw-9' })
    await clock.advance(1)
    expect(check.error).toBeInstanceOf(UnknownOrigin)
    expect(discovery.refreshes).toBe(1)
  })

  test('is found by the refresh when it is new', async () => {
    const { clock, discovery, zone, begin } = setUp()
    discovery.next = someReplicas(5)
    for (const name of ['gw-0', ...others]) zone.arrive(name, 'tok', 0)
    const check = begin({ origin: 'gw-4' })
    await clock.advance(5)
    expect(check.result?.status).toBe('Synced')
  })

  test('is matched by the first label of a full name, where only one replica has it', async () => {
    const named = someReplicas(3).map((replica, i) => ({
      ...replica,
      name: i === 2 ? 'gw-1.other.zone' : `gw-${i}.gw.zone`,
    }))
    const { clock, zone, begin } = setUp({}, named)
    for (const { name } of named) zone.arrive(name, 'tok', 0)
    const short = begin({ origin: 'gw-0' })
    const shared = begin({ origin: 'gw-1' })
    await clock.advance(5)
    expect(short.result?.replicas.map((replica) => replica.name)).toEqual(['gw-1.gw.zone', 'gw-1.other.zone'])
    expect(shared.error).toBeInstanceOf(UnknownOrigin)
  })

  test('names nobody by an address that two replicas share', async () => {
    const shared = someReplicas(3).map((replica, i) => ({ ...replica, address: '127.0.0.1', port: 9000 + i }))
    const { clock, begin } = setUp({}, shared)
    const check = begin({ origin: '127.0.0.1' })
    await clock.advance(1)
    expect(check.error).toBeInstanceOf(UnknownOrigin)
  })
})

describe('what is refused', () => {
  test('no list, or an empty one: never Synced', async () => {
    const none = setUp({}, undefined)
    // An explicit undefined would take the default of setUp.
    none.discovery.replicas = undefined
    const empty = setUp({}, [])
    for (const { clock, begin, gateway } of [empty]) {
      const check = begin()
      await clock.advance(1)
      expect(check.error).toBeInstanceOf(NoReplicas)
      expect(gateway.readiness().ok).toBe(false)
    }
    expect(none.gateway.readiness()).toEqual({ ok: false, detail: 'no list of replicas yet' })
  })

  test('a token that its place cannot carry', async () => {
    const { clock, zone, begin } = setUp()
    const check = begin({ token: 'a;b' })
    await clock.advance(1)
    expect(check.error).toBeInstanceOf(InvalidToken)
    expect(String(check.error)).not.toContain('a;b')
    expect(zone.probes.size).toBe(0)
  })

  test('a replica that is not in the list, and the origin alone', async () => {
    const { clock, begin } = setUp()
    const unknown = begin({ only: ['gw-1', 'gw-7'] })
    const alone = begin({ only: ['gw-0'] })
    await clock.advance(1)
    expect(unknown.error).toBeInstanceOf(UnknownReplica)
    expect(alone.error).toBeInstanceOf(UnknownReplica)
  })

  test('one check too many, at once, while those in flight stay on time', async () => {
    const { clock, begin, registry } = setUp({ maxConcurrentChecks: 2 })
    const first = begin({ token: 'a' })
    const second = begin({ token: 'b' })
    const third = begin({ token: 'c' })
    await clock.advance(0)
    expect(third.error).toBeInstanceOf(TooManyChecks)
    await clock.advance(1000)
    expect([first.at, second.at]).toEqual([1000, 1000])
    expect(await registry.metrics()).toContain('syncer_gateway_checks_rejected_total 1')
    const fourth = begin({ token: 'd' })
    await clock.advance(1000)
    expect(fourth.result?.status).toBe('NotSynced')
  })
})

describe('with the fixed retries of the original', () => {
  const fixed = { retry: { mode: 'fixed', intervalMs: 150, retries: 5 } } as const

  test('a replica is asked six times, the last time before 800 ms, and then all is said', async () => {
    const { clock, zone, begin } = setUp(fixed)
    const check = begin()
    await clock.advance(1000)
    expect(check.result?.status).toBe('NotSynced')
    expect(check.result?.replicas.map((replica) => replica.attempts)).toEqual([6, 6, 6])
    expect(check.at).toBeGreaterThan(750)
    expect(check.at).toBeLessThan(800)
    expect(zone.probes.get('tok')).toBe(18)
  })

  test('Synced is found at the next try', async () => {
    const { clock, zone, begin } = setUp(fixed)
    for (const name of others) zone.arrive(name, 'tok', 310)
    const check = begin()
    await clock.advance(1000)
    expect(check.result?.status).toBe('Synced')
    expect(check.at).toBeGreaterThan(450)
    expect(check.at).toBeLessThan(460)
  })

  test('a replica that answers no more makes Timeout at the deadline', async () => {
    const { clock, zone, begin } = setUp(fixed)
    zone.faults.set('gw-1', 'silent')
    const check = begin()
    await clock.advance(1000)
    expect([check.result?.status, check.at]).toEqual(['Timeout', 1000])
  })
})

describe('what is measured', () => {
  test('the lag of each replica is in the list and in the metrics; a replica that goes takes its own along', async () => {
    const { clock, zone, discovery, gateway, registry, begin } = setUp()
    for (const [i, name] of others.entries()) zone.arrive(name, 'tok', 100 * (i + 1))
    begin()
    await clock.advance(1000)
    const lags = gateway
      .replicas()
      .replicas.map(({ name, lag }) => [name, lag === null ? null : Math.round(lag.p50Ms / 10)])
    expect(lags).toEqual([
      ['gw-0', null],
      ['gw-1', 10],
      ['gw-2', 20],
      ['gw-3', 30],
    ])
    expect(await registry.metrics()).toContain('syncer_gateway_replica_lag_seconds_count{replica="gw-3"} 1')
    discovery.change(someReplicas(3))
    expect(await registry.metrics()).not.toContain('gw-3')
  })

  test('verdicts are counted by status', async () => {
    const { clock, zone, gateway, begin } = setUp()
    for (const name of others) zone.arrive(name, 'tok', 0)
    begin()
    begin({ token: 'nowhere' })
    await clock.advance(1000)
    expect(gateway.verdicts()).toEqual({ Synced: 1, Partialy: 0, NotSynced: 1, Timeout: 0 })
  })

  test('a list that nothing was heard of for too long makes the service not ready', async () => {
    const { discovery, gateway } = setUp()
    expect(gateway.readiness()).toEqual({ ok: true, detail: '4 replicas' })
    Object.assign(discovery, { age: 301_000, maxAgeMs: 300_000, problem: 'connection refused' })
    expect(gateway.readiness()).toEqual({ ok: false, detail: 'the list of replicas is 301 s old: connection refused' })
  })
})

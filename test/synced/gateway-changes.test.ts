// Checks that meet others: equal questions, and lists of replicas that change under them.
import { describe, expect, test } from 'vitest'
import { someReplicas } from '../fakes/zone.ts'
import { others, setUp } from './scene.ts'

describe('equal questions', () => {
  test('are asked once, and each caller keeps a deadline of its own', async () => {
    const { clock, zone, begin } = setUp()
    const first = begin()
    await clock.advance(600)
    const before = zone.probes.get('tok') ?? 0
    const second = begin()
    expect(zone.probes.get('tok')).toBe(before)
    await clock.advance(400)
    expect(first.at).toBe(1000)
    for (const name of others) zone.arrive(name, 'tok', 1300)
    await clock.advance(600)
    expect(first.result?.status).toBe('NotSynced')
    expect(second.result?.status).toBe('Synced')
    expect(second.at).toBeLessThanOrEqual(1315)
    expect(second.result?.ms).toBeCloseTo(second.at - 600, 0)
  })

  test('are those with the same token, origin, expectation and replicas', async () => {
    const { clock, zone, begin } = setUp()
    for (const name of ['gw-0', ...others]) zone.arrive(name, 'tok', 0)
    const all = [begin(), begin({ origin: 'gw-1' }), begin({ expect: 'absent' }), begin({ only: ['gw-2'] })]
    await clock.advance(5)
    expect(all.map((check) => check.result?.replicas.length)).toEqual([3, 3, undefined, 1])
  })
})

describe('a list that changes during a check', () => {
  test('counts a replica that came', async () => {
    const { clock, zone, discovery, begin } = setUp()
    const check = begin()
    await clock.advance(200)
    discovery.change(someReplicas(5))
    for (const name of others) zone.arrive(name, 'tok', 300)
    await clock.advance(200)
    expect(check.result).toBeUndefined()
    zone.arrive('gw-4', 'tok', 500)
    await clock.advance(200)
    expect(check.result?.status).toBe('Synced')
    expect(check.result?.replicas).toHaveLength(4)
    expect(check.at).toBeGreaterThanOrEqual(500)
  })

  test('no longer waits for a replica that went', async () => {
    const { clock, zone, discovery, begin } = setUp()
    zone.faults.set('gw-3', 'silent')
    for (const name of ['gw-1', 'gw-2']) zone.arrive(name, 'tok', 0)
    const check = begin()
    await clock.advance(200)
    discovery.change(someReplicas(3))
    await clock.advance(1)
    expect(check.result).toMatchObject({ status: 'Synced', replicas: [{ name: 'gw-1' }, { name: 'gw-2' }] })
  })

  test('never turns into Synced because nobody is left to ask', async () => {
    const { clock, discovery, begin } = setUp()
    const check = begin()
    await clock.advance(200)
    discovery.change([])
    await clock.advance(100)
    discovery.change(someReplicas(1))
    await clock.advance(700)
    expect(check.result?.status).toBe('NotSynced')
    expect(check.at).toBe(1000)
  })

  test('keeps the connection to an endpoint that stays', async () => {
    const { clock, zone, discovery, begin } = setUp()
    for (const name of others) zone.arrive(name, 'tok', 500)
    const check = begin()
    await clock.advance(100)
    discovery.change(someReplicas(4).map((replica) => ({ ...replica, terminating: replica.name === 'gw-3' })))
    await clock.advance(500)
    expect(check.result?.replicas.map(({ name, counted }) => [name, counted])).toEqual([
      ['gw-1', true],
      ['gw-2', true],
      ['gw-3', false],
    ])
  })
})

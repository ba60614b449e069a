import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDnsDiscovery } from '../../../src/synced/discovery/dns.ts'
import type { Discovery } from '../../../src/synced/replica.ts'
import { FakeDns } from '../../fakes/dns-server.ts'
import { eventually } from '../../lib/eventually.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

const NAME = 'gw.shop.svc.cluster.local'
const SERVICE = `_https._tcp.${NAME}`
const NEVER = new AbortController().signal

let dns: FakeDns
let clock: FakeClock
let discovery: Discovery
let changes: number

beforeEach(async () => {
  dns = await FakeDns.start()
  clock = new FakeClock()
  changes = 0
})

afterEach(async () => {
  await discovery[Symbol.asyncDispose]()
  expect(clock.pending).toBe(0)
  await dns[Symbol.asyncDispose]()
})

function follow(name = NAME, port?: number): void {
  discovery = createDnsDiscovery({
    name,
    port,
    servers: [dns.address],
    refreshMs: 5_000,
    maxAgeMs: 300_000,
    defaultPort: 8443,
    clock,
  })
  discovery.start(() => changes++)
}

const known = () => eventually(() => discovery.replicas !== undefined)
const told = () => discovery.replicas?.map((replica) => `${replica.name} ${replica.address} ${replica.port}`)

/** Lets the timer of the next look-up fire, and waits until that has ended. */
async function lookAgain(): Promise<void> {
  const before = dns.asked.length
  await eventually(() => clock.pending === 1 && (clock.nextAt ?? 0) - clock.now() === 5_000)
  await clock.advance(5_000)
  await eventually(() => dns.asked.length > before && clock.nextAt === clock.now() + 5_000)
}

describe('discovery by addresses', () => {
  it('finds A and AAAA records, named by their address', async () => {
    dns.names.set(NAME, { a: ['10.0.0.2', '10.0.0.1'], aaaa: ['fd00::1'] })
    follow()
    await known()
    expect(told()).toEqual(['10.0.0.1 10.0.0.1 8443', '10.0.0.2 10.0.0.2 8443', 'fd00::1 fd00::1 8443'])
    expect(discovery.replicas?.every((replica) => !replica.terminating)).toBe(true)
  })

  it('takes a port of its own over the default', async () => {
    dns.names.set(NAME, { a: ['10.0.0.1'] })
    follow(NAME, 9443)
    await known()
    expect(told()).toEqual(['10.0.0.1 10.0.0.1 9443'])
  })

  it('takes a name that does not exist for an empty list', async () => {
    follow()
    await known()
    expect(discovery.replicas).toEqual([])
    expect(discovery.problem).toBeUndefined()
    expect(changes).toBe(1)
  })

  it('follows changes, whatever their time to live, and tells only changes', async () => {
    dns.names.set(NAME, { a: ['10.0.0.1'] })
    follow()
    await known()
    const first = discovery.replicas
    await lookAgain()
    expect(discovery.replicas).toBe(first)
    dns.names.set(NAME, { a: ['10.0.0.2'] })
    await lookAgain()
    expect(told()).toEqual(['10.0.0.2 10.0.0.2 8443'])
    dns.names.delete(NAME)
    await lookAgain()
    expect(told()).toEqual([])
    expect(changes).toBe(3)
  })
})

describe('discovery by services', () => {
  it('finds SRV records, named by their target, at its address', async () => {
    dns.names.set(SERVICE, {
      srv: [
        { target: 'gw-1.gw.', port: 8443 },
        { target: 'gw-0.gw.', port: 9443 },
      ],
    })
    dns.names.set('gw-0.gw', { a: ['10.0.0.10'], aaaa: ['fd00::10'] })
    dns.names.set('gw-1.gw', { aaaa: ['fd00::11'] })
    follow(SERVICE)
    await known()
    expect(told()).toEqual(['gw-0.gw 10.0.0.10 9443', 'gw-1.gw fd00::11 8443'])
  })

  it('keeps a target that has no address', async () => {
    dns.names.set(SERVICE, { srv: [{ target: 'gone.gw', port: 8443 }] })
    follow(SERVICE)
    await known()
    expect(told()).toEqual(['gone.gw gone.gw 8443'])
  })

  it('tells two ports of one host apart', async () => {
    dns.names.set(SERVICE, {
      srv: [
        { target: 'gw', port: 2 },
        { target: 'gw', port: 1 },
        { target: 'gw', port: 1 },
      ],
    })
    dns.names.set('gw', { a: ['10.0.0.1'] })
    follow(SERVICE)
    await known()
    expect(told()).toEqual(['gw:1 10.0.0.1 1', 'gw:2 10.0.0.1 2'])
  })
})

describe('discovery by a DNS that fails', () => {
  it.each(['servfail', 'refused'] as const)('keeps the last good list, which ages (%s)', async (fault) => {
    dns.names.set(NAME, { a: ['10.0.0.1'] })
    follow()
    await known()
    dns.fault = () => fault
    await lookAgain()
    expect(told()).toEqual(['10.0.0.1 10.0.0.1 8443'])
    expect(discovery.problem).toMatch(fault === 'servfail' ? /^gw\S+ cannot be looked up: ESERVFAIL$/ : /EREFUSED$/)
    expect(discovery.ageMs()).toBe(5_000)
    dns.fault = () => undefined
    await lookAgain()
    expect(discovery.problem).toBeUndefined()
    expect(discovery.ageMs()).toBe(0)
    expect(changes).toBe(1)
  })

  it('does not take half of an answer for all of it', async () => {
    dns.names.set(NAME, { a: ['10.0.0.1'], aaaa: ['fd00::1'] })
    follow()
    await known()
    dns.fault = (_, type) => (type === 'AAAA' ? 'servfail' : undefined)
    await lookAgain()
    expect(discovery.replicas).toHaveLength(2)
    expect(discovery.problem).toBeDefined()
  })

  it('has no list, and no age, as long as there was no answer', async () => {
    dns.fault = () => 'silent'
    follow()
    await eventually(() => dns.asked.length === 2)
    await clock.advance(2_000)
    await eventually(() => discovery.problem !== undefined)
    expect(discovery.problem).toBe(`${NAME} cannot be looked up: no answer within 2000 ms`)
    expect(discovery.replicas).toBeUndefined()
    expect(discovery.ageMs()).toBeUndefined()
    expect(changes).toBe(0)
    dns.fault = () => undefined
    await lookAgain()
    expect(discovery.replicas).toEqual([])
  })
})

describe('a refresh by DNS', () => {
  it('looks now, once for all who ask at the same time', async () => {
    dns.names.set(NAME, { a: ['10.0.0.1'] })
    follow()
    await known()
    dns.names.set(NAME, { a: ['10.0.0.1', '10.0.0.2'] })
    await Promise.all([discovery.refresh(NEVER), discovery.refresh(NEVER), discovery.refresh(NEVER)])
    expect(discovery.replicas).toHaveLength(2)
    expect(dns.asked).toHaveLength(4)
  })

  it('is not hammered: the next look is a tenth of a second later', async () => {
    follow()
    await known()
    for (let i = 0; i < 10; i++) await discovery.refresh(NEVER)
    expect(dns.asked).toHaveLength(4)
    await clock.advance(100)
    await discovery.refresh(NEVER)
    expect(dns.asked).toHaveLength(6)
  })

  it('resolves with the old list when DNS fails, or the caller goes', async () => {
    follow()
    await known()
    dns.fault = () => 'servfail'
    await discovery.refresh(NEVER)
    expect(discovery.replicas).toEqual([])
    dns.fault = () => 'silent'
    await clock.advance(1_000)
    const caller = new AbortController()
    const refreshed = discovery.refresh(caller.signal)
    caller.abort()
    await refreshed
  })
})

describe('discovery by DNS that is over', () => {
  it('ends a look-up that is under way', async () => {
    dns.fault = () => 'silent'
    follow()
    await eventually(() => dns.asked.length === 2)
    await discovery[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
    expect(changes).toBe(0)
  })

  it('refuses servers that are no addresses', () => {
    discovery = createDnsDiscovery({ name: NAME, refreshMs: 1, maxAgeMs: 1, defaultPort: 1, clock })
    expect(() =>
      createDnsDiscovery({ name: NAME, servers: ['dns.test'], refreshMs: 1, maxAgeMs: 1, defaultPort: 1, clock }),
    ).toThrow(/IP address/)
  })
})

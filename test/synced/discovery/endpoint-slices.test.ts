import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EndpointSlice, replicasOfSlices } from '../../../src/synced/discovery/endpoint-slices.ts'

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number]

const DEFAULT = { portName: undefined, defaultPort: 8443 }
const NAMED = { portName: 'https', defaultPort: 8443 }
const PORTS = [
  { name: 'metrics', port: 9113 },
  { name: 'https', port: 9443 },
]

const slice = (endpoints: readonly Endpoint[], more: Partial<EndpointSlice> = {}): EndpointSlice => ({
  metadata: { name: 'gw-abc' },
  addressType: 'IPv4',
  ports: PORTS,
  endpoints,
  ...more,
})
const pod = (
  name: string,
  address: string,
  conditions: Endpoint['conditions'] = { ready: true },
  uid = `uid-${name}`,
): Endpoint => ({
  addresses: [address],
  conditions,
  targetRef: { name, uid },
})
const told = (slices: readonly EndpointSlice[], choice: Parameters<typeof replicasOfSlices>[1] = DEFAULT) =>
  replicasOfSlices(slices, choice).map(
    ({ name, address, port, terminating }) => `${name} ${address} ${port}${terminating ? ' terminating' : ''}`,
  )

describe('the replicas of EndpointSlices', () => {
  it.each<[string, Endpoint['conditions'], 'counted' | 'terminating' | 'skipped']>([
    ['no conditions', undefined, 'counted'],
    ['null', null, 'counted'],
    ['ready absent', {}, 'counted'],
    ['ready null', { ready: null, serving: null, terminating: null }, 'counted'],
    ['ready', { ready: true, serving: true, terminating: false }, 'counted'],
    ['not ready', { ready: false, serving: false, terminating: false }, 'skipped'],
    ['not ready, of a server that tells nothing else', { ready: false }, 'skipped'],
    ['not ready though serving', { ready: false, serving: true }, 'skipped'],
    ['terminating and serving', { ready: false, serving: true, terminating: true }, 'terminating'],
    ['terminating, serving, published as ready', { ready: true, serving: true, terminating: true }, 'terminating'],
    ['terminating and no longer serving', { ready: false, serving: false, terminating: true }, 'skipped'],
    ['published though not serving', { ready: true, serving: false }, 'skipped'],
  ])('with conditions %s: %j is %s', (_, conditions, role) => {
    const expected = { counted: ['a 10.0.0.1 8443'], terminating: ['a 10.0.0.1 8443 terminating'], skipped: [] }[role]
    expect(told([slice([{ ...pod('a', '10.0.0.1'), conditions }])])).toEqual(expected)
  })

  it('are those of all slices, sorted by name', () => {
    expect(told([slice([pod('c', '10.0.0.3'), pod('a', '10.0.0.1')]), slice([pod('b', '10.0.0.2')])])).toEqual([
      'a 10.0.0.1 8443',
      'b 10.0.0.2 8443',
      'c 10.0.0.3 8443',
    ])
  })

  it.each<[string, EndpointSlice[], string[]]>([
    [
      'a Pod in two slices counts once',
      [slice([pod('a', '10.0.0.1')]), slice([pod('a', '10.0.0.1')])],
      ['a 10.0.0.1 8443'],
    ],
    [
      'a Pod of two address families is asked by IPv4',
      [slice([pod('a', '2001:db8::1')], { addressType: 'IPv6' }), slice([pod('a', '9.0.0.1')])],
      ['a 9.0.0.1 8443'],
    ],
    [
      'a Pod of which one slice knows already that it ends still counts',
      [slice([pod('a', '10.0.0.1', { serving: true, terminating: true })]), slice([pod('a', '10.0.0.1')])],
      ['a 10.0.0.1 8443'],
    ],
    [
      'of two Pods at one address the one that counts is taken',
      [slice([pod('old', '10.0.0.1', { serving: true, terminating: true }), pod('new', '10.0.0.1')])],
      ['new 10.0.0.1 8443'],
    ],
    [
      'of two Pods with one name the one that counts is taken',
      [
        slice([
          pod('gw-0', '10.0.0.1', { serving: true, terminating: true }, 'before'),
          pod('gw-0', '10.0.0.2', {}, 'after'),
        ]),
      ],
      ['gw-0 10.0.0.2 8443'],
    ],
    ['IPv6 works alone', [slice([pod('a', 'fd00::1')], { addressType: 'IPv6' })], ['a fd00::1 8443']],
    [
      'host names work',
      [slice([{ addresses: ['gw.example'] }], { addressType: 'FQDN' })],
      ['gw.example gw.example 8443'],
    ],
    [
      'the host name names an endpoint without a Pod',
      [slice([{ addresses: ['10.0.0.1'], hostname: 'gw-0' }])],
      ['gw-0 10.0.0.1 8443'],
    ],
    ['else the address does', [slice([{ addresses: ['10.0.0.1'] }])], ['10.0.0.1 10.0.0.1 8443']],
    [
      'two machines with one host name are two',
      [
        slice([
          { addresses: ['10.0.0.1'], hostname: 'gw' },
          { addresses: ['10.0.0.2'], hostname: 'gw' },
        ]),
      ],
      ['10.0.0.2 10.0.0.2 8443', 'gw 10.0.0.1 8443'],
    ],
    ['an endpoint without an address is none', [slice([{ addresses: [] }, {}])], []],
    ['a slice without endpoints is empty', [slice([], { endpoints: null })], []],
    ['there are none without slices', [], []],
  ])('%s', (_, slices, expected) => {
    expect(told(slices)).toEqual(expected)
    expect(told([...slices].reverse())).toEqual(expected)
  })

  it.each<[string, Partial<EndpointSlice>, string[]]>([
    ['by its name', {}, ['a 10.0.0.1 9443']],
    ['and slices without it are skipped', { ports: [{ name: 'metrics', port: 9113 }] }, []],
    ['and slices without ports are skipped', { ports: null }, []],
    ['and a port without a number is none', { ports: [{ name: 'https', port: null }] }, []],
  ])('have the named port %s', (_, more, expected) => {
    expect(told([slice([pod('a', '10.0.0.1')], more)], NAMED)).toEqual(expected)
  })

  it('have the default port without a name, whatever the slice says', () => {
    expect(told([slice([pod('a', '10.0.0.1')], { ports: [] })])).toEqual(['a 10.0.0.1 8443'])
  })

  const small = fc.integer({ min: 0, max: 4 })
  const endpoint = fc.record({
    addresses: fc.array(
      small.map((n) => `10.0.0.${n}`),
      { maxLength: 2 },
    ),
    conditions: fc.record({
      ready: fc.option(fc.boolean()),
      serving: fc.option(fc.boolean()),
      terminating: fc.option(fc.boolean()),
    }),
    hostname: fc.option(small.map((n) => `host-${n}`)),
    targetRef: fc.option(fc.record({ name: small.map((n) => `gw-${n}`), uid: small.map((n) => `uid-${n}`) })),
  })
  const anySlice = fc.record({
    metadata: fc.record({ name: fc.constantFrom('s1', 's2') }),
    addressType: fc.constantFrom('IPv4', 'IPv6'),
    ports: fc.constant(PORTS),
    endpoints: fc.array(endpoint, { maxLength: 5 }),
  })

  it('do not depend on the order of slices and endpoints', () => {
    const shuffled = fc
      .array(anySlice, { maxLength: 4 })
      .chain((slices) =>
        fc.tuple(
          fc.constant(slices),
          fc.shuffledSubarray(slices, { minLength: slices.length }),
          fc.infiniteStream(fc.boolean()),
        ),
      )
    fc.assert(
      fc.property(shuffled, ([slices, others, coins]) => {
        const turned = others.map((one) =>
          coins.next().value ? { ...one, endpoints: [...one.endpoints].reverse() } : one,
        )
        expect(replicasOfSlices(turned, NAMED)).toEqual(replicasOfSlices(slices, NAMED))
      }),
    )
  })

  it('are never twice the same, and always sorted', () => {
    fc.assert(
      fc.property(fc.array(anySlice, { maxLength: 4 }), (slices) => {
        const replicas = replicasOfSlices(slices, NAMED)
        const names = replicas.map((replica) => replica.name)
        const places = replicas.map((replica) => `${replica.address} ${replica.port}`)
        expect(new Set(names).size).toBe(names.length)
        expect(new Set(places).size).toBe(places.length)
        expect(names).toEqual([...names].sort())
      }),
    )
  })
})

import { expect, it } from 'vitest'
import { createStaticDiscovery } from '../../../src/synced/discovery/static.ts'

it('a static list is known at once, sorted by name, with its own ports or the default one', async () => {
  const discovery = createStaticDiscovery({
    replicas: [
      { name: 'gw-1', address: '127.0.0.12', port: 9443 },
      { name: 'gw-0', address: '::1' },
    ],
    defaultPort: 8443,
  })
  expect(discovery.replicas).toEqual([
    { name: 'gw-0', address: '::1', port: 8443, terminating: false },
    { name: 'gw-1', address: '127.0.0.12', port: 9443, terminating: false },
  ])
  const before = discovery.replicas
  discovery.start(() => expect.unreachable('it never changes'))
  await discovery.refresh(new AbortController().signal)
  expect(discovery.replicas).toBe(before)
  expect([discovery.ageMs(), discovery.maxAgeMs, discovery.problem]).toEqual([0, Number.POSITIVE_INFINITY, undefined])
  await discovery[Symbol.asyncDispose]()
})

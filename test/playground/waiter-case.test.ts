import { expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { writeJson } from '../../src/tokens/json.ts'
import { createWaiterCluster } from '../../src/tokens/waiter.ts'
import { readCase, startCase } from '../fakes/waiter-case.ts'

const never = new AbortController().signal
const entry = (more: object) => ({
  description: { cmd: 'run', 'last-update-time': 1_700_000_000_123, previous: { 'last-update-time': 5 } },
  etag: 'E1',
  'index-etag-missing': false,
  vanished: false,
  'read-broken': false,
  'store-status': 200,
  'delete-status': 200,
  ...more,
})
const LINE = JSON.stringify({
  id: 7,
  clusters: ['http://a', 'http://b'],
  limit: 10,
  optOutMetadataName: null,
  tokens: {
    plain: { 'http://a': entry({}) },
    hidden: { 'http://a': entry({ 'index-etag-missing': true, 'store-status': 412 }) },
    vanished: { 'http://a': entry({ vanished: true, 'delete-status': 403 }) },
    broken: { 'http://a': entry({ 'read-broken': true }) },
    tombstone: { 'http://b': entry({ description: { deleted: true, cpus: 'X' } }) },
  },
  expected: {},
}).replace('"X"', '1.0')

it('serves a case as it is told, and notes what is written', async () => {
  await using running = await startCase(readCase(LINE))
  const [urlA = '', urlB = ''] = running.urls
  expect(urlA < urlB).toBe(true)
  await using a = createWaiterCluster({ url: urlA, clock: systemClock })
  await using b = createWaiterCluster({ url: urlB, clock: systemClock })

  expect((await a.list(never)).map(({ token, etag, deleted }) => [token, etag, deleted])).toEqual([
    ['plain', 'E1', false],
    ['hidden', null, false],
    ['vanished', 'E1', false],
    ['broken', 'E1', false],
  ])
  const read = await a.read('plain', never)
  expect(read).toMatchObject({ status: 200, etag: 'E1' })
  expect(read.kind === 'answered' && writeJson(read.description)).toBe(
    '{"cmd":"run","last-update-time":1700000000123,"previous":{"last-update-time":5}}',
  )
  expect(await a.read('vanished', never)).toMatchObject({ status: 404 })
  expect(await a.read('broken', never)).toMatchObject({ kind: 'broken' })
  expect(await b.read('plain', never)).toMatchObject({ status: 404 })
  const tombstone = await b.read('tombstone', never)
  expect(tombstone).toMatchObject({ status: 200, etag: 'E1' })
  expect(tombstone.kind === 'answered' && writeJson(tombstone.description)).toBe('{"deleted":true,"cpus":1.0}')

  const description = read.kind === 'answered' ? read.description : new Map()
  expect(await a.store('hidden', description, 'E1', never)).toMatchObject({ status: 412 })
  expect(await b.store('plain', description, undefined, never)).toMatchObject({ status: 200 })
  expect(await a.hardDelete('vanished', 'E1', never)).toMatchObject({ status: 403 })
  const body = (token: string) => writeJson(new Map([...description, ['token', token]]))
  expect(running.writes).toEqual([
    { op: 'store', cluster: 'http://a', token: 'hidden', ifMatch: 'E1', body: body('hidden') },
    { op: 'store', cluster: 'http://b', token: 'plain', ifMatch: null, body: body('plain') },
    { op: 'hard-delete', cluster: 'http://a', token: 'vanished', ifMatch: 'E1' },
  ])
  expect(running.clusters[1]?.writes).toHaveLength(1)
  expect(running.caseUrl(urlB)).toBe('http://b')
})

// The way to a server: whom it trusts, what it tells of itself, and how the server's kind is found out.
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createSecureContext } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { openElasticsearchStore } from '../../../src/db/elasticsearch/elasticsearch.ts'
import { type PairPolicy, StoreFailed } from '../../../src/db/store.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { listen } from '../../../src/playground/listen.ts'
import { makeCa } from '../../lib/certificates.ts'
import { FakeClock } from '../../lib/fake-clock.ts'
import { documentOf, INDEX, idOf, openScene, rowOf, scanAll, TABLE, versionAt } from './lib/scene.ts'

const POLICY: PairPolicy = { versionField: 'tmstmp_uuid', onUnknownField: 'fail' }
const OPTIONS = {
  ...{ index: 'app-{table}', policy: POLICY, clock: systemClock },
  ...{ random: () => 0, requestTimeoutMs: 5_000, retryForMs: 5_000 },
} as const
const { signal } = new AbortController()
const ends: (() => void)[] = []

afterEach(() => {
  for (const end of ends.splice(0)) end()
})

async function listenWithTls(): Promise<{
  readonly url: string
  readonly asked: string[]
  readonly connections: () => number
}> {
  const ca = await makeCa('Search CA')
  const { cert, key } = await ca.issue({ names: ['search.internal'] })
  const asked: string[] = []
  let connections = 0
  const server = createTlsServer({ cert, key }, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.setHeader('x-elastic-product', 'Elasticsearch')
    response.end('{}')
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/behind/a/path/`,
    asked,
    connections: () => connections,
  }
}

describe('the way to a server', () => {
  it('is TLS with the authority and the name that were given, and keeps the path of the address', async () => {
    const { url, asked } = await listenWithTls()
    const { cert: ca } = await makeCa('Search CA')
    const tls = { secureContext: () => createSecureContext({ ca }), servername: 'search.internal' }
    await using store = await openElasticsearchStore({ ...OPTIONS, url, tls })
    expect(await store.describeTables('all', signal)).toEqual(new Map())
    expect(asked).toEqual([expect.stringMatching(/^GET \/behind\/a\/path\/app-\*\?/)])
    expect(store.address).toBe(`elasticsearch ${url.replace(/\/$/, '')}/app-{table}`)
  })

  it('ends at once where the certificate is not the right one', async () => {
    const { url, asked, connections } = await listenWithTls()
    const { cert: ca } = await makeCa('Search CA')
    for (const tls of [
      { secureContext: () => createSecureContext({}), servername: 'search.internal' },
      { secureContext: () => createSecureContext({ ca }), servername: 'other.internal' },
      { secureContext: () => createSecureContext({ ca }) },
    ]) {
      await using store = await openElasticsearchStore({ ...OPTIONS, url, tls })
      await expect(store.describeTables('all', signal)).rejects.toThrow(StoreFailed)
    }
    expect(asked).toEqual([])
    expect(connections()).toBe(3)
  })

  it('is none where files of TLS cannot be read, which may pass', async () => {
    const { url } = await listenWithTls()
    const tls = {
      secureContext: () => {
        throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      },
    }
    await using store = await openElasticsearchStore({ ...OPTIONS, url, tls, retryForMs: 50, random: () => 0.99 })
    await expect(store.describeTables('all', signal)).rejects.toThrow('ENOENT')
  })

  it('says where there is nobody', async () => {
    await using store = await openElasticsearchStore({ ...OPTIONS, url: 'http://127.0.0.1:9', retryForMs: 0 })
    await expect(store.describeTables('all', signal)).rejects.toThrow(
      'elasticsearch http://127.0.0.1:9: GET /app-*: ECONNREFUSED',
    )
  })

  it('says soon whom it waits for, and that it has an answer again', async () => {
    const clock = new FakeClock()
    const told: string[] = []
    const server = createServer((_request, response) => {
      response.writeHead(told.length === 0 ? 503 : 200, { 'x-elastic-product': 'Elasticsearch' }).end('{}')
    })
    const url = `http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}`
    ends.push(() => {
      server.closeAllConnections()
      server.close()
    })
    const onAway = (message: string) => told.push(message)
    const pauses = { clock, random: () => 0.99, retryForMs: 60_000 }
    await using store = await openElasticsearchStore({ ...OPTIONS, ...pauses, url, onAway })
    const described = store.describeTables('all', signal)
    while (told.length < 2) {
      await clock.advance(50)
      await new Promise(setImmediate)
    }
    expect(await described).toEqual(new Map())
    expect(told).toEqual([
      `elasticsearch ${url}: answered 503; each request is tried again for 60 s`,
      expect.stringMatching(/: answers again, after \d+ s$/),
    ])
  })

  it.each([
    '',
    'localhost:9200',
    'ftp://host',
    'http://user:geheim@host',
    'http://host?x=geheim',
    'http://host#geheim',
  ])('is not %j, of which nothing is repeated', async (url) => {
    const error = (await openElasticsearchStore({ ...OPTIONS, url }).catch((thrown: unknown) => thrown)) as Error
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).not.toContain('geheim')
  })

  it('is not opened once the signal has aborted', async () => {
    const aborted = AbortSignal.abort(new Error('cancelled'))
    await expect(openElasticsearchStore({ ...OPTIONS, url: 'http://host', signal: aborted })).rejects.toThrow(
      'cancelled',
    )
  })
})

describe('the kind of a server', () => {
  it.each([
    ['says nothing of itself', { status: 403, body: {} }, { nodes: { a: { version: '2.19.6' } } }],
    ['has a name for itself', { status: 200, body: { version: { distribution: 'opensearch' } } }, {}],
  ])('is found out where it %s', async (_, root, nodes) => {
    await using scene = await openScene({ product: 'opensearch' })
    await scene.store.createTable(TABLE, scene.signal)
    for (let at = 0; at < 1_200; at++) scene.fake.put(INDEX, idOf(at), documentOf(rowOf(at, versionAt(at))))
    scene.fake.onRequest = ({ path }) => {
      if (path === '/') return root
      return path === '/_nodes/_local' ? { status: 200, body: nodes } : undefined
    }
    expect((await scanAll(scene)).rows).toHaveLength(1_200)
    expect((await scanAll(scene)).rows).toHaveLength(1_200)
    expect(scene.fake.requests.filter((one) => one === 'GET /')).toHaveLength(1)
  })

  it('is none where it is another server', async () => {
    await using scene = await openScene({ product: 'opensearch' })
    await scene.store.createTable(TABLE, scene.signal)
    for (let at = 0; at < 1_200; at++) scene.fake.put(INDEX, idOf(at), documentOf(rowOf(at, versionAt(at))))
    scene.fake.onRequest = ({ path }) =>
      path === '/' || path === '/_nodes/_local' ? { status: 200, body: {} } : undefined
    await expect(scanAll(scene)).rejects.toThrow('neither Elasticsearch nor OpenSearch')
  })
})

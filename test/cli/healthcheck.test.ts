import { createServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { findConfigPath, planProbe, probe } from '../../src/cli/healthcheck.ts'
import { makeCa } from '../lib/certificates.ts'

const FILE = { file: '/x.pem' }
const TLS = { cert: FILE, key: FILE }

describe('where a service is asked from inside', () => {
  it.each([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
    ['10.1.2.3', '10.1.2.3'],
  ])('is for %s %s', (host, asked) => {
    expect(planProbe({ host, port: 8080 })).toEqual({ kind: 'http', host: asked, port: 8080 })
  })

  it('is over TLS where it serves that, and no request where a client certificate is wanted', () => {
    expect(planProbe({ host: '::', port: 1, tls: TLS }).kind).toBe('https')
    expect(planProbe({ host: '::', port: 1, tls: { ...TLS, clientCa: FILE } }).kind).toBe('connect')
  })
})

it.each([
  ['tini\0--\0node\0/app/bin/syncer\0serve\0--config\0/etc/a.yaml\0', '/etc/a.yaml'],
  ['node\0/app/bin/syncer\0serve\0--config=/etc/b.yaml\0', '/etc/b.yaml'],
  ['node\0/app/bin/syncer\0serve\0--config\0/etc/a.yaml\0--config=/etc/c.yaml\0', '/etc/c.yaml'],
  ['node\0/app/bin/syncer\0serve\0', undefined],
])('finds in %j the configuration %j', (cmdline, path) => {
  expect(findConfigPath(cmdline)).toBe(path)
})

describe('the probe', () => {
  let server: Server | undefined
  afterEach(() => new Promise((resolve) => (server === undefined ? resolve(0) : server.close(resolve))))

  const serve = async (on: Server) => {
    server = on
    await new Promise<void>((resolve) => on.listen(0, '127.0.0.1', resolve))
    return (on.address() as AddressInfo).port
  }
  const ask = (kind: 'http' | 'https' | 'connect', port: number, timeoutMs = 5_000) =>
    probe({ kind, host: '127.0.0.1', port }, AbortSignal.timeout(timeoutMs))
  const answer =
    (status: number): RequestListener =>
    ({ url }, response) =>
      response.writeHead(url === '/livez' ? status : 404).end('{}')

  it('goes by the status', async () => {
    let status = 200
    const port = await serve(createServer((request, response) => answer(status)(request, response)))
    await ask('http', port)
    status = 503
    await expect(ask('http', port)).rejects.toThrow('/livez answers 503')
  })

  it('takes any certificate', async () => {
    const port = await serve(
      createHttpsServer(await (await makeCa()).issue({ names: ['elsewhere.example'] }), answer(200)),
    )
    await ask('https', port)
  })

  it('is content with a listener where no more can be seen', async () => {
    const port = await serve(createServer(answer(500)))
    await ask('connect', port)
  })

  it.each(['http', 'https', 'connect'] as const)('fails where nobody listens (%s)', async (kind) => {
    const port = await serve(createServer())
    await new Promise((resolve) => server?.close(resolve))
    await expect(ask(kind, port)).rejects.toThrow('ECONNREFUSED')
  })

  it('waits for no answer longer than it is told to', async () => {
    const port = await serve(createServer(() => undefined))
    await expect(ask('http', port, 50)).rejects.toThrow()
    ;(server as ReturnType<typeof createServer>).closeAllConnections()
  })
})

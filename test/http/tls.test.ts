import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ListenTls, openListenTls } from '../../src/http/tls.ts'
import { makeCa, type TestCa } from '../lib/certificates.ts'
import { FakeClock } from '../lib/fake-clock.ts'

let ca: TestCa
let otherCa: TestCa
beforeAll(async () => {
  ;[ca, otherCa] = await Promise.all([makeCa(), makeCa('Other CA')])
})

let folder: string
let clock: FakeClock
let stack: AsyncDisposableStack
let events: string[]
const at = (name: string) => join(folder, name)
const write = (name: string, text: string) => writeFileSync(at(name), text)
const TLS = (): ListenTls => ({ cert: { file: at('tls.crt') }, key: { file: at('tls.key') } })
const TLS_WITH_CLIENTS = (): ListenTls => ({ ...TLS(), clientCa: { file: at('ca.crt') } })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-'))
  clock = new FakeClock()
  stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(folder, { recursive: true }))
  events = []
})
afterEach(() => stack.disposeAsync())

async function writePair(name: string, by = ca) {
  const pair = await by.issue({ names: [name] })
  write('tls.crt', pair.cert)
  write('tls.key', pair.key)
}

function open(tls: ListenTls) {
  const onReload = () => events.push('reload')
  const onProblem = (detail: string) => events.push(detail)
  return stack.use(openListenTls(tls, { clock, onReload, onProblem }))
}

async function serve(tls: ListenTls) {
  const opened = open(tls)
  const server: Server = createServer(opened.options, (_, response) => response.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stack.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
  opened.follow(server)
  return { opened, port: (server.address() as AddressInfo).port }
}

/** The first line that the server answers over a new connection. Rejects when there is none. */
function greet(port: number, options: ConnectionOptions): Promise<{ line: string; name: string }> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port,
      servername: 'a.test',
      checkServerIdentity: () => undefined,
      ca: ca.cert,
      ...options,
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed')))
    socket.on('data', (data) => {
      // A resumed session shows no certificate.
      const name = String(socket.getPeerCertificate().subject?.CN)
      resolve({ line: data.toString().split('\r\n')[0] ?? '', name })
      socket.destroy()
    })
    socket.write('GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n')
  })
}

describe('at the start', () => {
  test.each<[string, () => Promise<void>, string]>([
    ['no certificate', async () => rmSync(at('tls.crt')), 'does not exist'],
    ['an empty key', async () => write('tls.key', ''), 'holds no PEM block'],
    [
      'a key in place of the certificate',
      async () => write('tls.crt', (await ca.issue({ names: ['a'] })).key),
      'the certificate cannot be read',
    ],
    ['a certificate in place of the key', async () => write('tls.key', ca.cert), 'the private key cannot be read'],
    [
      'the key of another',
      async () => write('tls.key', (await ca.issue({ names: ['a'] })).key),
      'certificate and key do not belong together',
    ],
  ])('%s is refused', async (_, spoil, problem) => {
    await writePair('a.test')
    await spoil()
    expect(() => open(TLS())).toThrow(
      expect.objectContaining({ name: 'ConfigError', message: expect.stringContaining(problem) }),
    )
  })
})

describe('a listener with TLS', () => {
  test('shows its certificate', async () => {
    await writePair('a.test')
    const { port } = await serve(TLS())
    expect(await greet(port, {})).toEqual({ line: 'HTTP/1.1 200 OK', name: 'a.test' })
  })

  test('speaks TLS 1.2 and newer', async () => {
    await writePair('a.test')
    const { port } = await serve(TLS())
    await expect(
      greet(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow()
    await expect(greet(port, { maxVersion: 'TLSv1.2' })).resolves.toMatchObject({ name: 'a.test' })
  })

  test('asks for no client certificate unless there is an authority for them', async () => {
    await writePair('a.test')
    const { port } = await serve(TLS())
    await expect(greet(port, {})).resolves.toMatchObject({ line: 'HTTP/1.1 200 OK' })
  })

  test('lets in only clients of the authority', async () => {
    await writePair('a.test')
    write('ca.crt', ca.cert)
    const { port } = await serve(TLS_WITH_CLIENTS())
    const client = (by: TestCa) => by.issue({ names: ['client'], usage: 'client' })
    await expect(greet(port, await client(ca))).resolves.toMatchObject({ line: 'HTTP/1.1 200 OK' })
    await expect(greet(port, await client(otherCa))).rejects.toThrow()
    await expect(greet(port, {})).rejects.toThrow()
  })
})

describe('files that change', () => {
  test('a new pair is shown to new connections', async () => {
    await writePair('a.test')
    const { port } = await serve(TLS())
    await writePair('b.test')
    expect(await greet(port, {})).toMatchObject({ name: 'a.test' })
    await clock.advance(5_000)
    expect(await greet(port, {})).toMatchObject({ name: 'b.test' })
    expect(events).toEqual(['reload'])
  })

  test('nothing happens while they stay the same', async () => {
    await writePair('a.test')
    await serve(TLS())
    await clock.advance(60_000)
    expect(events).toEqual([])
  })

  test('a half-written pair leaves the old one, and takes the new one when it is whole', async () => {
    await writePair('a.test')
    const { opened, port } = await serve(TLS())
    const pair = await ca.issue({ names: ['b.test'] })
    write('tls.crt', pair.cert)
    await clock.advance(20_000)
    expect(await greet(port, {})).toMatchObject({ name: 'a.test' })
    expect(opened.problem).toBe('certificate and key do not belong together')
    write('tls.key', pair.key)
    await clock.advance(5_000)
    expect(await greet(port, {})).toMatchObject({ name: 'b.test' })
    expect(opened.problem).toBeUndefined()
    expect(events).toEqual(['certificate and key do not belong together', 'reload'])
  })

  test('a file that is away or broken leaves the old one', async () => {
    await writePair('a.test')
    const { port } = await serve(TLS())
    rmSync(at('tls.key'))
    await clock.advance(5_000)
    write('tls.key', '-----BEGIN PRIVATE KEY-----\nMC4C')
    await clock.advance(5_000)
    expect(events).toEqual([`file ${at('tls.key')} does not exist`, `file ${at('tls.key')} holds no PEM block`])
    expect(await greet(port, {})).toMatchObject({ name: 'a.test' })
  })

  test('a change that is taken back is no problem any more', async () => {
    await writePair('a.test')
    const { opened } = await serve(TLS())
    const old = await ca.issue({ names: ['a.test'] })
    write('tls.crt', old.cert)
    write('tls.key', old.key)
    await clock.advance(5_000)
    write('tls.crt', ca.cert)
    await clock.advance(5_000)
    expect(opened.problem).toBeDefined()
    write('tls.crt', old.cert)
    await clock.advance(5_000)
    expect(opened.problem).toBeUndefined()
    expect(events).toEqual(['reload', 'certificate and key do not belong together'])
  })

  test('another authority for clients shuts out those of the old one, resumed sessions too', async () => {
    await writePair('a.test')
    write('ca.crt', ca.cert)
    const { port } = await serve(TLS_WITH_CLIENTS())
    const client = await ca.issue({ names: ['client'], usage: 'client' })
    const session = await new Promise<Buffer>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, servername: 'a.test', ca: ca.cert, ...client })
      socket.on('error', reject)
      socket.once('session', (ticket) => {
        resolve(ticket)
        socket.destroy()
      })
    })
    await expect(greet(port, { session, ...client })).resolves.toMatchObject({ line: 'HTTP/1.1 200 OK' })
    write('ca.crt', otherCa.cert)
    await clock.advance(5_000)
    expect(events).toEqual(['reload'])
    await expect(greet(port, { session, ...client })).rejects.toThrow()
    await expect(greet(port, await otherCa.issue({ names: ['client'], usage: 'client' }))).resolves.toMatchObject({
      name: 'a.test',
    })
  })

  test('nobody looks any more after it was disposed of', async () => {
    await writePair('a.test')
    const { opened } = await serve(TLS())
    opened[Symbol.dispose]()
    expect(clock.pending).toBe(0)
  })
})

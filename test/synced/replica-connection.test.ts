// One connection to one replica, over real sockets on loopback; time is turned by hand.
import net from 'node:net'
import tls from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { createSecureContexts, type TlsFiles } from '../../src/lib/secure-context.ts'
import type { Outcome } from '../../src/synced/outcome.ts'
import { type ConnectionOptions, ReplicaConnection } from '../../src/synced/replica-connection.ts'
import { makeCa } from '../lib/certificates.ts'
import { FakeClock } from '../lib/fake-clock.ts'

const HAS = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
const LACKS = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A replica on loopback that calls `onRequest` for every request head. */
async function listen(
  onRequest: (socket: net.Socket, head: string) => void,
  secure?: tls.TlsOptions,
  accepted: net.Socket[] = [],
) {
  const sockets = new Set<net.Socket>()
  let connections = 0
  const serve = (socket: net.Socket) => {
    connections++
    accepted.push(socket)
    socket.on('error', () => {})
    let seen = ''
    socket.on('data', (data) => {
      seen += data.toString('latin1')
      for (let end = seen.indexOf('\r\n\r\n'); end >= 0; end = seen.indexOf('\r\n\r\n')) {
        const head = seen.slice(0, end)
        seen = seen.slice(end + 4)
        onRequest(socket, head)
      }
    })
  }
  const server = secure === undefined ? net.createServer(serve) : tls.createServer(secure, serve)
  server.on('connection', (socket: net.Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  const { port } = server.address() as net.AddressInfo
  return { port, connections: () => connections }
}

function connect(port: number, { ca, ...options }: Partial<ConnectionOptions> & Pick<TlsFiles, 'ca'> = {}) {
  const clock = new FakeClock()
  const connection = new ReplicaConnection(
    { address: '127.0.0.1', port },
    {
      scheme: 'http',
      servername: 'gw.test',
      secureContext: createSecureContexts(ca === undefined ? {} : { ca }),
      connectTimeoutMs: 200,
      deadlineMs: 1000,
      ...options,
    },
    clock,
  )
  closers.push(() => connection.close())
  /** Resolves with what became of a probe; a probe that was not sent gives `refused to send: REASON`. */
  const probe = (token = 't') => {
    let settle: (outcome: Outcome | string) => void = () => {}
    const outcome = new Promise<Outcome | string>((resolve) => {
      settle = resolve
    })
    const request = {
      path: '/_synced',
      method: 'GET' as const,
      headers: ['host', 'api.example', 'cookie', `auth_token=${token}`],
      blocking: false,
    }
    const refusal = connection.probe(request, { answered: (what) => settle(what) }, clock.now())
    if (refusal !== undefined) settle(`refused to send: ${refusal}`)
    return outcome
  }
  return { clock, connection, probe }
}

/** A port that was open a moment ago. */
async function listenAndLeave() {
  const reserved = await listen(() => {})
  await closers.pop()?.()
  return reserved
}

/** Lets sockets do their work until `done`. */
async function until(done: () => boolean) {
  for (let i = 0; i < 10_000 && !done(); i++) await new Promise((resolve) => setImmediate(resolve))
  expect(done()).toBe(true)
}

describe('probes', () => {
  test('share one connection, in order, each with its own answer', async () => {
    const { port, connections } = await listen((socket, head) =>
      socket.write(head.includes('auth_token=good') ? HAS : LACKS),
    )
    const { probe, connection } = connect(port)
    expect(await Promise.all([probe('good'), probe('bad'), probe('good')])).toEqual(['present', 'absent', 'present'])
    expect(connections()).toBe(1)
    expect(connection.health).toMatchObject({ state: 'up', reason: undefined, seenAt: expect.any(Number) })
  })

  test('carry the configured host and never follow a redirect', async () => {
    const heads: string[] = []
    const { port } = await listen((socket, head) => {
      heads.push(head)
      socket.write('HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n')
    })
    const { probe, connection } = connect(port)
    expect(await probe()).toBe('redirect')
    expect(heads).toHaveLength(1)
    expect(heads[0]?.toLowerCase()).toContain('host: api.example')
    expect(connection.health).toMatchObject({ state: 'down', reason: 'redirect', seenAt: undefined })
  })

  test('take an answer at its head: a body without end holds nothing up', async () => {
    const { port } = await listen((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
    )
    expect(await connect(port).probe()).toBe('present')
  })

  test('pass over informational answers', async () => {
    const { port } = await listen((socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${LACKS}`))
    expect(await connect(port).probe()).toBe('absent')
  })

  test.each([
    ['garbage', 'this is not HTTP\r\n\r\n'],
    ['garbage', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
  ])('tell %s from an answer', async (outcome, bytes) => {
    const { port } = await listen((socket) => socket.write(bytes))
    expect(await connect(port).probe()).toBe(outcome)
  })

  test('go on over a new connection after one that ended at rest', async () => {
    let ended = 0
    const { port, connections } = await listen((socket) => {
      socket.once('close', () => ended++)
      socket.end(HAS)
    })
    const { probe } = connect(port)
    expect(await probe()).toBe('present')
    await until(() => ended === 1)
    expect(await probe()).toBe('present')
    expect(connections()).toBe(2)
  })
})

describe('a replica that cannot be asked', () => {
  test('is refused, is left alone for a moment, and is found again', async () => {
    const { port } = await listenAndLeave()
    const { clock, connection, probe } = connect(port)
    expect(await probe()).toBe('refused')
    // Once at once, then after a pause.
    expect(await probe()).toBe('refused')
    expect(await probe()).toBe('refused to send: refused')
    await clock.advance(25)
    expect(await probe()).toBe('refused')
    expect(connection.health).toMatchObject({ state: 'down', reason: 'refused' })
  })

  test('fails everything under way when the connection breaks, with one reason', async () => {
    const { port } = await listen((socket) => socket.resetAndDestroy())
    const { probe } = connect(port)
    const outcomes = await Promise.all([probe(), probe(), probe()])
    expect(outcomes).toEqual(['reset', 'reset', 'reset'])
  })

  test('that resets once is asked again at once', async () => {
    let requests = 0
    const { port } = await listen((socket) => (++requests === 1 ? socket.resetAndDestroy() : socket.write(HAS)))
    const { probe } = connect(port)
    expect(await probe()).toBe('reset')
    expect(await probe()).toBe('present')
  })

  test('is silent when no connection stands in time', async () => {
    // TLS is never answered: the listener speaks plain TCP and says nothing.
    const { port, connections } = await listen(() => {})
    const { clock, probe } = connect(port, { scheme: 'https', ca: () => '' })
    const outcome = probe()
    await until(() => connections() === 1)
    await clock.advance(200)
    expect(await outcome).toBe('silent')
  })

  test('sets an overdue connection aside: what it still answers counts, and another one is tried', async () => {
    const held: net.Socket[] = []
    let isFrozen = true
    const { port, connections } = await listen((socket) => {
      if (isFrozen) held.push(socket)
      else socket.write(LACKS)
    })
    const { clock, connection, probe } = connect(port)
    const first = probe()
    await until(() => held.length === 1)
    await clock.advance(200)
    expect(connection.health).toMatchObject({ state: 'down', reason: 'silent' })
    const second = probe()
    await until(() => held.length === 2)
    // One probe at a time tries the new connection; the others need not wait for it.
    expect(await probe()).toBe('refused to send: silent')
    isFrozen = false
    held[0]?.write(HAS)
    expect(await first).toBe('present')
    expect(connection.health.state).toBe('up')
    expect(connections()).toBe(2)
    held[1]?.write(LACKS)
    expect(await second).toBe('absent')
    expect(await probe()).toBe('absent')
  })

  test('ends a connection that stays silent for a deadline, and everything that waits on it', async () => {
    const { port, connections } = await listen(() => {})
    const { clock, probe } = connect(port)
    const waiting = [probe(), probe()]
    await until(() => connections() === 1)
    await clock.advance(1000)
    expect(await Promise.all(waiting)).toEqual(['silent', 'silent'])
    expect(clock.pending).toBe(0)
  })

  test('leaves no timer and no socket behind when it is closed', async () => {
    const { port, connections } = await listen(() => {})
    const { clock, connection, probe } = connect(port)
    const waiting = probe()
    await until(() => connections() === 1)
    await connection.close()
    await waiting
    expect(clock.pending).toBe(0)
    expect(await probe()).toBe('refused to send: refused')
  })
})

describe('a connection made before anything is asked', () => {
  test('is the one that the first probe takes', async () => {
    const heads: string[] = []
    const { port, connections } = await listen((socket, head) => {
      heads.push(head)
      socket.write(HAS)
    })
    const { connection, probe, clock } = connect(port)
    connection.warm()
    await until(() => connections() === 1)
    await until(() => clock.pending === 0)
    expect(heads).toEqual([])
    expect(await probe()).toBe('present')
    expect(connections()).toBe(1)
    expect(heads).toHaveLength(1)
  })

  test('is not missed when it cannot be made, or has ended meanwhile', async () => {
    const accepted: net.Socket[] = []
    const { port, connections } = await listen((socket) => socket.write(HAS), undefined, accepted)
    const { connection, probe, clock } = connect(port)
    connection.warm()
    await until(() => connections() === 1 && clock.pending === 0)
    let isGone = false
    accepted[0]?.once('close', () => {
      isGone = true
    })
    accepted[0]?.destroy()
    await until(() => isGone)
    await new Promise((resolve) => setImmediate(resolve))
    expect(await probe()).toBe('present')
    expect(connections()).toBe(2)

    const refusing = connect((await listenAndLeave()).port)
    refusing.connection.warm()
    await until(() => refusing.clock.pending === 0)
    expect(refusing.connection.health.state).toBe('unknown')
  })
})

test('a connection that does not stand yet is given up with the rest', async () => {
  const { port, connections } = await listen(() => {})
  const { clock, connection } = connect(port, { scheme: 'https' })
  connection.warm()
  await until(() => connections() === 1)
  expect(clock.pending).toBe(1)
  await connection.close()
  expect(clock.pending).toBe(0)
})

describe('TLS', () => {
  const answer = (socket: net.Socket) => socket.write(HAS)

  test('is verified against the name, whatever the address', async () => {
    const ca = await makeCa()
    const stranger = await makeCa('Stranger')
    const leaf = await ca.issue({ names: ['gw.test'], ips: [] })
    const { port } = await listen(answer, { cert: leaf.cert, key: leaf.key })
    expect(await connect(port, { scheme: 'https', ca: () => ca.cert }).probe()).toBe('present')
    expect(await connect(port, { scheme: 'https', ca: () => ca.cert, servername: 'other.test' }).probe()).toBe('tls')
    expect(await connect(port, { scheme: 'https', ca: () => stranger.cert }).probe()).toBe('tls')
    expect(await connect(port, { scheme: 'https' }).probe()).toBe('tls')
  })

  test('can be verified against an address', async () => {
    const ca = await makeCa()
    const leaf = await ca.issue({ names: [], ips: ['127.0.0.1'] })
    const { port } = await listen(answer, { cert: leaf.cert, key: leaf.key })
    expect(await connect(port, { scheme: 'https', ca: () => ca.cert, servername: '127.0.0.1' }).probe()).toBe('present')
    expect(await connect(port, { scheme: 'https', ca: () => ca.cert, servername: '127.0.0.2' }).probe()).toBe('tls')
  })

  test('takes a renewed authority at the next connection', async () => {
    const ca = await makeCa()
    const leaf = await ca.issue({ names: ['gw.test'], ips: [] })
    const { port } = await listen(answer, { cert: leaf.cert, key: leaf.key })
    let trusted = (await makeCa('Stranger')).cert
    const { clock, probe } = connect(port, { scheme: 'https', ca: () => trusted })
    expect(await probe()).toBe('tls')
    trusted = ca.cert
    await clock.advance(100)
    expect(await probe()).toBe('present')
  })
})

// Connections and requests over a fake node: streams, time-outs, what breaks and what is tried again.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openConnection } from '../../../src/db/cassandra/connection.ts'
import {
  CellReader,
  type CqlError,
  createExecute,
  createQuery,
  ERRORS,
  readPage,
  setStream,
} from '../../../src/db/cassandra/frames.ts'
import { Session, type SessionOptions } from '../../../src/db/cassandra/session.ts'
import { StoreFailed } from '../../../src/db/store.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createSecureContexts } from '../../../src/lib/secure-context.ts'
import { makeCa } from '../../lib/certificates.ts'
import { eventually } from '../../lib/eventually.ts'
import { FakeClock } from '../../lib/fake-clock.ts'
import { type FakeAnswer, type FakeHandler, FakeNode, int, short } from './fake-node.ts'

const none = new AbortController().signal
const PARAMETERS = { consistency: 'ONE', values: [] } as const
const query = (cql = 'SELECT') => createQuery(cql, PARAMETERS)
const textRow = (text: string) => ({ rows: [[Buffer.from(text)]] })

function optionsOf(nodes: readonly { readonly port: number }[]): SessionOptions {
  return {
    name: 'cassandra test',
    contactPoints: nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    clock: systemClock,
    random: () => 0.5,
    retryForMs: 3_000,
    requestTimeoutMs: 2_000,
    consistency: 'LOCAL_QUORUM',
  }
}

const sessionTo = (node: FakeNode, options: Partial<SessionOptions> = {}) =>
  new Session({ ...optionsOf([node]), ...options })

/** Answers each statement with its own text. */
const echo: FakeHandler = ({ kind, statements }) => (kind === 'QUERY' ? textRow(statements[0]?.cql ?? '') : undefined)

async function ask(session: Session, cql: string): Promise<string | undefined> {
  const { body } = await session.request(query(cql), none, 'ask')
  return new CellReader(readPage(body)).next()?.toString()
}

describe('answers', () => {
  test('find their requests, however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 200 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 30 }),
        async (texts, pieces) => {
          const waiting: (() => void)[] = []
          await using node = await FakeNode.start(async (request) => {
            if (request.kind !== 'QUERY') return undefined
            await new Promise<void>((resolve) => waiting.push(resolve))
            return echo(request)
          })
          node.pieces = pieces
          await using session = sessionTo(node)
          const answers = Promise.all(texts.map((text) => ask(session, text)))
          await eventually(() => waiting.length === texts.length)
          // Not in the order in which they were asked for.
          for (const answer of waiting.reverse()) answer()
          expect(await answers).toEqual(texts)
          expect(node.connections).toBe(1)
        },
      ),
      { numRuns: 15 },
    )
  })

  test('are read behind warnings, traces and payloads', async () => {
    const rows = Buffer.concat([int(2), int(4), int(1), int(1), int(2), Buffer.from('ok')])
    const extras = Buffer.concat([
      Buffer.alloc(16, 7),
      ...[short(2), short(3), Buffer.from('abc'), short(0)],
      ...[short(2), short(1), Buffer.from('k'), int(2), Buffer.from('vv'), short(0), int(-1)],
    ])
    await using node = await FakeNode.start(({ kind }) =>
      kind === 'QUERY' ? { opcode: 8, flags: 0x0e, body: Buffer.concat([extras, rows]) } : undefined,
    )
    await using session = sessionTo(node)
    expect(await ask(session, 'x')).toBe('ok')
  })

  test('are read behind metadata that nobody has asked for', async () => {
    const name = (text: string) => Buffer.concat([short(text.length), Buffer.from(text)])
    const column = (type: Buffer) => Buffer.concat([name('c'), type])
    const types = [
      short(0x0d),
      Buffer.concat([short(0), name('org.example.Type')]),
      Buffer.concat([short(0x20), short(0x09)]),
      Buffer.concat([short(0x21), short(0x0d), short(0x22), short(0x09)]),
      Buffer.concat([short(0x30), name('ks'), name('u'), short(2), name('a'), short(9), name('b'), short(0x0d)]),
      Buffer.concat([short(0x31), short(2), short(9), short(0x20), short(9)]),
    ]
    const cells = types.map((_, at) => Buffer.from([at]))
    for (const isGlobal of [true, false]) {
      const place = Buffer.concat([name('ks'), name('t')])
      const bytes = Buffer.concat([
        ...(isGlobal ? [place] : []),
        ...types.map((type) => (isGlobal ? column(type) : Buffer.concat([place, column(type)]))),
      ])
      const answer: FakeAnswer = { rows: [cells], metadata: { flags: isGlobal ? 1 : 0, bytes }, pagingState: int(9) }
      await using node = await FakeNode.start(({ kind }) => (kind === 'QUERY' ? answer : undefined))
      await using session = sessionTo(node)
      const page = readPage((await session.request(query(), none, 'ask')).body)
      expect(page).toMatchObject({ rowCount: 1, columnCount: types.length, pagingState: int(9) })
      const reader = new CellReader(page)
      expect(cells.map(() => reader.next())).toEqual(cells)
    }
  })

  test('that are no frames break the connection', async () => {
    let isBad = true
    await using node = await FakeNode.start(({ kind, statements }) => {
      if (kind !== 'QUERY') return undefined
      return isBad ? { opcode: 8, flags: 0x08, body: Buffer.alloc(1) } : textRow(statements[0]?.cql ?? '')
    })
    await using session = sessionTo(node)
    const answer = ask(session, 'x')
    await eventually(() => node.connections > 1)
    isBad = false
    expect(await answer).toBe('x')
  })
})

describe('a connection', () => {
  const connect = (node: FakeNode, clock = systemClock, credentials?: SessionOptions['credentials']) =>
    openConnection({
      ...{ host: '127.0.0.1', port: node.port, clock, credentials },
      connectTimeoutMs: 1_000,
      requestTimeoutMs: 500,
    })

  test('tells username and password where they are wanted, and nowhere else', async () => {
    const said: string[] = []
    await using node = await FakeNode.start(({ kind, statements }) => {
      if (kind === 'STARTUP') return { opcode: 3, body: Buffer.concat([short(4), Buffer.from('Auth')]) }
      if (kind !== 'AUTH_RESPONSE') return undefined
      said.push(statements[0]?.values[0]?.toString() ?? '')
      return said[0] === '\0ann\0secret' ? { opcode: 16, body: int(-1) } : { error: ERRORS.badCredentials }
    })
    const connection = await connect(node, systemClock, async () => ({ username: 'ann', password: 'secret' }))
    expect(said).toEqual(['\0ann\0secret'])
    connection.destroy('done')
    await expect(connect(node)).rejects.toThrow('wants a username and a password')
    await using session = sessionTo(node, { credentials: async () => ({ username: 'ann', password: 'wr0ng' }) })
    said.length = 0
    const failure = await session.connect(none).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StoreFailed)
    expect(`${failure}`).not.toContain('wr0ng')
    expect(said).toHaveLength(1)
  })

  test('whose requests are late keeps their streams from others, until the answers come', async () => {
    const clock = new FakeClock()
    const late: (() => void)[] = []
    let isLate = true
    await using node = await FakeNode.start(async (request) => {
      if (request.kind !== 'QUERY') return undefined
      if (isLate) await new Promise<void>((resolve) => late.push(resolve))
      return echo(request)
    })
    const connection = await connect(node, clock)
    const first = connection.request(query('first'))
    const rejected = expect(first).rejects.toMatchObject({ name: 'RequestTimedOut', message: 'no answer in 500 ms' })
    await eventually(() => late.length === 1)
    await clock.advance(400)
    isLate = false
    // It hears of something in between: the connection is alive.
    await connection.request(query('second'))
    await clock.advance(100)
    await rejected
    const third = connection.request(query('third'))
    late[0]?.()
    expect(new CellReader(readPage((await third).body)).next()?.toString()).toBe('third')
    expect([connection.load, connection.isBroken]).toEqual([0, false])
    connection.destroy('done')
    expect(clock.pending).toBe(0)
  })

  test('that says nothing at all is given up', async () => {
    const clock = new FakeClock()
    await using node = await FakeNode.start(({ kind }) => (kind === 'QUERY' ? 'silence' : undefined))
    const connection = await connect(node, clock)
    const request = connection.request(query())
    const rejected = expect(request).rejects.toMatchObject({ name: 'RequestTimedOut' })
    await clock.advance(500)
    await rejected
    expect(connection.isBroken).toBe(true)
    await expect(connection.request(query())).rejects.toMatchObject({ name: 'ConnectionBroken' })
  })

  test('that is not made in time is none', async () => {
    const clock = new FakeClock()
    await using node = await FakeNode.start(() => 'silence')
    const connecting = connect(node, clock)
    const rejected = expect(connecting).rejects.toThrow('no connection in 1000 ms')
    await eventually(() => node.requests.length === 1)
    // The request is late first, then the connection.
    clock.advance(1_000).catch(() => undefined)
    await rejected.catch(() => expect(connecting).rejects.toMatchObject({ name: 'RequestTimedOut' }))
    expect(clock.pending).toBe(0)
  })

  test('refuses another version', async () => {
    await using node = await FakeNode.start(() => ({ opcode: 8, body: int(1) }))
    await expect(connect(node)).rejects.toThrow('does not speak the native protocol, version 4')
  })
})

describe('a session', () => {
  test('loses with a connection only what was on it, and dials anew', async () => {
    let breaks = 3
    await using node = await FakeNode.start((request) =>
      request.kind === 'QUERY' && breaks-- > 0 ? 'break' : echo(request),
    )
    await using session = sessionTo(node)
    expect(await ask(session, 'x')).toBe('x')
    expect(node.connections).toBe(4)
  })

  test('tries again what may be tried again, on bytes of their own', async () => {
    const codes = [
      ...[ERRORS.overloaded, ERRORS.bootstrapping, ERRORS.unavailable, ERRORS.writeTimeout, ERRORS.readTimeout],
      ...[ERRORS.server, ERRORS.writeFailure],
    ]
    let at = 0
    await using node = await FakeNode.start((request) => {
      const error = request.kind === 'QUERY' ? codes[at++] : undefined
      return error === undefined ? echo(request) : { error }
    })
    await using session = sessionTo(node, { random: () => 0 })
    const frame = query('x')
    setStream(frame, 1_234)
    expect(new CellReader(readPage((await session.request(frame, none, 'ask')).body)).next()?.toString()).toBe('x')
    expect(at).toBe(codes.length + 1)
  })

  test('gives up after a while, and says what was wanted of whom, and why', async () => {
    const clock = new FakeClock()
    await using node = await FakeNode.start(({ kind }) => (kind === 'QUERY' ? { error: 0x1001 } : undefined))
    await using session = sessionTo(node, { clock })
    const asking = ask(session, 'x')
    const rejected = expect(asking).rejects.toThrow(
      'cassandra test: could not ask for 3000 ms: the server says: told to say so by a test',
    )
    let isOver = false
    rejected.finally(() => {
      isOver = true
    })
    while (!isOver) {
      await clock.advance(100)
      await new Promise(setImmediate)
    }
    await rejected
    expect(clock.now()).toBeLessThan(4_000)
    expect(node.requests.length).toBeGreaterThan(4)
  })

  test('says soon whom it waits for, and that it has an answer again', async () => {
    const clock = new FakeClock()
    const told: string[] = []
    let isWell = false
    await using node = await FakeNode.start((request) =>
      request.kind === 'QUERY' && !isWell ? { error: 0x1001 } : echo(request),
    )
    const onAway = (message: string) => {
      told.push(message)
      isWell = true
    }
    await using session = sessionTo(node, { clock, retryForMs: 60_000, onAway })
    const asked = ask(session, 'x')
    while (told.length < 2) {
      await clock.advance(100)
      await new Promise(setImmediate)
    }
    expect(await asked).toBe('x')
    const why = 'the server says: told to say so by a test'
    expect(told).toEqual([
      `cassandra test: ${why}; each request is tried again for 60 s`,
      expect.stringMatching(/^cassandra test: answers again, after [2-9] s$/),
    ])
  })

  test.each([
    ['a syntax error', 0x2000],
    ['no permission', 0x2100],
    ['an invalid request', ERRORS.invalid],
  ])('does not try %s again', async (_, error) => {
    await using node = await FakeNode.start(({ kind }) => (kind === 'QUERY' ? { error, message: 'no' } : undefined))
    await using session = sessionTo(node)
    const failure = await ask(session, 'x').catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(StoreFailed)
    expect((failure as StoreFailed).cause).toMatchObject({ code: error } satisfies Partial<CqlError>)
    expect(node.requests.filter(({ kind }) => kind === 'QUERY')).toHaveLength(1)
  })

  test('leaves at once when the signal says so, whatever it waits for', async () => {
    const reason = new Error('enough')
    await using silent = await FakeNode.start(({ kind }) => (kind === 'QUERY' ? 'silence' : undefined))
    await using mute = await FakeNode.start(() => 'silence')
    await using busy = await FakeNode.start(({ kind }) => (kind === 'QUERY' ? { error: 0x1001 } : undefined))
    for (const node of [silent, mute, busy]) {
      await using session = sessionTo(node)
      const controller = new AbortController()
      const asking = session.request(query(), controller.signal, 'ask')
      await eventually(() => node.requests.length > 0)
      controller.abort(reason)
      await expect(asking).rejects.toBe(reason)
      await expect(session.request(query(), controller.signal, 'ask')).rejects.toBe(reason)
    }
  })

  test('prepares once, and again where a node has forgotten', async () => {
    await using node = await FakeNode.start((request) =>
      request.kind === 'EXECUTE' ? textRow(`${request.statements[0]?.cql}!`) : undefined,
    )
    await using session = sessionTo(node)
    const prepared = await session.prepare('SELECT 1', none)
    expect(await session.prepare('SELECT 1', none)).toBe(prepared)
    const execute = async () => {
      const { body } = await session.request(createExecute(prepared.id, PARAMETERS), none, 'ask', prepared)
      return new CellReader(readPage(body)).next()?.toString()
    }
    expect(await execute()).toBe('SELECT 1!')
    node.forgetStatements()
    expect(await execute()).toBe('SELECT 1!')
    expect(node.statementsOf('PREPARE')).toEqual(['SELECT 1', 'SELECT 1'])
  })

  test('dials the contact points and nothing else, those that answer', async () => {
    await using gone = await FakeNode.start()
    const port = gone.port
    await gone[Symbol.asyncDispose]()
    await using there = await FakeNode.start((request) =>
      request.statements[0]?.cql.includes('system.local') ? textRow('dc1') : echo(request),
    )
    await using session = new Session(optionsOf([{ port }, there]))
    for (const cql of ['a', 'b', 'c']) expect(await ask(session, cql)).toBe(cql)
    expect(there.statementsOf('QUERY').filter((cql) => cql.includes('peers'))).toEqual([])
  })

  test('leaves out contact points in another data centre', async () => {
    const inDataCenter = (name: string) =>
      FakeNode.start((request) => (request.statements[0]?.cql.includes('system.local') ? textRow(name) : echo(request)))
    await using near = await inDataCenter('near')
    await using far = await inDataCenter('far')
    await using session = new Session({ ...optionsOf([far, near]), localDataCenter: 'near' })
    await Promise.all(Array.from({ length: 200 }, (_, at) => ask(session, `${at}`)))
    expect(far.statementsOf('QUERY').filter((cql) => !cql.includes('system.local'))).toEqual([])
    await using nowhere = new Session({ ...optionsOf([far, near]), localDataCenter: 'dc9' })
    await expect(nowhere.connect(none)).rejects.toThrow('no contact point is in the data centre dc9')
  })

  test('asks one contact point nothing about data centres', async () => {
    await using node = await FakeNode.start(echo)
    await using session = sessionTo(node)
    await session.connect(none)
    expect(node.requests.map(({ kind }) => kind)).toEqual(['STARTUP'])
  })

  test('takes more connections where there is much to do, and not without end', async () => {
    const waiting: (() => void)[] = []
    await using node = await FakeNode.start(async (request) => {
      if (request.kind === 'QUERY') await new Promise<void>((resolve) => waiting.push(resolve))
      return echo(request)
    })
    await using session = sessionTo(node)
    await session.connect(none)
    const asked = Array.from({ length: 300 }, (_, at) => ask(session, `${at}`))
    await eventually(() => waiting.length === 300 && node.connections === 2)
    asked.push(...Array.from({ length: 100 }, (_, at) => ask(session, `${at}`)))
    await eventually(() => waiting.length === 400)
    for (const answer of waiting) answer()
    await Promise.all(asked)
    expect(node.connections).toBe(2)
  })

  test('that is closed fails what is under way, and what comes', async () => {
    await using node = await FakeNode.start(({ kind }) => (kind === 'QUERY' ? 'silence' : undefined))
    const session = sessionTo(node)
    const asking = ask(session, 'x')
    const rejected = expect(asking).rejects.toThrow('it was closed')
    await eventually(() => node.requests.length > 1)
    await session[Symbol.asyncDispose]()
    await rejected
    await expect(ask(session, 'x')).rejects.toThrow('it was closed')
  })
})

describe('TLS', () => {
  async function startSecure(names: readonly string[], ips: readonly string[] = []) {
    const ca = await makeCa()
    return await FakeNode.start(echo, await ca.issue({ names, ips }))
  }

  const trusting = async (servername?: string, authority?: string) => {
    const { cert } = await makeCa(authority)
    return { secureContext: createSecureContexts({ ca: () => cert }), servername }
  }

  test.each([
    ['the address', [], ['127.0.0.1'], undefined],
    ['the name that is asked for', ['node.example.com'], [], 'node.example.com'],
    ['the address that is asked for', [], ['10.1.2.3'], '10.1.2.3'],
  ] as const)('is spoken with a node whose certificate has %s', async (_, names, ips, servername) => {
    await using node = await startSecure(names, ips)
    await using session = sessionTo(node, { tls: await trusting(servername) })
    expect(await ask(session, 'x')).toBe('x')
  })

  test.each([
    ['another name', ['other.example.com'], 'node.example.com', undefined],
    ['another authority', ['node.example.com'], 'node.example.com', 'Another CA'],
    ['no address', ['node.example.com'], undefined, undefined],
  ] as const)('is refused at once to a node whose certificate has %s', async (_, names, servername, authority) => {
    await using node = await startSecure(names)
    await using session = sessionTo(node, { tls: await trusting(servername, authority), retryForMs: 60_000 })
    await expect(ask(session, 'x')).rejects.toBeInstanceOf(StoreFailed)
    expect(node.requests).toEqual([])
  })

  test('fails with what is wrong with the files, once', async () => {
    await using node = await startSecure([], ['127.0.0.1'])
    const secureContext = () => {
      throw new Error('no such file')
    }
    await using session = sessionTo(node, { tls: { secureContext }, retryForMs: 60_000 })
    await expect(ask(session, 'x')).rejects.toThrow('cassandra test: could not ask: no such file')
  })
})

// A replica of our own on loopback that misbehaves on demand. It reads HTTP/1.1 by hand, so that it can answer what no
// HTTP server would; TLS is put over the accepted socket, so that it can go wrong before and in the handshake.
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import type { AnswerFault, Fault, Framing } from './faults.ts'
import { findFreePort } from './free-port.ts'
import type { TestTls } from './test-tls.ts'

export interface FaultReplicaOptions {
  readonly name: string
  /** An address of loopback; 127.0.0.1 when left out. */
  readonly address?: string
  /** A free one when left out. */
  readonly port?: number
  /** Plain HTTP when false. */
  readonly tls: TestTls | false
  /** What it does at first; the truth when left out. */
  readonly fault?: Fault
}

export interface FaultReplica extends AsyncDisposable {
  readonly name: string
  readonly address: string
  readonly port: number
  /** Tokens that it has; a probe for one of these is answered 200 where `fault` lets it answer. */
  readonly tokens: Set<string>
  /** Has every token, whatever it is. */
  hasAll: boolean
  /** Connections accepted and requests read so far; requests to the place that a redirect leads to. */
  readonly seen: { connections: number; requests: number; followed: number }
  /** Connections that are open now. */
  readonly open: number
  /** Misbehaves so from the next request on. Where the fault lies in the connection, open ones are closed first. */
  set(fault: Fault): Promise<void>
  /** Cuts every open connection; the next one is accepted as before. */
  dropConnections(): void
  stop(): Promise<void>
}

export const TRUTH: AnswerFault = { kind: 'answer' }

/** Starts it and resolves when it listens (or, where it is to refuse, when its port is closed). */
export async function startFaultReplica(options: FaultReplicaOptions): Promise<FaultReplica> {
  const address = options.address ?? '127.0.0.1'
  const port = options.port ?? (await findFreePort([address]))
  const replica = new Replica(options.name, address, port, options.tls)
  await replica.set(options.fault ?? TRUTH)
  return replica
}

class Replica implements FaultReplica {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly tokens = new Set<string>()
  hasAll = false
  readonly seen = { connections: 0, requests: 0, followed: 0 }
  readonly #tls: TestTls | false
  readonly #sockets = new Set<Socket>()
  readonly #contexts = new Map<string, SecureContext>()
  #fault: Fault = TRUTH
  #server: Server | undefined

  constructor(name: string, address: string, port: number, tls: TestTls | false) {
    this.name = name
    this.address = address
    this.port = port
    this.#tls = tls
  }

  get open(): number {
    return this.#sockets.size
  }

  async set(fault: Fault): Promise<void> {
    const before = this.#fault
    this.#fault = fault
    if (isOfConnection(before) || isOfConnection(fault)) this.dropConnections()
    if (fault.kind === 'refuse') await this.#close()
    else if (this.#server === undefined) await this.#listen()
  }

  async stop(): Promise<void> {
    this.dropConnections()
    await this.#close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #listen(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.port, this.address, resolve)
    })
  }

  async #close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  #accept(socket: Socket): void {
    this.seen.connections++
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
    const fault = this.#fault
    if (fault.kind === 'reset' && fault.at === 'accept') {
      socket.resetAndDestroy()
    } else if (fault.kind === 'silent' && fault.at === 'handshake') {
      socket.resume()
    } else if (fault.kind === 'garbage' && fault.at === 'handshake') {
      socket.end(GARBAGE)
    } else if (this.#tls === false) {
      void this.#converse(socket, socket)
    } else {
      const flaw = fault.kind === 'certificate' ? fault.flaw : undefined
      const secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: this.#context(this.#tls, flaw),
        ALPNProtocols: ['http/1.1'],
      })
      secure.on('error', () => socket.destroy())
      void this.#converse(secure, socket)
    }
  }

  #context(tls: TestTls, flaw: keyof TestTls['flawed'] | undefined): SecureContext {
    const known = this.#contexts.get(flaw ?? '')
    const context = known ?? createSecureContext(flaw === undefined ? tls.leaf : tls.flawed[flaw])
    this.#contexts.set(flaw ?? '', context)
    return context
  }

  /** Answers the requests of one connection in their order, also when they come in one packet. */
  async #converse(stream: Socket, raw: Socket): Promise<void> {
    let text = ''
    try {
      for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
        text += String(chunk)
        for (;;) {
          const end = text.indexOf('\r\n\r\n')
          if (end < 0) break
          const head = text.slice(0, end)
          text = text.slice(end + 4)
          if (!(await this.#answer(head, stream, raw))) return
        }
      }
      stream.end()
    } catch {
      raw.destroy() // the other side went away: nothing to tell
    }
  }

  /** Returns whether the connection is good for another request. */
  async #answer(head: string, stream: Socket, raw: Socket): Promise<boolean> {
    const fault = this.#fault
    this.seen.requests++
    if (/^\S+ \/always-ok /.test(head)) {
      this.seen.followed++
      stream.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n')
      return true
    }
    switch (fault.kind) {
      case 'reset':
        if (fault.at === 'half-answer') {
          stream.write(HALF_ANSWER)
          await sleep(5) // the octets are to leave before the reset overtakes them
        }
        raw.resetAndDestroy()
        return false
      case 'silent':
        if (fault.at === 'half-answer') stream.write(HALF_ANSWER)
        stream.resume()
        return false
      case 'hang-up':
        stream.end()
        return false
      case 'garbage':
        stream.write(GARBAGE)
        return false
      case 'answer':
        return writeAnswer(stream, fault, fault.status ?? (this.#has(head) ? 200 : 401))
      case 'refuse':
      case 'certificate':
        raw.destroy() // reached only by who did not verify: no answer for them
        return false
    }
  }

  #has(head: string): boolean {
    const token =
      /^cookie:.*?\bauth_token=([^;\s]*)/im.exec(head)?.[1] ?? /^authorization: bearer (\S+)/im.exec(head)?.[1]
    return token !== undefined && (this.hasAll || this.tokens.has(token))
  }
}

const GARBAGE = Buffer.from('\x16\x00SSH-2.0-nonsense\r\n\r\n\x00\xff\xfe{"not":"http"}\n', 'latin1')
const HALF_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Le'

/** Faults that a connection shows before its first request: those that are open already would not have them. */
function isOfConnection(fault: Fault): boolean {
  return (
    fault.kind === 'refuse' ||
    fault.kind === 'certificate' ||
    ('at' in fault && (fault.at === 'accept' || fault.at === 'handshake'))
  )
}

async function writeAnswer(stream: Socket, fault: AnswerFault, status: number): Promise<boolean> {
  if (fault.delayMs !== undefined) await sleep(fault.delayMs)
  for (const code of fault.informational ?? []) stream.write(`HTTP/1.1 ${code} Wait\r\nLink: </x>; rel=preload\r\n\r\n`)
  const framing = fault.framing ?? 'length'
  const body = framing === 'none' ? '' : 'x'.repeat(fault.bodyBytes ?? 3)
  const closes = fault.close === true || framing === 'http10' || framing === 'until-close'
  const headers = {
    'content-type': 'text/plain',
    ...fault.headers,
    ...framingHeaders(framing, body),
    ...(closes ? { connection: 'close' } : {}),
  }
  const head = [
    `HTTP/${framing === 'http10' ? '1.0' : '1.1'} ${status} Test`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join('\r\n')
  const text = `${head}\r\n\r\n${framing === 'chunked' ? toChunks(body) : body}`
  if (fault.dripMs === undefined) stream.write(text)
  else await drip(stream, text, fault.dripMs)
  if (closes) stream.end()
  return !closes
}

async function drip(stream: Socket, text: string, pauseMs: number): Promise<void> {
  for (const octet of text) {
    if (stream.destroyed) return
    stream.write(octet)
    await sleep(pauseMs)
  }
}

function framingHeaders(framing: Framing, body: string): Record<string, string> {
  if (framing === 'length') return { 'content-length': String(body.length) }
  return framing === 'chunked' ? { 'transfer-encoding': 'chunked' } : {}
}

function toChunks(body: string): string {
  const chunks = body.match(/.{1,65536}/gs) ?? []
  return `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`
}

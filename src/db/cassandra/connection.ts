// One connection to one node: many requests at a time, each on a stream of its own, all with the same time-out. One that breaks takes
// with it what was on it and nothing else; dialling anew is for whoever owns it.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type SecureContext } from 'node:tls'
import type { Clock, Timer } from '../../lib/clock.ts'
import {
  CqlError,
  createPlainAuth,
  createStartup,
  ERRORS,
  HEADER_BYTES,
  type Header,
  OPCODES,
  readError,
  readHeader,
  setStream,
  skipExtras,
} from './frames.ts'

/** What TLS is made with; asked at each new connection, so that renewed files count. May throw. */
export type SecureContexts = () => SecureContext

export interface Credentials {
  readonly username: string
  readonly password: string
}

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  /** Until it is made, authenticated and ready. Milliseconds. */
  readonly connectTimeoutMs: number
  /** Until a request is answered. Milliseconds. */
  readonly requestTimeoutMs: number
  /** Asked for at each new connection where the server wants them. */
  readonly credentials?: (() => Promise<Credentials>) | undefined
  readonly tls?: ConnectionTls | undefined
}

export interface ConnectionTls {
  readonly secureContext: SecureContexts
  /** Name that the certificate must carry and that is sent as SNI; the host when left out. */
  readonly servername?: string | undefined
}

export interface Answer {
  readonly opcode: number
  readonly body: Buffer
}

/** There is no connection, or none any more: whether the server has done what was asked is not known. */
export class ConnectionBroken extends Error {
  override readonly name = 'ConnectionBroken'
  /** Of the system, such as ECONNREFUSED. */
  readonly code: string | undefined

  constructor(message: string, code?: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** No answer in time; the connection stays. */
export class RequestTimedOut extends Error {
  override readonly name = 'RequestTimedOut'
}

interface Pending {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  readonly sentAt: number
}

const MAX_STREAMS = 2_048
/** So many requests without an answer, and the connection is given up: their streams cannot be used again. */
const MAX_ORPHANS = 256
/** The server refuses to make longer ones. */
const MAX_FRAME_BYTES = 512 * 1_024 * 1_024
const KEEP_ALIVE_MS = 30_000

/** Dials, authenticates, and resolves when statements are taken. Throws ConnectionBroken, CqlError, or the reason of `signal`. */
export async function openConnection(options: ConnectionOptions, signal?: AbortSignal): Promise<Connection> {
  signal?.throwIfAborted()
  const connection = new Connection(options)
  const onAbort = () => connection.destroy('it is no longer wanted')
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = options.clock.setTimer(options.connectTimeoutMs, () =>
    connection.destroy(`no connection in ${options.connectTimeoutMs} ms`, 'ETIMEDOUT'),
  )
  try {
    await connection.connected
    await shakeHands(connection, options)
    return connection
  } catch (error) {
    connection.destroy('it was not made')
    signal?.throwIfAborted()
    throw error
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}

async function shakeHands(connection: Connection, { credentials }: ConnectionOptions): Promise<void> {
  let answer = await connection.request(createStartup())
  if (answer.opcode === OPCODES.authenticate) {
    if (credentials === undefined)
      throw new CqlError(ERRORS.badCredentials, 'the server wants a username and a password')
    const { username, password } = await credentials()
    answer = await connection.request(createPlainAuth(username, password))
    if (answer.opcode === OPCODES.authChallenge)
      throw new CqlError(
        ERRORS.badCredentials,
        'the server wants another way of authentication than username and password',
      )
  }
  if (answer.opcode !== OPCODES.ready && answer.opcode !== OPCODES.authSuccess)
    throw new ConnectionBroken('the server does not speak the native protocol, version 4')
}

export class Connection {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #requestTimeoutMs: number
  /** By stream; the oldest request first. */
  readonly #pending = new Map<number, Pending>()
  readonly #orphans = new Set<number>()
  readonly #freeStreams: number[] = []
  #nextStream = 0
  #timer: Timer | undefined
  #heardAt = 0
  #isCorked = false
  #broken: ConnectionBroken | undefined
  readonly #incoming = new FrameReader()
  /** Resolves when the socket stands, TLS included. */
  readonly connected: Promise<void>
  readonly #onBroken: (() => void)[] = []

  constructor(options: ConnectionOptions) {
    this.#clock = options.clock
    this.#requestTimeoutMs = options.requestTimeoutMs
    this.#heardAt = options.clock.now()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.connected = promise
    // It may break before anybody waits.
    promise.catch(() => undefined)
    const fail = (error: Error) => {
      this.#break(brokenBy(error))
      reject(this.#broken)
    }
    this.#onBroken.push(() => reject(this.#broken))
    this.#socket = dial(options)
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS)
    this.#socket.once(options.tls === undefined ? 'connect' : 'secureConnect', () => resolve())
    this.#socket.on('error', fail)
    this.#socket.on('close', () => fail(new ConnectionBroken('the connection was closed')))
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
  }

  /** Requests under way. */
  get load(): number {
    return this.#pending.size
  }

  get isBroken(): boolean {
    return this.#broken !== undefined
  }

  get isFull(): boolean {
    return this.#pending.size + this.#orphans.size >= MAX_STREAMS
  }

  /** Calls `fn` once when it has broken, however it did. */
  onBroken(fn: () => void): void {
    if (this.#broken === undefined) this.#onBroken.push(fn)
    else fn()
  }

  /**
   * Sends a frame and resolves with its answer. The bytes must stay as they are but for the stream, until there is one.
   * Rejects with CqlError for an answer that says no, RequestTimedOut, or ConnectionBroken.
   */
  request(frame: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken)
      if (this.isFull) return reject(new RequestTimedOut('too many requests wait for their answers'))
      const stream = this.#freeStreams.pop() ?? this.#nextStream++
      setStream(frame, stream)
      this.#pending.set(stream, { resolve, reject, sentAt: this.#clock.now() })
      this.#timer ??= this.#clock.setTimer(this.#requestTimeoutMs, this.#look)
      this.#write(frame)
    })
  }

  /** Ends it at once; requests under way fail. */
  destroy(why: string, code?: string): void {
    this.#break(new ConnectionBroken(why, code))
  }

  #write(frame: Buffer): void {
    // What is sent in one turn goes out together: thousands of small requests a second would cost a system call each.
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#socket.cork()
      process.nextTick(() => {
        this.#isCorked = false
        this.#socket.uncork()
      })
    }
    this.#socket.write(frame)
  }

  #receive(chunk: Buffer): void {
    if (this.#broken !== undefined) return
    this.#heardAt = this.#clock.now()
    try {
      this.#incoming.take(chunk, this.#settle)
    } catch (error) {
      this.#break(new ConnectionBroken('the server sent what is no frame', undefined, { cause: error }))
    }
  }

  readonly #settle = (header: Header, body: Buffer): void => {
    const { stream, opcode } = header
    if (this.#orphans.delete(stream)) {
      this.#freeStreams.push(stream)
      return
    }
    const pending = this.#pending.get(stream)
    // An event, which nobody has asked for.
    if (pending === undefined) return
    this.#pending.delete(stream)
    this.#freeStreams.push(stream)
    try {
      const content = skipExtras(header.flags, body)
      if (opcode === OPCODES.error) pending.reject(readError(content))
      else if (header.isAnswer) pending.resolve({ opcode, body: content })
      else pending.reject(new ConnectionBroken('the server does not speak the native protocol, version 4'))
    } catch (error) {
      pending.reject(new ConnectionBroken('the server sent what is no frame', undefined, { cause: error }))
      throw error
    }
  }

  /** All have the same time-out: the oldest one is the first to be late. */
  readonly #look = (): void => {
    this.#timer = undefined
    const now = this.#clock.now()
    for (const [stream, pending] of this.#pending) {
      const leftMs = pending.sentAt + this.#requestTimeoutMs - now
      if (leftMs > 0) {
        this.#timer = this.#clock.setTimer(leftMs, this.#look)
        break
      }
      this.#pending.delete(stream)
      this.#orphans.add(stream)
      pending.reject(new RequestTimedOut(`no answer in ${this.#requestTimeoutMs} ms`))
    }
    // Nothing at all for so long: it may be gone without having said so, as when a firewall has forgotten it.
    if (this.#orphans.size > 0 && now - this.#heardAt >= this.#requestTimeoutMs)
      this.#break(new ConnectionBroken(`nothing came in ${this.#requestTimeoutMs} ms`))
    else if (this.#orphans.size > MAX_ORPHANS)
      this.#break(new ConnectionBroken('too many requests were never answered'))
  }

  #break(reason: ConnectionBroken): void {
    if (this.#broken !== undefined) return
    this.#broken = reason
    this.#timer?.cancel()
    this.#socket.destroy()
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(reason)
    for (const fn of this.#onBroken.splice(0)) fn()
  }
}

function dial({ host, port, tls }: ConnectionOptions): Socket {
  if (tls === undefined) return connectTcp({ host, port })
  const name = tls.servername ?? host
  return connectTls({
    host,
    port,
    secureContext: tls.secureContext(),
    // An address is no name to ask for; it is still what the certificate is checked against.
    ...(isIP(name) === 0 && { servername: name }),
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  })
}

function brokenBy(error: Error): ConnectionBroken {
  if (error instanceof ConnectionBroken) return error
  // Of several tries, as of the addresses of a host, the last one counts.
  const last: unknown = error instanceof AggregateError ? (error.errors.at(-1) ?? error) : error
  const code = last instanceof Error && 'code' in last && typeof last.code === 'string' ? last.code : undefined
  const message = last instanceof Error ? last.message : String(last)
  return new ConnectionBroken(message === '' ? (code ?? 'the connection failed') : message, code, { cause: error })
}

/** Puts frames together from the pieces in which they arrive. */
class FrameReader {
  readonly #head = Buffer.allocUnsafe(HEADER_BYTES)
  #headLength = 0
  #header: Header | undefined
  #body: Buffer | undefined
  #bodyLength = 0

  /** Calls `deliver` for each frame that is complete; a body may be a view into `chunk`. Throws RangeError for no frame. */
  take(chunk: Buffer, deliver: (header: Header, body: Buffer) => void): void {
    let at = 0
    while (at < chunk.length || this.#header?.length === 0) {
      if (this.#header === undefined) {
        at += this.#takeHead(chunk, at)
        continue
      }
      const { length } = this.#header
      if (this.#body === undefined && chunk.length - at >= length) {
        this.#deliver(chunk.subarray(at, at + length), deliver)
        at += length
        continue
      }
      this.#body ??= Buffer.allocUnsafeSlow(length)
      const copied = chunk.copy(this.#body, this.#bodyLength, at)
      this.#bodyLength += copied
      at += copied
      if (this.#bodyLength === length) this.#deliver(this.#body, deliver)
    }
  }

  #takeHead(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#head, this.#headLength, at, at + HEADER_BYTES - this.#headLength)
    this.#headLength += copied
    if (this.#headLength < HEADER_BYTES) return copied
    this.#headLength = 0
    this.#header = readHeader(this.#head, 0)
    if (this.#header.length < 0 || this.#header.length > MAX_FRAME_BYTES)
      throw new RangeError(`a frame of ${this.#header.length} bytes`)
    return copied
  }

  #deliver(body: Buffer, deliver: (header: Header, body: Buffer) => void): void {
    const header = this.#header
    this.#header = undefined
    this.#body = undefined
    this.#bodyLength = 0
    if (header !== undefined) deliver(header, body)
  }
}

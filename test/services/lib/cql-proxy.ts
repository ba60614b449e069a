// A proxy in front of a node of Cassandra that understands the frames of the native protocol (version 4, uncompressed): it knows which
// statement a request carries out, counts, and answers badly, late or not at all where it is told to. It can put an empty page before
// any page of a result, which nodes do and can hardly be made to.
import { randomBytes } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const REQUESTS = {
  1: 'STARTUP',
  5: 'OPTIONS',
  7: 'QUERY',
  9: 'PREPARE',
  10: 'EXECUTE',
  11: 'REGISTER',
  13: 'BATCH',
  15: 'AUTH_RESPONSE',
} as const
export type CqlRequestKind = (typeof REQUESTS)[keyof typeof REQUESTS]

export interface CqlRequest {
  readonly kind: CqlRequestKind
  /** Of QUERY, PREPARE and EXECUTE, and the first one of a BATCH; empty where it is not known. */
  readonly statement: string
}

/**
 * What is done to a request:
 *
 *   error         the node never sees it; an ERROR with this code is answered (0x1001: overloaded)
 *   reset         the node never sees it; the connection breaks
 *   swallow       the node never sees it; nothing is answered
 *   lose-answer   the node carries it out; the connection breaks before the answer
 *   no-answer     the node carries it out; nothing is answered
 *   slow          the answer comes later
 *   empty-page    of a result with rows: an empty page comes first, with a state of paging that leads to the real one
 */
export type CqlFault =
  | { readonly kind: 'error'; readonly code: number }
  | { readonly kind: 'reset' | 'swallow' | 'lose-answer' | 'no-answer' | 'empty-page' }
  | { readonly kind: 'slow'; readonly ms: number }

export interface CqlProxyOptions {
  /** Asked for every request. */
  readonly decide?: (request: CqlRequest) => CqlFault | undefined
}

const HEADER = 9
const ERROR = 0
const RESULT = 8
const ROWS = 2
const PREPARED = 4
const HAS_MORE_PAGES = 0x02
const NO_METADATA = 0x04
const MOST_HELD_BACK = 500

interface Frame {
  /** The whole of it, header and body. */
  readonly bytes: Buffer
  readonly version: number
  readonly flags: number
  readonly stream: number
  readonly opcode: number
  readonly body: Buffer
}

interface Waiting {
  readonly request: CqlRequest
  readonly fault: CqlFault | undefined
}

export class CqlProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: number
  readonly #options: CqlProxyOptions
  readonly #sockets = new Set<Socket>()
  readonly #statements = new Map<string, string>()
  /** Pages that were held back, by the state of paging that leads to them. */
  readonly #heldBack = new Map<string, Buffer>()
  readonly #seen: CqlRequest[] = []
  /** Empty pages that were put in so far. */
  emptyPages = 0

  private constructor(target: number, options: CqlProxyOptions) {
    this.#target = target
    this.#options = options
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** In front of a port of loopback. */
  static async start(target: number, options: CqlProxyOptions = {}): Promise<CqlProxy> {
    const proxy = new CqlProxy(target, options)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** All requests since the last `forget`. */
  get seen(): readonly CqlRequest[] {
    return this.#seen
  }

  forget(): void {
    this.#seen.length = 0
  }

  /** Breaks all connections that there are. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    const waiting = new Map<number, Waiting>()
    const end = () => {
      client.destroy()
      server.destroy()
    }
    const reset = () => {
      client.resetAndDestroy()
      server.destroy()
    }
    const write = (bytes: Buffer) => {
      if (client.writable) client.write(bytes)
    }
    client.on(
      'data',
      readFrames((frame) => {
        const request = this.#readRequest(frame)
        this.#seen.push(request)
        const page = this.#findHeldBack(frame)
        if (page !== undefined) return write(withStream(page, frame.stream))
        const fault = this.#options.decide?.(request)
        if (fault?.kind === 'reset') return reset()
        if (fault?.kind === 'swallow') return
        if (fault?.kind === 'error') return write(errorFrame(frame, fault.code))
        waiting.set(frame.stream, { request, fault })
        server.write(frame.bytes)
      }),
    )
    server.on(
      'data',
      readFrames((frame) => {
        const { request, fault } = waiting.get(frame.stream) ?? {}
        waiting.delete(frame.stream)
        this.#learn(request, frame)
        if (fault?.kind === 'lose-answer') return reset()
        if (fault?.kind === 'no-answer') return
        if (fault?.kind === 'slow') return void setTimeout(() => write(frame.bytes), fault.ms)
        write(fault?.kind === 'empty-page' ? this.#holdBack(frame) : frame.bytes)
      }),
    )
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        end()
      })
    }
  }

  #readRequest({ opcode, body }: Frame): CqlRequest {
    const kind = (REQUESTS as Readonly<Record<number, CqlRequestKind>>)[opcode] ?? 'OPTIONS'
    return { kind, statement: this.#statementOf(kind, body) }
  }

  #statementOf(kind: CqlRequestKind, body: Buffer): string {
    if (kind === 'QUERY' || kind === 'PREPARE') return longString(body, 0)
    if (kind === 'EXECUTE') return this.#statements.get(shortBytes(body, 0)) ?? ''
    // A type, how many there are, then a kind and a statement each.
    if (kind !== 'BATCH' || body.readUInt16BE(1) === 0) return ''
    return body[3] === 0 ? longString(body, 4) : (this.#statements.get(shortBytes(body, 4)) ?? '')
  }

  #learn(request: CqlRequest | undefined, { opcode, body }: Frame): void {
    if (request?.kind === 'PREPARE' && opcode === RESULT && body.readInt32BE(0) === PREPARED)
      this.#statements.set(shortBytes(body, 4), request.statement)
  }

  #findHeldBack({ opcode, body }: Frame): Buffer | undefined {
    if (REQUESTS[opcode as keyof typeof REQUESTS] === 'BATCH') return undefined
    for (const [state, page] of this.#heldBack) {
      // It may be asked for again, as any page.
      if (body.includes(Buffer.from(state, 'hex'))) return page
    }
    return undefined
  }

  #holdBack(frame: Frame): Buffer {
    const state = randomBytes(24)
    const empty = emptyPage(frame, state)
    if (empty === undefined) return frame.bytes
    this.#heldBack.set(state.toString('hex'), frame.bytes)
    if (this.#heldBack.size > MOST_HELD_BACK) this.#heldBack.delete(this.#heldBack.keys().next().value ?? '')
    this.emptyPages++
    return empty
  }
}

/** Calls with each frame as soon as all of it is here. */
function readFrames(take: (frame: Frame) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= HEADER) {
      const length = HEADER + rest.readInt32BE(5)
      if (rest.length < length) return
      const bytes = rest.subarray(0, length)
      rest = rest.subarray(length)
      take({
        bytes,
        version: bytes[0] ?? 0,
        flags: bytes[1] ?? 0,
        stream: bytes.readInt16BE(2),
        opcode: bytes[4] ?? 0,
        body: bytes.subarray(HEADER),
      })
    }
  }
}

function withStream(bytes: Buffer, stream: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeInt16BE(stream, 2)
  return copy
}

function responseFrame({ version, stream }: Pick<Frame, 'version' | 'stream'>, opcode: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER)
  header[0] = version | 0x80
  header.writeInt16BE(stream, 2)
  header[4] = opcode
  header.writeInt32BE(body.length, 5)
  return Buffer.concat([header, body])
}

function errorFrame(frame: Frame, code: number): Buffer {
  const message = Buffer.from('told to say so by a test')
  const body = Buffer.alloc(6 + message.length)
  body.writeInt32BE(code, 0)
  body.writeUInt16BE(message.length, 4)
  message.copy(body, 6)
  return responseFrame(frame, ERROR, body)
}

/** The same result without rows, and with more to come by this state; undefined where the frame is no result with rows. */
function emptyPage(frame: Frame, state: Buffer): Buffer | undefined {
  const { opcode, flags: frameFlags, body } = frame
  if (opcode !== RESULT || frameFlags !== 0 || body.readInt32BE(0) !== ROWS) return undefined
  const flags = body.readInt32BE(4)
  const hasMore = (flags & HAS_MORE_PAGES) !== 0
  const columns = body.readInt32BE(8)
  const specs = hasMore ? 16 + Math.max(0, body.readInt32BE(12)) : 12
  const rows = (flags & NO_METADATA) !== 0 ? specs : skipColumns(body, specs, flags, columns)
  if (body.readInt32BE(rows) === 0) return undefined
  const head = Buffer.alloc(16)
  head.writeInt32BE(ROWS, 0)
  head.writeInt32BE(flags | HAS_MORE_PAGES, 4)
  head.writeInt32BE(columns, 8)
  head.writeInt32BE(state.length, 12)
  return responseFrame(frame, RESULT, Buffer.concat([head, state, body.subarray(specs, rows), Buffer.alloc(4)]))
}

/** Where the rows begin, behind the descriptions of columns. */
function skipColumns(body: Buffer, from: number, flags: number, columns: number): number {
  const isGlobal = (flags & 0x01) !== 0
  const table = (at: number) => skipString(body, skipString(body, at))
  let at = isGlobal ? table(from) : from
  for (let column = 0; column < columns; column++) {
    if (!isGlobal) at = table(at)
    at = skipType(body, skipString(body, at))
  }
  return at
}

function skipType(body: Buffer, from: number): number {
  const kind = body.readUInt16BE(from)
  let at = from + 2
  // A name, or what the elements are, or the fields.
  if (kind === 0x00) return skipString(body, at)
  if (kind === 0x20 || kind === 0x22) return skipType(body, at)
  if (kind === 0x21) return skipType(body, skipType(body, at))
  if (kind !== 0x30 && kind !== 0x31) return at
  if (kind === 0x30) at = skipString(body, skipString(body, at))
  const count = body.readUInt16BE(at)
  at += 2
  for (let field = 0; field < count; field++) at = skipType(body, kind === 0x30 ? skipString(body, at) : at)
  return at
}

const skipString = (body: Buffer, at: number) => at + 2 + body.readUInt16BE(at)

const longString = (body: Buffer, at: number) => body.toString('utf8', at + 4, at + 4 + body.readInt32BE(at))

const shortBytes = (body: Buffer, at: number) => body.toString('hex', at + 2, at + 2 + body.readUInt16BE(at))

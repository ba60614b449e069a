// A node that speaks as much of the native protocol (version 4) as tests need, on loopback, with bytes of its own making: it takes
// requests apart, asks the test what to answer, and can forget statements, say nothing, and break connections.
import { createHash } from 'node:crypto'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

export type Cell = Buffer | null

export interface FakeStatement {
  readonly cql: string
  /** undefined for a value that was left unset. */
  readonly values: readonly (Cell | undefined)[]
}

export interface FakeRequest {
  readonly kind: 'STARTUP' | 'AUTH_RESPONSE' | 'QUERY' | 'PREPARE' | 'EXECUTE' | 'BATCH'
  /** One, but of a batch; none of STARTUP. */
  readonly statements: readonly FakeStatement[]
  readonly pageSize: number | undefined
  readonly pagingState: Buffer | undefined
  /** Which connection it came on, from 0. */
  readonly connection: number
}

export interface FakeRows {
  readonly rows: readonly (readonly Cell[])[]
  readonly pagingState?: Buffer | undefined
  /** How many columns there are where there are no rows. */
  readonly columns?: number
  /** Bytes of the metadata in front of the rows, with flags for it; none when left out. */
  readonly metadata?: { readonly flags: number; readonly bytes: Buffer }
}

export type FakeAnswer =
  | FakeRows
  | { readonly error: number; readonly message?: string }
  | { readonly opcode: number; readonly body: Buffer; readonly flags?: number }
  | 'void'
  | 'silence'
  | 'break'

/** Undefined leaves it to the node: PREPARE, STARTUP and statements without rows are well. */
export type FakeHandler = (request: FakeRequest) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>

const KINDS = { 1: 'STARTUP', 7: 'QUERY', 9: 'PREPARE', 10: 'EXECUTE', 13: 'BATCH', 15: 'AUTH_RESPONSE' } as const
const UNPREPARED = 0x2500
const INVALID = 0x2200
const HEADER = 9

export class FakeNode implements AsyncDisposable {
  readonly #server: Server
  readonly #handle: FakeHandler
  readonly #statements = new Map<string, string>()
  readonly #sockets = new Set<Socket>()
  readonly requests: FakeRequest[] = []
  connections = 0
  /** Bytes that are sent at a time; all of an answer when left out. */
  pieces: number | undefined

  private constructor(handle: FakeHandler, tls: TlsOptions | undefined) {
    this.#handle = handle
    const accept = (socket: Socket) => this.#accept(socket)
    this.#server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept)
  }

  static async start(handle: FakeHandler = () => undefined, tls?: TlsOptions): Promise<FakeNode> {
    const node = new FakeNode(handle, tls)
    await new Promise<void>((resolve) => node.#server.listen(0, '127.0.0.1', resolve))
    return node
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Statements of these requests, without those of PREPARE. */
  statementsOf(kind: FakeRequest['kind']): readonly string[] {
    return this.requests.filter((one) => one.kind === kind).flatMap((one) => one.statements.map(({ cql }) => cql))
  }

  forgetStatements(): void {
    this.#statements.clear()
  }

  breakAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.breakAll()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(socket: Socket): void {
    const connection = this.connections++
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= HEADER && rest.length >= HEADER + rest.readInt32BE(5)) {
        const frame = rest.subarray(0, HEADER + rest.readInt32BE(5))
        rest = rest.subarray(frame.length)
        void this.#answer(socket, frame, connection)
      }
    })
  }

  async #answer(socket: Socket, frame: Buffer, connection: number): Promise<void> {
    const stream = frame.readInt16BE(2)
    const request = this.#readRequest(frame, connection)
    if (typeof request === 'string') return this.#send(socket, stream, { error: UNPREPARED, message: request })
    this.requests.push(request)
    const answer = await this.#ask(request)
    if (answer === 'break') socket.destroy()
    else if (answer !== 'silence') this.#send(socket, stream, answer)
  }

  /** What the test did not expect is refused, so that it is told. */
  async #ask(request: FakeRequest): Promise<FakeAnswer> {
    try {
      return (await this.#handle(request)) ?? this.#usual(request)
    } catch (error) {
      return { error: INVALID, message: `the fake node: ${error}` }
    }
  }

  #usual(request: FakeRequest): Exclude<FakeAnswer, 'silence' | 'break'> {
    if (request.kind === 'STARTUP') return { opcode: 2, body: Buffer.alloc(0) }
    if (request.kind !== 'PREPARE') return 'void'
    const cql = request.statements[0]?.cql ?? ''
    const id = createHash('md5').update(cql).digest()
    this.#statements.set(id.toString('hex'), cql)
    return { opcode: 8, body: Buffer.concat([int(4), short(id.length), id]) }
  }

  #send(socket: Socket, stream: number, answer: Exclude<FakeAnswer, 'silence' | 'break'>): void {
    const { opcode, body, flags = 0 } = encodeAnswer(answer)
    const frame = Buffer.concat([
      Buffer.from([0x84, flags]),
      short(stream),
      Buffer.from([opcode]),
      int(body.length),
      body,
    ])
    if (socket.destroyed) return
    for (let at = 0, size = this.pieces ?? frame.length; at < frame.length; at += size)
      socket.write(frame.subarray(at, at + size))
  }

  /** The id of a statement that it does not know, as text. */
  #readRequest(frame: Buffer, connection: number): FakeRequest | string {
    const kind = KINDS[frame[4] as keyof typeof KINDS]
    const cursor = new Cursor(frame, HEADER)
    const nothing = { kind, statements: [], pageSize: undefined, pagingState: undefined, connection }
    switch (kind) {
      case 'STARTUP':
        return nothing
      case 'AUTH_RESPONSE':
        return { ...nothing, statements: [{ cql: '', values: [cursor.bytes() ?? null] }] }
      case 'PREPARE':
        return { ...nothing, statements: [{ cql: cursor.longString(), values: [] }] }
      case 'QUERY':
        return { ...nothing, ...readParameters(cursor, cursor.longString()) }
      case 'EXECUTE': {
        const id = cursor.shortBytes().toString('hex')
        const cql = this.#statements.get(id)
        return cql === undefined ? id : { ...nothing, ...readParameters(cursor, cql) }
      }
      case 'BATCH':
        return this.#readBatch(cursor, nothing)
    }
  }

  #readBatch(cursor: Cursor, nothing: FakeRequest): FakeRequest | string {
    if (cursor.uint8() !== 1) throw new Error('only unlogged batches are expected')
    const count = cursor.uint16()
    const statements: FakeStatement[] = []
    for (let at = 0; at < count; at++) {
      if (cursor.uint8() !== 1) throw new Error('only prepared statements are expected')
      const id = cursor.shortBytes().toString('hex')
      const cql = this.#statements.get(id)
      if (cql === undefined) return id
      statements.push({ cql, values: cursor.values() })
    }
    return { ...nothing, statements }
  }
}

/** What a page starts with for a client that asked to leave the metadata out. */
const NO_METADATA = 0x04
const MORE_PAGES = 0x02

function encodeAnswer(answer: Exclude<FakeAnswer, 'silence' | 'break'>): {
  readonly opcode: number
  readonly body: Buffer
  readonly flags?: number
} {
  if (answer === 'void') return { opcode: 8, body: int(1) }
  if ('opcode' in answer) return answer
  if ('error' in answer) {
    const message = Buffer.from(answer.message ?? 'told to say so by a test')
    return { opcode: 0, body: Buffer.concat([int(answer.error), short(message.length), message]) }
  }
  const { rows, pagingState, columns = rows[0]?.length ?? 0, metadata } = answer
  const more = pagingState === undefined ? [] : [int(pagingState.length), pagingState]
  const flags = (metadata === undefined ? NO_METADATA : metadata.flags) | (pagingState === undefined ? 0 : MORE_PAGES)
  return {
    opcode: 8,
    body: Buffer.concat([
      ...[int(2), int(flags), int(columns), ...more],
      ...(metadata === undefined ? [] : [metadata.bytes]),
      int(rows.length),
      ...rows.flat().flatMap((cell) => (cell === null ? [int(-1)] : [int(cell.length), cell])),
    ]),
  }
}

function readParameters(cursor: Cursor, cql: string) {
  cursor.uint16()
  const flags = cursor.uint8()
  const values = (flags & 0x01) === 0 ? [] : cursor.values()
  const pageSize = (flags & 0x04) === 0 ? undefined : cursor.int32()
  const pagingState = (flags & 0x08) === 0 ? undefined : (cursor.bytes() ?? undefined)
  return { statements: [{ cql, values }], pageSize, pagingState }
}

class Cursor {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  uint8(): number {
    return this.#take(1)[0] ?? 0
  }

  uint16(): number {
    return this.#take(2).readUInt16BE()
  }

  int32(): number {
    return this.#take(4).readInt32BE()
  }

  longString(): string {
    return this.#take(this.int32()).toString()
  }

  shortBytes(): Buffer {
    return this.#take(this.uint16())
  }

  /** null, or undefined for a value that is unset. */
  bytes(): Cell | undefined {
    const length = this.int32()
    if (length === -2) return undefined
    return length < 0 ? null : this.#take(length)
  }

  values(): readonly (Cell | undefined)[] {
    return Array.from({ length: this.uint16() }, () => this.bytes())
  }

  #take(length: number): Buffer {
    const start = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) throw new Error('the request ends too early')
    return Buffer.from(this.#bytes.subarray(start, this.#at))
  }
}

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function short(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value & 0xffff)
  return bytes
}

export function long(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

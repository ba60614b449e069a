// Frames of the native protocol, version 4: requests as bytes that are ready to be sent, and what answers mean. Pure.
import { ByteWriter } from '../byte-writer.ts'

export const OPCODES = {
  error: 0x00,
  startup: 0x01,
  ready: 0x02,
  authenticate: 0x03,
  query: 0x07,
  result: 0x08,
  prepare: 0x09,
  execute: 0x0a,
  batch: 0x0d,
  authChallenge: 0x0e,
  authResponse: 0x0f,
  authSuccess: 0x10,
} as const

export const CONSISTENCIES = {
  ONE: 1,
  TWO: 2,
  THREE: 3,
  QUORUM: 4,
  ALL: 5,
  LOCAL_QUORUM: 6,
  EACH_QUORUM: 7,
  LOCAL_ONE: 10,
} as const
export type Consistency = keyof typeof CONSISTENCIES

/** Codes of errors that something here does something about. */
export const ERRORS = {
  server: 0x0000,
  protocol: 0x000a,
  badCredentials: 0x0100,
  unavailable: 0x1000,
  overloaded: 0x1001,
  bootstrapping: 0x1002,
  truncating: 0x1003,
  writeTimeout: 0x1100,
  readTimeout: 0x1200,
  readFailure: 0x1300,
  writeFailure: 0x1500,
  invalid: 0x2200,
  unprepared: 0x2500,
} as const

/** An answer of the server that says no. `message` is the server's own. */
export class CqlError extends Error {
  override readonly name = 'CqlError'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export const HEADER_BYTES = 9
export const VERSION = 4
const RESPONSE = 0x80
const FLAGS = { tracing: 0x02, payload: 0x04, warnings: 0x08 } as const
const QUERY_FLAGS = { values: 0x01, skipMetadata: 0x02, pageSize: 0x04, pagingState: 0x08 } as const
const RESULT_KINDS = { void: 1, rows: 2, prepared: 4 } as const
const ROWS_FLAGS = { global: 0x01, morePages: 0x02, noMetadata: 0x04 } as const
const BATCH_UNLOGGED = 1
const BATCH_PREPARED = 1

export interface Header {
  /** True where it is an answer of this version. */
  readonly isAnswer: boolean
  readonly flags: number
  /** Negative for what nobody has asked for. */
  readonly stream: number
  readonly opcode: number
  /** Bytes that follow. */
  readonly length: number
}

/** Reads the 9 bytes at `at`. */
export function readHeader(bytes: Buffer, at: number): Header {
  return {
    isAnswer: bytes[at] === (RESPONSE | VERSION),
    flags: bytes[at + 1] ?? 0,
    stream: bytes.readInt16BE(at + 2),
    opcode: bytes[at + 4] ?? 0,
    length: bytes.readInt32BE(at + 5),
  }
}

/** Gives a frame the stream that it is sent on. */
export function setStream(frame: Buffer, stream: number): void {
  frame.writeInt16BE(stream, 2)
}

/** What of a body comes before what was asked for: the id of a trace, warnings, a payload. Throws RangeError for a body that ends too early. */
export function skipExtras(flags: number, body: Buffer): Buffer {
  if ((flags & (FLAGS.tracing | FLAGS.payload | FLAGS.warnings)) === 0) return body
  let at = (flags & FLAGS.tracing) === 0 ? 0 : 16
  if ((flags & FLAGS.warnings) !== 0) {
    const count = body.readUInt16BE(at)
    at += 2
    for (let warning = 0; warning < count; warning++) at += 2 + body.readUInt16BE(at)
  }
  if ((flags & FLAGS.payload) !== 0) {
    const count = body.readUInt16BE(at)
    at += 2
    for (let item = 0; item < count; item++) {
      at += 2 + body.readUInt16BE(at)
      at += 4 + Math.max(0, body.readInt32BE(at))
    }
  }
  return body.subarray(at)
}

/** Begins with room for the header; finishFrame fills it in. */
function startFrame(opcode: number, capacity = 256): ByteWriter {
  const out = new ByteWriter(capacity)
  beginFrame(out, opcode)
  return out
}

function beginFrame(out: ByteWriter, opcode: number): void {
  out.reset()
  out.writeUint8(VERSION)
  out.writeUint8(0)
  out.writeInt16(0)
  out.writeUint8(opcode)
  out.beginLength()
}

function finishFrame(out: ByteWriter): Buffer {
  out.endLength(HEADER_BYTES)
  return out.copy()
}

function writeString(out: ByteWriter, text: string): void {
  const start = out.length
  out.writeInt16(0)
  out.writeUtf8(text)
  const bytes = out.copy(start)
  bytes.writeUInt16BE(bytes.length - 2)
  out.reset(start)
  out.writeBytes(bytes)
}

function writeLongString(out: ByteWriter, text: string): void {
  const start = out.beginLength()
  out.writeUtf8(text)
  out.endLength(start)
}

function writeShortBytes(out: ByteWriter, bytes: Uint8Array): void {
  out.writeInt16(bytes.length)
  out.writeBytes(bytes)
}

/** The first request of a connection. */
export function createStartup(): Buffer {
  const out = startFrame(OPCODES.startup)
  out.writeInt16(1)
  writeString(out, 'CQL_VERSION')
  writeString(out, '3.0.0')
  return finishFrame(out)
}

/** What PasswordAuthenticator and all that stand in for it take. */
export function createPlainAuth(username: string, password: string): Buffer {
  const out = startFrame(OPCODES.authResponse)
  const start = out.beginLength()
  out.writeUint8(0)
  out.writeUtf8(username)
  out.writeUint8(0)
  out.writeUtf8(password)
  out.endLength(start)
  return finishFrame(out)
}

export function createPrepare(cql: string): Buffer {
  const out = startFrame(OPCODES.prepare)
  writeLongString(out, cql)
  return finishFrame(out)
}

export interface Parameters {
  readonly consistency: Consistency
  /** Bytes by the order of the markers. */
  readonly values: readonly Uint8Array[]
  /** Rows of a page; the server's own measure when left out. */
  readonly pageSize?: number | undefined
  /** Where the page before ended. */
  readonly pagingState?: Uint8Array | undefined
}

/** A statement as text: for what is asked once. */
export function createQuery(cql: string, parameters: Parameters): Buffer {
  const out = startFrame(OPCODES.query)
  writeLongString(out, cql)
  writeParameters(out, parameters)
  return finishFrame(out)
}

/** A statement that was prepared. */
export function createExecute(preparedId: Uint8Array, parameters: Parameters): Buffer {
  const out = startFrame(OPCODES.execute)
  writeShortBytes(out, preparedId)
  writeParameters(out, parameters)
  return finishFrame(out)
}

/** Without metadata in the answer: whoever asks knows the types. */
function writeParameters(out: ByteWriter, { consistency, values, pageSize, pagingState }: Parameters): void {
  out.writeInt16(CONSISTENCIES[consistency])
  out.writeUint8(
    QUERY_FLAGS.skipMetadata |
      (values.length > 0 ? QUERY_FLAGS.values : 0) |
      (pageSize === undefined ? 0 : QUERY_FLAGS.pageSize) |
      (pagingState === undefined ? 0 : QUERY_FLAGS.pagingState),
  )
  if (values.length > 0) {
    out.writeInt16(values.length)
    for (const value of values) {
      out.writeInt32(value.length)
      out.writeBytes(value)
    }
  }
  if (pageSize !== undefined) out.writeInt32(pageSize)
  if (pagingState === undefined) return
  out.writeInt32(pagingState.length)
  out.writeBytes(pagingState)
}

/** Builds the frames of unlogged batches of one prepared statement, one after the other in the same memory. */
export class BatchWriter {
  readonly #out = new ByteWriter(64 * 1_024)
  readonly #preparedId: Uint8Array
  readonly #valueCount: number
  readonly #consistency: Consistency
  #count = 0

  constructor(preparedId: Uint8Array, valueCount: number, consistency: Consistency) {
    this.#preparedId = preparedId
    this.#valueCount = valueCount
    this.#consistency = consistency
    this.#begin()
  }

  /** Begins the values of one more row: they are to be written to what this gives, each with its length in front. */
  addRow(): ByteWriter {
    this.#count++
    this.#out.writeUint8(BATCH_PREPARED)
    writeShortBytes(this.#out, this.#preparedId)
    this.#out.writeInt16(this.#valueCount)
    return this.#out
  }

  /** The frame of all rows since the last one. */
  take(): Buffer {
    const out = this.#out
    out.writeInt16(CONSISTENCIES[this.#consistency])
    out.writeUint8(0)
    const frame = finishFrame(out)
    // The type of the batch, then how many there are in it.
    frame.writeUInt16BE(this.#count, HEADER_BYTES + 1)
    this.#begin()
    return frame
  }

  #begin(): void {
    this.#count = 0
    beginFrame(this.#out, OPCODES.batch)
    this.#out.writeUint8(BATCH_UNLOGGED)
    this.#out.writeInt16(0)
  }
}

/** Throws RangeError for a body that ends too early, as all that read bodies do. */
export function readError(body: Buffer): CqlError {
  return new CqlError(body.readInt32BE(0), readString(body, 4))
}

/** The id of a statement from the answer to PREPARE. Throws RangeError for another answer. */
export function readPreparedId(body: Buffer): Buffer {
  if (body.readInt32BE(0) !== RESULT_KINDS.prepared) throw new RangeError('an answer that is not one to PREPARE')
  const length = body.readUInt16BE(4)
  return Buffer.from(body.subarray(6, 6 + length))
}

/** Rows as they came. */
export interface Page {
  readonly body: Buffer
  /** Where the first cell begins: each is a length (4 bytes; negative for null) and so many bytes. */
  readonly start: number
  readonly rowCount: number
  readonly columnCount: number
  /** Undefined after the last page, and only then: a page without rows is no last one. */
  readonly pagingState: Buffer | undefined
}

/** The rows of a result. Throws RangeError for another answer. */
export function readPage(body: Buffer): Page {
  if (body.readInt32BE(0) !== RESULT_KINDS.rows) throw new RangeError('an answer without rows')
  const flags = body.readInt32BE(4)
  const columnCount = body.readInt32BE(8)
  let at = 12
  let pagingState: Buffer | undefined
  if ((flags & ROWS_FLAGS.morePages) !== 0) {
    const length = body.readInt32BE(at)
    at += 4
    // A copy: the page need not stay in memory until the next one is asked for.
    if (length >= 0) pagingState = Buffer.from(body.subarray(at, at + length))
    at += Math.max(0, length)
  }
  // It was not asked for, but not every server leaves it out.
  if ((flags & ROWS_FLAGS.noMetadata) === 0) at = skipMetadata(body, at, columnCount, (flags & ROWS_FLAGS.global) !== 0)
  return { body, start: at + 4, rowCount: body.readInt32BE(at), columnCount, pagingState }
}

function skipMetadata(body: Buffer, start: number, columnCount: number, isGlobal: boolean): number {
  const skipString = (at: number) => at + 2 + body.readUInt16BE(at)
  let at = isGlobal ? skipString(skipString(start)) : start
  for (let column = 0; column < columnCount; column++) {
    if (!isGlobal) at = skipString(skipString(at))
    at = skipType(body, skipString(at))
  }
  return at
}

const TYPES = { custom: 0x00, list: 0x20, map: 0x21, set: 0x22, udt: 0x30, tuple: 0x31 } as const

function skipType(body: Buffer, start: number): number {
  const skipString = (at: number) => at + 2 + body.readUInt16BE(at)
  const type = body.readUInt16BE(start)
  let at = start + 2
  switch (type) {
    case TYPES.custom:
      return skipString(at)
    case TYPES.list:
    case TYPES.set:
      return skipType(body, at)
    case TYPES.map:
      return skipType(body, skipType(body, at))
    case TYPES.udt: {
      at = skipString(skipString(at))
      const count = body.readUInt16BE(at)
      at += 2
      for (let field = 0; field < count; field++) at = skipType(body, skipString(at))
      return at
    }
    case TYPES.tuple: {
      const count = body.readUInt16BE(at)
      at += 2
      for (let part = 0; part < count; part++) at = skipType(body, at)
      return at
    }
    default:
      return at
  }
}

function readString(body: Buffer, at: number): string {
  const length = body.readUInt16BE(at)
  return body.toString('utf8', at + 2, at + 2 + length)
}

/** The next cell: its bytes as a view, or null. */
export class CellReader {
  readonly #body: Buffer
  #at: number

  constructor({ body, start }: Page) {
    this.#body = body
    this.#at = start
  }

  /** Throws RangeError where the body ends too early. */
  next(): Buffer | null {
    const length = this.#body.readInt32BE(this.#at)
    const start = this.#at + 4
    this.#at = start + Math.max(0, length)
    if (this.#at > this.#body.length) throw new RangeError('the rows end too early')
    return length < 0 ? null : this.#body.subarray(start, this.#at)
  }
}

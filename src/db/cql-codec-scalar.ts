// The bytes of types that have no types inside. Pure.
import type { ByteWriter } from './byte-writer.ts'
import type { ScalarKind } from './cql-types.ts'
import { checkDuration } from './duration-text.ts'
import { formatInet, parseInet } from './inet-text.ts'
import { checkTimeOfDay, formatDecimal, parseDecimal, timestampOf } from './scalar-text.ts'
import { formatUuid, writeUuid } from './uuid-bytes.ts'
import { unexpectedValue, type ValueCodec } from './value-codec.ts'
import { type CqlValue, type Duration, INTEGER_RANGES, MAX_INT64, MIN_INT64, ValueError } from './values.ts'
import { readVarint, readVint, writeVarint, writeVint } from './varint-bytes.ts'

/** Days are stored unsigned, with 1970 in the middle. */
const DAY_ZERO = 2 ** 31

/** The codec of a type. Throws TypeError for counters, which cannot be written as values. */
export function createScalarCodec(kind: ScalarKind): ValueCodec {
  if (kind === 'counter') throw new TypeError('counters cannot be carried')
  return CODECS[kind]
}

const CODECS: Readonly<Record<Exclude<ScalarKind, 'counter'>, ValueCodec>> = {
  ascii: {
    fixedLength: undefined,
    decode: (bytes, start, end) => bytes.toString('latin1', start, end),
    encode(out, value) {
      const text = textOf(value, 'ascii')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has them
      if (/[^\x00-\x7f]/.test(text)) throw new ValueError('characters that ASCII does not have')
      out.writeUtf8(text)
    },
  },
  text: {
    fixedLength: undefined,
    decode: (bytes, start, end) => bytes.toString('utf8', start, end),
    encode(out, value) {
      const text = textOf(value, 'text')
      if (!text.isWellFormed()) throw new ValueError('half a surrogate pair, which UTF-8 cannot say')
      out.writeUtf8(text)
    },
  },
  blob: {
    fixedLength: undefined,
    decode: (bytes, start, end) => bytes.subarray(start, end),
    encode(out, value) {
      if (!(value instanceof Uint8Array)) throw unexpectedValue(value, 'blob')
      out.writeBytes(value)
    },
  },
  boolean: fixed(1, 1, {
    decode: (bytes, start) => bytes[start] !== 0,
    encode(out, value) {
      if (typeof value !== 'boolean') throw unexpectedValue(value, 'boolean')
      out.writeUint8(value ? 1 : 0)
    },
  }),
  tinyint: fixed(1, undefined, {
    decode: (bytes, start) => bytes.readInt8(start),
    encode: (out, value) => out.writeUint8(integerOf(value, 'tinyint')),
  }),
  smallint: fixed(2, undefined, {
    decode: (bytes, start) => bytes.readInt16BE(start),
    encode: (out, value) => out.writeInt16(integerOf(value, 'smallint')),
  }),
  int: fixed(4, 4, {
    decode: (bytes, start) => bytes.readInt32BE(start),
    encode: (out, value) => out.writeInt32(integerOf(value, 'int')),
  }),
  bigint: fixed(8, 8, {
    decode: (bytes, start) => bytes.readBigInt64BE(start),
    encode(out, value) {
      const number = bigintOf(value, 'bigint')
      if (number < MIN_INT64 || number > MAX_INT64) throw new ValueError('a number outside bigint')
      out.writeInt64(number)
    },
  }),
  varint: filled({
    decode: readVarint,
    encode: (out, value) => writeVarint(out, bigintOf(value, 'varint')),
  }),
  decimal: filled({
    decode(bytes, start, end) {
      if (end - start < 5) throw new ValueError(`${end - start} bytes where a decimal has 5 or more`)
      return formatDecimal(readVarint(bytes, start + 4, end), bytes.readInt32BE(start))
    },
    encode(out, value) {
      const { unscaled, scale } = parseDecimal(textOf(value, 'decimal'))
      out.writeInt32(scale)
      writeVarint(out, unscaled)
    },
  }),
  float: fixed(4, 4, {
    decode: (bytes, start) => bytes.readFloatBE(start),
    encode: (out, value) => out.writeFloat(numberOf(value, 'float')),
  }),
  double: fixed(8, 8, {
    decode: (bytes, start) => bytes.readDoubleBE(start),
    encode: (out, value) => out.writeDouble(numberOf(value, 'double')),
  }),
  uuid: fixed(16, 16, {
    decode: formatUuid,
    encode: (out, value) => out.fill(16, (bytes, at) => writeUuid(textOf(value, 'uuid'), bytes, at)),
  }),
  timeuuid: fixed(16, 16, {
    decode: formatUuid,
    encode(out, value) {
      const text = textOf(value, 'timeuuid')
      if (text[14] !== '1') throw new ValueError('no uuid of version 1')
      out.fill(16, (bytes, at) => writeUuid(text, bytes, at))
    },
  }),
  inet: filled({
    decode: (bytes, start, end) => formatInet(bytes.subarray(start, end)),
    encode: (out, value) => out.writeBytes(parseInet(textOf(value, 'inet'))),
  }),
  date: fixed(4, undefined, {
    decode: (bytes, start) => bytes.readUInt32BE(start) - DAY_ZERO,
    encode(out, value) {
      const days = numberOf(value, 'date')
      if ((days | 0) !== days) throw new ValueError('a day outside 32 bits')
      // The same bits with the first one flipped.
      out.writeInt32(days ^ DAY_ZERO)
    },
  }),
  time: fixed(8, undefined, {
    decode: (bytes, start) => checkTimeOfDay(bytes.readInt32BE(start) * 2 ** 32 + bytes.readUInt32BE(start + 4)),
    encode: (out, value) => out.writeSafeInt64(checkTimeOfDay(wholeOf(value, 'time'))),
  }),
  timestamp: fixed(8, 8, {
    decode(bytes, start) {
      const high = bytes.readInt32BE(start)
      // Below 2^53 either way, which is where nearly all are.
      if (high >= -0x20_0000 && high < 0x20_0000) return high * 2 ** 32 + bytes.readUInt32BE(start + 4)
      return timestampOf(bytes.readBigInt64BE(start))
    },
    encode(out, value) {
      if (typeof value === 'bigint') out.writeInt64(BigInt(timestampOf(value)))
      else out.writeSafeInt64(wholeOf(value, 'timestamp'))
    },
  }),
  duration: filled({
    decode(bytes, start, end) {
      const months = readVint(bytes, start, end)
      const days = readVint(bytes, months.end, end)
      const nanoseconds = readVint(bytes, days.end, end)
      if (nanoseconds.end !== end) throw new ValueError('bytes after the end of a duration')
      return checkDuration(months.value, days.value, nanoseconds.value)
    },
    encode(out, value) {
      const { months, days, nanoseconds } = durationOf(value)
      for (const part of [BigInt(months), BigInt(days), nanoseconds]) writeVint(out, part)
    },
  }),
}

interface Coding {
  readonly decode: (bytes: Buffer, start: number, end: number) => CqlValue
  readonly encode: (out: ByteWriter, value: CqlValue) => void
}

/** For types whose values all have so many bytes. Vectors leave out the length of some of them only: see `fixedLength`. */
function fixed(length: number, fixedLength: number | undefined, { decode, encode }: Coding): ValueCodec {
  return {
    fixedLength,
    decode(bytes, start, end) {
      if (end - start === length) return decode(bytes, start, end)
      if (end === start) return null
      throw new ValueError(`${end - start} bytes where ${length} are expected`)
    },
    encode,
  }
}

/** For types of any length that have no empty value. */
function filled({ decode, encode }: Coding): ValueCodec {
  return {
    fixedLength: undefined,
    decode: (bytes, start, end) => (end === start ? null : decode(bytes, start, end)),
    encode,
  }
}

function textOf(value: CqlValue, kind: string): string {
  if (typeof value !== 'string') throw unexpectedValue(value, kind)
  return value
}

function numberOf(value: CqlValue, kind: string): number {
  if (typeof value !== 'number') throw unexpectedValue(value, kind)
  return value
}

function bigintOf(value: CqlValue, kind: string): bigint {
  if (typeof value !== 'bigint') throw unexpectedValue(value, kind)
  return value
}

function wholeOf(value: CqlValue, kind: string): number {
  if (!Number.isSafeInteger(value)) throw unexpectedValue(value, kind)
  return value as number
}

function integerOf(value: CqlValue, kind: keyof typeof INTEGER_RANGES): number {
  const number = numberOf(value, kind)
  const [least, greatest] = INTEGER_RANGES[kind]
  if (!Number.isInteger(number) || number < least || number > greatest) throw new ValueError(`a number outside ${kind}`)
  return number
}

function durationOf(value: CqlValue): Duration {
  if (typeof value !== 'object' || !('nanoseconds' in value)) throw unexpectedValue(value, 'duration')
  return checkDuration(BigInt(value.months), BigInt(value.days), value.nanoseconds)
}

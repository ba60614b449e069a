// Integers of any length as Cassandra stores them: two's complement in as few bytes as hold it (varint, decimal), and the counts of
// leading ones that say how long a vint is (duration, vectors). Pure.
import type { ByteWriter } from './byte-writer.ts'
import { ValueError } from './values.ts'

/** Reads two's complement, 1 byte or more. */
export function readVarint(bytes: Buffer, start: number, end: number): bigint {
  const length = end - start
  if (length <= 6) return BigInt(bytes.readIntBE(start, length))
  if (length === 8) return bytes.readBigInt64BE(start)
  const unsigned = BigInt(`0x${bytes.toString('hex', start, end)}`)
  return BigInt.asIntN(length * 8, unsigned)
}

/** Writes two's complement in as few bytes as hold the number and its sign. */
export function writeVarint(out: ByteWriter, value: bigint): void {
  const magnitude = value < 0n ? ~value : value
  // The bits, and one for the sign.
  const bits = magnitude === 0n ? 1 : bitLength(magnitude) + 1
  const length = Math.ceil(bits / 8)
  const hex = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, '0')
  out.fill(length, (bytes, at) => bytes.write(hex, at, length, 'hex'))
}

export interface Vint {
  readonly value: bigint
  /** Where the next one begins. */
  readonly end: number
}

/** Reads a vint without a sign (up to 64 bits). Throws ValueError when the bytes end in it. */
export function readUnsignedVint(bytes: Buffer, start: number, end: number): Vint {
  const first = bytes[start]
  if (first === undefined || start >= end) throw new ValueError('the bytes end in a number')
  const more = Math.clz32(~(first << 24))
  const next = start + 1 + more
  if (next > end) throw new ValueError('the bytes end in a number')
  let value = BigInt(first & (0xff >> (more + 1)))
  for (let at = start + 1; at < next; at++) value = (value << 8n) | BigInt(bytes[at] ?? 0)
  return { value, end: next }
}

/** Writes 0 to 2^64 - 1. */
export function writeUnsignedVint(out: ByteWriter, value: bigint): void {
  const bits = bitLength(value | 1n)
  // Seven bits a byte, the ninth byte has eight.
  const more = Math.min(8, Math.ceil(bits / 7) - 1)
  const leading = more === 8 ? 0xff : (0xff00 >> more) & 0xff
  const top = more === 8 ? 0 : Number(value >> BigInt(more * 8))
  out.writeUint8(leading | top)
  for (let byte = more - 1; byte >= 0; byte--) out.writeUint8(Number((value >> BigInt(byte * 8)) & 0xffn))
}

/** Reads a vint with a sign: its lowest bit. */
export function readVint(bytes: Buffer, start: number, end: number): Vint {
  const { value, end: next } = readUnsignedVint(bytes, start, end)
  return { value: (value >> 1n) ^ -(value & 1n), end: next }
}

/** Writes -2^63 to 2^63 - 1. */
export function writeVint(out: ByteWriter, value: bigint): void {
  writeUnsignedVint(out, BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)))
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length
}

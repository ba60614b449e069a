// The bytes of collections, tuples, user-defined types and vectors: cells in a row. Pure.
import type { ByteWriter } from './byte-writer.ts'
import { readCellLength, unexpectedValue, type ValueCodec, writeCell } from './value-codec.ts'
import { atStep, type CqlMap, type CqlValue, describeValue, ValueError } from './values.ts'
import { readUnsignedVint, writeUnsignedVint } from './varint-bytes.ts'

type Items = readonly (CqlValue | null)[]

/** Of lists and sets: a count, then cells, none of them null. */
export function createListCodec(of: ValueCodec): ValueCodec {
  return {
    fixedLength: undefined,
    decode(bytes, start, end) {
      if (start === end) return null
      const count = readCount(bytes, start, end)
      const items: CqlValue[] = []
      let at = start + 4
      for (let item = 0; item < count; item++) {
        const length = readCellLength(bytes, at, end)
        items.push(decodeItem(of, bytes, at + 4, length, item))
        at += 4 + length
      }
      return expectEnd(items, at, end)
    },
    encode(out, value) {
      const items = itemsOf(value, 'list')
      out.writeInt32(items.length)
      for (let at = 0; at < items.length; at++) encodeItem(out, of, items[at], at)
    },
  }
}

/** A count, then a cell for each key and each value. */
export function createMapCodec(key: ValueCodec, value: ValueCodec): ValueCodec {
  return {
    fixedLength: undefined,
    decode(bytes, start, end) {
      if (start === end) return null
      const count = readCount(bytes, start, end)
      const pairs: (readonly [CqlValue, CqlValue])[] = []
      let at = start + 4
      for (let pair = 0; pair < count; pair++) {
        const keyLength = readCellLength(bytes, at, end)
        const one = decodeItem(key, bytes, at + 4, keyLength, pair)
        at += 4 + keyLength
        const valueLength = readCellLength(bytes, at, end)
        pairs.push([one, decodeItem(value, bytes, at + 4, valueLength, pair)])
        at += 4 + valueLength
      }
      return expectEnd(pairs, at, end)
    },
    encode(out, map) {
      const pairs = itemsOf(map, 'map') as CqlMap
      out.writeInt32(pairs.length)
      for (const [at, pair] of pairs.entries()) {
        encodeItem(out, key, pair[0], at)
        encodeItem(out, value, pair[1], at)
      }
    },
  }
}

/** Cells without a count; as many as were written, which may be fewer than the type has by now. */
export function createTupleCodec(parts: readonly { readonly name: string; readonly codec: ValueCodec }[]): ValueCodec {
  return {
    fixedLength: undefined,
    decode(bytes, start, end) {
      if (start === end) return null
      const items: (CqlValue | null)[] = []
      let at = start
      for (const { name, codec } of parts) {
        if (at === end) break
        const length = readCellLength(bytes, at, end)
        items.push(length < 0 ? null : decodePart(codec, bytes, at + 4, length, name))
        at += 4 + Math.max(0, length)
      }
      return expectEnd(items, at, end)
    },
    encode(out, value) {
      const items = itemsOf(value, 'tuple')
      if (items.length > parts.length)
        throw new ValueError(`${describeValue(value)} where at most ${parts.length} are expected`)
      for (const [at, { name, codec }] of parts.entries()) {
        const item = items[at]
        if (item === undefined) break
        encodePart(out, codec, item, name)
      }
    },
  }
}

/** Values one after the other; each with its length in front (a vint) where the type does not say it. */
export function createVectorCodec(of: ValueCodec, dimension: number): ValueCodec {
  const { fixedLength } = of
  return {
    fixedLength: fixedLength === undefined ? undefined : fixedLength * dimension,
    decode(bytes, start, end) {
      if (start === end) return null
      const items: CqlValue[] = []
      let at = start
      for (let item = 0; item < dimension; item++) {
        let length = fixedLength
        if (length === undefined) {
          const vint = readUnsignedVint(bytes, at, end)
          length = Number(vint.value)
          at = vint.end
        }
        if (at + length > end) throw new ValueError('the bytes end too early')
        items.push(decodeItem(of, bytes, at, length, item))
        at += length
      }
      return expectEnd(items, at, end)
    },
    encode(out, value) {
      const items = itemsOf(value, 'vector')
      if (items.length !== dimension) throw new ValueError(`${describeValue(value)} where ${dimension} are expected`)
      for (let at = 0; at < dimension; at++) encodeElement(out, of, items[at], at)
    },
  }
}

function readCount(bytes: Buffer, start: number, end: number): number {
  if (end - start < 4) throw new ValueError('the bytes end too early')
  const count = bytes.readInt32BE(start)
  if (count < 0) throw new ValueError('a collection of less than nothing')
  return count
}

function expectEnd<T>(result: T, at: number, end: number): T {
  if (at !== end) throw new ValueError('more bytes than the type has values: it may have changed')
  return result
}

/** A value that must not be null. */
function decodeItem(codec: ValueCodec, bytes: Buffer, start: number, length: number, step: number | string): CqlValue {
  const item = length < 0 ? null : decodePart(codec, bytes, start, length, step)
  if (item === null) throw atStep(new ValueError('null, which has no place inside a collection'), step)
  return item
}

function decodePart(
  codec: ValueCodec,
  bytes: Buffer,
  start: number,
  length: number,
  step: number | string,
): CqlValue | null {
  try {
    return codec.decode(bytes, start, start + length)
  } catch (error) {
    throw atStep(error, step)
  }
}

function encodeItem(
  out: ByteWriter,
  codec: ValueCodec,
  item: CqlValue | null | undefined,
  step: number | string,
): void {
  if (item === null || item === undefined)
    throw atStep(new ValueError('null, which has no place inside a collection'), step)
  encodePart(out, codec, item, step)
}

function encodePart(out: ByteWriter, codec: ValueCodec, item: CqlValue | null, step: number | string): void {
  try {
    writeCell(out, codec, item)
  } catch (error) {
    throw atStep(error, step)
  }
}

function encodeElement(out: ByteWriter, codec: ValueCodec, item: CqlValue | null | undefined, step: number): void {
  try {
    if (item === null || item === undefined) throw new ValueError('null, which has no place inside a vector')
    if (codec.fixedLength === undefined) encodeWithVint(out, codec, item)
    else codec.encode(out, item)
  } catch (error) {
    throw atStep(error, step)
  }
}

/** How many bytes the length takes is known only after the value: it is written, and once more behind its length. */
function encodeWithVint(out: ByteWriter, codec: ValueCodec, item: CqlValue): void {
  const start = out.length
  codec.encode(out, item)
  const element = out.copy(start)
  out.reset(start)
  writeUnsignedVint(out, BigInt(element.length))
  out.writeBytes(element)
}

function itemsOf(value: CqlValue, kind: string): Items {
  if (!Array.isArray(value)) throw unexpectedValue(value, kind)
  return value
}
